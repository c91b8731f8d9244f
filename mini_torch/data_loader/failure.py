"""Exceptions on their way to the user: which item it was, and from a worker to the main process."""

from __future__ import annotations

import sys
import traceback
from typing import Any

__all__ = ["Failure", "note"]


def note(error: BaseException, text: str) -> None:
    """Adds a line to what the exception's traceback shows (in a worker; in the main process from Python 3.11 on)."""
    if hasattr(error, "add_note"):
        error.add_note(text)
    else:
        vars(error)["__notes__"] = [*getattr(error, "__notes__", []), text]


class Failure:
    """An exception of a worker: its type, and its traceback as text, for a traceback itself cannot travel.

    Source: the text is that of PyTorch's loader, with our note of the item's number at its end.
    """

    def __init__(self, error: BaseException, where: str) -> None:
        text = "".join(traceback.format_exception(error))
        if sys.version_info < (3, 11):  # from then on the traceback shows the notes itself
            text += "".join(f"{line}\n" for line in getattr(error, "__notes__", []))
        self.kind: Any = type(error)
        self.text = f"Caught {self.kind.__name__} {where}.\nOriginal {text}"

    def raise_again(self) -> None:
        """Raises an exception of the same type with the text, or a RuntimeError where the type takes no text."""
        if self.kind is KeyError:
            raise KeyError(_Shown(self.text))
        if getattr(self.kind, "message", None):
            raise self.kind(message=self.text)
        raise self._rebuilt()  # not from a variable, which would hold the traceback that holds it, and so the workers

    def _rebuilt(self) -> BaseException:
        try:
            error: BaseException = self.kind(self.text)
        except Exception:
            error = RuntimeError(self.text)
        return error


class _Shown(str):
    """A text that its `repr`, which KeyError shows, leaves readable."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)
