"""Convolution against its definition, its adjoint, blocks and tiles, types, errors."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import mini_torch
from mini_torch.autograd import gradcheck, gradgradcheck
from mini_torch.nn import functional as F
from mini_torch.ops import columns, convolution_kernels, depthwise

Array = np.ndarray[Any, Any]
Numbers = tuple[int, ...]

# dimensions' sizes, kernel, stride, padding, dilation, groups, channels in and out per group
GEOMETRIES = [
    ((7,), (3,), (1,), (0,), (1,), 1, 2, 3),
    ((8,), (2,), (3,), (1,), (2,), 2, 1, 2),
    ((4, 5), (3, 2), (1, 1), (1, 1), (1, 1), 1, 3, 2),
    ((6, 5), (3, 3), (2, 1), (1, 2), (1, 2), 1, 1, 3),
    ((4, 4), (1, 1), (2, 2), (0, 0), (1, 1), 2, 2, 1),
    ((8, 8), (1, 1), (1, 1), (0, 0), (1, 1), 1, 2, 1),
    ((4, 4), (3, 3), (1, 1), (3, 3), (1, 1), 3, 1, 1),
    ((6, 7), (3, 2), (2, 3), (1, 1), (1, 2), 3, 1, 1),
    ((7, 6), (2, 3), (1, 2), (0, 3), (2, 1), 2, 1, 1),
    ((3, 4, 5), (2, 2, 3), (1, 2, 1), (1, 0, 1), (1, 1, 2), 1, 1, 1),
]


def randoms(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def by_definition(x: Array, w: Array, stride: Numbers, padding: Numbers, dilation: Numbers, groups: int) -> Array:
    """The sum over channels and taps, written out."""
    x = np.pad(x, [(0, 0), (0, 0), *[(p, p) for p in padding]])
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, w.shape[2:], strict=True)]
    count = [(n - r) // s + 1 for n, r, s in zip(x.shape[2:], reach, stride, strict=True)]
    out = np.zeros((len(x), len(w), *count))
    per_group = len(w) // groups
    for at in itertools.product(*map(range, count)):
        cut = [slice(i * s, i * s + r, d) for i, s, r, d in zip(at, stride, reach, dilation, strict=True)]
        for o in range(len(w)):
            first = o // per_group * w.shape[1]
            seen = x[(slice(None), slice(first, first + w.shape[1]), *cut)]
            out[(slice(None), o, *at)] = (seen * w[o]).reshape(len(x), -1).sum(1)
    return out


def case(geometry: Any, samples: int = 3) -> tuple[Array, Array, dict[str, Any]]:
    size, kernel, stride, padding, dilation, groups, inputs, outputs = geometry
    x = randoms(samples, groups * inputs, *size)
    w = randoms(groups * outputs, inputs, *kernel, seed=1)
    return x, w, {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}


def function(name: str, dims: int) -> Any:
    return getattr(F, f"{name}{dims}d")


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_is_its_definition(geometry: Any) -> None:
    x, w, options = case(geometry)
    conv = function("conv", x.ndim - 2)
    bias = randoms(len(w), seed=2)
    out = conv(*map(mini_torch.tensor, (x, w, bias)), **options)
    expected = by_definition(x, w, **options) + bias.reshape(-1, *[1] * (x.ndim - 2))
    np.testing.assert_allclose(out.numpy(), expected, atol=1e-12)
    alone = conv(mini_torch.tensor(x[0]), mini_torch.tensor(w), mini_torch.tensor(bias), **options)
    np.testing.assert_allclose(alone.numpy(), out.numpy()[0], atol=1e-12)


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_transpose_is_the_adjoint(geometry: Any) -> None:
    """⟨conv(x), y⟩ = ⟨x, convᵀ(y)⟩, with the output padding that gives x's size back."""
    x, w, options = case(geometry)
    dims = x.ndim - 2
    out = function("conv", dims)(mini_torch.tensor(x), mini_torch.tensor(w), **options)
    y = randoms(*out.shape, seed=3)
    small = function("conv_transpose", dims)(mini_torch.tensor(y), mini_torch.tensor(w), **options)
    more = tuple(n - m for n, m in zip(x.shape[2:], small.shape[2:], strict=True))
    back = function("conv_transpose", dims)(mini_torch.tensor(y), mini_torch.tensor(w), output_padding=more, **options)
    assert back.shape == x.shape
    np.testing.assert_allclose((out.numpy() * y).sum(), (x * back.numpy()).sum())


@pytest.mark.no_cover  # its lines are reached elsewhere too, and counting them would double its time
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_gradients_of_both_orders(geometry: Any) -> None:
    x, w, options = case(geometry, samples=1)
    dims = x.ndim - 2
    inputs = [mini_torch.tensor(a, requires_grad=True) for a in (x, w, randoms(len(w)))]
    assert gradcheck(lambda x, w, b: function("conv", dims)(x, w, b, **options), inputs)
    assert gradgradcheck(lambda x, w, b: function("conv", dims)(x, w, b, **options), inputs)
    y = function("conv", dims)(*inputs, **options).detach().requires_grad_()
    assert gradcheck(lambda y, w: function("conv_transpose", dims)(y, w, **options), [y, inputs[1]])


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_blocks_and_tiles_change_nothing(geometry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    x, w, options = case(geometry, samples=5)

    def results() -> list[Array]:
        a, b = mini_torch.tensor(x, requires_grad=True), mini_torch.tensor(w, requires_grad=True)
        out = function("conv", x.ndim - 2)(a, b, **options)
        grads = mini_torch.autograd.grad((out * out).sum(), (a, b))
        return [t.detach().numpy() for t in (out, *grads)]

    expected = results()
    names, huge = ("_BLOCK", "_LARGEST", "_MANY", "_JUNK", "_TURNED"), 1 << 30
    for numbers in ((1, 1, 1, 0, huge), (3000, 500, 1, huge, 0), (3000, 500, huge, huge, 0), (huge, huge, huge, 0, 0)):
        for name, number in zip(names, numbers, strict=True):
            monkeypatch.setattr(columns, name, number)
        columns.columns_of.cache_clear()  # what they know was found with other numbers
        for found, wanted in zip(results(), expected, strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-11)
    columns.columns_of.cache_clear()


def test_same_and_valid() -> None:
    x, w = mini_torch.tensor(randoms(1, 2, 5, 6)), mini_torch.tensor(randoms(3, 2, 2, 3))
    assert F.conv2d(x, w, padding="same", dilation=2).shape == (1, 3, 5, 6)
    assert F.conv2d(x, w, padding="valid").shape == (1, 3, 4, 4)
    wider = F.pad(x, (1, 1, 0, 1))  # of an odd sum, the larger half is behind
    assert mini_torch.allclose(F.conv2d(x, w, padding="same"), F.conv2d(wider, w))


def test_types() -> None:
    whole = F.conv1d(mini_torch.tensor([[[1, 2, 3]]]), mini_torch.tensor([[[10, 1]]]))
    assert whole.tolist() == [[[12, 23]]]
    assert whole.dtype == mini_torch.int64
    many = mini_torch.ones(1, 1, 5000).half()  # a sum in float16 would stop at 2048
    assert F.conv1d(many, many).item() == 5000
    z = mini_torch.tensor([[[1j, 2.0]]], dtype=mini_torch.complex128)
    assert F.conv1d(z, z).tolist() == [[[3 + 0j]]]
    with pytest.raises(NotImplementedError, match="not implemented for 'Bool'"):
        F.conv1d(whole.bool(), whole.bool())


def test_no_samples_and_no_channels() -> None:
    w = mini_torch.ones(4, 3, 2, 2, requires_grad=True)
    out = F.conv2d(mini_torch.ones(0, 3, 5, 5), w)
    assert out.shape == (0, 4, 4, 4)
    out.sum().backward()
    assert not w.grad.any()
    with pytest.raises(RuntimeError, match=r"Only zero batch or zero channel inputs.*\[2, 3, 0, 5\]"):
        F.conv2d(mini_torch.ones(2, 3, 0, 5), w, padding=2)


ERRORS: list[tuple[Any, type[Exception], str]] = [
    (lambda x, w: F.conv2d(x.double(), w), RuntimeError, r"\(torch.DoubleTensor\) and weight type \(torch.Float"),
    (lambda x, w: F.conv2d(x, w, mini_torch.ones(3)), RuntimeError, r"expected bias .* with 4 elements.*size \[3\]"),
    (lambda x, w: F.conv2d(x[:, :2], w), RuntimeError, r"expected input\[2, 2, 5, 5\] to have 3 channels"),
    (lambda x, w: F.conv2d(x[0, 0], w), RuntimeError, r"Expected 3D \(unbatched\) or 4D.*\[5, 5\]"),
    (lambda x, w: F.conv2d(x[..., :1], w), RuntimeError, r"\(5 x 1\)\. Kernel size: \(2 x 2\)"),
    (lambda x, w: F.conv2d(x, w, stride=0), RuntimeError, "non-positive stride"),
    (lambda x, w: F.conv2d(x, w, stride=(1, 2, 3)), RuntimeError, r"a list of 2 values.*stride=\[1, 2, 3\]"),
    (lambda x, w: F.conv2d(x, w, stride=1.5), TypeError, "must be tuple of ints, not float"),
    (lambda x, w: F.conv2d(x, w, padding=-1), RuntimeError, "negative padding"),
    (lambda x, w: F.conv2d(x, w, padding="same", stride=2), RuntimeError, "not supported for strided"),
    (lambda x, w: F.conv2d(x, w, padding="full"), RuntimeError, "Invalid padding string: 'full'"),
    (lambda x, w: F.conv2d(x, w, groups=3), RuntimeError, "to be divisible by 3 at dimension 0"),
    (lambda x, w: F.conv2d([1.0], w), TypeError, "argument 'input' .* must be Tensor, not list"),
    (lambda x, w: F.conv_transpose2d(x, w[:3], output_padding=1), RuntimeError, "output padding must be smaller"),
    (lambda x, w: F.conv_transpose2d(x, w), RuntimeError, r"to have 4 channels, but got 3 channels"),
    (lambda x, w: F.conv_transpose2d(x[..., :1], w[:3], padding=2), RuntimeError, "Output size is too small"),
    (lambda x, w: F.fold(x[:, 0], (4, 4), 2), RuntimeError, r"divisible by the product of kernel_size"),
    (lambda x, w: F.fold(x[:, 0, :4], (4, 4), 2), RuntimeError, r"sliding blocks 3 \* 3 = 9"),
    (lambda x, w: F.unfold(x, 7), RuntimeError, r"components must be at least one"),
]


@pytest.mark.parametrize(("call", "kind", "words"), ERRORS)
def test_errors(call: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        call(mini_torch.ones(2, 3, 5, 5), mini_torch.ones(4, 3, 2, 2))


def test_fold_counts_how_often_unfold_takes() -> None:
    x = mini_torch.ones(1, 1, 4, 4)
    counts = F.fold(F.unfold(x, 3, padding=1), (4, 4), 3, padding=1)
    assert counts[0, 0].tolist() == [[4, 6, 6, 4], [6, 9, 9, 6], [6, 9, 9, 6], [4, 6, 6, 4]]


@pytest.mark.parametrize("geometry", [g for g in GEOMETRIES if len(g[0]) == 2 and g[5] > 1 and g[6:] == (1, 1)])
@pytest.mark.parametrize("block", [1, 1 << 20])
def test_depthwise_in_blocks(geometry: Any, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many channels are taken together, values and gradients are the same."""
    x, w, options = case(geometry)
    x, w, bias = (mini_torch.tensor(a, requires_grad=True) for a in (x, w, randoms(len(w), seed=2)))

    def results() -> list[Any]:
        out = F.conv2d(x, w, bias, **options)
        g = mini_torch.tensor(randoms(*out.shape, seed=3))
        return [out, *mini_torch.autograd.grad(out, [x, w, bias], g)]

    expected = results()
    monkeypatch.setattr(depthwise, "_BLOCK", block)
    for a, b in zip(results(), expected, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), atol=1e-12)


@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), [(1, 0, 1, 1), (2, 1, 1, 2), (2, (1, 0), 2, 1)])
def test_gradients_by_themselves(stride: Any, padding: Any, dilation: Any, groups: int) -> None:
    """`nn.grad` gives what backward gives."""
    x = mini_torch.randn(2, 4, 7, 8, dtype=mini_torch.float64, requires_grad=True)
    w = mini_torch.randn(6, 4 // groups, 3, 2, dtype=mini_torch.float64, requires_grad=True)
    options = stride, padding, dilation, groups
    out = F.conv2d(x, w, None, *options)
    g = mini_torch.randn(out.shape, dtype=mini_torch.float64)
    out.backward(g)
    assert mini_torch.allclose(mini_torch.nn.grad.conv2d_input(x.shape, w, g, *options), x.grad)
    assert mini_torch.allclose(mini_torch.nn.grad.conv2d_weight(x, w.shape, g, *options), w.grad)
    with pytest.raises(RuntimeError, match=r"conv2d_weight: expected grad_output with \[\d, \d\] positions, got"):
        mini_torch.nn.grad.conv2d_weight(x, w.shape, g[..., :1], *options)
    assert mini_torch.nn.grad.conv1d_input.__name__ == "conv1d_input"


@pytest.mark.parametrize("block", [1, 1 << 21])
@pytest.mark.parametrize(("dims", "groups", "dilation"), [(1, 1, 1), (2, 1, 1), (2, 2, 2), (3, 1, 1)])
def test_both_gradients_at_once(
    dims: int, groups: int, dilation: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With channels enough, input and weight get theirs from the same columns; `nn.grad` knows what they are."""
    monkeypatch.setattr(columns, "_BLOCK", block)
    x = mini_torch.tensor(randoms(3, 8 * groups, *(10, 9, 3)[:dims]), requires_grad=True)
    w = mini_torch.tensor(randoms(5 * groups, 8, *(3,) * dims, seed=1), requires_grad=True)
    options = {"padding": dilation, "dilation": dilation, "groups": groups}
    out = function("conv", dims)(x, w, **options)
    g = mini_torch.tensor(randoms(*out.shape, seed=2))
    dx, dw = mini_torch.autograd.grad(out, (x, w), g)
    grads = mini_torch.nn.grad
    with mini_torch.no_grad():
        np.testing.assert_allclose(dx, getattr(grads, f"conv{dims}d_input")(x.shape, w, g, **options), atol=1e-12)
        np.testing.assert_allclose(dw, getattr(grads, f"conv{dims}d_weight")(x, w.shape, g, **options), atol=1e-12)


@pytest.mark.parametrize(
    ("shape", "kernel", "options"),
    [
        ((5, 2, 9, 8), (5, 4), {}), ((2, 4, 9, 8), (5, 5), {"groups": 2, "padding": (1, 2)}),
        ((2, 1, 6, 7, 5), (3, 2, 3), {"padding": 1}), ((3, 1, 11, 12), (5, 5), {"dilation": 2, "padding": 3}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("block", [1, 1 << 21])
def test_way_back_by_rows(
    shape: Any, kernel: Any, options: Any, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many channels to few, by large kernels: the adjoint of the convolution in its input."""
    monkeypatch.setattr(columns, "_BLOCK", block)
    monkeypatch.setattr(convolution_kernels, "_rows_pay", lambda *_: True)
    groups = options.get("groups", 1)
    x = mini_torch.tensor(randoms(*shape), requires_grad=True)
    w = mini_torch.tensor(randoms(6 * groups, shape[1] // groups, *kernel, seed=1))
    out = function("conv", len(kernel))(x, w, **options)
    direction, g = randoms(*shape, seed=2), mini_torch.tensor(randoms(*out.shape, seed=3))
    (dx,) = mini_torch.autograd.grad(out, x, g)
    along = function("conv", len(kernel))(mini_torch.tensor(direction), w, **options)
    np.testing.assert_allclose((dx.numpy() * direction).sum(), (along.numpy() * g.numpy()).sum())


def test_way_back_by_rows_where_it_pays() -> None:
    """A gradient of LeNet's second layer, by either way."""
    w = mini_torch.tensor(randoms(16, 6, 5, 5), requires_grad=True)
    x = mini_torch.tensor(randoms(2, 6, 14, 14, seed=1), requires_grad=True)
    g = mini_torch.tensor(randoms(2, 16, 10, 10, seed=2))
    (dx,) = mini_torch.autograd.grad(F.conv2d(x, w), x, g)
    wide = F.pad(g, (4, 4, 4, 4))
    np.testing.assert_allclose(dx, F.conv2d(wide, w.detach().flip(2, 3).transpose(0, 1)), atol=1e-12)
