"""How a tensor prints: PyTorch's `repr`, from the array alone.

All numbers of a tensor share one column: a width and a way of writing, chosen from the finite numbers other
than zero. Whole numbers in a floating type print as `2.`, others with `precision` decimals. It is scientific
where the largest is above 10⁸ or more than 1,000 times the smallest, or the smallest below 10⁻⁴. A tensor of
more than `threshold` numbers shows `edgeitems` at both ends of each dimension.
Source: PyTorch's page "torch.set_printoptions".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from . import dtype as _dtype
from .dtype import from_numpy_dtype

__all__ = ["format_scalar", "format_tensor", "get_printoptions", "printoptions", "set_printoptions"]

Array = np.ndarray[Any, Any]
Column = tuple[Callable[[Any], str], int]  # how to write a number, and to which width


class _Options:
    def __init__(
        self, precision: int = 4, threshold: float = 1000, edgeitems: int = 3, linewidth: int = 80,
        sci_mode: bool | None = None,
    ) -> None:  # fmt: skip
        self.precision = precision
        self.threshold = threshold
        self.edgeitems = edgeitems
        self.linewidth = linewidth
        self.sci_mode = sci_mode


_PROFILES = {
    "default": _Options(),
    "short": _Options(precision=2, edgeitems=2),
    "full": _Options(threshold=math.inf),
}
_options = _Options()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Sets how tensors print. What is None stays, but `sci_mode=None` means: choose for each tensor.

    `profile` is "default", "short" or "full" and sets the rest first. PyTorch's `torch.set_printoptions`.
    """
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    if profile in _PROFILES:
        vars(_options).update(vars(_PROFILES[profile]))
    vars(_options).update({name: value for name, value in given.items() if value is not None})
    _options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The options as keywords for `set_printoptions`."""
    return dict(vars(_options))


@contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """`set_printoptions` inside a `with` block only. PyTorch's `torch.printoptions`."""
    before = get_printoptions()
    set_printoptions(**options)
    try:
        yield
    finally:
        set_printoptions(**before)


def format_scalar(array: Array, spec: str) -> str:
    """What an f-string makes of a 0-d tensor: the same as of the Python number in it.

    >>> format_scalar(np.array(2.5), ".2f")
    '2.50'
    """
    return format(array.item(), spec)


def format_tensor(
    array: Array, *, requires_grad: bool = False, grad_fn: str | None = None, class_name: str = "tensor"
) -> str:
    """A tensor's `repr`; `grad_fn` is the name of the node that made it.

    >>> format_tensor(np.array([1, 2], np.float32), grad_fn="AddBackward0")
    'tensor([1., 2.], grad_fn=<AddBackward0>)'
    """
    indent = len(class_name) + 1
    numbers = array.astype(np.float32) if array.dtype.kind == "V" else array  # bfloat16 prints as what it stands for
    text = f"{class_name}({_body(numbers, indent)}"
    notes = _type_notes(array)
    if grad_fn is not None:
        notes.append(f"grad_fn=<{grad_fn}>")
    elif requires_grad:
        notes.append("requires_grad=True")
    return _with_notes(text, notes, indent)


def _type_notes(array: Array) -> list[str]:
    """What the numbers alone do not tell: the size of an empty tensor, a type that is not the default."""
    notes = []
    if array.ndim != 1 if array.size == 0 else not _options.edgeitems:
        notes.append(f"size={array.shape}")
    default = _dtype.get_default_dtype()
    known = [default] if array.size == 0 else [default, default.to_complex(), _dtype.int64, _dtype.bool]
    kind = from_numpy_dtype(array.dtype)
    if kind not in known:
        notes.append(f"dtype={kind}")
    return notes


def _with_notes(text: str, notes: list[str], indent: int) -> str:
    """Appends the notes, each on a new line where the last one is full, and closes the parenthesis."""
    used = len(text) - text.rfind("\n") + 1
    for note in notes:
        if used + len(note) + 2 > _options.linewidth:
            text += ",\n" + " " * indent + note
            used = indent + len(note)
        else:
            text += ", " + note
            used += len(note) + 2
    return text + ")"


def _body(array: Array, indent: int) -> str:
    if array.size == 0:
        return "[]"
    summarize = array.size > _options.threshold
    shown = _edges(array) if summarize else array
    write, width = _complex_column(shown) if array.dtype.kind == "c" else _column(shown)
    return _nested(array, indent, summarize, write, width)


def _edges(array: Array) -> Array:
    """The part of a summarized tensor that is shown."""
    for axis, n in enumerate(array.shape):
        if n > 2 * _options.edgeitems:
            ends = [*range(_options.edgeitems), *range(n - _options.edgeitems, n)]
            array = array.take(ends, axis)
    return array


# ---- one number --------------------------------------------------------------------------------------------
def _column(values: Array) -> Column:
    write = _writer(values)
    if values.dtype.kind == "f":
        values = values[np.isfinite(values) & (values != 0)]
    width = max((len(write(value)) for value in values.ravel().tolist()), default=1)
    return lambda value: write(value).rjust(width), width


def _writer(values: Array) -> Callable[[Any], str]:
    """How to write the numbers of a tensor, before they are brought to one width."""
    if values.dtype.kind != "f":
        return str
    sizes = np.abs(values[np.isfinite(values) & (values != 0)].astype(np.float64))
    if sizes.size and _is_scientific(sizes.min().item(), sizes.max().item()):
        spec = f".{_options.precision}e"
    elif (sizes == np.floor(sizes)).all():
        return _write_whole
    else:
        spec = f".{_options.precision}f"
    return lambda value: format(value, spec)


def _is_scientific(smallest: float, largest: float) -> bool:
    if _options.sci_mode is not None:
        return _options.sci_mode
    return largest / smallest > 1000.0 or largest > 1.0e8 or smallest < 1.0e-4


def _write_whole(value: float) -> str:
    return f"{value:.0f}." if math.isfinite(value) else str(value)


def _complex_column(values: Array) -> Column:
    write_real, real_width = _column(values.real)
    write_imag, imag_width = _column(values.imag)

    def write(value: complex) -> str:
        imag = write_imag(value.imag).lstrip()
        sign = "" if imag[0] == "-" else "+"
        return f"{write_real(value.real)}{sign}{imag}j"

    return write, real_width + imag_width + 1


# ---- rows of numbers ---------------------------------------------------------------------------------------
def _nested(array: Array, indent: int, summarize: bool, write: Callable[[Any], str], width: int) -> str:
    """The nested brackets: rows one below the other, with an empty line more for each dimension above."""
    if array.ndim == 0:
        return write(array.item())
    if array.ndim == 1:
        return _row(array, indent, summarize, write, width)

    def part(row: Array) -> str:
        return _nested(row, indent + 1, summarize, write, width)

    edge = _options.edgeitems
    if summarize and len(array) > 2 * edge:
        parts = [*map(part, array[:edge]), "...", *map(part, array[len(array) - edge :])]
    else:
        parts = [part(row) for row in array]
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(parts) + "]"


def _row(array: Array, indent: int, summarize: bool, write: Callable[[Any], str], width: int) -> str:
    edge = _options.edgeitems
    if summarize and not edge:
        return "[...]"
    if summarize and len(array) > 2 * edge:
        cells = [*map(write, array[:edge].tolist()), " ...", *map(write, array[-edge:].tolist())]
    else:
        cells = [write(value) for value in array.tolist()]
    per_line = max(1, (_options.linewidth - indent) // (width + 2))
    lines = [", ".join(cells[i : i + per_line]) for i in range(0, len(cells), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
