"""From a list of items to a batch of tensors."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from ..creation import as_tensor
from ..dtype import float64
from ..ops.join import stack
from ..tensor import Tensor, tensor, wrap

__all__ = [
    "collate", "collate_float_fn", "collate_int_fn", "collate_numpy_array_fn", "collate_numpy_scalar_fn",
    "collate_str_fn", "collate_tensor_fn", "default_collate", "default_collate_fn_map", "default_convert",
]  # fmt: skip

Collate = Callable[..., Any]  # function(batch, *, collate_fn_map)
Kinds = Mapping[Any, Collate]  # a type, or a tuple of types, and how items of it are put together


def default_collate(batch: Any) -> Any:
    """Items as one batch: tensors and arrays stacked, numbers as a tensor, containers element by element.

    Tuples become lists, named tuples and dicts keep their type, strings stay a list. How items of other types are put
    together is told in `default_collate_fn_map`. Errors: TypeError for items of a type that is not there, RuntimeError
    for items of different sizes. Source: PyTorch's `utils.data.default_collate`.

    >>> default_collate([(1, 2.5), (3, 4.5)])
    [tensor([1, 3]), tensor([2.5000, 4.5000], dtype=torch.float64)]
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)


def collate(batch: Any, *, collate_fn_map: Kinds | None = None) -> Any:
    """Items as one batch, by the functions for their types; of containers, element by element.

    An item's own type is looked up first, then the first entry that it is an instance of.
    Source: PyTorch's `utils.data._utils.collate.collate`.
    """
    first, kinds = batch[0], collate_fn_map or {}
    function = kinds.get(type(first)) or next((f for kind, f in kinds.items() if isinstance(first, kind)), None)
    if function is not None:
        return function(batch, collate_fn_map=collate_fn_map)

    def together(column: Any) -> Any:
        return collate(column, collate_fn_map=collate_fn_map)

    if isinstance(first, Mapping):
        return _mapped(first, {key: together([item[key] for item in batch]) for key in first})
    if isinstance(first, Sequence):
        if not _is_named(first) and any(len(item) != len(first) for item in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        return _listed(first, [together(column) for column in zip(*batch)])
    raise TypeError(_refusal(type(first)))


def default_convert(data: Any) -> Any:
    """Arrays in `data` as tensors, the rest as it is: what a loader without batches does with an item.

    Source: PyTorch's `utils.data.default_convert`.
    """
    if type(data).__module__ == "numpy" and not isinstance(data, str):
        return data if isinstance(data, np.ndarray) and data.dtype.kind in _NO_NUMBERS else as_tensor(data)
    if isinstance(data, Mapping):
        return _mapped(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return _listed(data, [default_convert(value) for value in data])
    return data


# ---- items of one type -----------------------------------------------------------------------------------------------
_NO_NUMBERS = "SUO"  # kinds of arrays


def collate_tensor_fn(batch: Any, *, collate_fn_map: Kinds | None = None) -> Tensor:
    """Tensors, stacked."""
    # Without gradients, which is nearly always, one step of NumPy does it.
    has_graph = [type(x) is not Tensor or x._requires_grad or x._cell[1] for x in batch]
    stacked = None if any(has_graph) else _side_by_side([x._array for x in batch])
    return stack(batch, 0) if stacked is None else wrap(stacked)


def collate_numpy_array_fn(batch: Any, *, collate_fn_map: Kinds | None = None) -> Any:
    """NumPy arrays, as tensors."""
    if batch[0].dtype.kind in _NO_NUMBERS:
        raise TypeError(_refusal(batch[0].dtype))
    if set(map(type, batch)) == {np.ndarray} and (collate_fn_map or {}).get(Tensor) is collate_tensor_fn:
        stacked = _side_by_side(batch)
        if stacked is not None:
            return as_tensor(stacked)
    return collate([as_tensor(x) for x in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch: Any, *, collate_fn_map: Kinds | None = None) -> Tensor:
    """NumPy's numbers, in their type."""
    return as_tensor(np.array(batch) if len(set(map(type, batch))) == 1 else batch)


def collate_float_fn(batch: Any, *, collate_fn_map: Kinds | None = None) -> Tensor:
    """Python's floats, in double precision."""
    if set(map(type, batch)) == {float}:
        return wrap(np.array(batch))
    return tensor(batch, dtype=float64)


def collate_int_fn(batch: Any, *, collate_fn_map: Kinds | None = None) -> Tensor:
    """Python's ints and bools."""
    return tensor(batch)


def collate_str_fn(batch: Any, *, collate_fn_map: Kinds | None = None) -> Any:
    """Texts, as they are."""
    return batch


default_collate_fn_map: dict[Any, Collate] = {
    Tensor: collate_tensor_fn,
    np.ndarray: collate_numpy_array_fn,
    (np.bool_, np.number, np.object_): collate_numpy_scalar_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}
"""How `default_collate` puts items together, by type; a program may add its own types, or change what is there."""


def _side_by_side(arrays: Sequence[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any] | None:
    """The arrays along a new first axis; None unless they are of one shape and type."""
    shapes, kinds, count = [x.shape for x in arrays], [x.dtype for x in arrays], len(arrays)
    if shapes.count(shapes[0]) < count or kinds.count(kinds[0]) < count or kinds[0].kind == "V":
        return None
    if not shapes[0]:
        return np.array(arrays)
    return np.concatenate(arrays).reshape(count, *shapes[0])


def _refusal(found: Any) -> str:
    return f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {found}"


# ---- containers ------------------------------------------------------------------------------------------------------
def _is_named(x: Any) -> bool:
    return isinstance(x, tuple) and hasattr(x, "_fields")


def _mapped(like: Mapping[Any, Any], values: dict[Any, Any]) -> Any:
    """`values` as a mapping of the type of `like`, where that can be made."""
    return _made(like, values, lambda clone: clone.update(values), MutableMapping)


def _listed(like: Sequence[Any], values: list[Any]) -> Any:
    """`values` as a sequence of the type of `like`, where that can be made; of a tuple as a list."""
    if isinstance(like, tuple):
        return type(like)(*values) if _is_named(like) else values

    def fill(clone: Any) -> None:
        for i, value in enumerate(values):
            clone[i] = value

    return _made(like, values, fill, MutableSequence)


def _made(like: Any, values: Iterable[Any], fill: Callable[[Any], None], mutable: type) -> Any:
    try:
        if not isinstance(like, mutable):
            return type(like)(values)
        clone = copy.copy(like)  # the type may hold more than its elements
        fill(clone)
        return clone
    except TypeError:
        return values
