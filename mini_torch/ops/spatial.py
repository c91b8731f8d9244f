"""What the functions over space share: one number or one per dimension, inputs with and without a batch, refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..op import need_float32, type_name
from ..tensor import Tensor

__all__: list[str] = []

Shape = tuple[int, ...]
Sizes = int | Sequence[int]


def need_tensor(x: Any, name: str, argument: str = "input", position: int = 1) -> None:
    """TypeError unless `x` is a Tensor."""
    if not isinstance(x, Tensor):
        found = type(x).__name__
        raise TypeError(f"{name}(): argument '{argument}' (position {position}) must be Tensor, not {found}")


_NOT_OF_BRAIN = ("avg_pool3d_out_frame",)  # the kernels that PyTorch, too, has for float32 and float64 only


def need_types(x: Tensor, kernel: str, kinds: str = "f") -> None:
    """NotImplementedError, with PyTorch's name of the kernel, unless the type is of one of `kinds` ('l': int64)."""
    kind = x._array.dtype
    if kind.kind not in kinds and not ("l" in kinds and kind == np.int64):
        if "f" in kinds and kernel not in _NOT_OF_BRAIN:
            need_float32(kernel, x)
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{type_name(kind)}'")


def per_dimension(value: Sizes, dims: int, name: str, argument: str) -> Shape:
    """`value` for each of `dims` dimensions: one number (or a list of one) counts for all.

    Errors: TypeError for what is not ints, RuntimeError for another number of them.
    """
    if type(value) is tuple and len(value) == dims and all(type(n) is int for n in value):
        return value  # as layers have it
    if hasattr(value, "__index__") and not isinstance(value, bool):
        return (int(value),) * dims
    if not isinstance(value, Sequence) or isinstance(value, str):
        if isinstance(value, Tensor) and value._array.size == 1 and value._array.dtype.kind in "iu":
            return (int(value),) * dims
        raise TypeError(f"{name}(): argument '{argument}' must be tuple of ints, not {type(value).__name__}")
    for i, n in enumerate(value):
        if not hasattr(n, "__index__") or isinstance(n, bool):
            found = type(n).__name__
            raise TypeError(
                f"{name}(): argument '{argument}' must be tuple of ints, but found element of type {found} at pos {i}"
            )
    if len(value) not in (1, dims):
        raise RuntimeError(f"{name}(): {argument} must be one int or {dims} of them, got {list(value)}")
    return tuple(int(n) for n in value) * (dims if len(value) == 1 else 1)


def ntuple(n: int, name: str = "parse") -> Callable[[Any], tuple[Any, ...]]:
    """A function that gives an iterable as a tuple, anything else `n` times. PyTorch's `nn.modules.utils._ntuple`."""

    def parse(x: Any) -> tuple[Any, ...]:
        return tuple(x) if isinstance(x, Iterable) else (x,) * n

    parse.__name__ = name
    return parse


single, pair, triple, quadruple = ntuple(1), ntuple(2), ntuple(3), ntuple(4)


def reverse_repeat_tuple(t: Sequence[Any], n: int) -> tuple[Any, ...]:
    """The elements in reverse order, each `n` times. PyTorch's `nn.modules.utils._reverse_repeat_tuple`."""
    return tuple(x for x in reversed(t) for _ in range(n))
