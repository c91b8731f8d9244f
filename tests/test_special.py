"""Special functions: known values, both precisions, edges, the identities that tie them together, refusals.

Values and gradients against PyTorch's are in `test_table.py`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import mini_torch
from mini_torch import special
from mini_torch.autograd import gradcheck, gradgradcheck
from special_values import INCOMPLETE, KNOWN, POLYGAMMA, ZETA

inf, nan = math.inf, math.nan
WITH_ZEROS = {"bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "airy_ai", "gammaln", "digamma"}


def double(*values: Any) -> Any:
    return mini_torch.tensor(*values, dtype=mini_torch.float64)


def close(found: Any, expected: Any, relative: float = 1e-13) -> None:
    np.testing.assert_allclose(found.numpy(), expected, rtol=relative, atol=0)


# ---- values ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", KNOWN)
def test_known_values_in_float64(name: str) -> None:
    x, expected = map(list, zip(*KNOWN[name]))
    close(getattr(special, name)(double(x)), expected)


@pytest.mark.parametrize("name", KNOWN)
def test_float32_is_float64_rounded(name: str) -> None:
    low, high = (-0.99, 0.99) if name == "erfinv" else (0.001, 0.999) if name == "ndtri" else (-12, 12)
    x = np.random.default_rng(0).uniform(low, high, 2000).astype(np.float32)
    function = getattr(special, name)
    single, exact = function(mini_torch.tensor(x)).numpy(), function(double(x.tolist())).numpy()
    seen = (np.abs(exact) > 1e-30) & (np.abs(exact) < 1e38)
    size = np.maximum(np.abs(exact[seen]), 0.25 if name in WITH_ZEROS else 0)  # next to a zero fewer digits are right
    assert (np.abs(single[seen] - exact[seen]) / np.spacing(size.astype(np.float32))).max() < 4


def test_polygamma_and_zeta() -> None:
    for n, x, expected in POLYGAMMA:
        close(mini_torch.polygamma(n, double([x])), [expected])
        close(double([x]).polygamma(n), [expected])
    for s, q, expected in ZETA:
        close(special.zeta(double([s]), q), [expected])
        close(special.zeta(s, double([q])), [expected])


def test_incomplete_gamma() -> None:
    for a, x, lower, upper in INCOMPLETE:
        close(mini_torch.igamma(double([a]), double([x])), [lower])
        close(mini_torch.igammac(double([a]), double([x])), [upper])


def test_mvlgamma_is_a_sum() -> None:
    x = double([1.75, 4.0, 30.5])
    expected = 3 * math.log(math.pi) / 2 + sum(mini_torch.lgamma(x - j / 2).numpy() for j in range(3))
    close(mini_torch.mvlgamma(x, 3), expected)


# ---- identities ------------------------------------------------------------------------------------------------------
def test_inverses() -> None:
    x = double(np.linspace(-5, 3, 50).tolist())
    close(special.ndtri(special.ndtr(x)), x.numpy(), 1e-12)
    close(mini_torch.erf(mini_torch.erfinv(x / 6)), x.numpy() / 6, 1e-14)


def test_recurrences_of_the_gamma_function() -> None:
    x = double(np.random.default_rng(1).uniform(-20, 20, 200).tolist())
    step = mini_torch.lgamma(x + 1) - mini_torch.lgamma(x)
    np.testing.assert_allclose(step.numpy(), np.log(np.abs(x.numpy())), atol=1e-12)
    for n in range(4):
        step = mini_torch.polygamma(n, x + 1) - mini_torch.polygamma(n, x)
        expected = (-1) ** n * math.factorial(n) / x.numpy() ** (n + 1)
        size = np.abs(mini_torch.polygamma(n, x).numpy()) + np.abs(expected)
        assert (np.abs(step.numpy() - expected) / size).max() < 1e-12


def test_wronskians_of_bessel_functions() -> None:
    x = double(np.geomspace(0.01, 500, 200).tolist())
    j0, j1, y0, y1 = (getattr(special, f"bessel_{name}")(x) for name in ("j0", "j1", "y0", "y1"))
    close(x * (j1 * y0 - j0 * y1), 2 / math.pi, 1e-12)
    k0, k1 = special.scaled_modified_bessel_k0(x), special.scaled_modified_bessel_k1(x)
    close(x * (special.i0e(x) * k1 + special.i1e(x) * k0), 1)


@pytest.mark.parametrize("a", [0.001, 0.3, 1.0, 7.5, 19.0, 21.0, 200.0, 1e6])
def test_the_incomplete_gamma_functions_add_up_and_do_not_jump(a: float) -> None:
    x = double((a * np.linspace(0.5, 1.6, 400)).tolist())
    lower, upper = mini_torch.igamma(double(a), x), mini_torch.igammac(double(a), x)
    close(lower + upper, 1)
    assert (np.diff(lower.numpy()) > -1e-14).all()


def test_chebyshev_polynomials_by_angle_and_recurrence() -> None:
    x = np.linspace(-1, 1, 41)
    for n in (0, 1, 5, 8, 9, 30):
        series = np.polynomial.chebyshev.Chebyshev.basis(n)
        close(special.chebyshev_polynomial_t(double(x.tolist()), n) + 2, series(x) + 2)
        t, u = special.chebyshev_polynomial_t(double(x.tolist()), n + 1), special.chebyshev_polynomial_u
        close(u(double(x.tolist()), n + 1) - u(double(x.tolist()), n) * double(x.tolist()) + 60, t.numpy() + 60)
        v, w = special.chebyshev_polynomial_v, special.chebyshev_polynomial_w
        close(v(double(x.tolist()), n), (-1) ** n * w(double((-x).tolist()), n).numpy())
        close(
            special.shifted_chebyshev_polynomial_w(double((x / 2 + 0.5).tolist()), n) + 70,
            w(double(x.tolist()), n).numpy() + 70,
        )


def test_polynomials_take_tensors_of_orders() -> None:
    n = mini_torch.tensor([-1, 0, 1, 2, 3])
    x = double([[0.5], [2.0]])
    rows = {
        "legendre_polynomial_p": [[0, 1, 0.5, -0.125, -0.4375], [0, 1, 2, 5.5, 17]],
        "laguerre_polynomial_l": [[0, 1, 0.5, 0.125, -7 / 48], [0, 1, -1, -1, -1 / 3]],
        "hermite_polynomial_h": [[0, 1, 1, -1, -5], [0, 1, 4, 14, 40]],
        "hermite_polynomial_he": [[0, 1, 0.5, -0.75, -1.375], [0, 1, 2, 3, 2]],
    }
    for name, expected in rows.items():
        close(getattr(special, name)(x, n), expected)
        assert getattr(special, name)(3, n).dtype == mini_torch.float32
    assert special.hermite_polynomial_h(x.float(), 129).isnan().all()
    assert special.legendre_polynomial_p(x=x, n=2).equal(special.legendre_polynomial_p(x, 2))


# ---- edges -----------------------------------------------------------------------------------------------------------
EDGES = {  # at 0, inf, -inf, NaN, -1
    "erf": [0, 1, -1, nan, -0.8427007929497149], "erfc": [1, 0, 2, nan, 1.8427007929497149],
    "erfcx": [1, 0, inf, nan, 5.00898008076228], "erfinv": [0, nan, nan, nan, -inf],
    "ndtr": [0.5, 1, 0, nan, 0.15865525393145707], "log_ndtr": [math.log(0.5), 0, -inf, nan, -1.841021645009264],
    "ndtri": [-inf, nan, nan, nan, nan], "entr": [0, -inf, -inf, nan, -inf],
    "gammaln": [inf, inf, inf, nan, inf], "digamma": [-inf, inf, nan, nan, nan],
    "i0": [1, inf, inf, nan, 1.2660658777520084], "i1e": [0, 0, 0, nan, -0.2079104153497085],
    "modified_bessel_k0": [inf, 0, nan, nan, nan], "scaled_modified_bessel_k1": [inf, 0, nan, nan, nan],
    "bessel_j1": [0, nan, nan, nan, -0.4400505857449335], "bessel_y0": [-inf, nan, nan, nan, nan],
    "bessel_y1": [-inf, nan, nan, nan, nan], "airy_ai": [0.3550280538878172, 0, nan, nan, 0.5355608832923521],
    "spherical_bessel_j0": [1, 0, 0, nan, 0.8414709848078965],
}  # fmt: skip


@pytest.mark.parametrize("name", EDGES)
def test_edges(name: str) -> None:
    for kind in (mini_torch.float64, mini_torch.float32):
        x = mini_torch.tensor([0.0, inf, -inf, nan, -1.0], dtype=kind)
        relative = 1e-13 if kind == mini_torch.float64 else 1e-6
        np.testing.assert_allclose(getattr(special, name)(x).numpy(), EDGES[name], relative)


def test_edges_of_two_arguments() -> None:
    a, x = [0.0, 1, 0, inf, 1, inf, -1, nan], [1.0, 0, 0, 1, inf, inf, 1, 1]
    np.testing.assert_equal(mini_torch.igamma(double(a), double(x)).numpy(), [1, 0, nan, 0, 1, nan, nan, nan])
    np.testing.assert_equal(mini_torch.igammac(double(a), double(x)).numpy(), [0, 1, nan, 1, 0, nan, nan, nan])
    s, q = [1.0, 0.5, 2, 2, 2.5], [1.0, 1, 0, -1, -0.5]
    np.testing.assert_equal(special.zeta(double(s), double(q)).numpy(), [inf, nan, inf, inf, nan])
    np.testing.assert_equal(special.xlog1py(double([0, 0, 1]), double([-1, nan, -1])).numpy(), [0, nan, -inf])


def test_layout_of_the_result_is_the_inputs() -> None:
    x = mini_torch.rand(40, 30)
    for each in (x.t(), x[::2, ::3], x[3, 4], x[:0]):
        assert special.ndtr(each).equal(special.ndtr(each.contiguous()))
    assert mini_torch.lgamma(x.t()).stride() == (1, 30)
    assert mini_torch.lgamma(mini_torch.ones(3, 1)).stride() == (1, 1)
    for each in (mini_torch.rand(4, 1, 3).expand(4, 5, 3), mini_torch.rand(3, 5, 2).permute(2, 0, 1)):
        assert special.ndtr(each).equal(special.ndtr(each.contiguous()))
        assert special.zeta(each + 1, each).equal(special.zeta(each.contiguous() + 1, each.contiguous()))
    assert special.xlog1py(x.t(), x.t()).stride() == (1, 30)


# ---- gradients -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name", ["erfcx", "erfinv", "ndtr", "log_ndtr", "ndtri", "gammaln", "digamma", "i0", "i0e", "i1", "i1e", "entr"]
)
def test_gradients(name: str) -> None:
    x = double([0.25, 0.5, 0.875]).requires_grad_()
    assert gradcheck(getattr(special, name), x)
    assert gradgradcheck(getattr(special, name), x)


def test_gradients_of_two_arguments() -> None:
    x = double([0.25, 1.5, 30.0]).requires_grad_()
    for function in (
        lambda x: special.zeta(2.5, x),
        lambda x: mini_torch.igamma(double([0.5, 2.0, 31.0]), x),
        lambda x: mini_torch.igammac(double([0.5, 2.0, 31.0]), x),
        lambda x: special.xlog1py(x, 2 * x),
        lambda x: mini_torch.mvlgamma(x + 1, 3),
        lambda x: mini_torch.polygamma(2, x),
    ):
        assert gradcheck(function, x)
        assert gradgradcheck(function, x)


def test_bessel_gradients_at_0() -> None:
    x = double([0.0]).requires_grad_()
    for name, slope in {"i0": 0.0, "i0e": 0.0, "i1": 0.5, "i1e": 0.5}.items():
        assert mini_torch.autograd.grad(getattr(special, name)(x).sum(), x)[0].item() == slope


def test_what_has_no_gradient() -> None:
    x, y = double([2.0]).requires_grad_(), double([1.0])
    for function, name in (
        (special.zeta, "zeta"), (mini_torch.igamma, "igamma: input"), (mini_torch.igammac, "igammac: input"),
    ):  # fmt: skip
        with pytest.raises(NotImplementedError, match=f"the derivative for '{name}' is not implemented"):
            function(x, y).sum().backward()
    assert not special.bessel_j0(x).requires_grad
    assert not special.legendre_polynomial_p(x, 2).requires_grad


# ---- types and refusals ----------------------------------------------------------------------------------------------
def test_types() -> None:
    whole = mini_torch.tensor([1, 2])
    assert mini_torch.lgamma(whole).dtype == special.ndtr(whole).dtype == mini_torch.float32
    half = mini_torch.tensor([0.5, 2.5], dtype=mini_torch.float16)
    assert mini_torch.digamma(half).dtype == mini_torch.float16
    close(mini_torch.digamma(half), [-1.963510026, 0.7031566406], 1e-3)
    assert not hasattr(half, "ndtr")
    assert special.i0e(half, out=mini_torch.empty(2)).dtype == mini_torch.float32


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: special.erfcx(x.half()), NotImplementedError, "\"erfcx_cpu\" not implemented for 'Half'"),
        (lambda x: mini_torch.lgamma(x + 1j), NotImplementedError, "lgamma_vml_cpu.*'ComplexFloat'"),
        (lambda x: special.bessel_j0(x.half()), NotImplementedError, "bessel_j0_cpu"),
        (lambda x: mini_torch.igamma(x.long(), x.long()), NotImplementedError, "igamma_cpu.*'Long'"),
        (lambda x: mini_torch.igamma(x, 1.0), TypeError, "must be Tensor, not float"),
        (lambda x: mini_torch.polygamma(-1, x), RuntimeError, "does not support negative n"),
        (lambda x: mini_torch.polygamma(1.5, x), TypeError, "must be int, not float"),
        (lambda x: mini_torch.mvlgamma(x, 0), RuntimeError, "greater than or equal to 1"),
        (lambda x: mini_torch.mvlgamma(x > 0, 1), RuntimeError, "may not be a boolean"),
        (lambda x: special.zeta(2.0, 3.0), TypeError, "must be Tensor, not float"),
        (lambda x: special.ndtr(0.5), TypeError, "special_ndtr.*must be Tensor, not float"),
        (lambda x: special.zeta(x, mini_torch.ones(3)), RuntimeError, r"\(2\) must match.*\(3\)"),
    ],
)
def test_refusals(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(mini_torch.ones(2))
