"""Images looked at through a grid of positions: `grid_sample`, and the grids of affine maps.

A position is a pair (x, y) or a triple (x, y, z) from -1 to 1, x along the last dimension. All is made of
differentiable operations: positions become places in pixels, places outside are dealt with as `padding_mode` says, and
the pixels around are weighed by the distance. So gradients of every order follow, for the image and for the grid.
Source: Jaderberg et al. 2015, "Spatial transformer networks"; PyTorch's `nn.functional.grid_sample`.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..graph import mode
from ..op import need_float32, rounds_once, row, type_name
from ..ramp import spread
from ..tensor import Tensor, wrap
from .interpolation import cubic_weights
from .places import pick_places
from .spatial import Shape, need_tensor, need_types

__all__ = ["affine_grid", "affine_grid_generator", "grid_sample", "grid_sampler", "grid_sampler_2d", "grid_sampler_3d"]

_MODES = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")


# ---- places outside --------------------------------------------------------------------------------------------------
# The nearest pixel does not change with the place: the gradient of the grid is there, but zero.
_at_nearest = row(
    "at_nearest", lambda x, grid: x.copy(), grad_name="GridSamplerBackward0", x=lambda g: g,
    grid=lambda g, shape: np.zeros(shape),
)  # fmt: skip


# At the very border the gradient is 0, as in PyTorch (`clamp` would let it through).
_clip = row(
    "clip_place", lambda x, last: np.nan_to_num(np.clip(x, 0, last), copy=False, nan=0.0),
    x=lambda g, x, last: g * ((x > 0) & (x < last)),
)  # fmt: skip


def _reflected(x: Any, low: float, high: float) -> Any:
    """x, mirrored at low and high until it lies between them."""
    if low == high:
        return np.zeros_like(x)
    away, width = np.abs(x - low), high - low
    flips, rest = np.floor(away / width), np.fmod(away, width)
    return np.where(flips % 2 == 0, rest + low, high - rest)


def _reflection_sign(x: Any, low: float, high: float) -> Any:
    if low == high:
        return np.zeros_like(x)
    flips = np.floor(np.abs(x - low) / (high - low))
    return np.where(x < low, -1.0, 1.0) * np.where(flips % 2 == 0, 1.0, -1.0)


def _silently(function: Callable[..., Any]) -> Callable[..., Any]:
    def silent(x: Any, low: float, high: float) -> Any:
        with np.errstate(invalid="ignore"):  # infinite places
            return function(x, low, high).astype(x.dtype, copy=False)

    return silent


_reflect = row("reflect_place", _silently(_reflected), x=lambda g, x, low, high: g * _reflection_signs(x, low, high))


def _reflection_signs(x: Any, low: float, high: float) -> Any:
    return _silently(_reflection_sign)(getattr(x, "_array", x), low, high)


def _inside(place: Tensor, n: int, padding: str, align: bool) -> Tensor:
    """Places as `padding` has them; those of 'zeros' stay outside."""
    if padding == "reflection":
        place = _reflect(place, 0.0, n - 1.0) if align else _reflect(place, -0.5, n - 0.5)
    return place if padding == "zeros" else _clip(place, n - 1)


def _places(grid: Tensor, size: Shape, align: bool) -> list[Tensor]:
    """Where the grid (N, …, dims) looks, in pixels: a tensor (N, M) per dimension, in the image's order."""
    flat = grid.reshape(grid._array.shape[0], math.prod(grid._array.shape[1:-1]), len(size))
    places = []
    for axis, n in enumerate(size):
        x = flat[..., len(size) - 1 - axis]
        places.append((x + 1) / 2 * (n - 1) if align else ((x + 1) * n - 1) / 2)
    return places


# ---- sampling --------------------------------------------------------------------------------------------------------
def _numbers(corner: Sequence[Any], size: Shape) -> tuple[Any, Any]:
    """Pixel numbers (N, M) in the flattened image of whole places, and which of them are inside."""
    number, inside = np.zeros_like(corner[0], np.int64), np.ones_like(corner[0], bool)
    for place, n in zip(corner, size):
        within = (place >= 0) & (place < n)
        number = number * n + np.where(within, place, 0).astype(np.int64)
        inside &= within
    return np.where(inside, number, 0), inside


def _pixels(image: Tensor, corner: Sequence[Any], size: Shape) -> Tensor:
    """The image's (N, C, P) pixels at whole places, 0 outside: (N, C, M)."""
    number, inside = _numbers(corner, size)
    seen = pick_places(image, wrap(number[:, None]), 1, None, "GridSampler")
    return seen if mode.recorder is None and inside.all() else seen.masked_fill(wrap(~inside[:, None]), 0.0)


def _nearest(image: Tensor, places: list[Tensor], size: Shape, padding: str, align: bool) -> Tensor:
    whole = [np.rint(_inside(x, n, padding, align)._array) for x, n in zip(places, size)]
    return _pixels(image, whole, size)


def _linear(image: Tensor, places: list[Tensor], size: Shape, padding: str, align: bool) -> Tensor:
    places = [_inside(x, n, padding, align) for x, n in zip(places, size)]
    lower = [np.floor(x._array) for x in places]
    parts = [x - wrap(low) for x, low in zip(places, lower)]
    out: Any = 0
    for corner in itertools.product((0, 1), repeat=len(size)):
        seen = _pixels(image, [low + step for low, step in zip(lower, corner)], size)
        weight: Any = 1
        for part, step in zip(parts, corner):
            weight = weight * (part if step else 1 - part)
        out = out + seen * weight.unsqueeze(1)
    return out


def _cubic(image: Tensor, places: list[Tensor], size: Shape, padding: str, align: bool) -> Tensor:
    lower = [np.floor(x._array) for x in places]
    weights = [cubic_weights(x - wrap(low)) for x, low in zip(places, lower)]
    out: Any = 0
    for i in range(4):
        line: Any = 0
        for j in range(4):
            corner = [wrap(low + step - 1) for low, step in zip(lower, (i, j))]
            whole = [_inside(x, n, padding, align)._array for x, n in zip(corner, size)]
            line = line + _pixels(image, [np.rint(x) for x in whole], size) * weights[1][j].unsqueeze(1)
        out = out + line * weights[0][i].unsqueeze(1)
    return out


def _check(input: Tensor, grid: Tensor, mode: str) -> None:
    need_tensor(input, "grid_sampler")
    need_tensor(grid, "grid_sampler", "grid", 2)
    shape, size = input._array.shape, grid._array.shape
    if not shape or not size or shape[0] != size[0]:
        raise RuntimeError(
            "grid_sampler(): expected grid and input to have same batch size, but got input with sizes "
            f"{list(shape)} and grid with sizes {list(size)}"
        )
    if len(shape) not in (4, 5) or len(shape) != len(size):
        raise RuntimeError(
            "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with sizes "
            f"{list(shape)} and grid with sizes {list(size)}"
        )
    if size[-1] != len(shape) - 2:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {len(shape) - 2} in last dimension, but got grid with sizes "
            f"{list(size)}"
        )
    if 0 in shape[2:]:
        raise RuntimeError(
            f"grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes {list(shape)}"
        )
    if mode == "bicubic" and len(shape) == 5:
        raise RuntimeError(f"grid_sampler(): bicubic interpolation only supports 4D input, got {list(shape)}")
    if input._array.dtype != grid._array.dtype:
        raise RuntimeError(
            f"expected scalar type {type_name(input._array.dtype)} but found {type_name(grid._array.dtype)} as grid"
        )
    need_types(input, f"grid_sampler_{len(shape) - 2}d_cpu_kernel_impl")


@rounds_once
def grid_sample(
    input: Tensor, grid: Tensor, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Tensor:
    """The image's values at the positions of `grid`.

    Positions run from -1 to 1 between the outer edges of the image, or with `align_corners` between the centers of its
    corner pixels. Modes: 'bilinear' (linear in every dimension), 'nearest', 'bicubic' (images only). Outside of the
    image there are zeros, the 'border' pixels, or the image's 'reflection'.
    Shape: input (N, C, H, W), grid (N, H′, W′, 2) → (N, C, H′, W′); input (N, C, D, H, W), grid (N, D′, H′, W′, 3) →
    (N, C, D′, H′, W′). Errors: ValueError for another mode, RuntimeError for shapes that do not fit.
    Source: PyTorch's `nn.functional.grid_sample`.

    >>> corners = mini_torch.tensor([[[[-1., -1.], [1., 1.]]]])
    >>> grid_sample(mini_torch.arange(4.).reshape(1, 1, 2, 2), corners, align_corners=True)
    tensor([[[[0., 3.]]]])
    """
    if mode not in _MODES:
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in _PADDINGS:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"'{padding_mode}'"
        )
    if align_corners is None:
        _warn_of_corners()
    _check(input, grid, mode)
    shape = input._array.shape
    size = shape[2:]
    sample = {"bilinear": _linear, "nearest": _nearest, "bicubic": _cubic}[mode]
    image = input.reshape(*shape[:2], math.prod(size))
    with np.errstate(invalid="ignore"):  # grids may be infinite
        out = sample(image, _places(grid, size, bool(align_corners)), size, padding_mode, bool(align_corners))
    out = out.reshape(*shape[:2], *grid._array.shape[1:-1])
    return _at_nearest(out, grid) if mode == "nearest" else out


def _warn_of_corners() -> None:
    warnings.warn(
        "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
        "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details.",
        UserWarning, stacklevel=3,
    )  # fmt: skip


@rounds_once
def grid_sampler(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """`grid_sample` with modes by number: 0 bilinear, 1 nearest, 2 bicubic; 0 zeros, 1 border, 2 reflection.

    Source: PyTorch's `torch.grid_sampler`.
    """
    for label, number in (("interpolation_mode", interpolation_mode), ("padding_mode", padding_mode)):
        if number not in (0, 1, 2):
            raise ValueError(f"grid_sampler(): {label} must be 0, 1 or 2, got {number}")
    return grid_sample(input, grid, _MODES[interpolation_mode], _PADDINGS[padding_mode], align_corners)


grid_sampler_2d = grid_sampler_3d = grid_sampler


# ---- affine grids ----------------------------------------------------------------------------------------------------
def _centers(n: int, align: bool, kind: np.dtype[Any]) -> Any:
    """The positions of n pixels, from -1 to 1, to the last bit PyTorch's: an unmoved image is looked at where bilinear
    interpolation has its kinks, and which side a position is on decides its gradient."""
    if n <= 1:
        return np.zeros(n, kind)
    steps = spread(-1, 1, n, kind)
    return steps if align else steps * kind.type(n - 1) / kind.type(n)


@rounds_once
def affine_grid_generator(theta: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    """`affine_grid` without its checks. Source: PyTorch's `torch.affine_grid_generator`."""
    kind, spatial = theta._array.dtype, tuple(size[2:])
    centers = [_centers(n, align_corners, kind) for n in spatial]
    mesh = np.meshgrid(*centers, indexing="ij")
    positions = np.stack([*reversed(mesh), np.ones(spatial, kind)], -1).reshape(-1, len(spatial) + 1)
    if theta._array.shape[0] != size[0]:
        raise RuntimeError(f"affine_grid: theta has batch size {theta.shape[0]}, but size is {tuple(size)}")
    return (wrap(positions) @ theta.transpose(1, 2)).reshape(size[0], *spatial, len(spatial))


@rounds_once
def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The grid of positions θ (x, y, 1)ᵀ for every pixel (x, y) of an image of `size`.

    Shape: theta (N, 2, 3), size (N, C, H, W) → (N, H, W, 2); theta (N, 3, 4), size (N, C, D, H, W) → (N, D, H, W, 3).
    Errors: ValueError for other shapes and for integers. Source: PyTorch's `nn.functional.affine_grid`.
    """
    if align_corners is None:
        _warn_of_corners()
    need_tensor(theta, "affine_grid", "theta")
    need_float32("affine_grid", theta)
    if theta._array.dtype.kind != "f":
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    if len(size) not in (4, 5):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size "
            f"{tuple(size)}."
        )
    dims = len(size) - 2
    if theta._array.ndim != 3 or theta._array.shape[1:] != (dims, dims + 1):
        raise ValueError(
            f"Expected a batch of {dims}D affine matrices of shape Nx{dims}x{dims + 1} for size {tuple(size)}. Got "
            f"{theta.shape}."
        )
    if align_corners and min(size[2:]) == 1:
        warnings.warn(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when align_corners=True. This "
            "is not an intended use case of affine_grid. See the documentation of affine_grid for details.",
            UserWarning, stacklevel=2,
        )  # fmt: skip
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {tuple(size)}")
    return affine_grid_generator(theta, size, bool(align_corners))
