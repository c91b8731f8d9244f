"""Complex numbers seen as pairs of real ones: real, imag, view_as_real, view_as_complex. All are views.

PyTorch postpones conjugation and marks the tensor; here `conj` computes at once, so that no tensor is ever marked:
`is_conj` and `is_neg` are False, `resolve_conj` and `resolve_neg` give the tensor itself.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import mode
from ..memory import offset_of, strides_of
from ..op import implements, public, row, type_name
from ..tensor import Tensor, method
from .adjoint import cut

__all__ = [
    "imag", "is_conj", "is_neg", "real", "resolve_conj", "resolve_neg", "view_as_complex", "view_as_real",
]  # fmt: skip


# ---- the parts -------------------------------------------------------------------------------------------------------
_real = row("real", lambda x: x.real, view=True, casts=True, holomorphic=False, x=lambda g: g)
_imag = row("imag", lambda x: x.imag, view=True, casts=True, holomorphic=False, x=lambda g: g * 1j)


@public(method=False)
def real(input: Tensor) -> Tensor:
    """The real part, a view; of a real tensor itself. Source: PyTorch's `torch.real`."""
    return _real(input) if input._array.dtype.kind == "c" else input


@public(method=False)
def imag(input: Tensor) -> Tensor:
    """The imaginary part, a view; RuntimeError for a real tensor. Source: PyTorch's `torch.imag`."""
    if input._array.dtype.kind != "c":
        raise RuntimeError(f"imag is not implemented for tensors with non-complex dtypes. (got {input.dtype})")
    return _imag(input)


def _setter(part: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Any], None]:
    return lambda self, value: part(self).__setitem__(..., value)


method("real", property(real, _setter(real), doc="The real part, a view."))
method("imag", property(imag, _setter(imag), doc="The imaginary part, a view."))
implements(np.real)(real)
implements(np.imag)(imag)


# ---- pairs -----------------------------------------------------------------------------------------------------------
def _pairs(x: Any) -> Any:
    return np.lib.stride_tricks.as_strided(x.real, (*x.shape, 2), (*x.strides, x.itemsize // 2))


def _numbers(x: Any) -> Any:
    if x.strides[-1] != x.itemsize:  # a gradient may lie in memory otherwise
        x = x.copy()
    return x.view(np.result_type(x.dtype, np.complex64))[..., 0]


_view_as_real: Callable[..., Any] = row(
    "view_as_real", _pairs, view=True, casts=True, holomorphic=False,
    x=lambda g: cut(g, (..., 0)) + 1j * cut(g, (..., 1)),
)  # fmt: skip
_view_as_complex = row(
    "view_as_complex", _numbers, view=True, casts=True, holomorphic=False, x=lambda g: _view_as_real(g)
)


@public(method=False)
def view_as_real(input: Tensor) -> Tensor:
    """Complex numbers as pairs (real, imaginary) in a last dimension, a view. PyTorch's `torch.view_as_real`."""
    if input._array.dtype.kind != "c":
        raise RuntimeError(f"view_as_real is only supported for complex tensors, but got {input.dtype}")
    return _view_as_real(input)


@public(method=False)
def view_as_complex(input: Tensor) -> Tensor:
    """Pairs in the last dimension as complex numbers, a view.

    Errors: RuntimeError for other types, sizes or strides. Source: PyTorch's `torch.view_as_complex`.

    >>> from mini_torch import tensor
    >>> view_as_complex(tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1.+2.j, 3.+4.j])
    """
    array = input._array
    if array.dtype not in (np.float32, np.float64):
        raise RuntimeError(
            "view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: "
            f"{type_name(array.dtype)}"
        )
    if not array.ndim:
        raise RuntimeError("Input tensor must have one or more dimensions")
    if array.shape[-1] != 2:
        raise RuntimeError(f"Tensor must have a last dimension of size 2 (shape {list(array.shape)})")
    stride = strides_of(array)
    if stride[-1] != 1:
        raise RuntimeError(f"Tensor must have a last dimension with stride 1 (strides {list(stride)})")
    if any(s % 2 and n > 1 for s, n in zip(stride[:-1], array.shape)):
        raise RuntimeError(
            f"Tensor must have a stride divisible by 2 for all but last dimension (strides {list(stride)})"
        )
    if mode.recorder is None and offset_of(array) % 2:
        raise RuntimeError(f"Tensor must have a storage_offset divisible by 2 (offset {offset_of(array)})")
    return _view_as_complex(input)


# ---- conjugation is never postponed ----------------------------------------------------------------------------------
@public
def resolve_conj(input: Tensor) -> Tensor:
    """The tensor itself: no conjugation is ever outstanding. Source: PyTorch's `torch.resolve_conj`."""
    return input


@public
def resolve_neg(input: Tensor) -> Tensor:
    """The tensor itself: no negation is ever outstanding. Source: PyTorch's `torch.resolve_neg`."""
    return input


@public
def is_conj(input: Tensor) -> builtins.bool:
    """False: no conjugation is ever outstanding. Source: PyTorch's `torch.is_conj`."""
    return False


@public
def is_neg(input: Tensor) -> builtins.bool:
    """False: no negation is ever outstanding. Source: PyTorch's `torch.is_neg`."""
    return False
