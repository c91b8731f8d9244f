"""Layers over space: first values, names, text, lazy sizes, doors."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import mini_torch
from mini_torch import nn

TEXTS: list[tuple[Any, str]] = [
    (nn.Conv1d(2, 4, 3), "Conv1d(2, 4, kernel_size=(3,), stride=(1,))"),
    (
        nn.Conv2d(2, 4, (3, 1), 2, 1, 2, groups=2, bias=False, padding_mode="reflect"),
        "Conv2d(2, 4, kernel_size=(3, 1), stride=(2, 2), padding=(1, 1), dilation=(2, 2), groups=2, bias=False, "
        "padding_mode=reflect)",
    ),
    (nn.Conv2d(1, 1, 3, padding="same"), "Conv2d(1, 1, kernel_size=(3, 3), stride=(1, 1), padding=same)"),
    (
        nn.ConvTranspose2d(2, 2, 2, 2, output_padding=1),
        "ConvTranspose2d(2, 2, kernel_size=(2, 2), stride=(2, 2), output_padding=(1, 1))",
    ),
    (nn.LazyConv2d(3, 3), "LazyConv2d(0, 3, kernel_size=(3, 3), stride=(1, 1))"),
    (
        nn.MaxPool2d((2, 3), padding=1, ceil_mode=True),
        "MaxPool2d(kernel_size=(2, 3), stride=(2, 3), padding=1, dilation=1, ceil_mode=True)",
    ),
    (nn.AvgPool1d(2), "AvgPool1d(kernel_size=(2,), stride=(2,), padding=(0,))"),
    (nn.MaxUnpool2d(2), "MaxUnpool2d(kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))"),
    (nn.LPPool2d(2, 3), "LPPool2d(norm_type=2, kernel_size=3, stride=None, ceil_mode=False)"),
    (nn.AdaptiveAvgPool2d((None, 2)), "AdaptiveAvgPool2d(output_size=(None, 2))"),
    (nn.Upsample(scale_factor=2, mode="bilinear"), "Upsample(scale_factor=2.0, mode='bilinear')"),
    (nn.Fold(4, 2), "Fold(output_size=4, kernel_size=2, dilation=1, padding=0, stride=1)"),
    (nn.ZeroPad2d(1), "ZeroPad2d((1, 1, 1, 1))"),
    (nn.ConstantPad1d(1, 2.0), "ConstantPad1d(padding=(1, 1), value=2.0)"),
    (nn.PixelShuffle(2), "PixelShuffle(upscale_factor=2)"),
]


@pytest.mark.parametrize(("layer", "text"), TEXTS)
def test_text_copy_and_pickle(layer: Any, text: str) -> None:
    assert repr(layer) == repr(copy.deepcopy(layer)) == repr(pickle.loads(pickle.dumps(layer))) == text


def test_convolutions_start_with_pytorchs_numbers() -> None:
    mini_torch.manual_seed(0)
    layer = nn.Conv2d(1, 2, 2)
    assert layer.weight.flatten().tolist()[:3] == [-0.003743410110473633, 0.26822179555892944, -0.4115225672721863]
    assert layer.bias.tolist() == [-0.04437202215194702, 0.1323062777519226]
    mini_torch.manual_seed(0)
    layer = nn.ConvTranspose1d(2, 1, 2)
    assert layer.weight.flatten().tolist()[:2] == [-0.005293981172144413, 0.37932288646698]
    assert layer.bias.tolist() == [-0.27234524488449097]
    assert list(layer.state_dict()) == ["weight", "bias"]


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_padding_modes(mode: str) -> None:
    x = mini_torch.randn(1, 2, 6, 5)
    layer = nn.Conv2d(2, 3, 3, padding=(1, 2), padding_mode=mode)
    padded = nn.functional.pad(x, (2, 2, 1, 1), mode=mode)
    assert mini_torch.equal(layer(x), nn.functional.conv2d(padded, layer.weight, layer.bias))


@pytest.mark.parametrize("name", ["Conv", "ConvTranspose"])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_lazy_convolutions(name: str, dims: int) -> None:
    layer = getattr(nn, f"Lazy{name}{dims}d")(4, 2, groups=2)
    assert isinstance(layer.weight, nn.UninitializedParameter)
    out = layer(mini_torch.zeros(1, 6, *[5] * dims))
    assert type(layer) is getattr(nn, f"{name}{dims}d")
    assert layer.in_channels == 6
    assert out.shape[1] == 4
    assert layer.weight.shape[:2] == ((4, 3) if name == "Conv" else (6, 2))


def test_transpose_to_a_wanted_size() -> None:
    layer = nn.ConvTranspose2d(2, 1, 3, stride=2)
    x = mini_torch.zeros(1, 2, 4, 4)
    assert layer(x).shape == (1, 1, 9, 9)
    assert layer(x, output_size=(1, 1, 10, 9)).shape == (1, 1, 10, 9)
    with pytest.raises(ValueError, match=r"\[12, 9\], but valid sizes range from \[9, 9\] to \[10, 10\]"):
        layer(x, output_size=(12, 9))


ERRORS: list[tuple[Any, str]] = [
    (lambda: nn.Conv2d(3, 4, 3, groups=2), "in_channels must be divisible by groups"),
    (lambda: nn.Conv2d(4, 3, 3, groups=2), "out_channels must be divisible by groups"),
    (lambda: nn.Conv2d(4, 4, 3, padding="full"), "Invalid padding string 'full'"),
    (lambda: nn.Conv2d(4, 4, 3, stride=2, padding="same"), "not supported for strided"),
    (lambda: nn.Conv2d(4, 4, 3, padding_mode="mirror"), "padding_mode must be one of"),
    (lambda: nn.ConvTranspose2d(4, 4, 3, padding_mode="reflect"), 'Only "zeros" padding mode'),
    (lambda: nn.FractionalMaxPool2d(2), "requires specifying either"),
    (lambda: nn.FractionalMaxPool2d(2, output_ratio=1.5), "must be between 0 and 1"),
    (lambda: nn.CircularPad1d(1)(mini_torch.ones(3)), "expected 2D or 3D input"),
]


@pytest.mark.parametrize(("make", "words"), ERRORS)
def test_errors(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_doors() -> None:
    for module, name in (("conv", "_ConvNd"), ("pooling", "MaxPool2d"), ("padding", "ZeroPad2d"), ("fold", "Fold")):
        assert hasattr(getattr(nn.modules, module), name)
    assert isinstance(nn.Conv2d(1, 1, 1), nn.modules.conv._ConvNd)
