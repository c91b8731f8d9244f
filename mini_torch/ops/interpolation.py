"""Images of another size: nearest, linear, cubic and area interpolation, with and without antialiasing.

All are separable: along each dimension an output element is a weighted sum of a few input elements, its taps, which
`resample` applies. Indices and weights are computed in the type of the input (float32 for halves and bytes), in
PyTorch's order, so that the same elements are chosen where a position lies between two.

Sources: Keys 1981, "Cubic convolution interpolation for digital image processing", a = -3/4 (with antialiasing -1/2, as
in Pillow); PyTorch's `nn.functional.interpolate`.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..op import rounds_once, row
from ..tensor import Tensor
from .pooling import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from .resampling import Taps, resample, sampled
from .spatial import Shape, need_tensor, need_types

__all__ = ["interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

_DIMS = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}


# ---- where, and how much ---------------------------------------------------------------------------------------------
def _scale(n: int, m: int, align: bool, factor: float | None, kind: Any) -> Any:
    """Input elements per output element."""
    if align:
        return kind(n - 1) / kind(m - 1) if m > 1 else kind(0)
    return kind(1.0 / factor) if factor is not None and factor > 0 else kind(n) / kind(m)


def _positions(n: int, m: int, align: bool, factor: float | None, kind: Any) -> Any:
    """Where in the input each output element lies."""
    scale, steps = _scale(n, m, align, factor, kind), np.arange(m, dtype=kind)
    return scale * steps if align else scale * (steps + kind(0.5)) - kind(0.5)


def nearest(n: int, m: int, align: bool, factor: float | None, kind: Any) -> Taps:
    """Each output element is the input element that its start lies in."""
    place = np.floor(np.arange(m, dtype=np.float32) * np.float32(_scale(n, m, False, factor, np.float32)))
    return Taps(np.minimum(place.astype(np.int64), n - 1)[:, None], None, n)


def nearest_exact(n: int, m: int, align: bool, factor: float | None, kind: Any) -> Taps:
    """Each output element is the input element that its middle lies in."""
    scale = np.float32(_scale(n, m, False, factor, np.float32))
    place = np.floor((np.arange(m, dtype=np.float32) + np.float32(0.5)) * scale)
    return Taps(np.minimum(place.astype(np.int64), n - 1)[:, None], None, n)


def linear(n: int, m: int, align: bool, factor: float | None, kind: Any) -> Taps:
    """Each output element is made of the two input elements that its middle lies between."""
    place = np.maximum(_positions(n, m, align, factor, kind), kind(0))
    left = np.minimum(place.astype(np.int64), n - 1)
    right = np.minimum(left + 1, n - 1)
    part = np.clip(place - left.astype(kind), 0, 1)
    return Taps(np.stack([left, right], 1), np.stack([1 - part, part], 1), n)


def cubic_weights(t: Any, a: float = -0.75) -> list[Any]:
    """Keys' weights of the elements at -1, 0, 1 and 2 for a position t between 0 and 1."""

    def near(x: Any) -> Any:
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x: Any) -> Any:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    return [far(t + 1), near(t), near(1 - t), far(2 - t)]


def cubic(n: int, m: int, align: bool, factor: float | None, kind: Any) -> Taps:
    """Each output element is made of the four input elements around its middle."""
    place = _positions(n, m, align, factor, kind)
    left = np.floor(place)
    weights = np.stack(cubic_weights(place - left), 1).astype(kind)
    return Taps(np.clip(left.astype(np.int64)[:, None] + np.arange(-1, 3), 0, n - 1), weights, n)


def _triangle(x: Any) -> Any:
    return np.maximum(1 - np.abs(x), 0)


def _keys(x: Any) -> Any:
    """Keys' kernel with a = -1/2."""
    x = np.abs(x)
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _lanczos(x: Any) -> Any:
    """sinc(x) sinc(x / 3) inside of ±3."""
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)


def _antialiased(
    kernel: Callable[[Any], Any], width: int, n: int, m: int, align: bool, factor: float | None, kind: Any
) -> Taps:
    """Taps under `kernel`, `width` wide and stretched so that no input element is left out when the image shrinks."""
    scale = _scale(n, m, align, factor, kind)
    stretch = max(scale, kind(1))
    reach = kind(width * 0.5) * stretch
    centers = scale * (np.arange(m, dtype=kind) + kind(0.5))
    first = np.maximum((centers - reach + kind(0.5)).astype(np.int64), 0)
    count = np.minimum((centers + reach + kind(0.5)).astype(np.int64), n) - first
    steps = np.arange(max(int(count.max()), 1))
    distance = (steps + first[:, None]).astype(kind) - centers[:, None] + kind(0.5)
    weights = np.where(steps < count[:, None], kernel(distance * (1 / stretch)), 0)
    total = weights.sum(1, keepdims=True)
    weights = weights / np.where(total == 0, 1, total)
    return Taps(np.minimum(first[:, None] + steps, n - 1), weights.astype(kind), n)


_KINDS: dict[tuple[str, bool], Callable[..., Taps]] = {
    ("nearest", False): nearest,
    ("nearest-exact", False): nearest_exact,
    ("linear", False): linear,
    ("bilinear", False): linear,
    ("trilinear", False): linear,
    ("bicubic", False): cubic,
    ("bilinear", True): functools.partial(_antialiased, _triangle, 2),
    ("bicubic", True): functools.partial(_antialiased, _keys, 4),
    ("lanczos", True): functools.partial(_antialiased, _lanczos, 6),
}


@functools.lru_cache(128)
def _taps(
    mode: str, antialias: bool, n: int, m: int, align: bool, factor: float | None, kind: np.dtype[Any]
) -> Taps | None:
    """The taps from n to m elements; None where all stay what they are."""
    if n == m and (factor in (None, 1.0) or antialias or "linear" in mode):  # whatever the factor, as in PyTorch
        return None
    made = _KINDS[mode, antialias](n, m, align, factor, np.float64 if kind == np.float64 else np.float32)
    return made._replace(factor=factor)


# ---- bytes -----------------------------------------------------------------------------------------------------------
def _bytes_along(x: Any, taps: Taps, axis: int) -> Any:
    """`sampled` for bytes, in whole numbers: weights of as many binary places as fit into 16 bits, rounded sums."""
    if taps.weights is None:
        return sampled(x, taps, axis)
    places = 0
    while places < 22 and 0.5 + taps.weights.max() * (1 << (places + 1)) < 1 << 15:
        places += 1
    scaled = taps.weights.astype(np.float64) * (1 << places)
    whole = taps._replace(weights=np.trunc(scaled + np.copysign(0.5, scaled)).astype(np.int64))
    total = sampled(x.astype(np.int64), whole, axis) + (1 << places >> 1)
    return np.clip(total >> places, 0, 255).astype(np.uint8)


def _resampled_bytes(x: Any, taps: Sequence[Taps | None]) -> Any:
    for axis, each in reversed(list(zip(range(-len(taps), 0), taps))):
        x = x if each is None else _bytes_along(x, each, axis)
    return np.array(x)


_resample_bytes = row("resample_bytes", _resampled_bytes, x=None)


# ---- interpolate -----------------------------------------------------------------------------------------------------
def _per_dimension(value: Any, dims: int, label: str, shape: Shape) -> list[Any]:
    if not isinstance(value, list | tuple):
        return [value] * dims
    if len(value) != dims:
        raise ValueError(
            f"Input and {label} must have the same number of spatial dimensions, but got input with spatial dimensions "
            f"of {list(shape[2:])} and {label} of {value}. Please provide input tensor in (N, C, d1, d2, ...,dK) "
            f"format and {label} in (o1, o2, ...,oK) format."
        )
    return list(value)


def _sizes(input: Tensor, size: Any, scale_factor: Any, recompute: bool) -> tuple[Shape, list[float | None]]:
    """The output's size, and the factors to compute positions with (None: the ratio of the sizes)."""
    shape, dims = input._array.shape, input._array.ndim - 2
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is not None:
        sizes = _per_dimension(size, dims, "output size", shape)
        if not all(hasattr(n, "__index__") for n in sizes):
            raise TypeError(
                "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, int, int], but got size "
                f"with types {[type(n) for n in sizes]}"
            )
        if recompute:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        return tuple([int(n) for n in sizes]), [None] * dims
    if scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    factors = [float(f) for f in _per_dimension(scale_factor, dims, "scale_factor", shape)]
    scaled = tuple([int(n * f) for n, f in zip(shape[2:], factors)])
    return scaled, [None] * dims if recompute else list(factors)


def _check_mode(mode: str, ndim: int, align_corners: bool | None, antialias: bool) -> None:
    if align_corners is not None and mode in ("nearest", "area", "nearest-exact"):
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and ndim == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input"
        )
    if mode == "lanczos" and ndim == 4 and (align_corners or not antialias):
        wanted = "does not support align_corners=True" if align_corners else "requires antialias=True"
        raise ValueError(f"Lanczos mode {wanted}")
    named = {**_DIMS, "lanczos": 2}
    known = mode in named or mode in ("nearest", "nearest-exact", "area")
    if known and named.get(mode, ndim - 2) == ndim - 2 and 3 <= ndim <= 5:
        return
    if mode in ("linear", "bilinear", "trilinear") and 3 <= ndim <= 5:
        raise NotImplementedError(f"Got {ndim}D input, but {mode} mode needs {named[mode] + 2}D input")
    raise NotImplementedError(
        f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {ndim}D) for the modes: nearest | linear | "
        f"bilinear | bicubic | trilinear | lanczos | area | nearest-exact (got {mode})"
    )


def _check_sizes(shape: Shape, size: Shape) -> None:
    if min(shape[2:]) < 1 or min(size) < 1:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input {list(shape[2:])} and output {list(size)}"
        )
    if 0 in shape[1:]:
        raise RuntimeError(f"Non-empty {len(shape)}D data tensor expected but got a tensor with sizes {list(shape)}")


@rounds_once
def interpolate(
    input: Tensor, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest", align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:  # fmt: skip
    """The input at another size, given as `size` or as a multiple (`scale_factor`) of the old one.

    Modes: 'nearest' (rounds down) and 'nearest-exact', 'linear' (3 dimensions), 'bilinear' and 'bicubic' (4),
    'trilinear' (5), 'area' (the mean of what falls together), 'lanczos' (4, antialiased). With `align_corners` the
    centers of the corner elements stay in place, otherwise the outer edges do. `recompute_scale_factor` takes the ratio
    of the sizes for the factor. `antialias` makes 'bilinear' and 'bicubic' wider when the image gets smaller.
    Shape: (N, C, L), (N, C, H, W) or (N, C, D, H, W) → the same with other last sizes. Errors: ValueError for options
    that contradict each other, NotImplementedError for a mode that does not go with the dimensions, RuntimeError for
    empty images. Source: PyTorch's `nn.functional.interpolate`.

    >>> interpolate(mini_torch.tensor([[[1., 3.]]]), size=4, mode="linear")
    tensor([[[1.0000, 1.5000, 2.5000, 3.0000]]])
    """
    need_tensor(input, "interpolate")
    shape = input._array.shape
    sizes, factors = _sizes(input, size, scale_factor, bool(recompute_scale_factor))
    _check_mode(mode, len(shape), align_corners, antialias)
    if mode == "area":
        return (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[len(shape) - 3](input, sizes)
    _check_sizes(shape, sizes)
    kind = input._array.dtype
    if kind != np.uint8 or mode in ("linear", "trilinear"):
        need_types(input, _kernel_name(mode, len(shape) - 2))
    align = bool(align_corners)
    if mode == "nearest" and len(shape) == 4:  # PyTorch has a kernel for this case that leaves such a dimension alone
        factors = [None if n == m else f for n, m, f in zip(shape[2:], sizes, factors)]
    taps = tuple([_taps(mode, antialias, n, m, align, f, kind) for n, m, f in zip(shape[2:], sizes, factors)])
    return (
        _resample_bytes(input, taps)
        if kind == np.uint8
        else resample(input, taps, _node(mode, len(shape) - 2, antialias))
    )


def _node(mode: str, dims: int, antialias: bool) -> str:
    name = "".join(part.capitalize() for part in mode.split("-"))
    return f"Upsample{name}{dims}D{'Aa' if antialias else ''}"


def _kernel_name(mode: str, dims: int) -> str:
    if mode.startswith("nearest"):
        return f"upsample_nearest{dims}d_channels_last" if dims > 1 else "compute_indices_weights_nearest"
    return "compute_indices_weights_cubic" if mode == "bicubic" else "compute_indices_weights_linear"


def _deprecated(name: str) -> None:
    warnings.warn(
        f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead.", UserWarning, stacklevel=3
    )


def upsample(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Tensor:
    """`interpolate` under its old name. Source: PyTorch's `nn.functional.upsample`."""
    _deprecated("upsample")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """`interpolate` with mode 'nearest'. Source: PyTorch's `nn.functional.upsample_nearest`."""
    _deprecated("upsample_nearest")
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """`interpolate` with mode 'bilinear' and aligned corners. Source: PyTorch's `nn.functional.upsample_bilinear`."""
    _deprecated("upsample_bilinear")
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)
