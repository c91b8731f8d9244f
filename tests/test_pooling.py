"""Pooling: against windows written out, ties and NaN, borders, numbers drawn as PyTorch draws them, errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import mini_torch
from mini_torch.autograd import gradcheck, gradgradcheck
from mini_torch.nn import functional as F

Array = np.ndarray[Any, Any]


def randoms(*shape: int) -> Array:
    return np.random.default_rng(0).standard_normal(shape)


def windows(x: Array, kernel: int, stride: int, padding: int, dilation: int, ceil: bool) -> list[list[Array]]:
    """What each window of an image sees, without the padding."""
    counts = []
    for n in x.shape:
        room = n + 2 * padding - dilation * (kernel - 1) - 1
        count = (math.ceil(room / stride) if ceil else room // stride) + 1
        counts.append(count - 1 if ceil and (count - 1) * stride >= n + padding else count)
    lines = [
        [
            [i for i in range(at * stride - padding, at * stride - padding + dilation * kernel, dilation) if 0 <= i < n]
            for at in range(count)
        ]
        for n, count in zip(x.shape, counts, strict=True)
    ]
    return [[x[np.ix_(rows, columns)] for columns in lines[1]] for rows in lines[0]]


@pytest.mark.parametrize("kernel", [2, 3])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("ceil", [False, True])
def test_by_windows_written_out(kernel: int, stride: int, padding: int, dilation: int, ceil: bool) -> None:
    x = randoms(7, 6)
    image = mini_torch.tensor(x)[None]
    seen = windows(x, kernel, stride, padding, dilation, ceil)
    values, where = F.max_pool2d(image, kernel, stride, padding, dilation, ceil, return_indices=True)
    np.testing.assert_array_equal(values[0].numpy(), [[w.max() for w in row] for row in seen])
    np.testing.assert_array_equal(x.ravel()[where.numpy()], values.numpy())
    if dilation == 1:
        mean = F.avg_pool2d(image, kernel, stride, padding, ceil, count_include_pad=False)
        np.testing.assert_allclose(mean[0].numpy(), [[w.mean() for w in row] for row in seen])
        total = F.avg_pool2d(image, kernel, stride, padding, ceil, divisor_override=1)
        np.testing.assert_allclose(total[0].numpy(), [[w.sum() for w in row] for row in seen], atol=1e-14)


@pytest.mark.parametrize(
    "pool",
    [
        lambda x: F.max_pool2d(x, 3, 2, 1),
        lambda x: F.avg_pool2d(x, (2, 3), (1, 2), 1, ceil_mode=True, count_include_pad=False),
        lambda x: F.avg_pool1d(x[0], 4, 3),
        lambda x: F.max_pool3d(x, 2, 1),
        lambda x: F.adaptive_avg_pool2d(x, (3, 7)),
        lambda x: F.adaptive_max_pool2d(x, (3, 7)),
        lambda x: F.fractional_max_pool2d(x, 2, 3, _random_samples=mini_torch.full((1, 2, 2), 0.4).double()),
        lambda x: F.max_unpool2d(*F.max_pool2d(x[..., :4], 2, return_indices=True), 2),
        lambda x: F.lp_pool2d(x * x + 1, 3, 2),
    ],
)
def test_gradients_of_both_orders(pool: Any) -> None:
    x = mini_torch.tensor(randoms(1, 2, 6, 5), requires_grad=True)
    assert gradcheck(pool, [x])
    assert gradgradcheck(pool, [x])


def test_ties_padding_and_nan() -> None:
    x = mini_torch.zeros(1, 1, 4, requires_grad=True)
    F.max_pool1d(x, 4).backward(mini_torch.ones(1, 1, 1))
    assert x.grad.tolist() == [[[1, 0, 0, 0]]]  # the first of equals
    low = mini_torch.full((1, 1, 2), -math.inf)
    assert F.max_pool1d(low, 2, 2, 1, return_indices=True)[1].tolist() == [[[0, 1]]]  # never the padding
    nan = mini_torch.tensor([[1.0, math.nan, math.nan, 3.0]])
    for found in (F.max_pool1d(nan, 4, return_indices=True), F.adaptive_max_pool1d(nan, 1, return_indices=True)):
        assert math.isnan(found[0].item())
        assert found[1].item() == 2  # the last NaN


def test_padding_and_ceil_mode_in_the_mean() -> None:
    x = mini_torch.arange(9.0).reshape(1, 3, 3)
    assert F.avg_pool2d(x, 2, 2, 1, ceil_mode=True).tolist() == [[[0.0, 0.75], [2.25, 6.0]]]
    assert F.avg_pool2d(x, 2, 2, 1, True, count_include_pad=False).tolist() == [[[0.0, 1.5], [4.5, 6.0]]]
    whole = mini_torch.tensor([[[-3, -4], [-2, 0]]])
    assert F.avg_pool2d(whole, 2).tolist() == [[[-2]]]  # towards zero


def test_adaptive_windows_overlap() -> None:
    x = mini_torch.arange(5.0).reshape(1, 1, 5)
    assert F.adaptive_avg_pool1d(x, 3).tolist() == [[[0.5, 2.0, 3.5]]]
    assert F.adaptive_avg_pool1d(x, 7).tolist() == [[[0.0, 0.5, 1.5, 2.0, 2.5, 3.5, 4.0]]]
    assert F.adaptive_max_pool1d(x, 3).tolist() == [[[1.0, 3.0, 4.0]]]
    assert F.adaptive_avg_pool2d(mini_torch.ones(2, 3, 4), (None, 2)).shape == (2, 3, 2)
    assert F.adaptive_avg_pool2d(mini_torch.ones(2, 3, 4), 0).shape == (2, 0, 0)


def test_fractional_windows_stand_where_pytorch_puts_them() -> None:
    mini_torch.manual_seed(0)
    values, where = F.fractional_max_pool2d(mini_torch.arange(49.0).reshape(1, 7, 7), 2, 3, return_indices=True)
    assert values.tolist() == [[[8.0, 10.0, 13.0], [29.0, 31.0, 34.0], [43.0, 45.0, 48.0]]]
    assert where.tolist() == [[[8, 10, 13], [29, 31, 34], [43, 45, 48]]]


def test_unpool_is_the_way_back() -> None:
    x = mini_torch.tensor(randoms(2, 3, 7, 6))
    values, where = F.max_pool2d(x, 2, return_indices=True)
    back = F.max_unpool2d(values, where, 2, output_size=x.shape)
    assert back.shape == x.shape
    assert mini_torch.equal(F.max_pool2d(back.abs(), 2), values.abs())
    assert int((back != 0).sum()) == values.numel()


ERRORS: list[tuple[Any, type[Exception], str]] = [
    (lambda x: F.avg_pool2d(x, 9), RuntimeError, r"Given input size: \(2, 6, 5\).*Output size is too small"),
    (lambda x: F.avg_pool2d(x, 2, 0), RuntimeError, "stride must be greater than zero"),
    (lambda x: F.max_pool2d(x, 2, padding=2), RuntimeError, r"at most half of effective kernel size.*pad=\(2, 2\)"),
    (lambda x: F.max_pool2d(x[:, :0], 2), RuntimeError, r"Expected 3D or 4D.*\[1, 0, 6, 5\]"),
    (lambda x: F.max_pool2d(x, 2.5), TypeError, "'kernel_size' must be tuple of ints, not float"),
    (lambda x: F.max_pool2d([1], 2), TypeError, "must be Tensor, not list"),
    (lambda x: F.avg_pool2d(x, 2, divisor_override=0), RuntimeError, "divisor must be not zero"),
    (lambda x: F.avg_pool2d(x.int(), 2), NotImplementedError, "\"avg_pool2d\" not implemented for 'Int'"),
    (lambda x: F.adaptive_avg_pool2d(x, -1), RuntimeError, r"greater than or equal to 0 but received \[-1, -1\]"),
    (lambda x: F.adaptive_max_pool2d(x[..., :0], 2), RuntimeError, "with dimension 3 being empty"),
    (lambda x: F.max_unpool2d(x, x.long() + 199, 2), RuntimeError, r"invalid max index: 199 .*12x10"),
    (lambda x: F.max_unpool2d(x, x.long(), 2, output_size=(20, 20)), ValueError, "dim 0 must be between 10 and 14"),
    (lambda x: F.fractional_max_pool2d(x, 2), ValueError, "either an output_size or an output_ratio"),
    (lambda x: F.fractional_max_pool2d(x, 2, 6), RuntimeError, "too large relative to input size"),
]


@pytest.mark.parametrize(("call", "kind", "words"), ERRORS)
def test_errors(call: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        call(mini_torch.zeros(1, 2, 6, 5))
