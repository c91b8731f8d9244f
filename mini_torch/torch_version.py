"""A version that is a text and compares as a version, so that "2.13" comes after "2.9"."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["TorchVersion"]

_FORM = re.compile(
    r"v?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_number>\d*))?"
    r"(?:[-_.]?(?P<post>post|rev|r)[-_.]?(?P<post_number>\d*)|-(?P<post_short>\d+))?"
    r"(?:[-_.]?(?P<dev>dev)[-_.]?(?P<dev_number>\d*))?"
    r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?"
)
_NEVER = float("inf")


class TorchVersion(str):
    """What `torch.__version__` is: a str that compares with texts, tuples and `packaging`'s versions as a version.

    What is no version compares as text. Source: PEP 440, and PyTorch's `torch.torch_version.TorchVersion`.

    >>> version = TorchVersion("2.13.0+mini_torch")
    >>> version >= (1, 8), version >= "2.9", version < "2.13", version == "2.13.0+mini_torch"
    (True, True, False, True)
    """

    def __gt__(self, other: Any) -> bool:
        return self._compared(operator.gt, other)

    def __ge__(self, other: Any) -> bool:
        return self._compared(operator.ge, other)

    def __lt__(self, other: Any) -> bool:
        return self._compared(operator.lt, other)

    def __le__(self, other: Any) -> bool:
        return self._compared(operator.le, other)

    def __eq__(self, other: object) -> bool:
        return self._compared(operator.eq, other)

    __hash__ = str.__hash__

    def _compared(self, compare: Callable[[Any, Any], Any], other: Any) -> bool:
        ours, theirs = _order(self), _order(_text(other))
        if ours is not None and theirs is not None:
            return bool(compare(ours, theirs))
        compared = getattr(str, f"__{compare.__name__}__")(str(self), other)
        if compared is NotImplemented and compare is not operator.eq:
            sign = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}[compare.__name__]
            raise TypeError(f"{sign!r} not supported between instances of 'TorchVersion' and {type(other).__name__!r}")
        return compared is True


def _text(other: Any) -> str:
    """(1, 8) is "1.8"; what is neither text nor version is no version."""
    if isinstance(other, str) or hasattr(other, "release"):
        return str(other)
    return ".".join(str(part) for part in other) if isinstance(other, Iterable) else ""


def _order(version: str) -> tuple[Any, ...] | None:
    """By what versions are ordered: release, then before it (a, b, rc), after it (post), dev and local; or None."""
    form = _FORM.fullmatch(version.strip().lower())
    if form is None:
        return None
    release = [int(part) for part in form["release"].split(".")]
    while release and release[-1] == 0:
        release.pop()
    after = form["post_short"] if form["post"] is None else form["post_number"] or 0
    dev = _NEVER if form["dev"] is None else int(form["dev_number"] or 0)
    if form["pre"]:
        letter = {"alpha": "a", "beta": "b"}.get(form["pre"], form["pre"])
        before: tuple[Any, ...] = (0, letter if letter in "ab" else "rc", int(form["pre_number"] or 0))
    else:
        before = (-1,) if after is None and dev != _NEVER else (1,)
    local = [(int(p), "") if p.isdigit() else (-1, p) for p in re.split("[-_.]", form["local"] or "") if p]
    return release, before, -1 if after is None else int(after), dev, local
