"""Activations: values, gradients and kinks, as modules and functions; the error function they are made with.

Values and gradients of both orders away from kinks are in `test_table.py`.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import mini_torch
from mini_torch import erf, erfc

MODULES: dict[str, tuple[dict[str, Any], str]] = {  # name, options: repr
    "ReLU": ({}, "ReLU()"),
    "ReLU ": ({"inplace": True}, "ReLU(inplace=True)"),
    "ReLU6": ({}, "ReLU6()"),
    "RReLU": ({}, "RReLU(lower=0.125, upper=0.3333333333333333)"),
    "LeakyReLU": ({"negative_slope": 0.2}, "LeakyReLU(negative_slope=0.2)"),
    "LeakyReLU ": ({"inplace": True}, "LeakyReLU(negative_slope=0.01, inplace=True)"),
    "PReLU": ({}, "PReLU(num_parameters=1)"),
    "ELU": ({"alpha": 0.5}, "ELU(alpha=0.5)"),
    "CELU": ({"alpha": 0.5}, "CELU(alpha=0.5)"),
    "SELU": ({"inplace": True}, "SELU(inplace=True)"),
    "GELU": ({}, "GELU(approximate='none')"),
    "GELU ": ({"approximate": "tanh"}, "GELU(approximate='tanh')"),
    "SiLU": ({}, "SiLU()"),
    "Mish": ({}, "Mish()"),
    "Hardswish": ({}, "Hardswish()"),
    "Hardsigmoid": ({}, "Hardsigmoid()"),
    "Hardtanh": ({"inplace": True}, "Hardtanh(min_val=-1.0, max_val=1.0, inplace=True)"),
    "Threshold": ({"threshold": 0.1, "value": 2}, "Threshold(threshold=0.1, value=2)"),
    "Hardshrink": ({}, "Hardshrink(0.5)"),
    "Softshrink": ({"lambd": 0.3}, "Softshrink(0.3)"),
    "Sigmoid": ({}, "Sigmoid()"),
    "LogSigmoid": ({}, "LogSigmoid()"),
    "Tanh": ({}, "Tanh()"),
    "Tanhshrink": ({}, "Tanhshrink()"),
    "Softsign": ({}, "Softsign()"),
    "Softplus": ({"beta": 2.0}, "Softplus(beta=2.0, threshold=20.0)"),
    "GLU": ({}, "GLU(dim=-1)"),
    "Softmax": ({"dim": 1}, "Softmax(dim=1)"),
    "LogSoftmax": ({"dim": 1}, "LogSoftmax(dim=1)"),
    "Softmin": ({"dim": 1}, "Softmin(dim=1)"),
    "Identity": ({}, "Identity()"),
}
FUNCTIONS = {"LogSigmoid": "logsigmoid", "LogSoftmax": "log_softmax", "LeakyReLU": "leaky_relu"}


@pytest.mark.parametrize("name", MODULES)
def test_modules_are_their_functions(torch: ModuleType, name: str) -> None:
    options, text = MODULES[name]
    name = name.strip()
    module = getattr(torch.nn, name)(**options).eval()
    assert repr(module) == text
    x = torch.randn(3, 4)
    if name == "PReLU":
        expected = torch.nn.functional.prelu(x, module.weight)
    elif name == "Identity":
        expected = x
    else:
        function = getattr(torch.nn.functional, FUNCTIONS.get(name, name.lower()))
        expected = function(x, **{k: v for k, v in options.items() if k != "inplace"})
    assert module(x.clone()).tolist() == expected.tolist()


def test_activation_room_has_them_all() -> None:
    from mini_torch import activation

    assert {name.strip() for name in MODULES} | {"Softmax2d"} == set(activation.__all__)


# ---- kinks -------------------------------------------------------------------------------------------------
KINKS: dict[
    str, tuple[dict[str, Any], list[float], list[float]]
] = {  # name: options, places, gradients there
    "relu": ({}, [0.0, -0.0], [0.0, 0.0]),
    "relu6": ({}, [0.0, 6.0], [0.0, 0.0]),
    "leaky_relu": ({"negative_slope": 0.25}, [0.0], [0.25]),
    "elu": ({"alpha": 2.0}, [0.0], [2.0]),
    "celu": ({}, [0.0], [1.0]),
    "hardtanh": ({}, [-1.0, 1.0], [0.0, 0.0]),
    "hardsigmoid": ({}, [-3.0, 3.0], [0.0, 0.0]),
    "hardswish": ({}, [-3.0, 3.0], [0.0, 1.0]),
    "softshrink": ({}, [-0.5, 0.0, 0.5], [0.0, 0.0, 0.0]),
    "hardshrink": ({}, [-0.5, 0.0, 0.5], [0.0, 0.0, 0.0]),
    "threshold": ({"threshold": 0.5, "value": 9.0}, [0.5], [0.0]),
    "softsign": ({}, [0.0], [1.0]),
    "softplus": ({"threshold": 1.0}, [1.0], [1 / (1 + math.exp(-1))]),
}


@pytest.mark.parametrize("name", KINKS)
def test_gradients_at_kinks(torch: ModuleType, name: str) -> None:
    options, places, gradients = KINKS[name]
    x = torch.tensor(places, dtype=torch.float64, requires_grad=True)
    getattr(torch.nn.functional, name)(x, **options).sum().backward()
    assert x.grad.tolist() == gradients


def test_relu_masks_an_infinite_gradient(torch: ModuleType) -> None:
    """The gradient of √x is infinite where relu has made x zero; it must not become inf · 0 = NaN."""
    x = torch.tensor([-1.0, 4.0], requires_grad=True)
    torch.relu(x).sqrt().sum().backward()
    assert x.grad.tolist() == [0.0, 0.25]


def test_relu_of_whole_and_strange_numbers(torch: ModuleType) -> None:
    assert torch.relu(torch.tensor([-2, 3])).tolist() == [0, 3]
    x = torch.tensor([math.nan, math.inf, -math.inf], requires_grad=True)
    y = torch.relu(x)
    y.sum().backward()
    assert math.isnan(y[0].item())
    assert y[1:].tolist() == [math.inf, 0.0]
    assert x.grad[1:].tolist() == [1.0, 0.0]


# ---- numerically right -------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_far_from_zero(torch: ModuleType, dtype: str) -> None:
    F = torch.nn.functional
    x = torch.tensor(
        [-1000.0, -100.0, -30.0, 30.0, 100.0, 1000.0], dtype=getattr(torch, dtype), requires_grad=True
    )
    for function in (
        torch.sigmoid,
        F.logsigmoid,
        F.softplus,
        F.silu,
        F.gelu,
        F.mish,
        F.elu,
        F.selu,
        torch.tanh,
    ):
        x.grad = None
        y = function(x)
        y.sum().backward()
        assert y.isfinite().all(), function
        assert x.grad.isfinite().all(), function
    np.testing.assert_allclose(F.logsigmoid(x).tolist()[:3], [-1000, -100, -30], rtol=1e-6)
    np.testing.assert_allclose(torch.sigmoid(x).tolist()[2], math.exp(-30), rtol=1e-6)
    np.testing.assert_allclose(F.softplus(x).tolist()[2:], [math.exp(-30), 30, 100, 1000], rtol=1e-6)
    assert F.gelu(x).tolist()[3:] == [30, 100, 1000]


@pytest.mark.parametrize(
    "function", ["gelu", "silu", "mish", "sigmoid", "elu", "softplus", "hardswish", "leaky_relu"]
)
def test_types_are_kept(torch: ModuleType, function: str) -> None:
    for dtype in (torch.float16, torch.float32, torch.float64):
        for shape in ((), (0,), (2, 3)):
            x = torch.full(shape, 0.3, dtype=dtype, requires_grad=True)
            y = getattr(torch.nn.functional, function)(x)
            y.sum().backward()
            assert (y.dtype, y.shape, x.grad.dtype) == (dtype, shape, dtype)


@pytest.mark.parametrize(
    "function", ["gelu", "elu", "silu", "softplus", "softmax", "leaky_relu", "hardswish"]
)
def test_whole_numbers_are_refused(torch: ModuleType, function: str) -> None:
    options = {"dim": 0} if function == "softmax" else {}
    with pytest.raises(NotImplementedError, match="not implemented for 'Long'"):
        getattr(torch.nn.functional, function)(torch.arange(3), **options)


# ---- in place ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name",
    [
        "relu",
        "relu6",
        "leaky_relu",
        "elu",
        "selu",
        "celu",
        "silu",
        "mish",
        "hardswish",
        "hardsigmoid",
        "hardtanh",
    ],
)
def test_in_place(torch: ModuleType, name: str) -> None:
    function = getattr(torch.nn.functional, name)
    x = torch.tensor([[-2.0, -0.3, 0.4], [2.0, 5.0, -7.0]], requires_grad=True)
    expected = function(x)
    expected.square().sum().backward()
    gradient, x.grad = x.grad, None
    y = x * 1
    assert function(y, inplace=True) is y
    assert y.tolist() == expected.tolist()
    y.square().sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), gradient.numpy(), rtol=1e-4)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        function(x, inplace=True)


def test_functions_that_end_in_an_underscore(torch: ModuleType) -> None:
    F = torch.nn.functional
    for function in (F.relu_, F.elu_, F.selu_, F.celu_, F.leaky_relu_, F.rrelu_, F.hardtanh_):
        x = torch.tensor([-2.0, 3.0])
        assert function(x) is x
        assert x[0] != -2.0
    x = torch.tensor([-2.0, 3.0])
    assert F.threshold_(x, 0.0, 7.0).tolist() == [7.0, 3.0]
    assert torch.tensor([-1.0, 1.0]).relu_().tolist() == [0.0, 1.0]


# ---- the others --------------------------------------------------------------------------------------------
def test_rrelu_draws_slopes_in_training(torch: ModuleType) -> None:
    x = torch.cat([torch.full((1000,), -1.0), torch.ones(10)]).requires_grad_()
    y = torch.nn.RReLU(0.1, 0.3)(x)
    y.sum().backward()
    slopes = x.grad[:1000]
    assert 0.1 <= slopes.min() < 0.11
    assert 0.29 < slopes.max() <= 0.3
    assert x.grad[1000:].tolist() == [1.0] * 10
    assert y[:1000].tolist() == (-slopes).tolist()


def test_prelu(torch: ModuleType) -> None:
    layer = torch.nn.PReLU(3, init=0.5)
    x = torch.tensor([[[-1.0, 2.0], [-3.0, 4.0], [-5.0, -6.0]]], requires_grad=True)
    y = layer(x)
    y.sum().backward()
    assert y.tolist() == [[[-0.5, 2.0], [-1.5, 4.0], [-2.5, -3.0]]]
    assert layer.weight.grad.tolist() == [-1.0, -3.0, -11.0]
    assert x.grad.tolist() == [[[0.5, 1.0], [0.5, 1.0], [0.5, 0.5]]]
    F = torch.nn.functional
    assert F.prelu(torch.tensor(-2.0), torch.tensor([0.5])).item() == -1.0
    with pytest.raises(RuntimeError, match="Mismatch of parameter numbers and input channel size"):
        layer(torch.ones(1, 2))
    with pytest.raises(RuntimeError, match="scalar or 1D tensor"):
        F.prelu(x, torch.ones(1, 3))
    with pytest.raises(RuntimeError, match="zero-dim"):
        F.prelu(torch.tensor(1.0), torch.ones(3))


def test_prelu_starts_again() -> None:
    layer = mini_torch.nn.PReLU(2)
    with mini_torch.no_grad():
        layer.weight.zero_()
    layer.reset_parameters()
    assert layer.weight.tolist() == [0.25, 0.25]


def test_options_out_of_range(torch: ModuleType) -> None:
    F, x = torch.nn.functional, torch.ones(2, 3)
    with pytest.raises(ValueError, match="min_val cannot be greater than max_val"):
        F.hardtanh(x, 1.0, 0.0)
    with pytest.raises(RuntimeError, match="approximate argument must be either none or tanh"):
        F.gelu(x, approximate="foo")
    with pytest.raises(RuntimeError, match="lambda must be in range"):
        F.softshrink(x, -1.0)
    with pytest.raises(RuntimeError, match="Halving dimension must be even, but dimension 1 is size 3"):
        F.glu(x)
    with pytest.raises(RuntimeError, match="halving"):
        F.glu(torch.tensor(1.0))
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        F.celu(x, 0.0)


# ---- softmax -----------------------------------------------------------------------------------------------
def test_softmax_subtracts_each_rows_own_maximum(torch: ModuleType) -> None:
    x = torch.tensor([[1000.0, 1000.0], [-1000.0, -1001.0]])
    assert torch.softmax(x, 1)[0].tolist() == [0.5, 0.5]
    np.testing.assert_allclose(torch.softmax(x, 1)[1].tolist(), [0.731058579, 0.268941421], rtol=1e-6)
    np.testing.assert_allclose(torch.log_softmax(x, 1)[1].tolist(), [-0.313261688, -1.313261688], rtol=1e-6)
    masked = torch.tensor([[0.0, -math.inf]], requires_grad=True)
    y = torch.softmax(masked, 1)
    y[0, 0].backward()
    assert (y.tolist(), masked.grad.tolist()) == ([[1.0, 0.0]], [[0.0, 0.0]])


def test_softmax_dimensions(torch: ModuleType) -> None:
    F = torch.nn.functional
    assert F.softmax(torch.tensor(3.0), 0).item() == 1.0
    assert F.log_softmax(torch.tensor(3.0), -1).item() == 0.0
    assert F.softmax(torch.ones(0, 3), 1).shape == (0, 3)
    assert F.log_softmax(torch.ones(3, 0), 1).shape == (3, 0)
    assert F.softmax(torch.arange(3), 0, dtype=torch.float64).dtype == torch.float64
    with pytest.raises(IndexError, match="Dimension out of range"):
        F.softmax(torch.ones(2, 2), 2)
    for shape, axis in (((2, 2), 1), ((4,), 0), ((2, 2, 2), 0)):
        with pytest.warns(UserWarning, match="Implicit dimension choice for softmax has been deprecated"):
            y = torch.nn.Softmax()(torch.ones(*shape))
        assert (y.sum(axis) == 1).all()
    assert (torch.nn.Softmax2d()(torch.ones(1, 4, 2, 2)) == 0.25).all()
    with pytest.raises(ValueError, match="Softmax2d: expected input to be 3D or 4D, got 2D instead"):
        torch.nn.Softmax2d()(torch.ones(2, 2))


def test_gumbel_softmax(torch: ModuleType) -> None:
    logits = torch.zeros(1000, 3, requires_grad=True)
    soft = torch.nn.functional.gumbel_softmax(logits, tau=0.5)
    np.testing.assert_allclose(soft.sum(1).tolist(), 1, rtol=1e-5)
    hard = torch.nn.functional.gumbel_softmax(logits + torch.tensor([5.0, 0.0, 0.0]), hard=True)
    assert sorted(set(hard.flatten().tolist())) == pytest.approx([0.0, 1.0])
    assert hard[:, 0].mean() > 0.9
    hard[:, 0].sum().backward()
    assert logits.grad.abs().sum() > 0


def test_layer_norm(torch: ModuleType) -> None:
    F = torch.nn.functional
    x = torch.randn(4, 3, 5, dtype=torch.float64) * 3 + 7
    y = F.layer_norm(x, (3, 5))
    np.testing.assert_allclose(y.mean((1, 2)).tolist(), 0, atol=1e-12)
    np.testing.assert_allclose(y.var((1, 2), unbiased=False).tolist(), 1, rtol=1e-5)
    scaled = F.layer_norm(x, [5], weight=torch.full((5,), 2.0, dtype=torch.float64))
    np.testing.assert_allclose(scaled.std(2, unbiased=False).tolist(), 2, rtol=1e-3)
    with pytest.raises(
        RuntimeError, match=r"Given normalized_shape=\[4\], expected input with shape \[\*, 4\]"
    ):
        F.layer_norm(x, (4,))
    with pytest.raises(RuntimeError, match="Expected weight to be of same shape as normalized_shape"):
        F.layer_norm(x, (5,), torch.ones(4, dtype=torch.float64))


# ---- the error function ------------------------------------------------------------------------------------
POINTS = np.concatenate([np.linspace(-7, 7, 40001), np.geomspace(1e-30, 1, 2000), [0.0, 30.0, -30.0]])


def test_erf() -> None:
    exact = np.array([math.erf(x) for x in POINTS])
    found = erf(POINTS)
    np.testing.assert_allclose(found, exact, rtol=1e-14)
    assert found.dtype == np.float64
    single = POINTS.astype(np.float32)
    exact = np.array([math.erf(float(x)) for x in single])
    error = np.abs(erf(single) - exact) / np.spacing(np.abs(exact).astype(np.float32))
    assert error.max() <= 4
    assert erf(single).dtype == np.float32
    strange = erf(np.array([math.inf, -math.inf, math.nan, -0.0, 1e300]))
    np.testing.assert_array_equal(strange, [1, -1, math.nan, -0.0, 1])
    assert math.copysign(1, strange[3]) == -1


def test_erfc() -> None:
    points = np.linspace(-6, 26, 30001)
    exact = np.array([math.erfc(x) for x in points])
    np.testing.assert_allclose(erfc(points), exact, rtol=1e-14)
    single = points[points < 9].astype(np.float32)
    exact = np.array([math.erfc(float(x)) for x in single])
    np.testing.assert_allclose(erfc(single), exact, rtol=1.3e-7)
    np.testing.assert_array_equal(erfc(np.array([math.inf, -math.inf, math.nan])), [0, 2, math.nan])


def test_hardtanh_and_its_kin(torch: ModuleType) -> None:
    nn = torch.nn
    assert isinstance(nn.ReLU6(), nn.Hardtanh)
    assert (nn.ReLU6().min_val, nn.ReLU6().max_val, repr(nn.ReLU6(True))) == (0, 6, "ReLU6(inplace=True)")
    assert repr(nn.Hardswish(True)) == "Hardswish()"
    with pytest.warns(FutureWarning, match="keyword argument `min_value` is deprecated and renamed to `min_val`"):
        assert nn.Hardtanh(min_value=-3.0).min_val == -3
    with pytest.warns(FutureWarning, match="`max_value` is deprecated"):
        assert nn.Hardtanh(max_value=3.0).max_val == 3
    with pytest.raises(AssertionError, match=r"max_val \(1\) must be greater than min_val \(2\)"):
        nn.Hardtanh(2, 1)


@pytest.mark.parametrize("name", ["silu", "gelu"])
@pytest.mark.parametrize("kind", [mini_torch.float32, mini_torch.float64])
def test_of_many_as_of_few(name: str, kind: mini_torch.dtype) -> None:
    """Of many elements the slope is kept from forward; of few it is made in backward."""
    function = getattr(mini_torch.nn.functional, name)
    x = mini_torch.linspace(-12, 12, 40000, dtype=kind).requires_grad_()
    g = mini_torch.linspace(1, 2, 40000, dtype=kind)
    out = function(x)
    (dx,) = mini_torch.autograd.grad(out, x, g, create_graph=True)
    parts = [p.detach().requires_grad_() for p in x.split(1000)]
    few = [function(p) for p in parts]
    grads = [mini_torch.autograd.grad(o, p, w)[0] for o, p, w in zip(few, parts, g.split(1000))]
    mini_torch.testing.assert_close(out.detach(), mini_torch.cat(few).detach())
    mini_torch.testing.assert_close(dx.detach(), mini_torch.cat(grads))
    (second,) = mini_torch.autograd.grad(dx.sum(), x)
    h = 1e-3
    above, below = (mini_torch.autograd.grad(function(x + step), x, g)[0] for step in (h, -h))
    if kind is mini_torch.float64:
        mini_torch.testing.assert_close(second, (above - below) / (2 * h), rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("size", [1.0, 300.0])
@pytest.mark.parametrize(("shape", "dim"), [((90, 2000), 1), ((90, 2000), 0), ((20, 30, 40), -1), ((30, 9, 20), 1)])
def test_softmax_of_many(size: float, shape: tuple[int, ...], dim: int) -> None:
    """In pieces where rows lie in order; without a shift by the maximum where all numbers are small."""
    mini_torch.manual_seed(0)
    x = (size * mini_torch.randn(shape, dtype=mini_torch.float64)).requires_grad_()
    g = mini_torch.randn(shape, dtype=mini_torch.float64)
    a = x.detach().numpy()
    e = np.exp(a - a.max(dim, keepdims=True))
    p, w = e / e.sum(dim, keepdims=True), g.numpy()
    out, logs = x.softmax(dim), x.log_softmax(dim)
    np.testing.assert_allclose(out.detach().numpy(), p, rtol=1e-12)
    np.testing.assert_allclose(logs.detach().numpy(), a - a.max(dim, keepdims=True) - np.log(e.sum(dim, keepdims=True)))
    (d,) = mini_torch.autograd.grad(out, x, g)
    np.testing.assert_allclose(d.numpy(), p * (w - (w * p).sum(dim, keepdims=True)), atol=1e-12)
    (d,) = mini_torch.autograd.grad(logs, x, g)
    np.testing.assert_allclose(d.numpy(), w - p * w.sum(dim, keepdims=True), atol=1e-10)


@pytest.mark.parametrize("name", ["gelu", "silu"])
def test_backward_of_many_may_come_twice(name: str) -> None:
    """What was kept is used up by the last backward only."""
    x = mini_torch.linspace(-3, 3, 40_000).requires_grad_()
    y = getattr(mini_torch.nn.functional, name)(x)
    once = [mini_torch.autograd.grad(y.sum(), x, retain_graph=retain)[0].tolist() for retain in (True, True, False)]
    assert once[0] == once[1] == once[2]
    with pytest.raises(RuntimeError, match="second time"):
        mini_torch.autograd.grad(y.sum(), x)


@pytest.mark.parametrize("dtype", [mini_torch.float32, mini_torch.float64], ids=str)
@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_of_many_is_gelu_of_few(approximate: str, dtype: Any) -> None:
    x = mini_torch.linspace(-30, 30, 40_000, dtype=dtype).requires_grad_()
    gelu = mini_torch.nn.functional.gelu
    many = gelu(x, approximate=approximate)
    few = mini_torch.cat([gelu(part, approximate=approximate) for part in x.split(4000)])
    mini_torch.testing.assert_close(many, few)
    many_grad, few_grad = [mini_torch.autograd.grad(y.sum(), x, create_graph=True)[0] for y in (many, few)]
    mini_torch.testing.assert_close(mini_torch.autograd.grad(gelu(x, approximate=approximate).sum(), x)[0], few_grad)
    mini_torch.testing.assert_close(many_grad, few_grad)
    twice = [mini_torch.autograd.grad(d.sum(), x)[0] for d in (many_grad, few_grad)]
    mini_torch.testing.assert_close(*twice)
