"""Maps and the normalisation behind them as one map; kernels of attention that programs choose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch.nn.attention import SDPBackend, sdpa_kernel

nn = torch.nn


@pytest.mark.parametrize(("layer", "norm", "shape", "transpose"), [
    (nn.Conv2d(3, 4, 2), nn.BatchNorm2d(4), (2, 3, 5, 5), False),
    (nn.Conv2d(3, 4, 2, bias=False), nn.BatchNorm2d(4, affine=False), (2, 3, 5, 5), False),
    (nn.ConvTranspose1d(3, 4, 2), nn.BatchNorm1d(4), (2, 3, 5), True),
    (nn.Linear(3, 4), nn.BatchNorm1d(4), (7, 3), None),
])  # fmt: skip
def test_fused_is_one_after_the_other(layer: Any, norm: Any, shape: tuple[int, ...], transpose: bool | None) -> None:
    torch.manual_seed(0)
    x = torch.randn(shape)
    norm(layer(x))
    with pytest.raises(AssertionError, match="only for eval"):
        nn.utils.fuse_linear_bn_eval(layer, norm)
    layer.eval(), norm.eval()
    fuse = nn.utils.fuse_linear_bn_eval if transpose is None else nn.utils.fuse_conv_bn_eval
    fused = fuse(layer, norm, *[] if transpose is None else [transpose])
    assert isinstance(fused.weight, nn.Parameter)
    assert isinstance(fused.bias, nn.Parameter)
    np.testing.assert_allclose(fused(x).detach().numpy(), norm(layer(x)).detach().numpy(), atol=2e-6)


def test_kernels_of_attention_change_nothing() -> None:
    q = torch.randn(1, 2, 3, 4)
    expected = nn.functional.scaled_dot_product_attention(q, q, q)
    with sdpa_kernel([SDPBackend.MATH, SDPBackend.FLASH_ATTENTION]):
        assert nn.functional.scaled_dot_product_attention(q, q, q).equal(expected)
    with pytest.raises(AssertionError, match="got str"), sdpa_kernel("math"):
        pass


def test_layouts_of_convolutions() -> None:
    net = nn.Sequential(nn.Conv2d(2, 3, 2), nn.ConvTranspose2d(2, 3, 2), nn.Conv1d(2, 3, 2), nn.Conv3d(2, 3, 2))
    before = [layer.weight.tolist() for layer in net]
    assert nn.utils.convert_conv2d_weight_memory_format(net, torch.channels_last) is net
    assert [layer.weight.is_contiguous() for layer in net] == [False, False, True, True]
    nn.utils.convert_conv3d_weight_memory_format(net[3], torch.channels_last_3d)
    assert net[3].weight.stride() == (16, 1, 8, 4, 2)
    assert [layer.weight.tolist() for layer in net] == before
