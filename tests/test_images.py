"""Interpolation, grids, shuffles and padding: known values, what must cancel, errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import mini_torch
from mini_torch.autograd import gradcheck, gradgradcheck
from mini_torch.nn import functional as F

X = np.arange(16.0).reshape(1, 1, 4, 4)


def image(kind: Any = mini_torch.float32) -> mini_torch.Tensor:
    return mini_torch.tensor(X, dtype=kind)


# ---- interpolate -----------------------------------------------------------------------------------------------------
KNOWN = [
    ({"size": (2, 3), "mode": "bicubic", "antialias": True}, [2.5370, 3.8471, 5.1572, 9.8428, 11.1529, 12.4630]),
    ({"scale_factor": 0.5, "mode": "bilinear", "antialias": True}, [3.5714, 5.1429, 9.8571, 11.4286]),
    ({"size": 3, "mode": "bicubic", "align_corners": True}, [0, 1.5, 3, 6, 7.5, 9, 12, 13.5, 15]),
    ({"size": 2, "mode": "area"}, [2.5, 4.5, 10.5, 12.5]),
    ({"size": 2}, [0, 2, 8, 10]),
    ({"size": 2, "mode": "nearest-exact"}, [5, 7, 13, 15]),
]


@pytest.mark.parametrize(("options", "values"), KNOWN)
def test_interpolate_as_pytorch_does(options: Any, values: list[float]) -> None:
    np.testing.assert_allclose(F.interpolate(image(), **options).numpy().ravel(), values, atol=5e-5)


def test_bytes_are_rounded_once_per_dimension() -> None:
    out = F.interpolate((image() * 16).byte(), size=(3, 5), mode="bilinear")
    assert out[0, 0].tolist() == [[11, 22, 35, 48, 59], [96, 107, 120, 133, 144], [181, 192, 205, 218, 229]]
    assert out.dtype == mini_torch.uint8


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic", "area"])
def test_a_constant_stays_constant(mode: str) -> None:
    for size in ((1, 7), (3, 2), (9, 4)):
        out = F.interpolate(mini_torch.full((2, 3, 4, 5), 2.5), size=size, mode=mode)
        assert out.shape == (2, 3, *size)
        np.testing.assert_allclose(out.numpy(), 2.5, rtol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"scale_factor": 2.5},
        {"size": (3, 7), "mode": "bilinear", "align_corners": True},
        {"size": (3, 7), "mode": "bicubic"},
        {"size": (2, 9), "mode": "bicubic", "antialias": True},
    ],
)
def test_gradients_of_interpolation(options: Any) -> None:
    x = mini_torch.tensor(np.random.default_rng(0).standard_normal((1, 1, 4, 3)), requires_grad=True)
    assert gradcheck(lambda x: F.interpolate(x, **options), [x])
    assert gradgradcheck(lambda x: F.interpolate(x, **options), [x])


def test_old_names_warn() -> None:
    with pytest.warns(UserWarning, match="deprecated"):
        old = F.upsample_bilinear(image(), scale_factor=2)
    assert mini_torch.equal(old, F.interpolate(image(), scale_factor=2, mode="bilinear", align_corners=True))


# ---- grids -----------------------------------------------------------------------------------------------------------
def test_the_affine_identity_gives_the_image() -> None:
    theta = mini_torch.eye(2, 3, dtype=mini_torch.float64)[None]
    for align in (False, True):
        grid = F.affine_grid(theta, (1, 1, 4, 4), align_corners=align)
        for mode in ("bilinear", "nearest", "bicubic"):
            out = F.grid_sample(image(mini_torch.float64), grid, mode, align_corners=align)
            np.testing.assert_allclose(out.numpy(), X, atol=1e-12)


GRIDS = {
    ("zeros", "bilinear"): [0.6, 9.87, 0.0],
    ("zeros", "nearest"): [0.0, 14.0, 0.0],
    ("zeros", "bicubic"): [0.48525, 10.71391, 0.02009],
    ("border", "bilinear"): [6.0, 14.1, 3.0],
    ("border", "bicubic"): [5.99325, 14.58375, 3.0],
    ("reflection", "bilinear"): [6.0, 14.1, 3.1],
    ("reflection", "nearest"): [8.0, 14.0, 3.0],
    ("reflection", "bicubic"): [5.9325, 14.77275, 3.06925],
}


@pytest.mark.parametrize(("padding", "mode"), GRIDS)
def test_outside_of_the_image(padding: str, mode: str) -> None:
    grid = mini_torch.tensor([[[[-1.2, 0.0], [0.3, 0.9], [1.4, -1.3]]]])
    out = F.grid_sample(image(), grid, mode, padding, align_corners=False)
    np.testing.assert_allclose(out.numpy().ravel(), GRIDS[padding, mode], atol=2e-5)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
def test_gradients_of_sampling(mode: str, padding: str) -> None:
    rng = np.random.default_rng(0)
    x = mini_torch.tensor(rng.standard_normal((1, 1, 4, 3)), requires_grad=True)
    grid = mini_torch.tensor(rng.uniform(-1.4, 1.4, (1, 1, 3, 2)), requires_grad=True)
    assert gradcheck(lambda x, g: F.grid_sample(x, g, mode, padding, align_corners=False), [x, grid])
    assert gradgradcheck(lambda x, g: F.grid_sample(x, g, mode, padding, align_corners=False), [x, grid])


def test_nan_positions() -> None:
    grid = mini_torch.tensor([[[[math.nan, 0.0]]]])
    assert math.isnan(F.grid_sample(image(), grid, align_corners=False).item())
    assert F.grid_sample(image(), grid, padding_mode="border", align_corners=False).item() == 6.0


# ---- shuffles and padding --------------------------------------------------------------------------------------------
def test_shuffles_undo_each_other() -> None:
    x = mini_torch.arange(2 * 8 * 3 * 2).reshape(2, 8, 3, 2)
    assert mini_torch.equal(F.pixel_unshuffle(F.pixel_shuffle(x, 2), 2), x)
    assert mini_torch.equal(F.channel_shuffle(F.channel_shuffle(x, 2), 4), x)
    assert F.pixel_shuffle(x[0], 2).shape == (2, 6, 4)


def test_constant_padding() -> None:
    x = mini_torch.tensor([[True, False]])
    assert F.pad(x, (1, 0), value=1).tolist() == [[True, True, False]]
    assert F.pad(mini_torch.arange(3), (-1, 1), value=7).tolist() == [1, 2, 7]
    assert mini_torch.constant_pad_nd(mini_torch.ones(2, dtype=mini_torch.uint8), (0, 1), -1).tolist() == [1, 1, 255]


ERRORS: list[tuple[Any, type[Exception], str]] = [
    (lambda x: F.interpolate(x), ValueError, "either size or scale_factor"),
    (lambda x: F.interpolate(x, 2, 2), ValueError, "only one of size or scale_factor"),
    (lambda x: F.interpolate(x, (2, 2, 2)), ValueError, r"spatial dimensions of \[4, 4\]"),
    (lambda x: F.interpolate(x, 2, mode="linear"), NotImplementedError, "Got 4D input, but linear mode needs 3D"),
    (lambda x: F.interpolate(x, 2, align_corners=True), ValueError, "align_corners option can only be set"),
    (lambda x: F.interpolate(x, 2, antialias=True), ValueError, "Anti-alias option is restricted"),
    (lambda x: F.interpolate(x, 0), RuntimeError, "sizes should be greater than 0"),
    (lambda x: F.interpolate(x.long(), 2), NotImplementedError, "not implemented for 'Long'"),
    (lambda x: F.grid_sample(x, x, "cubic"), ValueError, "but got: 'cubic'"),
    (lambda x: F.grid_sample(x, x, align_corners=False), RuntimeError, "to have size 2 in last dimension"),
    (lambda x: F.grid_sample(x, x.double(), align_corners=False), RuntimeError, "size 2 in last dimension"),
    (lambda x: F.affine_grid(x[0], (1, 1, 2, 2), False), ValueError, "2D affine matrices of shape Nx2x3"),
    (lambda x: F.pixel_shuffle(x, 2), RuntimeError, r"input.size\(-3\)=1 is not divisible by 4"),
    (lambda x: F.pixel_unshuffle(x, 3), RuntimeError, r"height to be divisible .*input.size\(-2\)=4"),
    (lambda x: F.channel_shuffle(x, 2), RuntimeError, "Got 1 channels and 2 groups"),
    (lambda x: F.pad(x, (1, 1, 1)), RuntimeError, "divisible by 2, got 3"),
    (lambda x: F.pad(x[0].bool(), (1, 1), "reflect"), NotImplementedError, "not implemented for 'Bool'"),
    (lambda x: F.pad(x[0], (5, 5), "reflect"), RuntimeError, "Padding size should be less"),
]


@pytest.mark.parametrize(("call", "kind", "words"), ERRORS)
def test_errors(call: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        call(image())
