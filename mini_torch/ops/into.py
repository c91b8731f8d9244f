"""A copy with a region replaced: what writing into a view does, as functions that leave their input as it is."""

from __future__ import annotations

from typing import Any

from ..op import public
from ..tensor import Tensor, check_dim
from .adjoint import cut
from .diagonal import diagonal
from .shape import as_strided
from .split import select

__all__ = ["as_strided_scatter", "diagonal_scatter", "select_scatter", "slice_scatter"]


def _write(region: Tensor, src: Tensor) -> None:
    if region._array.shape != src._array.shape:
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. src size = "
            f"{list(src.shape)}, slice size = {list(region.shape)}"
        )
    region.copy_(src)


@public
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """input with `input.select(dim, index)` replaced by src. Source: PyTorch's `torch.select_scatter`."""
    out = input.clone()
    _write(select(out, dim, index), src)
    return out


@public
def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """input with its slice start:end:step along `dim` replaced by src. Source: PyTorch's `torch.slice_scatter`."""
    if step <= 0:
        raise RuntimeError(f"slice step must be positive, got {step}")
    out = input.clone()
    axis = check_dim(dim, input._array.ndim)
    _write(cut(out, (slice(None),) * axis + (slice(start, end, step),)), src)
    return out


@public
def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """input with `input.diagonal(offset, dim1, dim2)` replaced by src. Source: PyTorch's `torch.diagonal_scatter`."""
    out = input.clone()
    _write(diagonal(out, offset, dim1, dim2), src)
    return out


@public
def as_strided_scatter(
    input: Tensor, src: Tensor, size: Any, stride: Any, storage_offset: int | None = None
) -> Tensor:
    """input with `input.as_strided(size, stride, storage_offset)` replaced by src.

    Source: PyTorch's `torch.as_strided_scatter`.
    """
    out = input.clone()
    _write(as_strided(out, size, stride, storage_offset), src)
    return out
