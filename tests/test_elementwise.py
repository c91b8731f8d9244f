"""Elementwise operations: types, whole numbers, complex numbers, values at the edges, silence."""

from __future__ import annotations

import math
import threading
import warnings
from collections.abc import Callable

import numpy as np
import pytest

import mini_torch as torch
from mini_torch import Tensor
from mini_torch.autograd import gradcheck, gradgradcheck

FLOATS = (torch.float16, torch.float32, torch.float64)
WHOLE = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def tensors(*values: list[complex], dtype: torch.dtype = torch.complex128) -> list[Tensor]:
    return [torch.tensor(v, dtype=dtype, requires_grad=True) for v in values]


# ---- silence ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    "code", ["x * x", "x + x", "x - -x", "x / 0", "x ** 3", "x.exp()", "x.square()", "x.sum()", "x.prod()", "x @ x",
             "x.log()", "(x * math.inf).sin()", "x.half()", "(x * math.inf).frac()", "x.cumsum(0)", "x.var()"],
)  # fmt: skip
def test_overflow_and_invalid_values_are_no_news(code: str, dtype: torch.dtype) -> None:
    largest = torch.finfo(dtype).max
    eval(code, {"x": torch.full((3,), largest, dtype=dtype), "math": math})  # warnings are errors here


def test_backward_is_quiet() -> None:
    x = torch.tensor([0.0, 1.0], requires_grad=True)
    (x.log() + x.sqrt()).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [math.inf, 1.5]


def test_numpy_s_own_setting_stays_as_it_was() -> None:
    with np.errstate(over="raise"):
        torch.full((3,), 3e38) * 10
        assert np.geterr()["over"] == "raise"
        with pytest.raises(FloatingPointError):
            np.float32([3e38]) * np.float32(10)


def test_threads_are_quiet_at_the_same_time() -> None:
    heard: list[BaseException] = []
    x = torch.full((200_000,), 3e38)

    def work() -> None:
        try:
            for _ in range(20):
                (x * x).log()
        except BaseException as error:
            heard.append(error)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert heard == []


# ---- which types an operation takes ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("code", "types"),
    [
        ("abs(x)", "Bool"), ("torch.floor(x)", "Bool ComplexFloat"), ("torch.frac(x)", "Long Bool ComplexFloat"),
        ("torch.sign(x)", "ComplexFloat"), ("x < x", "ComplexFloat"), ("x // x", "Bool ComplexFloat"),
        ("x & x", "Float ComplexFloat"), ("x << 1", "Float"), ("torch.gcd(x, x)", "Bool Float"),
        ("torch.hypot(x, x)", "Long"), ("torch.logaddexp(x, x)", "Long"), ("torch.maximum(x, x)", "ComplexFloat"),
        ("torch.nextafter(x, x)", "Long"), ("torch.clamp(x, 0, 1)", "ComplexFloat"), ("torch.lerp(x, x, 0.5)", "Long"),
        ("torch.logit(x)", "ComplexFloat"), ("torch.round(x, decimals=1)", "Long"), ("x ** x", "Bool"),
        ("torch.sort(x)", "ComplexFloat"), ("torch.median(x)", "Bool ComplexFloat"), ("torch.topk(x, 1)", "Bool"),
    ],
)  # fmt: skip
def test_types_that_are_refused(code: str, types: str) -> None:
    kinds = {"Bool": torch.bool, "Long": torch.int64, "Float": torch.float32, "ComplexFloat": torch.complex64}
    for name in types.split():
        with pytest.raises(RuntimeError, match=r"not implemented|not supported|not support|refus"):
            eval(code, {"torch": torch, "x": torch.ones(3).to(kinds[name])})


@pytest.mark.parametrize("dtype", WHOLE)
def test_whole_numbers_wrap_around(dtype: torch.dtype) -> None:
    limits = torch.iinfo(dtype)
    x = torch.tensor([limits.max, limits.min], dtype=dtype)
    assert (x + 1)[0].item() == limits.min
    assert (x - 1)[1].item() == limits.max
    assert (x * 2).tolist() == [(2 * limits.max) & 0xFF if dtype is torch.uint8 else -2, 0]


@pytest.mark.parametrize("code", ["x // y", "x % y", "torch.fmod(x, y)", "torch.div(x, y, rounding_mode='trunc')"])
def test_whole_numbers_by_zero(code: str) -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        eval(code, {"torch": torch, "x": torch.tensor([1, 2]), "y": torch.tensor([1, 0])})
    assert (torch.tensor([], dtype=torch.int64) // 0).shape == (0,)


def test_number_types_that_do_not_fit() -> None:
    bytes_ = torch.tensor([1, 200], dtype=torch.uint8)
    assert (bytes_ + 300).tolist() == [45, 244]
    assert bytes_.fill_(-1).tolist() == [255, 255]
    for call in (lambda: bytes_.fill_(300), lambda: torch.full((2,), 1e300), lambda: torch.full_like(bytes_, 1j),
                 lambda: torch.tensor([300], dtype=torch.uint8), lambda: torch.clamp(bytes_, 0, 300)):  # fmt: skip
        with pytest.raises(RuntimeError, match="without overflow"):
            call()
    with pytest.raises(OverflowError, match="int too big"):
        torch.ones(2) + 10**40
    with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output type Long"):
        torch.tensor([1]).add_(1.5)


def test_operands_that_must_be_tensors() -> None:
    x = torch.ones(2)
    for name in ("maximum", "atan2", "hypot", "logical_and", "fmin", "logaddexp"):
        with pytest.raises(TypeError, match="must be Tensor, not"):
            getattr(torch, name)(x, 2)
    with pytest.raises(TypeError, match="must be Tensor, not int"):
        torch.fmod(2, x)
    assert torch.remainder(5, torch.tensor([3.0])).item() == 2.0


# ---- remainders ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("scale", [1.0, 1e6, 1e30, 1e-20])
def test_remainders_are_exact(scale: float) -> None:
    rng = np.random.default_rng(0)
    x = (rng.standard_normal(50_000) * scale).astype(np.float32)
    y = rng.standard_normal(50_000).astype(np.float32)
    a, b = torch.from_numpy(x), torch.from_numpy(y)
    np.testing.assert_array_equal((a % b).numpy(), np.remainder(x, y))
    np.testing.assert_array_equal(torch.fmod(a, b).numpy(), np.fmod(x, y))
    np.testing.assert_array_equal((a // b).numpy(), np.floor_divide(x, y))


def test_remainders_at_the_edges() -> None:
    inf, nan = math.inf, math.nan
    x = torch.tensor([-6.0, 6.0, -1.0, 1.0, inf, nan, -0.0])
    y = torch.tensor([3.0, -3.0, inf, inf, 2.0, 2.0, 2.0])
    remainder, rest = x % y, torch.fmod(x, y)
    assert str((x % y)[0].item()) == "-0.0"  # a zero has the dividend's sign, as in PyTorch
    assert remainder[2].item() == inf
    assert remainder[3].item() == 1.0
    assert rest[2].item() == -1.0
    assert math.isnan(rest[4].item())
    assert math.isnan(rest[5].item())
    assert (x // y).tolist()[:4] == [-2.0, -2.0, -1.0, 0.0]
    assert (torch.tensor([1.0, -1.0, 0.0]) // 0).tolist()[:2] == [inf, -inf]


def test_shifts_past_the_end() -> None:
    x = torch.tensor([1, -2])
    assert (x << 70).tolist() == [0, 0]
    assert (x >> 70).tolist() == [0, -1]


# ---- powers ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 9, -1, -2, -3, -7, 0.5, -0.5, 2.5])
def test_powers_of_numbers_below_zero(n: float) -> None:
    x = np.array([-2.0, -0.5, 3.0, 0.0, -0.0, math.inf, -math.inf], np.float64)
    with np.errstate(all="ignore"):
        expected = np.sqrt(x) if n == 0.5 else 1 / np.sqrt(x) if n == -0.5 else np.power(x, float(n))
    np.testing.assert_allclose((torch.from_numpy(x) ** n).numpy(), expected, rtol=1e-14)


def test_powers_of_whole_numbers() -> None:
    with pytest.raises(RuntimeError, match="negative integer powers"):
        torch.tensor([2]) ** -1
    assert (torch.tensor([2, 1, -1]) ** torch.tensor([-1, -1, -3])).tolist() == [0, 1, -1]
    assert torch.float_power(torch.tensor([2]), 3).dtype is torch.float64


# ---- complex numbers -------------------------------------------------------------------------------------------------
Z, W = [1.5 + 0.2j, -2.25 - 1j, 0.3 + 0.5j], [0.5 - 0.5j, 2 + 1j, -1.5 + 0.25j]


@pytest.mark.parametrize(
    "code", ["z * w", "z / w", "z ** w", "z ** 3", "z.exp()", "z.log()", "z.sqrt()", "z.sin()", "z.tanh()", "z.abs()",
             "z.angle()", "z.sgn()", "z.conj() * w", "torch.view_as_real(z)", "z.real * w.imag", "z.reciprocal()",
             "z.cumprod(0)", "z.var()", "torch.lerp(z, w, 0.3)", "torch.addcmul(z, w, w, value=2)", "2j * z + 1"],
)  # fmt: skip
def test_complex_gradients(code: str) -> None:
    z, w = tensors(Z, W)

    def line(z: Tensor, w: Tensor) -> Tensor:
        return eval(code, {"z": z, "w": w, "torch": torch})

    assert gradcheck(line, (z, w))
    assert gradgradcheck(line, (z, w))


def test_the_gradient_of_a_real_function_is_the_direction_of_ascent() -> None:
    (z,) = tensors([3 + 4j, 0])
    z.abs().sum().backward()
    assert z.grad is not None
    np.testing.assert_allclose(z.grad.numpy(), [0.6 + 0.8j, 0], rtol=1e-15)


def test_complex_numbers_from_real_ones() -> None:
    x, y = tensors([1.0, 2.0], [3.0, -1.0], dtype=torch.float64)
    assert gradcheck(torch.complex, (x, y))
    assert gradgradcheck(lambda x, y: torch.polar(x, y).exp(), (x, y))
    assert torch.polar(torch.tensor(0.0), torch.tensor(1.0)).item() == 0
    with pytest.raises(RuntimeError, match="but got Int and Double"):
        torch.complex(torch.ones(2).int(), y)


def test_branch_cuts() -> None:
    above = torch.tensor([-4 + 0j, complex(-4, -0.0)], dtype=torch.complex128)
    assert above.sqrt().tolist() == [2j, complex(0, -2)]
    assert above.log().imag.tolist() == [math.pi, -math.pi]


# ---- pieces ----------------------------------------------------------------------------------------------------------
def test_mantissa_and_exponent() -> None:
    x = torch.tensor([4.5, -0.3, 0.0, 5e-324], dtype=torch.float64)
    mantissa, exponent = torch.frexp(x)
    assert exponent.dtype is torch.int32
    assert torch.equal(torch.ldexp(mantissa, exponent), x)
    assert ((mantissa.abs() >= 0.5) | (mantissa == 0)).all()
    assert repr(torch.frexp(x)).startswith("torch.return_types.frexp(\nmantissa=")


def test_sign_of_nan_is_zero_and_extremes_share() -> None:
    assert torch.tensor([math.nan, -2.0, 0.0]).sign().tolist() == [0.0, -1.0, 0.0]
    x, y = tensors([1.0, 2.0, math.nan], [1.0, 3.0, 0.0], dtype=torch.float64)
    torch.maximum(x, y).sum().backward()
    assert x.grad is not None
    assert y.grad is not None
    assert x.grad.tolist() == [0.5, 0.0, 1.0]
    assert y.grad.tolist() == [0.5, 1.0, 1.0]


def test_ends_of_lerp_are_hit() -> None:
    x, end = torch.tensor([0.1, -3.0]), torch.tensor([7.0, 1e8])
    assert torch.equal(torch.lerp(x, end, 1.0), end)
    assert torch.equal(torch.lerp(x, end, 0.0), x)
    assert torch.equal(torch.lerp(x, end, torch.tensor([0.0, 1.0])), torch.stack([x[0], end[1]]))


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
def test_hypot_neither_overflows_nor_vanishes(size: float) -> None:
    assert torch.hypot(torch.tensor([3 * size]), torch.tensor([4 * size])).item() == pytest.approx(5 * size, rel=1e-6)
    assert torch.hypot(torch.tensor(math.inf), torch.tensor(math.nan)).item() == math.inf


def test_logaddexp_at_infinity() -> None:
    inf = math.inf
    x, y = torch.tensor([-inf, inf, -inf, 1000.0]), torch.tensor([-inf, inf, 0.0, 1000.0])
    np.testing.assert_allclose(torch.logaddexp(x, y).numpy(), [-inf, inf, 0.0, 1000 + math.log(2)])


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda x, out: torch.mul(x, x, out=out), [1, 16]), (lambda x, out: torch.sqrt(x, out=out), [1, 2]),
        (lambda x, out: torch.clamp(x, 0, 2, out=out), [1, 2]), (lambda x, out: torch.lerp(x, x, 0.5, out=out), [1, 4]),
        (lambda x, out: torch.where(x > 2, x, -x, out=out), [-1, 4]), (lambda x, out: torch.arange(2, out=out), [0, 1]),
    ],
)  # fmt: skip
def test_functions_with_out(call: Callable[[Tensor, Tensor], Tensor], expected: list[float]) -> None:
    out = torch.empty(2)
    assert call(torch.tensor([1.0, 4.0]), out) is out
    assert out.tolist() == expected


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_arrays_by_steps_give_what_small_ones_give(name: str, dtype: str) -> None:
    numbers, gradient = np.random.default_rng(0).normal(scale=3, size=(2, 300_000)).astype(dtype)
    whole = torch.tensor(numbers, requires_grad=True)
    parts = [torch.tensor(part, requires_grad=True) for part in np.split(numbers, 60)]
    function = getattr(torch, name)
    result = function(whole)
    result.backward(torch.tensor(gradient))
    results = [function(part) for part in parts]
    for part, g in zip(results, np.split(gradient, 60)):
        part.backward(torch.tensor(g))
    close = {"rtol": 1e-6 if dtype == "float32" else 1e-14, "atol": 0}
    np.testing.assert_allclose(result.detach(), torch.cat(results).detach(), **close)
    np.testing.assert_allclose(whole.grad, torch.cat([part.grad for part in parts]), **close)
