"""The Fourier transform of short pieces of a signal, `torch.stft`, and the way back, `torch.istft`.

The frames of a signal are a view of it; each is multiplied by the window and transformed. Back, the frames are
transformed, windowed again and added up, and the sum is divided by that of the squared windows.
Source: Griffin and Lim, "Signal estimation from modified short-time Fourier transform", IEEE Transactions on
Acoustics, Speech, and Signal Processing 32 (1984).
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..graph import verify
from ..op import public, type_name
from ..tensor import Tensor, wrap
from .complex_view import view_as_real
from .fourier import half, real, whole
from .padding import pad
from .shape import refold

__all__ = ["istft", "stft"]

_NO_WINDOW = (
    "A window was not provided. A rectangular window will be applied, which is known to cause spectral leakage. Other "
    "windows such as torch.hann_window or torch.hamming_window are recommended. To use a rectangular window without "
    "this warning, pass window=torch.ones(n_fft)."
)


def _story(name: str, input: Tensor, window: Tensor | None, **given: Any) -> str:
    """The call, for messages: what it was given, with the defaults filled in."""
    shown = {**given, "window": None if window is None else list(window._array.shape)}
    shape = list(input._array.shape)
    return f"{name}({type_name(input._array.dtype)}{shape}, {', '.join(f'{k}={v}' for k, v in shown.items())}) : "


def _centred(window: Tensor | None, n_fft: int, win_length: int, kind: np.dtype[Any]) -> Tensor | None:
    """The window with zeros on both sides up to n_fft; None for one that changes nothing."""
    if win_length == n_fft:
        return window
    left = (n_fft - win_length) // 2
    if window is None:
        window = wrap(np.ones(win_length, kind))
    return pad(window, (left, n_fft - win_length - left))


def _scaling(normalized: bool) -> str:
    return "ortho" if normalized else "backward"


@public
def stft(
    input: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
    window: Tensor | None = None, center: bool = True, pad_mode: str = "reflect", normalized: bool = False,
    onesided: bool | None = None, return_complex: bool | None = None, align_to_window: bool | None = None,
) -> Tensor:  # fmt: skip
    """The transforms of windowed frames: X[ω, m] = Σ_k window[k] input[m hop + k] e^{-2πi ωk/n_fft}.

    Shape: input (L) or (B, L) → (B?, frequencies, frames), complex; n_fft // 2 + 1 frequencies where input and window
    are real and `onesided` is not False. With `center`, the signal is padded by n_fft // 2 on both sides, as
    `pad_mode` says, so that frame m is around m hop. `hop_length` is n_fft // 4 and `win_length` n_fft if not given;
    a shorter window is in the middle of its frame, unless `align_to_window` (without `center`).
    Errors: RuntimeError for sizes that do not fit. Source: PyTorch's `torch.stft`.

    >>> from mini_torch import ones
    >>> stft(ones(16), 4, window=ones(4), return_complex=True).shape
    torch.Size([3, 17])
    """
    hop = n_fft // 4 if hop_length is None else hop_length
    length = n_fft if win_length is None else win_length
    if window is None:
        warnings.warn(_NO_WINDOW, stacklevel=3)
    if center and align_to_window is not None:
        raise RuntimeError("stft align_to_window should only be set when center = false")
    is_complex = "c" in (input._array.dtype.kind, "f" if window is None else window._array.dtype.kind)
    return_complex = _checked_return(is_complex, return_complex)
    _check_stft(input, n_fft, hop, length, window, center)
    signal = input if input._array.ndim == 2 else input.unsqueeze(0)
    if center:
        signal = pad(signal.unsqueeze(0), (n_fft // 2, n_fft // 2), pad_mode).squeeze(0)
    elif align_to_window:
        left = (n_fft - length) // 2
        signal = pad(signal, (left, left))
    frames = signal.unfold(-1, n_fft, hop)
    shape = _centred(window, n_fft, length, input._array.dtype)
    out = _spectra(frames if shape is None else frames * shape, onesided, _scaling(normalized)).transpose(1, 2)
    if input._array.ndim == 1:
        out = out.squeeze(0)
    return out if return_complex else view_as_real(out)


def _spectra(frames: Tensor, onesided: bool | None, norm: str) -> Tensor:
    if frames._array.dtype.kind == "c":
        if onesided:
            raise RuntimeError("Cannot have onesided output if window or input is complex")
        return whole(frames, (2,), False, norm)
    if frames._array.dtype.itemsize == 2:
        raise RuntimeError(f"Unsupported dtype {type_name(frames._array.dtype)}")
    return whole(frames, (2,), False, norm) if onesided is False else half(frames, 2, False, norm, False)


def _checked_return(is_complex: bool, return_complex: bool | None) -> bool:
    if return_complex is None and not is_complex:
        raise RuntimeError(
            "stft requires the return_complex parameter be given for real inputs, and will further require that "
            "return_complex=True in a future PyTorch release."
        )
    if return_complex is False:
        warnings.warn(
            "stft with return_complex=False is deprecated. Use return_complex=True and torch.view_as_real of the "
            "result instead.",
            stacklevel=4,
        )
    return return_complex is not False


def _check_stft(input: Tensor, n_fft: int, hop: int, length: int, window: Tensor | None, center: bool) -> None:
    ndim, samples = input._array.ndim, input._array.shape[-1] if input._array.ndim else 0
    samples += 2 * (n_fft // 2) if center else 0
    if input._array.dtype.kind not in "fcV":
        wrong = "expected a tensor of floating point or complex values"
    elif ndim not in (1, 2):
        wrong = "expected a 1D or 2D tensor"
    elif not 0 < n_fft <= samples:
        wrong = f"expected 0 < n_fft < {samples}, but got n_fft={n_fft}"
    elif hop <= 0:
        wrong = f"expected hop_length > 0, but got hop_length={hop}"
    elif not 0 < length <= n_fft:
        wrong = f"expected 0 < win_length <= n_fft, but got win_length={length}"
    elif window is not None and window._array.shape != (length,):
        wrong = (
            f"expected a 1D window tensor of size equal to win_length={length}, but got window with size "
            f"{list(window._array.shape)}"
        )
    else:
        return
    raise RuntimeError(_story("stft", input, window, n_fft=n_fft, hop_length=hop, win_length=length) + wrong)


def _check_gaps(envelope: Any, story: str) -> None:
    if not envelope.size or np.abs(envelope).min() < 1e-11:
        raise RuntimeError(story)


@public
def istft(
    input: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
    window: Tensor | None = None, center: bool = True, normalized: bool = False, onesided: bool | None = None,
    length: int | None = None, return_complex: bool = False,
) -> Tensor:  # fmt: skip
    """The signal whose `stft` is nearest to `input`, for the same arguments.

    Shape: input (B?, frequencies, frames), complex → (B?, L), real unless `return_complex`. L is `length` (filled up
    with zeros where the frames end before), else what the frames cover, with `center` less n_fft // 2 on both sides.
    Errors: RuntimeError for sizes that do not fit, and where the windows leave a gap. Source: PyTorch's `torch.istft`.

    >>> from mini_torch import arange, hann_window
    >>> x, window = arange(8.0), hann_window(4)
    >>> istft(stft(x, 4, window=window, return_complex=True), 4, window=window)
    tensor([0., 1., 2., 3., 4., 5., 6., 7.])
    """
    hop = n_fft // 4 if hop_length is None else hop_length
    size = n_fft if win_length is None else win_length
    if window is None:
        warnings.warn(_NO_WINDOW, stacklevel=3)
    story = _story("istft", input, window, n_fft=n_fft, hop_length=hop, win_length=size, center=center, length=length)
    if onesided is None:
        onesided = input._array.ndim > 1 and input._array.shape[-2] != n_fft
    _check_istft(input, n_fft, hop, size, window, onesided, story)
    spectra = (input if input._array.ndim == 3 else input.unsqueeze(0)).transpose(1, 2)
    frames = _pieces(spectra, n_fft, window, onesided, "ortho" if normalized else "backward", return_complex)
    shape = _centred(window, n_fft, size, frames._array.dtype)
    if shape is None:
        shape = wrap(np.ones(n_fft, frames._array.dtype))
    signal = _added_up(frames * shape, hop)
    envelope = _added_up((shape * shape).expand(1, spectra._array.shape[1], n_fft), hop)
    first, last = _kept(signal._array.shape[-1], n_fft, center, length)
    signal, envelope = signal[:, first:last], envelope[:, first:last]
    words = f"{story}window overlap add min: the windows leave a gap between {first} and {last}"
    verify(_check_gaps, envelope._array, words)
    signal = _lengthened(signal / envelope, length)
    return signal if input._array.ndim == 3 else signal.squeeze(0)


def _pieces(spectra: Tensor, n_fft: int, window: Tensor | None, onesided: bool, norm: str, to_complex: bool) -> Tensor:
    if to_complex:
        if onesided:
            raise RuntimeError("Cannot have onesided output if window or input is complex")
        return whole(spectra, (2,), True, norm)
    if window is not None and window._array.dtype.kind == "c":
        raise RuntimeError("Complex windows are incompatible with return_complex=False")
    return real(spectra if onesided else spectra[..., : n_fft // 2 + 1], n_fft, 2, True, norm, False)


def _added_up(frames: Tensor, hop: int) -> Tensor:
    count, size = frames._array.shape[1:]
    return refold(frames, (frames._array.shape[0], size + hop * (count - 1)), 1, size, hop)


def _kept(covered: int, n_fft: int, center: bool, length: int | None) -> tuple[int, int]:
    """From where to where the signal is kept of what the frames cover."""
    first = n_fft // 2 if center else 0
    if length is not None:
        return first, min(first + length, covered)
    return first, covered - first


def _lengthened(signal: Tensor, length: int | None) -> Tensor:
    missing = 0 if length is None else length - signal._array.shape[-1]
    if missing <= 0:
        return signal
    warnings.warn(
        "The length of signal is shorter than the length parameter. Result is being padded with zeros in the tail. "
        "Please check your center and hop_length settings.",
        stacklevel=4,
    )
    return pad(signal, (0, missing))


def _check_istft(
    input: Tensor, n_fft: int, hop: int, size: int, window: Tensor | None, onesided: bool, story: str
) -> None:
    x = input._array
    if x.dtype.kind != "c":
        raise RuntimeError(
            "istft requires a complex-valued input tensor matching the output from stft with return_complex=True."
        )
    if x.ndim < 2:
        raise IndexError(f"{story}expected a tensor (frequencies, frames) or (batch, frequencies, frames)")
    frequencies = n_fft // 2 + 1 if onesided else n_fft
    if not x.size:
        wrong = "input tensor cannot be empty."
    elif x.ndim not in (2, 3):
        wrong = f"expected a tensor with 3 or 4 dimensions, but got {x.ndim + 1}"  # counted with real and imaginary
    elif x.shape[-2] != frequencies:
        wrong = (
            "expected the frequency dimension (3rd to the last) of the input tensor to match "
            f"{'n_fft / 2 + 1' if onesided else 'n_fft'} when onesided={onesided}, but got {x.shape[-2]}"
        )
    elif not 0 < hop <= size:
        wrong = "expected 0 < hop_length <= win_length"
    elif not 0 < size <= n_fft:
        wrong = "expected 0 < win_length <= n_fft"
    elif window is not None and window._array.shape != (size,):
        wrong = f"Invalid window shape {list(window._array.shape)}. window has to be 1D and length of `win_length`"
    else:
        return
    raise RuntimeError(story + wrong)
