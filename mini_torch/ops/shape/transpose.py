"""Dimensions in another order: permute, transpose, T, movedim. All are views."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...op import implements, public, row
from ...tensor import Tensor, check_dim, method
from ..elementwise import conj
from .sizes import listed, sizes_of
from .view import view_in_shape

__all__ = ["adjoint", "moveaxis", "movedim", "permute", "swapaxes", "swapdims", "t", "transpose"]


def _inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    back = [0] * len(axes)
    for i, a in enumerate(axes):
        back[a] = i
    return tuple(back)


_permute = row(
    "permute", lambda x, axes: np.transpose(x, axes), view=True, x=lambda g, axes: np.transpose(g, _inverse(axes))
)
_transpose = row("transpose", lambda x, a, b: np.swapaxes(x, a, b), view=True, x=lambda g, a, b: np.swapaxes(g, a, b))
_t = row("t", lambda x: np.transpose(x), view=True, x=lambda g: np.transpose(g))


@public
@listed("dims")
def permute(input: Tensor, *dims: Any) -> Tensor:
    """The dimensions in another order, a view. Source: PyTorch's `torch.permute`.

    >>> from mini_torch import ones
    >>> ones(2, 3, 4).permute(2, 0, 1).shape
    torch.Size([4, 2, 3])
    """
    ndim = input._array.ndim
    order = sizes_of(dims)
    if len(order) != ndim:
        raise RuntimeError(
            f"permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(order)}"
        )
    axes = tuple(check_dim(d, ndim) for d in order)
    if len(set(axes)) != ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return _permute(input, axes)


@public(aliases=("swapdims",))
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged, a view. Source: PyTorch's `torch.transpose`."""
    n = input._array.ndim
    a, b = check_dim(dim0, n), check_dim(dim1, n)
    return _transpose(input, a, b) if n else view_in_shape(input, ())


@public
def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """`transpose` under NumPy's name. Source: PyTorch's `torch.swapaxes`."""
    return transpose(input, axis0, axis1)


swapdims = transpose


@public
def t(input: Tensor) -> Tensor:
    """A matrix transposed; vectors and numbers as they are. Source: PyTorch's `torch.t`."""
    if input._array.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input._array.ndim}D")
    return _t(input)


def _reversed_dims(self: Tensor) -> Tensor:
    return _permute(self, tuple(range(self._array.ndim))[::-1])


def _matrix_transposed(self: Tensor, name: str = "tensor.mT") -> Tensor:
    if not self._array.ndim:
        return view_in_shape(self, ())
    if self._array.ndim < 2:
        raise RuntimeError(
            f"{name} is only supported on matrices or batches of matrices. Got {self._array.ndim}-D tensor."
        )
    return transpose(self, -2, -1)


def _conjugated(x: Tensor) -> Tensor:
    return conj(x) if x._array.dtype.kind == "c" else x


def _matrix_adjoint(self: Tensor) -> Tensor:
    return _conjugated(_matrix_transposed(self, "tensor.mH"))


def _hermitian(self: Tensor) -> Tensor:
    n = self._array.ndim
    if n not in (0, 2):
        more = " For batches of matrices, consider using tensor.mH" if n > 2 else ""
        raise RuntimeError(f"tensor.H is only supported on matrices (2-D tensors). Got {n}-D tensor.{more}")
    return _matrix_adjoint(self)


method("T", property(_reversed_dims, doc="The dimensions in reverse order, a view."))
method("mT", property(_matrix_transposed, doc="The last two dimensions exchanged, a view."))
method("H", property(_hermitian, doc="A matrix transposed and conjugated."))
method("mH", property(_matrix_adjoint, doc="The last two dimensions exchanged, and conjugated."))


@public
def adjoint(input: Tensor) -> Tensor:
    """The last two dimensions exchanged, and conjugated. Source: PyTorch's `torch.adjoint`."""
    return _conjugated(_matrix_transposed(input, "tensor.adjoint()"))


# ---- move ------------------------------------------------------------------------------------------------------------
@public(aliases=("moveaxis",))
def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Dimensions moved to other places, the rest in order. Source: PyTorch's `torch.movedim`."""
    n = input._array.ndim
    src, dst = ([d] if isinstance(d, int) else list(d) for d in (source, destination))
    if len(src) != len(dst):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({src} dims) should contain the same number of dims "
            f"as destination ({dst} dims)"
        )
    src, dst = [check_dim(d, n) for d in src], [check_dim(d, n) for d in dst]
    for what, dims in (("source", src), ("destination", dst)):
        if len(set(dims)) != len(dims):
            raise RuntimeError(f"movedim: repeated dim in `{what}` ({dims})")
    if not n:
        return input
    order = [d for d in range(n) if d not in src]
    for to, from_ in sorted(zip(dst, src)):
        order.insert(to, from_)
    return _permute(input, tuple(order))


moveaxis = movedim


# ---- NumPy's names ---------------------------------------------------------------------------------------------------
@implements(np.transpose)
def _numpy_transpose(a: Tensor, axes: Any = None) -> Tensor:
    n = a._array.ndim
    return _permute(a, tuple(range(n))[::-1] if axes is None else tuple(check_dim(d, n) for d in axes))


implements(np.swapaxes)(transpose)
implements(np.moveaxis)(movedim)
