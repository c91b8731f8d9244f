"""Differences of neighbours, and positions as indices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import public
from ..tensor import Tensor, check_dim, wrap
from .comparison import logical_xor
from .join import cat
from .split import narrow

__all__ = ["diff", "unravel_index"]


@public
def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None
) -> Tensor:
    """x[i + 1] - x[i] along `dim`, n times over, after `prepend` and `append` are joined on; of bools, their xor.

    Errors: RuntimeError for a 0-d tensor, a negative n, or ends that do not fit. Source: PyTorch's `torch.diff`.

    >>> from mini_torch import tensor
    >>> tensor([1, 4, 9]).diff()
    tensor([3, 5])
    """
    if not input._array.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    axis = check_dim(dim, input._array.ndim)
    for end in (prepend, append):
        if end is not None:
            _check_end(input, end, axis)
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    parts = [part for part in (prepend, input, append) if part is not None]
    if not n:
        return input.clone()  # PyTorch leaves the ends out
    x = cat(parts, axis) if len(parts) > 1 else input
    for _ in range(min(n, x._array.shape[axis])):
        last = x._array.shape[axis] - 1
        if last < 0:
            break
        later, earlier = narrow(x, axis, 1, last), narrow(x, axis, 0, last)
        x = logical_xor(later, earlier) if x._array.dtype.kind == "b" else later - earlier
    return x


def _check_end(input: Tensor, end: Tensor, axis: int) -> None:
    a, b = input._array.shape, end._array.shape
    if len(a) != len(b):
        raise RuntimeError(
            f"diff expects prepend or append to be the same dimension as input: got {len(b)} and {len(a)}"
        )
    for i, (m, k) in enumerate(zip(a, b)):
        if m != k and i != axis:
            raise RuntimeError(
                "diff expects the shape of tensor to prepend or append to match that of input except along the "
                f"differencing dimension; input.size({i}) = {m}, but got tensor.size({i}) = {k}"
            )


@public(method=False)
def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """Positions in a flattened tensor as one index per dimension. Source: PyTorch's `torch.unravel_index`.

    Errors: TypeError for what is no integer, ValueError for a negative size.
    """
    if indices._array.dtype.kind not in "iu":
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    sizes = (shape,) if isinstance(shape, int) else shape
    if not isinstance(sizes, tuple | list):
        raise TypeError(f"expected 'shape' to be int or sequence of ints, but got {type(shape)}")
    for n in sizes:
        if not isinstance(n, int):
            raise TypeError(f"expected 'shape' sequence to only contain ints, but got {type(n)}")
    if any(n < 0 for n in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {tuple(sizes)}")
    out, rest = [], indices._array.astype(np.int64)
    for n in reversed(sizes):
        out.append(wrap(rest % n))
        rest = rest // n
    return tuple(reversed(out))
