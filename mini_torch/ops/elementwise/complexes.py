"""Complex numbers: made of two real ones, and taken apart again.

None of these is holomorphic: each formula is PyTorch's gradient itself, the conjugate of the derivative.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...op import implements, inplace, public, quiet, refused, row, type_name, unary
from ...tensor import Tensor, method
from .arithmetic import sign, signs

__all__ = [
    "abs", "absolute", "angle", "complex", "conj", "conj_physical", "isreal", "polar", "sgn",
]  # fmt: skip


# ---- size and direction ----------------------------------------------------------------------------------------------
def _sgn(x: Any) -> Any:
    if x.dtype.kind != "c":
        return signs(x)
    size = np.abs(x)
    return np.where(size == 0, 0, x / np.where(size == 0, 1, size)).astype(x.dtype)


def _sgn_rule(g: Any, x: Any, out: Any) -> Any:
    """What of g is at right angles to the direction, over the size. For real numbers that is nothing."""
    if not np.iscomplexobj(x):
        return np.zeros_like(g)
    size = abs(x)
    across = g - np.real(g * np.conjugate(out)) * out
    return np.where(size == 0, 0.0, across / np.where(size == 0, 1.0, size))


sgn = unary(
    "sgn", quiet(_sgn), _sgn_rule, floats=False, holomorphic=False, doc="x / |x|, 0 at 0: the sign, also of complex x"
)  # fmt: skip
implements(np.sign)(lambda x: sgn(x) if x._array.dtype.kind == "c" else sign(x))
abs = unary(
    "abs", np.absolute, lambda g, x: g * sgn(x), floats=False, aliases=("absolute",), methods=("__abs__",), refuses="b",
    holomorphic=False, doc="|x|; the gradient at 0 is 0",
)  # fmt: skip
absolute = abs
_abs_in_place = inplace(abs)


def _abs_(self: Tensor) -> Tensor:
    """`abs` in place: RuntimeError for complex numbers."""
    if self._array.dtype.kind == "c":
        raise RuntimeError("In-place abs is not supported for complex tensors.")
    return _abs_in_place(self)


method("abs_", _abs_)
method("absolute_", _abs_)


def _angle(x: Any) -> Any:
    if x.dtype.kind == "c":
        return np.angle(x)
    return np.where(np.isnan(x), x, np.where(x < 0, math.pi, 0)).astype(x.dtype)


def _angle_rule(g: Any, x: Any) -> Any:
    if not np.iscomplexobj(x):
        return np.zeros_like(g)
    size = abs(x)
    turned = g * (x * 1j)
    return np.where(size == 0, 0.0, turned / np.where(size == 0, 1.0, size * size))


angle = unary("angle", _angle, _angle_rule, holomorphic=False, doc="The angle of x in the plane; for real x, 0 or π")


# ---- conjugates ------------------------------------------------------------------------------------------------------
_conj = row("conj", lambda x: np.conjugate(x), holomorphic=False, x=lambda g: np.conjugate(g))
implements(np.iscomplexobj)(lambda x: x.is_complex())


@public
def conj(input: Tensor) -> Tensor:
    """a − bi for a + bi; a real tensor itself. (A copy, where PyTorch's is lazy.) Source: PyTorch's `torch.conj`."""
    return _conj(input) if input._array.dtype.kind == "c" else input


@public(inplace=True)
def conj_physical(input: Tensor) -> Tensor:
    """`conj`. Source: PyTorch's `torch.conj_physical`."""
    return conj(input)


implements(np.conjugate)(conj)


isreal = unary("isreal", np.isreal, floats=False, doc="Whether the imaginary part is 0")


# ---- from two real numbers -------------------------------------------------------------------------------------------
def _pair(real: Any, imag: Any) -> Any:
    shape = np.broadcast_shapes(real.shape, imag.shape)
    out = np.empty(shape, np.result_type(real.dtype, np.complex64))
    out.real, out.imag = real, imag
    return out


_complex = row(
    "complex", _pair, broadcasts=True, holomorphic=False, real=lambda g: np.real(g), imag=lambda g: np.imag(g),
)  # fmt: skip


def _polar_forward(size: Any, angle: Any) -> Any:
    return _pair(size * np.cos(angle), size * np.sin(angle))


_polar = row(
    "polar", quiet(_polar_forward), broadcasts=True, holomorphic=False,
    size=lambda g, out: np.real(np.conjugate(g) * sgn(out)), angle=lambda g, out: np.real(np.conjugate(g) * (out * 1j)),
)  # fmt: skip


def _check_parts(a: Tensor, b: Tensor) -> None:
    kinds = a._array.dtype, b._array.dtype
    if kinds[0].kind != "f" or kinds[1].kind != "f":
        raise RuntimeError(
            "Expected both inputs to be Half, Float or Double tensors but got "
            f"{type_name(kinds[0])} and {type_name(kinds[1])}"
        )
    if kinds[0] != kinds[1]:
        raise RuntimeError(
            f"Expected object of scalar type {type_name(kinds[0])} but got scalar type {type_name(kinds[1])} for "
            "second argument"
        )


@public(method=False)
def complex(real: Tensor, imag: Tensor) -> Tensor:
    """real + i · imag, of two float32 or float64 tensors. Source: PyTorch's `torch.complex`.

    >>> from mini_torch import complex, tensor
    >>> complex(tensor([1.]), tensor([2.]))
    tensor([1.+2.j])
    """
    _check_parts(real, imag)
    return _complex(real, imag)


@public(method=False)
def polar(abs: Tensor, angle: Tensor) -> Tensor:
    """abs · e^(i · angle). Source: PyTorch's `torch.polar`."""
    _check_parts(abs, angle)
    if abs._array.dtype == np.float16:
        raise refused("polar_cpu", abs._array.dtype)
    return _polar(abs, angle)


