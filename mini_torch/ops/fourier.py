"""Fourier transforms: all of `torch.fft`, by NumPy's, with gradients of every order.

Three linear maps make them all, and each gradient is one of them again:

    whole            Σ x_n e^{∓2πi kn/N} over some axes, complex to complex; the matrix is symmetric: its own adjoint
    half / real      the first N/2 + 1 of those of real numbers; and real numbers from such a half
    fit              cut, or filled up with zeros, to other sizes; the way back is its adjoint

The sign is + for `inverse`; `norm` says, in NumPy's words, which direction divides by N. A real transform's half
stands for both: all but its ends (k = 0, and k = N/2 for an even N) count twice. So an adjoint doubles or halves them,
which is what `double` and `halve` are for.
Source: PyTorch's page "torch.fft".
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from ..creation import finish
from ..dtype import check_dim, default_numpy_dtype, to_numpy_dtype
from ..op import cast, public, row, type_name
from ..tensor import Tensor
from .shape import roll

__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2", "ifftn", "ifftshift",
    "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn",
]  # fmt: skip

Axes = tuple[int, ...]
Dims = int | Sequence[int] | None

Norm = Literal["backward", "ortho", "forward"]

_OPPOSITE: dict[Norm, Norm] = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


# ---- the maps --------------------------------------------------------------------------------------------------------
def _complex_of(kind: np.dtype[Any]) -> np.dtype[Any]:
    return np.result_type(kind, np.complex64)


def _whole(x: Any, axes: Axes, inverse: bool, norm: Norm) -> Any:
    kind, points = _complex_of(x.dtype), math.prod([x.shape[axis] for axis in axes])
    if not axes or not x.size:
        return x.astype(kind)
    transform = np.fft.ifftn if inverse else np.fft.fftn
    unscaled = norm == ("forward" if inverse else "backward")
    # Unscaled, NumPy takes complex64 by way of complex128, six times as long; a power of 2 goes in and out exactly.
    detour = unscaled and kind == np.complex64 and points & (points - 1) == 0
    z = transform(x.astype(kind, copy=False), axes=axes, norm=_OPPOSITE[norm] if detour else norm)
    z = z.astype(kind, copy=False)  # NumPy 1 gives complex128
    return np.multiply(z, points, out=z) if detour else z


whole: Callable[..., Any] = row(
    "fft_whole", _whole, x=lambda g, axes, inverse, norm: whole(g, axes, inverse, norm), casts=True,
    grad_name="FftC2CBackward0",
)  # fmt: skip


def _inner(n: int, axis: int) -> tuple[slice, ...]:
    """Those of a half that stand for two: not k = 0, nor k = n/2."""
    return (slice(None),) * axis + (slice(1, (n + 1) // 2),)


def _half(x: Any, axis: int, inverse: bool, norm: Norm, double: bool) -> Any:
    kind = _complex_of(x.dtype)
    if not x.size:
        return np.zeros((*x.shape[:axis], x.shape[axis] // 2 + 1, *x.shape[axis + 1 :]), kind)
    z = np.fft.rfft(x, axis=axis, norm=_OPPOSITE[norm] if inverse else norm).astype(kind, copy=False)
    if inverse:
        np.conjugate(z, out=z)
    if double:
        z[_inner(x.shape[axis], axis)] *= 2
    return z


def _real(z: Any, n: int, axis: int, inverse: bool, norm: Norm, halve: bool) -> Any:
    if not z.size:
        return np.zeros((*z.shape[:axis], n, *z.shape[axis + 1 :]), z.real.dtype)
    if not inverse:
        z = np.conjugate(z)
    if halve:
        z = np.array(z)
        z[_inner(n, axis)] *= 0.5
    x = np.fft.irfft(z, n, axis, norm if inverse else _OPPOSITE[norm])
    return x.astype(z.real.dtype, copy=False)


half: Callable[..., Any] = row(
    "fft_half", _half, holomorphic=False, grad_name="FftR2CBackward0",
    x=lambda g, shape, axis, inverse, norm, double: real(
        g, shape[axis], axis, not inverse, _OPPOSITE[norm], not double
    ),
)  # fmt: skip
real: Callable[..., Any] = row(
    "fft_real", _real, holomorphic=False, grad_name="FftC2RBackward0",
    z=lambda g, axis, inverse, norm, halve: half(g, axis, not inverse, _OPPOSITE[norm], not halve),
)  # fmt: skip


def _fitted(x: Any, size: tuple[int, ...]) -> Any:
    out = np.zeros(size, x.dtype)
    common = tuple([slice(min(a, b)) for a, b in zip(x.shape, size)])
    out[common] = x[common]
    return out


_fit: Callable[..., Any] = row(
    "fit", _fitted, x=lambda g, shape, size: _fit(g, shape), grad_name="ConstantPadNdBackward0"
)


# ---- arguments -------------------------------------------------------------------------------------------------------
def _numbers(input: Tensor) -> Tensor:
    """The tensor in a type that has a transform; RuntimeError for float16 and bfloat16."""
    kind = input._array.dtype
    if kind.kind in "fV" and kind.itemsize == 2:
        raise RuntimeError(f"Unsupported dtype {type_name(kind)}")
    return input if kind.kind in "fc" else cast(input, default_numpy_dtype())


def _real_numbers(input: Tensor, name: str, wanted: str) -> Tensor:
    if input._array.dtype.kind == "c":
        raise RuntimeError(f"{name} expects a {wanted} input tensor, but got {type_name(input._array.dtype)}")
    return _numbers(input)


def _checked_norm(norm: str | None) -> Norm:
    if norm is None:
        return "backward"
    for known in _OPPOSITE:
        if norm == known:
            return known
    raise RuntimeError(f'Invalid normalization mode: "{norm}"; expected backward, forward or ortho')


def _listed(given: Dims) -> tuple[int, ...] | None:
    if given is None:
        return None
    return tuple([operator.index(n) for n in (given if isinstance(given, Sequence) else (given,))])


def _axes_of(input: Tensor, s: Dims, dim: Dims) -> tuple[Axes, list[int | None]]:
    """The axes to transform, and for each its new size or None.

    Errors: RuntimeError for repeated axes or a number of sizes that does not fit, IndexError for no such axis.
    """
    ndim, sizes, dims = input._array.ndim, _listed(s), _listed(dim)
    if dims is None:
        count = ndim if sizes is None else len(sizes)
        if count > ndim:
            raise RuntimeError(f"Got shape with {count} values but input tensor only has {ndim} dimensions.")
        dims = tuple(range(ndim - count, ndim))
    if dims and not ndim:
        raise IndexError(f"Dimension specified as {dims[0]} but tensor has no dimensions")
    axes = tuple([check_dim(d, ndim) for d in dims])
    if len(set(axes)) < len(axes):
        raise RuntimeError(f"FFT dims must be unique, got dim={list(dims)} of {ndim} dimensions")
    if sizes is None:
        return axes, [None] * len(axes)
    if len(sizes) != len(axes):
        raise RuntimeError(
            f"When given, dim and shape arguments must have the same length, got dim={list(dims)} and s={list(sizes)}"
        )
    return axes, [None if n == -1 else n for n in sizes]


def _one_axis(input: Tensor, n: int | None, dim: int) -> tuple[Axes, list[int | None]]:
    axes, _ = _axes_of(input, None, (dim,))
    if n is not None and operator.index(n) < 1:  # here -1 is no word for "as it is"
        raise RuntimeError(f"Invalid number of data points ({n}) specified")
    return axes, [n if n is None else operator.index(n)]


def _brought_to(input: Tensor, axes: Axes, sizes: Sequence[int | None], half_of: int | None = None) -> Tensor:
    """The tensor with these sizes along the axes (None: as it is).

    With `half_of`, the last of the axes holds the half of so many numbers.
    """
    shape = list(input._array.shape)
    for axis, n in zip(axes, sizes):
        shape[axis] = shape[axis] if n is None else n
    points = [shape[axis] for axis in axes] if half_of is None else [*(shape[a] for a in axes[:-1]), half_of]
    for n in points:
        if n < 1:
            raise RuntimeError(f"Invalid number of data points ({n}) specified")
    if half_of is not None:
        shape[axes[-1]] = half_of // 2 + 1
    return input if tuple(shape) == input._array.shape else _fit(input, tuple(shape))


def _need_an_axis(name: str, axes: Axes) -> None:
    if not axes:
        raise RuntimeError(f"{name} must transform at least one axis")


# ---- the four kinds --------------------------------------------------------------------------------------------------
Choice = tuple[Axes, list[int | None]]


def _of_complex(input: Tensor, choice: Choice, norm: str | None, inverse: bool) -> Tensor:
    axes, sizes = choice
    return whole(_brought_to(_numbers(input), axes, sizes), axes, inverse, _checked_norm(norm))


def _of_real(input: Tensor, choice: Choice, norm: str | None, inverse: bool) -> Tensor:
    *others, last = choice[0]
    norm = _checked_norm(norm)
    z = half(_brought_to(input, *choice), last, inverse, norm, False)
    return whole(z, tuple(others), inverse, norm) if others else z


def _to_real(input: Tensor, choice: Choice, norm: str | None, inverse: bool) -> Tensor:
    axes, sizes = choice
    norm, last = _checked_norm(norm), axes[-1]
    n = 2 * (input._array.shape[last] - 1) if sizes[-1] is None else sizes[-1]
    z = _brought_to(_numbers(input), axes, sizes, half_of=n)
    if len(axes) > 1 or z._array.dtype.kind != "c":
        z = whole(z, axes[:-1], inverse, norm)
    return real(z, n, last, inverse, norm, False)


entered = public(method=False, function_too=False)


@entered
def fft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """X_k = Σ x_n e^{-2πi kn/N} along `dim`, complex; N is `n` (cut, or filled up with zeros) or the size.

    `norm`: "backward" (the default) does not scale, "ortho" by 1/√N, "forward" by 1/N. Errors: RuntimeError for another
    `norm`, n < 1, or float16. Source: PyTorch's `torch.fft.fft`.

    >>> from mini_torch import tensor
    >>> fft(tensor([1., 2., 3., 4.]))
    tensor([10.+0.j, -2.+2.j, -2.+0.j, -2.-2.j])
    """
    return _of_complex(input, _one_axis(input, n, dim), norm, False)


@entered
def ifft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of `fft`: 1/N Σ X_k e^{2πi kn/N}. Source: PyTorch's `torch.fft.ifft`."""
    return _of_complex(input, _one_axis(input, n, dim), norm, True)


@entered
def rfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The first N/2 + 1 values of `fft` of real numbers; the others are their conjugates.

    Errors: RuntimeError for complex numbers. Source: PyTorch's `torch.fft.rfft`.

    >>> from mini_torch import tensor
    >>> rfft(tensor([1., 2., 3., 4.]))
    tensor([10.+0.j, -2.+2.j, -2.+0.j])
    """
    return _of_real(_real_numbers(input, "rfft", "real"), _one_axis(input, n, dim), norm, False)


@entered
def irfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of `rfft`: `n` real numbers, 2 (size - 1) if not given. Source: PyTorch's `torch.fft.irfft`."""
    return _to_real(input, _one_axis(input, n, dim), norm, True)


@entered
def hfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """`fft` of the `n` values whose first half is given and whose others are conjugates: real.

    Source: PyTorch's `torch.fft.hfft`.
    """
    return _to_real(input, _one_axis(input, n, dim), norm, False)


@entered
def ihfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of `hfft`: the first half of `ifft` of real numbers. Source: PyTorch's `torch.fft.ihfft`."""
    return _of_real(_real_numbers(input, "ihfft", "real"), _one_axis(input, n, dim), norm, True)


@entered
def fftn(input: Tensor, s: Dims = None, dim: Dims = None, norm: str | None = None) -> Tensor:
    """`fft` along several dimensions: `dim`, or the last of as many as `s` has, or all; to the sizes `s`, -1 as it is.

    Errors: RuntimeError for repeated dimensions or a number of sizes that does not fit. Source: PyTorch's
    `torch.fft.fftn`.
    """
    return _of_complex(input, _axes_of(input, s, dim), norm, False)


@entered
def ifftn(input: Tensor, s: Dims = None, dim: Dims = None, norm: str | None = None) -> Tensor:
    """The inverse of `fftn`. Source: PyTorch's `torch.fft.ifftn`."""
    return _of_complex(input, _axes_of(input, s, dim), norm, True)


@entered
def rfftn(input: Tensor, s: Dims = None, dim: Dims = None, norm: str | None = None) -> Tensor:
    """`rfft` along the last of several dimensions, `fft` along the others. Source: PyTorch's `torch.fft.rfftn`."""
    input, choice = _real_numbers(input, "rfftn", "real-valued"), _axes_of(input, s, dim)
    _need_an_axis("rfftn", choice[0])
    return _of_real(input, choice, norm, False)


@entered
def irfftn(input: Tensor, s: Dims = None, dim: Dims = None, norm: str | None = None) -> Tensor:
    """The inverse of `rfftn`; the last of `s` is the size of the result. Source: PyTorch's `torch.fft.irfftn`."""
    choice = _axes_of(input, s, dim)
    _need_an_axis("irfftn", choice[0])
    return _to_real(input, choice, norm, True)


@entered
def hfftn(input: Tensor, s: Dims = None, dim: Dims = None, norm: str | None = None) -> Tensor:
    """`hfft` along the last of several dimensions, `fft` along the others. Source: PyTorch's `torch.fft.hfftn`."""
    choice = _axes_of(input, s, dim)
    _need_an_axis("hfftn", choice[0])
    return _to_real(input, choice, norm, False)


@entered
def ihfftn(input: Tensor, s: Dims = None, dim: Dims = None, norm: str | None = None) -> Tensor:
    """The inverse of `hfftn`. Source: PyTorch's `torch.fft.ihfftn`."""
    choice = _axes_of(input, s, dim)
    _need_an_axis("ihfftn", choice[0])
    return _of_real(_real_numbers(input, "ihfftn", "real-valued"), choice, norm, True)


def _of_two(function: Callable[..., Tensor], name: str) -> Callable[..., Tensor]:
    def in_plane(input: Tensor, s: Dims = None, dim: Dims = (-2, -1), norm: str | None = None) -> Tensor:
        return function(input, s, dim, norm)

    in_plane.__name__ = in_plane.__qualname__ = name
    in_plane.__doc__ = f"`{name[:-1]}n` along two dimensions, the last two. Source: PyTorch's `torch.fft.{name}`."
    return entered(in_plane)


fft2, ifft2 = _of_two(fftn, "fft2"), _of_two(ifftn, "ifft2")
rfft2, irfft2 = _of_two(rfftn, "rfft2"), _of_two(irfftn, "irfft2")
hfft2, ihfft2 = _of_two(hfftn, "hfft2"), _of_two(ihfftn, "ihfft2")


# ---- where the frequencies lie ---------------------------------------------------------------------------------------
def _frequencies(name: str, cycles: Any, n: int, d: float, dtype: Any) -> Any:
    kind = default_numpy_dtype() if dtype is None else to_numpy_dtype(dtype)
    if kind.kind not in "fc":
        raise RuntimeError(f"{name} requires a floating point or complex dtype, got {dtype}")
    with np.errstate(all="ignore"):
        return cycles.astype(kind) * kind.type(np.divide(1.0, n * d))


def _count(n: int) -> int:
    if operator.index(n) < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    return operator.index(n)


@entered
def fftfreq(
    n: int, d: float = 1.0, *, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """The frequencies of `fft` of `n` samples, `d` apart: 0, 1, … then -n/2 … -1, over n d.

    Source: PyTorch's `torch.fft.fftfreq`.

    >>> fftfreq(4)
    tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
    """
    k = np.arange(_count(n))
    return finish(_frequencies("fftfreq", np.where(k < (n + 1) // 2, k, k - n), n, d, dtype), device, requires_grad)


@entered
def rfftfreq(
    n: int, d: float = 1.0, *, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """The frequencies of `rfft` of `n` samples, `d` apart: 0, 1 … n/2, over n d. PyTorch's `torch.fft.rfftfreq`."""
    return finish(_frequencies("rfftfreq", np.arange(_count(n // 2 + 1)), n, d, dtype), device, requires_grad)


def _rolled(input: Tensor, dim: Dims, back: bool) -> Tensor:
    dims = tuple(range(input._array.ndim)) if dim is None else _listed(dim) or ()
    sizes = [input._array.shape[check_dim(d, input._array.ndim)] for d in dims]
    return roll(input, [(n + back) // 2 for n in sizes], dims)


@entered
def fftshift(input: Tensor, dim: Dims = None) -> Tensor:
    """The values of `fft` in the order of their frequencies, zero in the middle, along `dim` or all dimensions.

    Source: PyTorch's `torch.fft.fftshift`.

    >>> fftshift(fftfreq(4))
    tensor([-0.5000, -0.2500,  0.0000,  0.2500])
    """
    return _rolled(input, dim, False)


@entered
def ifftshift(input: Tensor, dim: Dims = None) -> Tensor:
    """The inverse of `fftshift`. Source: PyTorch's `torch.fft.ifftshift`."""
    return _rolled(input, dim, True)
