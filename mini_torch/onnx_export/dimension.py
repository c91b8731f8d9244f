"""`Dim`: a size that may differ from run to run, by name."""

from __future__ import annotations

from typing import Any

__all__ = ["Dim", "name_of"]


class _Hint:
    """`Dim.AUTO`, `Dim.DYNAMIC` and `Dim.STATIC`: a size without a name, and one that stays."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"Dim.{self.name}"


class Dim:
    """A dimension whose size is open, from `min` to `max`. Sizes of the same name are the same number at every run.

    Source: PyTorch's `torch.export.Dim`.

    >>> Dim("batch", max=64)
    Dim('batch', min=0, max=64)
    """

    AUTO, DYNAMIC, STATIC = _Hint("AUTO"), _Hint("DYNAMIC"), _Hint("STATIC")

    def __init__(self, name: str, *, min: int | None = None, max: int | None = None) -> None:
        if not name.isidentifier():
            raise ValueError(f"Dim(): name must be a valid identifier, got {name!r}")
        self.min, self.max = 0 if min is None else min, max
        if self.max is not None and self.max <= self.min:
            raise ValueError(f"Cannot create Dim with inconsistent min={min}, max={max}")
        self.__name__ = name

    def __repr__(self) -> str:
        return f"Dim({self.__name__!r}, min={self.min}" + ("" if self.max is None else f", max={self.max}") + ")"


def name_of(given: Any, otherwise: str) -> str | None:
    """The name in a user's word for a size: a string, a `Dim`; `otherwise` for one without a name, None for one that
    stays as it is."""
    if given is None or given is Dim.STATIC or isinstance(given, int):
        return None
    if isinstance(given, str):
        return given
    if isinstance(given, _Hint):
        return otherwise
    name = getattr(given, "__name__", None)
    if isinstance(name, str):
        return name
    raise TypeError(f"a size is given as a name, a Dim, an int or None, not as {type(given).__name__}: {given!r}")
