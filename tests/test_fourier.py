"""Fourier transforms: against their definition, there and back, and how their gradients follow from linearity."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mini_torch
from mini_torch import fft
from mini_torch.autograd import gradcheck, gradgradcheck
from mini_torch.tensor import tensor

Array = np.ndarray[Any, Any]
NORMS = (None, "backward", "ortho", "forward")


def in_pairs(function: Callable[..., Any], complex_input: bool) -> Callable[..., Any]:
    """The function of real numbers: what is complex goes in, and comes out, as pairs."""

    def paired(x: Any, *others: Any) -> Any:
        y = function(mini_torch.view_as_complex(x) if complex_input else x, *others)
        return mini_torch.view_as_real(y) if y.is_complex() else y

    return paired


def sums(x: Array, n: int, sign: int) -> Array:
    """Σ x_m e^{sign 2πi km/n} by definition."""
    k = np.arange(n)
    return np.exp(sign * 2j * np.pi * np.outer(k, k) / n) @ x


def whole_of(half: Array, n: int) -> Array:
    """The n numbers of which the first are given, the others are conjugates, and the ends real."""
    z = np.zeros(n, complex)
    z[: n // 2 + 1] = half
    z[0] = z[0].real
    if n % 2 == 0:
        z[n // 2] = z[n // 2].real
    k = np.arange(n // 2 + 1, n)
    z[k] = np.conj(z[n - k])
    return z


def by_definition(name: str, x: Array, n: int, norm: str | None) -> Array:
    inverse = "i" in name
    x = np.pad(x, (0, n))
    x = whole_of(x[: n // 2 + 1], n) if name in ("irfft", "hfft") else x[:n]
    y = sums(x, n, 1 if inverse else -1)
    scale = {None: 1 / n if inverse else 1, "ortho": n**-0.5, "forward": 1 if inverse else 1 / n}
    y = y * scale[None if norm == "backward" else norm]
    if name in ("rfft", "ihfft"):
        return np.asarray(y[: n // 2 + 1])
    return np.asarray(y.real if name in ("irfft", "hfft") else y)


def numbers(name: str, shape: Any, rng: np.random.Generator) -> Array:
    x = rng.standard_normal(shape)
    return x if name.startswith(("rfft", "ihfft")) else x + 1j * rng.standard_normal(shape)


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_is_its_definition(name: str, rng: np.random.Generator) -> None:
    for size, n, norm in itertools.product((1, 2, 5, 6), (1, 2, 5, 6, 9), NORMS):
        x = numbers(name, size, rng)
        got = getattr(fft, name)(mini_torch.from_numpy(x), n, norm=norm)
        np.testing.assert_allclose(got.numpy(), by_definition(name, x, n, norm), atol=1e-12)


@pytest.mark.parametrize("name", ["fftn", "rfftn", "hfftn"])
def test_there_and_back(name: str, rng: np.random.Generator) -> None:
    x = mini_torch.from_numpy(numbers(name, (3, 4, 5), rng))
    back = getattr(fft, "i" + name)
    for norm, dim in itertools.product(NORMS, (None, (0, 1), (-1, 0), (1,))):
        y = getattr(fft, name)(x, dim=dim, norm=norm)
        if name == "hfftn":  # real from a half whose ends are not: what comes back is that half's real part of them
            again = getattr(fft, name)(back(y, dim=dim, norm=norm), dim=dim, norm=norm)
            np.testing.assert_allclose(again.numpy(), y.numpy(), atol=1e-12)
        else:
            s = [x.shape[d] for d in (dim or (0, 1, 2))]
            np.testing.assert_allclose(back(y, s=s, dim=dim, norm=norm).numpy(), x.numpy(), atol=1e-12)


@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn", "hfftn", "ihfftn"])
@pytest.mark.parametrize("options", [{}, {"s": (5, 4)}, {"s": (3, -1), "dim": (-1, 0)}, {"norm": "ortho"}])
def test_gradients(name: str, options: dict[str, Any], rng: np.random.Generator) -> None:
    given = numbers(name, (3, 4), rng)
    is_complex = given.dtype.kind == "c"
    x = mini_torch.from_numpy(given.view(float).reshape(3, 4, 2) if is_complex else given).requires_grad_()
    transform = in_pairs(lambda x: getattr(fft, name)(x, **options), is_complex)
    assert gradcheck(transform, x)
    assert gradgradcheck(transform, x)


def test_a_gradient_of_real_numbers_is_real() -> None:
    x = mini_torch.arange(4.0, requires_grad=True)
    (fft.fft(x) * tensor([1, 1j, 2, 3j])).abs().sum().backward()
    assert x.grad.dtype == mini_torch.float32


def test_types() -> None:
    for kind in (mini_torch.bool, mini_torch.uint8, mini_torch.int64, mini_torch.float32):
        x = mini_torch.ones(4, dtype=kind)
        assert fft.fft(x).dtype == fft.rfft(x).dtype == mini_torch.complex64
        assert fft.irfft(x).dtype == fft.hfft(x).dtype == mini_torch.float32
    x = mini_torch.ones(4, dtype=mini_torch.float64)
    assert (fft.fft(x).dtype, fft.irfft(x).dtype) == (mini_torch.complex128, mini_torch.float64)
    assert fft.fftn(x, dim=()).dtype == mini_torch.complex128
    assert fft.fft(mini_torch.ones(0, 4)).shape == (0, 4)
    assert fft.irfft(mini_torch.ones(0, 4)).shape == (0, 6)


def test_frequencies_and_shifts() -> None:
    assert fft.fftfreq(5, 0.5).tolist() == np.array([0, 0.4, 0.8, -0.8, -0.4], np.float32).tolist()
    assert fft.rfftfreq(5, 0.5).tolist() == np.array([0, 0.4, 0.8], np.float32).tolist()
    assert fft.fftfreq(0).shape == (0,)
    assert fft.fftfreq(3, 0.0).isnan().tolist() == [True, False, False]
    for shape in ((4,), (5,), (4, 5)):
        x = mini_torch.arange(int(np.prod(shape))).reshape(shape)
        assert fft.fftshift(x).tolist() == np.fft.fftshift(x.numpy()).tolist()
        assert fft.ifftshift(fft.fftshift(x)).tolist() == x.tolist()
        assert fft.fftshift(x, dim=0).tolist() == np.fft.fftshift(x.numpy(), 0).tolist()


def test_out() -> None:
    out = mini_torch.empty(4, dtype=mini_torch.complex64)
    assert fft.fft(mini_torch.ones(4), out=out) is out
    assert out.tolist() == [4, 0, 0, 0]
    with pytest.raises(RuntimeError):
        fft.fft(mini_torch.ones(4), out=mini_torch.empty(4))


ERRORS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: fft.fft(mini_torch.ones(4), 0), RuntimeError, r"Invalid number of data points \(0\)"),
    (lambda: fft.fft(mini_torch.ones(4), -1), RuntimeError, r"Invalid number of data points \(-1\)"),
    (lambda: fft.irfft(mini_torch.ones(1)), RuntimeError, r"Invalid number of data points \(0\)"),
    (lambda: fft.fft(mini_torch.ones(4), 2.0), TypeError, "float"),
    (lambda: fft.fft(mini_torch.ones(4), dim=1), IndexError, "Dimension out of range"),
    (lambda: fft.fft(tensor(1.0)), IndexError, "has no dimensions"),
    (lambda: fft.fft(mini_torch.ones(4), norm="none"), RuntimeError, 'Invalid normalization mode: "none"'),
    (lambda: fft.fft(mini_torch.ones(4, dtype=mini_torch.float16)), RuntimeError, "Half"),
    (lambda: fft.rfft(mini_torch.ones(4) * 1j), RuntimeError, "rfft expects a real input tensor"),
    (lambda: fft.rfft2(mini_torch.ones(4, 4) * 1j), RuntimeError, "rfftn expects a real-valued input tensor"),
    (lambda: fft.fftn(mini_torch.ones(4, 4), dim=(0, -2)), RuntimeError, "FFT dims must be unique"),
    (lambda: fft.fftn(mini_torch.ones(4, 4), s=(1, 2, 3)), RuntimeError, "Got shape with 3 values"),
    (lambda: fft.fftn(mini_torch.ones(4, 4), s=(2, 2), dim=0), RuntimeError, "same length"),
    (lambda: fft.irfftn(mini_torch.ones(4, 4), dim=()), RuntimeError, "must transform at least one axis"),
    (lambda: fft.fftfreq(3, dtype=mini_torch.int64), RuntimeError, "floating point or complex"),
    (lambda: fft.fftfreq(-3), RuntimeError, "negative dimension -3"),
]


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case: tuple[Callable[[], Any], type[Exception], str]) -> None:
    call, kind, message = case
    with pytest.raises(kind, match=message):
        call()


# ---- short pieces ----------------------------------------------------------------------------------------------------
def test_stft_is_the_transform_of_frames(rng: np.random.Generator) -> None:
    x, window = rng.standard_normal((2, 30)), rng.random(6)
    got = mini_torch.stft(
        mini_torch.from_numpy(x), 8, 3, 6, mini_torch.from_numpy(window), center=False, return_complex=True
    )
    shape = np.pad(window, 1)
    expected = np.stack([np.fft.rfft(x[:, i : i + 8] * shape) for i in range(0, 23, 3)], -1)
    np.testing.assert_allclose(got.numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("n_fft", [8, 9])
@pytest.mark.parametrize("kind", [mini_torch.float64, mini_torch.complex128])
def test_istft_gives_the_signal_back(normalized: bool, n_fft: int, kind: Any) -> None:
    mini_torch.manual_seed(0)
    x = mini_torch.randn(2, 40, dtype=kind)
    window = mini_torch.hann_window(7, dtype=mini_torch.float64)
    options: dict[str, Any] = {"hop_length": 2, "win_length": 7, "window": window, "normalized": normalized}
    spectra = mini_torch.stft(x, n_fft, return_complex=True, **options)
    signal = mini_torch.istft(spectra, n_fft, length=40, return_complex=x.is_complex(), **options)
    np.testing.assert_allclose(signal.numpy(), x.numpy(), atol=1e-12)


def test_gradients_of_short_pieces() -> None:
    mini_torch.manual_seed(0)
    x = mini_torch.randn(14, dtype=mini_torch.float64, requires_grad=True)
    window = (mini_torch.rand(4, dtype=mini_torch.float64) + 0.5).requires_grad_()
    short = in_pairs(lambda x, w: mini_torch.stft(x, 6, 2, 4, w, return_complex=True), False)
    assert gradcheck(short, (x, window))
    assert gradgradcheck(short, (x, window))
    z = mini_torch.randn(4, 5, 2, dtype=mini_torch.float64, requires_grad=True)
    assert gradcheck(in_pairs(lambda z, w: mini_torch.istft(z, 6, 2, 4, w), True), (z, window))


def test_without_a_window() -> None:
    x = mini_torch.ones(16)
    with pytest.warns(UserWarning, match="window was not provided"):
        plain = mini_torch.stft(x, 4, return_complex=True)
    assert plain.tolist() == mini_torch.stft(x, 4, window=mini_torch.ones(4), return_complex=True).tolist()


STFT_ERRORS: list[tuple[Callable[[Any, Any], Any], str]] = [
    (lambda x, w: mini_torch.stft(x, 8, window=w), "requires the return_complex parameter"),
    (lambda x, w: mini_torch.stft(x, 8, window=w[:7], return_complex=True), r"win_length=8, but got .* size \[7\]"),
    (lambda x, w: mini_torch.stft(x.int(), 8, window=w, return_complex=True), "floating point or complex"),
    (lambda x, w: mini_torch.stft(x[None, None], 8, window=w, return_complex=True), "1D or 2D"),
    (lambda x, w: mini_torch.stft(x, 30, center=False, window=w, return_complex=True), "0 < n_fft < 20"),
    (lambda x, w: mini_torch.stft(x, 8, 0, window=w, return_complex=True), "hop_length > 0, but got hop_length=0"),
    (lambda x, w: mini_torch.stft(x, 8, 2, 9, window=w, return_complex=True), "0 < win_length <= n_fft"),
    (lambda x, w: mini_torch.stft(x * 1j, 8, window=w, onesided=True), "Cannot have onesided output"),
    (lambda x, w: mini_torch.stft(x, 8, window=w, align_to_window=True, return_complex=True), "center = false"),
    (lambda x, w: mini_torch.istft(x[:, None], 8, window=w), "complex-valued input"),
    (lambda x, w: mini_torch.istft(x[:4, None] * 1j, 8, window=w), "frequency dimension"),
    (lambda x, w: mini_torch.istft(x[:5, None] * 1j, 8, 9, window=w), "0 < hop_length <= win_length"),
    (lambda x, w: mini_torch.istft(x[:5, None] * 1j, 8, window=0 * w, center=False), "leave a gap"),
]


@pytest.mark.parametrize("case", STFT_ERRORS)
def test_errors_of_short_pieces(case: tuple[Callable[[Any, Any], Any], str]) -> None:
    call, message = case
    with pytest.raises(RuntimeError, match=message):
        call(mini_torch.ones(20), mini_torch.ones(8))
