"""Whether all or any are true, and how many are."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...op import implements, public
from ...tensor import Tensor, wrap
from .axes import Dims, axes_of, numpy_reduction

__all__ = ["all", "any", "count_nonzero"]


def _reduce_bools(input: Tensor, dim: Dims, keepdim: bool, ufunc: Any) -> Tensor:
    axes = () if dim == () else axes_of(dim, input._array.ndim)  # here, and only here, () is no dimension
    out = ufunc.reduce(input._array, axis=axes, keepdims=keepdim)
    return wrap(out.astype(np.uint8) if input._array.dtype == np.uint8 else out)


@public
def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether all elements are true (not 0), as bools (uint8 for uint8). Source: PyTorch's `torch.all`."""
    return _reduce_bools(input, dim, keepdim, np.logical_and)


@public
def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether any element is true (not 0), as bools (uint8 for uint8). Source: PyTorch's `torch.any`."""
    return _reduce_bools(input, dim, keepdim, np.logical_or)


@public
def count_nonzero(input: Tensor, dim: Dims = None) -> Tensor:
    """How many elements are not 0. Source: PyTorch's `torch.count_nonzero`."""
    axes = axes_of(dim, input._array.ndim)
    return wrap(np.add.reduce(input._array != 0, axis=axes, dtype=np.int64))


implements(np.any)(numpy_reduction(any))
implements(np.all)(numpy_reduction(all))
