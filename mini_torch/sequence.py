"""From nested Python sequences to arrays, with PyTorch's types and PyTorch's errors."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from .dtype import default_numpy_dtype, get_default_dtype, promote_numpy, to_numpy_dtype

__all__ = ["from_sequence"]

_arrays = (np.ndarray, np.generic)


def from_sequence(data: Any, dtype: Any) -> np.ndarray[Any, Any]:
    """Numbers, nested lists and tuples of them, of arrays or of tensors, as an array.

    Floats take the default floating type (unless a type is given that they will be converted to), ints int64; NumPy's
    numbers keep their own.
    """
    if isinstance(data, list | tuple) and any(_is_tensor(x) or isinstance(x, np.ndarray) for x in data):
        data = [x._array if _is_tensor(x) else x for x in data]
        if any(isinstance(x, _arrays) for x in data):
            return np.array(data)
    elif isinstance(data, list | tuple) and data and isinstance(data[0], list | tuple) and _holds_tensors(data):
        return np.stack([from_sequence(row, dtype) for row in data])
    try:
        array = np.array(data)
    except ValueError:
        array = np.array(None)
    if array.dtype.kind not in "biufc":
        _explain(data, ())
    if dtype is not None:  # at once: by way of the default type, float64 numbers would lose digits
        return _converted(array, to_numpy_dtype(dtype))
    kind = _numpy_kind(data)
    if kind is not None:
        return array.astype(kind, copy=False)
    if array.size == 0 or array.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return array.astype(default_numpy_dtype())
    if array.dtype.kind == "c":
        return array.astype(get_default_dtype().to_complex().numpy)
    if array.dtype.kind == "u":
        raise ValueError("Overflow when unpacking long long")
    return array if array.dtype.kind in "bu" else array.astype(np.int64, copy=False)


def _numpy_kind(data: Any) -> np.dtype[Any] | None:
    """The type of rows that begin with a number of NumPy's, told from the first of them; None for Python's numbers."""
    while isinstance(data, list | tuple) and data and isinstance(data[0], list | tuple):
        data = data[0]
    if not (isinstance(data, list | tuple) and data and isinstance(data[0], np.generic)):
        return None
    kind: Any = None
    for x in data:
        own = x.dtype if isinstance(x, np.generic) else from_sequence([x], None).dtype
        kind = own if kind is None else promote_numpy(kind, own)
    return kind


def _converted(array: np.ndarray[Any, Any], kind: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Python's numbers in a given type: cut to whole ones where it is whole.

    Errors: TypeError for complex numbers in a real type, RuntimeError where one is out of a whole type's range.
    """
    if array.dtype.kind == "c" and kind.kind in "iuf":
        raise TypeError(f"must be real number, not complex, for {kind.name}")
    if kind.kind in "iu" and array.size and array.dtype.kind != "b":
        limits = np.iinfo(kind)
        least = -limits.max if kind.kind == "u" else limits.min  # small negative ones wrap around
        fits = (array >= least) & (array <= limits.max)
        if not fits.all():
            bad = array[~fits].flat[0] if array.ndim else array
            raise RuntimeError(f"value cannot be converted to type {kind.name} without overflow: {bad}")
        if array.dtype.kind == "f":
            array = np.trunc(array).astype(np.int64)
    with np.errstate(all="ignore"):
        return array.astype(kind)


def _is_tensor(x: Any) -> bool:
    return hasattr(x, "_array")  # the class itself lives a floor above


def _holds_tensors(data: Any) -> bool:
    while isinstance(data, list | tuple) and data:
        data = data[0]
    return _is_tensor(data)


def _explain(data: Any, place: tuple[int, ...]) -> NoReturn:
    """Raises PyTorch's error for nested sequences that are no array, with the place in it."""
    if isinstance(data, list | tuple):
        lengths = [len(x) if isinstance(x, list | tuple) else -1 for x in data]
        for i, (x, n) in enumerate(zip(data, lengths)):
            if n != lengths[0]:
                if lengths[0] == -1:
                    raise TypeError(f"must be real number, not {type(x).__name__} (at index {i} of dim {len(place)})")
                got = f"got {n}" if n >= 0 else f"got {type(x).__name__}"
                raise ValueError(f"expected sequence of length {lengths[0]} at dim {len(place) + 1} ({got})")
        for i, x in enumerate(data):
            if isinstance(x, list | tuple) or not isinstance(x, int | float | complex | np.generic):
                _explain(x, (*place, i))
        raise ValueError("the nested sequences do not form an array")
    if isinstance(data, str):
        raise TypeError(f"new(): invalid data type 'str': {data!r}")
    if data is None or not isinstance(data, int | float | complex):
        raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")
    raise ValueError("Overflow when unpacking long long")
