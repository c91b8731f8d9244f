"""Depthwise convolutions: banded products against the sum that a convolution is, infinities, and types."""

import numpy as np
import pytest

import mini_torch
from mini_torch.autograd import gradcheck
from mini_torch.nn.functional import conv2d

CASES = [(1, 1, 1, 3), (2, 1, 1, 3), (1, 2, 2, 3), (3, 0, 1, 2), (2, 3, 1, 3), (2, 0, 2, 2), (1, 0, 1, 1)]


def _by_definition(x, weight, stride, padding, dilation):
    x = np.pad(x, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2))
    k = weight.shape[-1]
    high, wide = [(n - dilation * (k - 1) - 1) // stride + 1 for n in x.shape[2:]]
    out = np.zeros((*x.shape[:2], high, wide), x.dtype)
    for i in range(k):
        for j in range(k):
            rows = x[:, :, i * dilation :: stride][:, :, :high]
            out += rows[..., j * dilation :: stride][..., :wide] * weight[:, 0, i, j, None, None]
    return out


@pytest.mark.parametrize(("stride", "padding", "dilation", "k"), CASES)
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.complex64])
def test_value_is_the_sum(stride, padding, dilation, k, kind):
    rng = np.random.default_rng(0)
    x, weight = [rng.standard_normal(shape).astype(kind) for shape in ((2, 4, 8, 7), (4, 1, k, k))]
    out = conv2d(mini_torch.tensor(x), mini_torch.tensor(weight), None, stride, padding, dilation, 4)
    wide = np.result_type(kind, np.float32)
    expected = _by_definition(x.astype(wide), weight.astype(wide), stride, padding, dilation)
    assert out.numpy().dtype == kind
    np.testing.assert_allclose(out.numpy(), expected, atol=2e-2 if kind == np.float16 else 1e-4)


@pytest.mark.parametrize(("stride", "padding", "dilation", "k"), CASES)
def test_gradients(stride, padding, dilation, k):
    rng = np.random.default_rng(1)
    shapes = (2, 3, 6, 7), (3, 1, k, k), (3,)
    x, weight, bias = [mini_torch.tensor(rng.standard_normal(shape), requires_grad=True) for shape in shapes]
    assert gradcheck(lambda *args: conv2d(*args, stride, padding, dilation, 3), (x, weight, bias))


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_infinity_stays_where_windows_see_it(bad):
    x = np.ones((1, 2, 6, 6), np.float32)
    x[0, 0, 0, 0] = bad
    x = mini_torch.tensor(x, requires_grad=True)
    weight = mini_torch.ones(2, 1, 3, 3, requires_grad=True)
    out = conv2d(x, weight, groups=2)
    assert np.flatnonzero(~np.isfinite(out.detach().numpy())).tolist() == [0]
    out.sum().backward()
    assert np.flatnonzero(~np.isfinite(weight.grad.numpy())).tolist() == [0]


def test_infinity_times_padding_is_nan():
    """The gradient of a tap that sees nothing else, as PyTorch has it."""
    x, g = mini_torch.ones(1, 2, 1, 1), mini_torch.ones(1, 2, 1, 1)
    weight = mini_torch.ones(2, 1, 1, 3, requires_grad=True)
    g[0, 0] = np.inf
    conv2d(x, weight, padding=(0, 1), groups=2).backward(g)
    np.testing.assert_array_equal(weight.grad.numpy().reshape(2, 3), [[np.nan, np.inf, np.nan], [0, 1, 0]])
