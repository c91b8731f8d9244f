"""From a list of items to a batch of tensors."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from ..creation import as_tensor
from ..dtype import float64
from ..ops.join import stack
from ..tensor import Tensor, tensor

__all__ = ["default_collate", "default_convert"]


def default_collate(batch: Sequence[Any]) -> Any:
    """Items as one batch: tensors and arrays stacked, numbers as a tensor, containers element by element.

    Tuples become lists, named tuples and dicts keep their type, strings stay a list. Errors: TypeError for other
    items, RuntimeError for items of different sizes. Source: PyTorch's `utils.data.default_collate`.

    >>> default_collate([(1, 2.5), (3, 4.5)])
    [tensor([1, 3]), tensor([2.5000, 4.5000], dtype=torch.float64)]
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(batch, 0)
    if isinstance(first, np.ndarray | np.generic) and first.dtype.kind in "biufc":
        return default_collate([as_tensor(x) for x in batch])
    if isinstance(first, float):
        return tensor(batch, dtype=float64)
    if isinstance(first, int):
        return tensor(batch)
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, Mapping):
        return _mapped(first, {key: default_collate([item[key] for item in batch]) for key in first})
    if isinstance(first, Sequence):
        if any(len(item) != len(first) for item in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        return _listed(first, [default_collate(column) for column in zip(*batch)])
    raise TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found "
        f"{first.dtype if isinstance(first, np.ndarray) else type(first)}"
    )


def default_convert(data: Any) -> Any:
    """Arrays in `data` as tensors, the rest as it is: what a loader without batches does with an item.

    Source: PyTorch's `utils.data.default_convert`.
    """
    if isinstance(data, np.ndarray | np.generic) and data.dtype.kind in "biufc":
        return as_tensor(data)
    if isinstance(data, Mapping):
        return _mapped(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return _listed(data, [default_convert(value) for value in data])
    return data


def _mapped(like: Mapping[Any, Any], values: dict[Any, Any]) -> Any:
    """`values` as a mapping of the type of `like`, where that can be made."""
    return _made(like, values, lambda clone: clone.update(values), MutableMapping)


def _listed(like: Sequence[Any], values: list[Any]) -> Any:
    """`values` as a sequence of the type of `like`, where that can be made; of a tuple as a list."""
    if isinstance(like, tuple):
        return type(like)(*values) if hasattr(like, "_fields") else values

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
