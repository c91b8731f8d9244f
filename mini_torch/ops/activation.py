"""Activations: relu and its relatives, sigmoid, gelu, softplus and others; those that cut are in `thresholds.py`.

At its kinks every function has PyTorch's gradient. `inplace=True` writes the result into the input, as there.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import mode
from ..op import fused, keeps_type, need_float32, public, quiet, row, rows, takes_out, type_name, unary
from ..op import inplace as in_place_form
from ..random.generator import default_generator, draw_by
from ..tensor import Tensor, check_dim, method, wrap
from .elementwise import abs, tanh
from .elementwise.blocks import blocks_of, in_blocks, in_steps
from .mask import chosen, masked
from .special.error import normal_cdf, normal_cdf_of_block, times_normal_cdf
from .split import chunk

__all__ = [
    "celu", "celu_", "elu", "elu_", "gelu", "glu", "leaky_relu", "leaky_relu_", "logsigmoid", "mish", "prelu", "relu",
    "relu_", "rrelu", "rrelu_", "selu", "selu_", "sigmoid", "silu", "softplus", "softsign", "tanhshrink",
]  # fmt: skip

_ndarray = np.ndarray


def need_floats(x: Tensor, name: str) -> None:
    """NotImplementedError unless `x` is floating (or complex)."""
    if x._array.dtype.kind not in "fc":
        need_float32(f"{name}_cpu", x)
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{type_name(x._array.dtype)}'")


def need_reals(x: Tensor, name: str, half: bool = True) -> None:
    """NotImplementedError unless `x` is floating, and not complex; nor float16 unless `half`."""
    kind = x._array.dtype
    if kind.kind != "f" or (kind.itemsize == 2 and not half):
        if half:
            need_float32(name, x)
        raise NotImplementedError(f"\"{name}\" not implemented for '{type_name(kind)}'")


def run_either_way(
    function: Callable[..., Tensor], input: Tensor, options: tuple[Any, ...], inplace: bool
) -> Tensor:
    """`function(input, *options)`, the result written into the input if `inplace`."""
    return (in_place_form(function) if inplace else function)(input, *options)


def refuse_to_clamp(name: str, x: Tensor) -> None:
    """The errors of what is done by clamping, which neither bools nor complex numbers can be."""
    if x._array.dtype.kind == "b":
        raise RuntimeError(f"Bool inputs not supported for {name}")
    raise NotImplementedError(f"clamp is not supported for complex types: {name} of {x.dtype}")


# ---- relu -----------------------------------------------------------------------------------------------------------
def rectified(x: Any, out: Any = None) -> Any:
    """max(x, 0), written to `out` if that is given."""
    # NumPy compares with an array twice as fast as with a number; where that is large, to clip needs no second one.
    if x.size <= 32768:
        return np.maximum(x, _zeros_of(x.shape, x.dtype), out=out)
    if type(x) is _ndarray and x.dtype in _BITS:
        return np.clip(x, _BITS[x.dtype][1], np.inf, out=out)
    return np.maximum(x, np.zeros(x.shape, x.dtype), out=out)


@functools.lru_cache(maxsize=64)
def _zeros_of(shape: tuple[int, ...], kind: np.dtype[Any]) -> Any:
    """Zeros of that shape, kept for the next time, so of not too many."""
    zeros = np.zeros(shape, kind)
    zeros.flags.writeable = False
    return zeros


# Per floating type: the integers of its size, and 0 as an array, which NumPy takes faster than a number.
_BITS = {np.dtype(f"f{n}"): (np.dtype(f"i{n}"), np.zeros((), f"f{n}")) for n in (2, 4, 8)}


def _bits_of(kind: np.dtype[Any]) -> tuple[np.dtype[Any], Any]:
    """As `_BITS` has them, of bfloat16, which is first seen here."""
    _BITS[kind] = np.dtype(np.int16), np.zeros((), kind)
    return _BITS[kind]


def _where_nonzero(dy: Any, y: Any) -> Any:
    """`dy` where `y` is not 0, else 0, by bits as in `mask.py`: written out for the most used of activations."""
    kind = dy.dtype
    integer, zero = _BITS.get(kind) or _bits_of(kind)
    return (dy.view(integer) * np.not_equal(y, zero)).view(kind)


_relu_backward: Callable[..., Any] = row(
    "threshold_backward", _where_nonzero, dy=lambda g, y: _relu_backward(g, y), y=None
)


def relu_rule(g: Any, out: Any) -> Any:
    """The gradient of relu's input."""
    return _where_nonzero(g, out) if type(g) is _ndarray else _relu_backward(g, out)


_relu = row("relu", lambda x: rectified(x), x=relu_rule)
_RELU = rows["relu"]


@public
def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0); the gradient at 0 is 0. Source: PyTorch's `nn.functional.relu`.

    >>> from mini_torch import tensor
    >>> relu(tensor([-1., 2.]))
    tensor([0., 2.])
    """
    if input._array.dtype.kind in "bc":
        refuse_to_clamp("relu", input)
    return run_either_way(_relu, input, (), True) if inplace else _RELU.apply((input,))


def relu_(input: Tensor) -> Tensor:
    """In-place form of `relu`."""
    return run_either_way(_relu, input, (), True)


method("relu_", relu_)

def _leaky(x: Any, slope: float) -> Any:
    if not 0 < slope <= 1:
        return chosen(x > 0, x, x * slope)
    out = np.multiply(x, slope)
    return np.maximum(x, out, out=out if out.ndim else None)


def _leaky_rule(g: Any, x: Any, slope: float) -> Any:
    rising = x > 0
    if type(g) is _ndarray and 0 <= slope <= 1:
        return g * np.maximum(rising.astype(x.dtype), x.dtype.type(slope))  # 1 or the slope, without branches
    return masked(g, rising) + masked(g * slope, ~rising)


_leaky_relu = row("leaky_relu", quiet(keeps_type(_leaky)), x=_leaky_rule)


@takes_out
def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x above 0, negative_slope · x below. Source: PyTorch's `nn.functional.leaky_relu`."""
    need_reals(input, "leaky_relu_cpu")
    return run_either_way(_leaky_relu, input, (negative_slope,), inplace)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """In-place form of `leaky_relu`."""
    return leaky_relu(input, negative_slope, True)


_prelu = row(
    "prelu", lambda x, weight: np.maximum(x, 0) + np.minimum(x, 0) * weight, grad_name="PreluKernelBackward0",
    broadcasts=True, x=lambda g, x, weight: masked(g, x > 0) + masked(g * weight, ~(x > 0)),
    weight=lambda g, x: masked(g * x, ~(x > 0)),
)  # fmt: skip


@public
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x above 0, weight · x below; weight has one element, or one per channel (dimension 1).

    Errors: RuntimeError for another number of weights. Source: He et al. 2015; PyTorch's `nn.functional.prelu`.
    """
    count, shape = weight._array.size, input._array.shape
    if weight._array.ndim > 1:
        ndim = weight._array.ndim
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {ndim}")
    if count != 1:
        channels = shape[1] if len(shape) > 1 else 1
        if not shape:
            raise RuntimeError("Not allow zero-dim input tensor.")
        if count != channels:
            raise RuntimeError(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {count} and channel "
                f"size = {channels}."
            )
    fitting = (count,) + (1,) * max(len(shape) - 2, 0) if count > 1 else (1,) * len(shape)
    return _prelu(input, np.reshape(weight, fitting))


@takes_out
def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """A leaky relu whose slopes are drawn from [lower, upper) in training, else are their mean.

    Source: Xu et al. 2015; PyTorch's `nn.functional.rrelu`.
    """
    need_reals(input, "rrelu_cpu")
    if lower > upper:
        raise RuntimeError(f"Lower bound should be less than or equal to the upper bound, got {lower} and {upper}")
    if not training:
        return run_either_way(_leaky_relu, input, ((lower + upper) / 2,), inplace)
    x = input._array
    slopes = draw_by(_slopes, x, lower, upper)
    return run_either_way(_times, input, (wrap(slopes),), inplace)


def _slopes(x: Any, lower: float, upper: float) -> Any:
    """1, and where x falls a random slope."""
    slopes = np.ones(x.shape, x.dtype)
    falling = x <= 0
    low, high = float(x.dtype.type(lower)), float(x.dtype.type(upper))
    slopes[falling] = default_generator.uniform(int(falling.sum()), dtype=np.float64) * (high - low) + low
    return slopes


def rrelu_(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Tensor:
    """In-place form of `rrelu`."""
    return rrelu(input, lower, upper, training, True)


_times = row("rrelu_with_noise", lambda x, slopes: x * slopes, x=lambda g, slopes: g * slopes, slopes=None)


# ---- sigmoid and what is made with it -------------------------------------------------------------------------------
def _logistic_steps(place: Any, x: Any) -> None:
    np.negative(x, place)
    np.exp(place, place)
    np.add(place, 1, place)
    np.divide(1, place, place)


@in_steps(_logistic_steps)
def _logistic(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _sigmoid_steps(place: Any, g: Any, out: Any) -> None:
    np.subtract(1, out, place)
    np.multiply(out, place, place)
    np.multiply(g, place, place)


@in_steps(_sigmoid_steps)
def _sigmoid_rule(g: Any, out: Any) -> Any:
    return g * (out * (1 - out))


sigmoid = unary("sigmoid", quiet(keeps_type(_logistic)), _sigmoid_rule, doc="1 / (1 + exp(-x))")

logsigmoid_row = row(
    "log_sigmoid", quiet(keeps_type(lambda x: np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x))))),
    x=lambda g, x: g * sigmoid(-x),
)  # fmt: skip


@takes_out
def logsigmoid(input: Tensor) -> Tensor:
    """ln sigmoid(x), right also where sigmoid is 0 or 1. Source: PyTorch's `nn.functional.logsigmoid`."""
    need_reals(input, "log_sigmoid_cpu")
    return logsigmoid_row(input)


def _softplus_forward(x: Any, beta: float, threshold: float) -> Any:
    if beta == 1 and threshold >= 20 and x.dtype.itemsize <= 4:  # from there on, this is x
        return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)
    scaled = x * beta
    smooth = np.maximum(scaled, 0) + np.log1p(np.exp(-np.abs(scaled)))
    return chosen(scaled > threshold, x, smooth / beta)


def _softplus_rule(g: Any, x: Any, beta: float, threshold: float) -> Any:
    scaled = x * beta
    if threshold >= 20 and x.dtype.itemsize <= 4:
        return g * sigmoid(scaled)  # 1 from there on
    return masked(g, scaled > threshold) + masked(g * sigmoid(scaled), ~(scaled > threshold))


_softplus = row(
    "softplus", keeps_type(_softplus_forward), x=_softplus_rule
)  # fmt: skip


@takes_out
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """ln(1 + exp(beta x)) / beta, and x itself where beta x > threshold. Source: PyTorch's `nn.functional.softplus`."""
    need_reals(input, "softplus_cpu")
    return _softplus(input, beta, threshold)


def _gated(name: str, grad_name: str | None = None) -> Callable[..., Any]:
    """The row of x · gate, for activations whose gate, a function of x, is a row of its own.

    So the gate is computed once, for forward and backward.
    """
    return row(
        name, quiet(lambda x, gate: x * gate), grad_name=grad_name, x=lambda g, gate: g * gate, gate=lambda g, x: g * x
    )


_gelu_tanh, _mish = _gated("gelu_tanh", "GeluBackward0"), _gated("mish")


@in_blocks
def _silu_backward(g: Any, x: Any) -> Any:
    gate = 1 / (1 + np.exp(-x))
    out = 1 - gate  # g · gate · (1 + x · (1 - gate)), in place
    out *= x
    out += 1
    out *= gate
    out *= g
    return out


def _silu_rule(g: Any, x: Any) -> Any:
    if type(g) is _ndarray:
        return _silu_backward(g, x)
    gate = sigmoid(x)
    return g * (gate * (1 + x * (1 - gate)))


_silu = row("silu", quiet(keeps_type(lambda x: x / (1 + np.exp(-x)))), x=_silu_rule)


def _wants_slope(input: Tensor, kinds: str) -> bool:
    """Whether there is so much of it that its slope had better be kept from forward, where its parts are at hand."""
    x = input._array
    many = x.size > 1 << 15 and x.dtype.char in kinds and x.flags.c_contiguous
    return many and mode.enabled and input.requires_grad


def _by_slope(g: Any, slope: Any, wanted: Any, x: Any) -> tuple[Any]:
    return (g * slope,)


def _by_slope_in_place(g: Any, slope: Any, wanted: Any, x: Any) -> tuple[Any]:
    return (np.multiply(g, slope, out=slope),)


def _with_slope(name: str, both: Callable[..., None], plain: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The activation as an operation whose gradient is one product; both(x, out, slope) writes a block of each."""

    def forward(keep: bool, x: Any) -> tuple[Any, Any]:
        out, slope = np.empty_like(x), np.empty_like(x)
        flat = [each.reshape(-1) for each in (x, out, slope)]
        for i in blocks_of(flat[0]):
            both(*[each[i] for each in flat])
        return out, slope

    return fused(name, forward, _by_slope, plain, spend=_by_slope_in_place)


def _silu_both(x: Any, out: Any, slope: Any) -> None:
    """x σ and σ (1 + x (1 - σ)) = σ + x σ (1 - σ)"""
    gate = np.negative(x)
    np.exp(gate, out=gate)
    gate += 1
    np.divide(1, gate, out=gate)
    np.multiply(x, gate, out=out)
    np.subtract(1, gate, out=slope)
    slope *= out
    slope += gate


def _plain_silu(x: Tensor, /) -> Tensor:
    return x * sigmoid(x)


_silu_of_many = _with_slope("silu", _silu_both, _plain_silu)


@takes_out
def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x · sigmoid(x). Source: Ramachandran et al. 2017; PyTorch's `nn.functional.silu`."""
    need_floats(input, "silu")
    return run_either_way(_silu_of_many if _wants_slope(input, "fd") else _silu, input, (), inplace)


_NORMAL = 1 / math.sqrt(2 * math.pi)
_normal_cdf = row(
    "normal_cdf", lambda x: normal_cdf(x),
    x=lambda g, x: g * (_NORMAL * np.exp(-0.5 * x * x)),
)  # fmt: skip


@in_blocks
def _gelu_backward(g: Any, x: Any, cdf: Any) -> Any:
    """g (Φ(x) + x Φ'(x))"""
    out = x * x
    out *= -0.5
    slope = np.exp(out)
    slope *= x
    slope *= _NORMAL
    slope += cdf
    slope *= g
    return slope


def _gelu_rule(g: Any, x: Any, cdf: Any) -> Any:
    if type(g) is _ndarray:
        return _gelu_backward(g, x, cdf)
    return g * (_normal_cdf(x) + x * (_NORMAL * np.exp(-0.5 * (x * x))))  # once more, because `cdf` has no graph


# The gate comes as a number, already known, so that backward need not compute it again.
_gelu = row("gelu", quiet(lambda x, cdf: x * cdf), x=_gelu_rule, cdf=None)

def _gelu_both(x: Any, out: Any, slope: Any) -> None:
    """x Φ(x) and Φ(x) + x Φ'(x)"""
    np.multiply(x, x, out=slope)
    cdf = normal_cdf_of_block(x, slope)
    np.multiply(x, cdf, out=out)
    slope *= -0.5
    np.exp(slope, out=slope)
    slope *= _NORMAL
    slope *= x
    slope += cdf


def _plain_gelu(x: Tensor, /) -> Tensor:
    return x * _normal_cdf(x)


_gelu_of_many = _with_slope("gelu", _gelu_both, _plain_gelu)

_GELU_SCALE, _GELU_CUBE = math.sqrt(2 / math.pi), 0.044715
_tanh_cdf = row(
    "tanh_cdf", quiet(keeps_type(lambda x: 0.5 + 0.5 * np.tanh(_GELU_SCALE * (x + _GELU_CUBE * (x * x * x))))),
    x=lambda g, x, out: g * (out * (1 - out)) * (2 * _GELU_SCALE + 6 * _GELU_SCALE * _GELU_CUBE * (x * x)),
)  # fmt: skip


def _gelu_tanh_both(x: Any, out: Any, slope: Any) -> None:
    """x Φ(x) and Φ(x) + x Φ'(x), where Φ = (1 + tanh u) / 2, u = s (x + c x³), and so Φ' = 2 Φ (1 - Φ) u'"""
    np.multiply(x, x, out=slope)
    cdf = slope * (_GELU_SCALE * _GELU_CUBE)
    cdf += _GELU_SCALE
    cdf *= x
    np.tanh(cdf, out=cdf)
    cdf += 1
    cdf *= 0.5
    np.multiply(x, cdf, out=out)
    slope *= 6 * _GELU_SCALE * _GELU_CUBE
    slope += 2 * _GELU_SCALE
    slope *= cdf
    slope *= 1 - cdf
    slope *= x
    slope += cdf


def _plain_gelu_tanh(x: Tensor, /) -> Tensor:
    return _gelu_tanh(x, _tanh_cdf(x))


_gelu_tanh_of_many = _with_slope("gelu", _gelu_tanh_both, _plain_gelu_tanh)


@takes_out
def gelu(input: Tensor, *, approximate: str = "none") -> Tensor:
    """x Φ(x), Φ the standard normal distribution function; with approximate='tanh' the paper's formula for it.

    Source: Hendrycks and Gimpel 2016, "Gaussian error linear units"; PyTorch's `nn.functional.gelu`.

    >>> from mini_torch import tensor
    >>> gelu(tensor([-1., 0., 1.]))
    tensor([-0.1587,  0.0000,  0.8413])
    """
    need_reals(input, "GeluKernelImpl")
    if approximate == "none":
        if not (mode.enabled and input.requires_grad):  # nobody will ask for Φ(x) itself
            return wrap(times_normal_cdf(input._array))
        if _wants_slope(input, "fd"):
            return _gelu_of_many(input)
        return _gelu(input, wrap(normal_cdf(input._array)))
    if approximate == "tanh":
        return (_gelu_tanh_of_many if _wants_slope(input, "fd") else _plain_gelu_tanh)(input)
    raise RuntimeError(f"approximate argument must be either none or tanh, not '{approximate}'.")


def _tanh_softplus(x: Any) -> Any:
    e = np.exp(np.minimum(x, 20))  # from there on the result is 1
    n = e * (e + 2)
    return n / (n + 2)


_mish_gate = row("tanh_softplus", keeps_type(_tanh_softplus), x=lambda g, x, out: g * (1 - out * out) * sigmoid(x))


@takes_out
def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x · tanh(softplus(x)). Source: Misra 2019, "Mish"; PyTorch's `nn.functional.mish`."""
    need_reals(input, "mish_cpu")
    return run_either_way(lambda x: _mish(x, _mish_gate(x)), input, (), inplace)


@takes_out
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half along `dim` times the sigmoid of the second.

    Errors: RuntimeError for an odd size. Source: Dauphin et al. 2016; PyTorch's `nn.functional.glu`.
    """
    need_reals(input, "glu_cpu")
    if not input._array.ndim:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    axis = check_dim(dim, input._array.ndim)
    size = input._array.shape[axis]
    if size % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {axis} is size {size}")
    first, second = chunk(input, 2, axis)
    return _glu(first, sigmoid(second))


_glu = _gated("glu")


# ---- exponential ones -----------------------------------------------------------------------------------------------
def _elu_forward(x: Any, alpha: float, scale: float, input_scale: float) -> Any:
    return np.maximum(x, 0) * scale + alpha * scale * np.expm1(np.minimum(x, 0) * input_scale)


def _elu_rule(g: Any, x: Any, alpha: float, scale: float, input_scale: float) -> Any:
    slope = np.exp(np.fmin(x, 0) * input_scale)  # 1 from 0 on, and for NaN
    if alpha * input_scale == 1:
        return g * (scale * slope)
    return masked(g * (alpha * scale * input_scale) * slope, x <= 0) + masked(g * scale, ~(x <= 0))


_elu = row("elu", keeps_type(_elu_forward), x=_elu_rule)
_celu = row(
    "celu", lambda x, alpha: keeps_type(_elu_forward)(x, alpha, 1.0, 1.0 / alpha),
    x=lambda g, x, alpha: g * np.exp(np.fmin(x, 0) * (1.0 / alpha)),
)  # fmt: skip


@takes_out
def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x above 0, alpha (exp(x) - 1) below. Source: Clevert et al. 2015; PyTorch's `nn.functional.elu`."""
    need_reals(input, "elu_cpu")
    return run_either_way(_elu, input, (alpha, 1.0, 1.0), inplace)


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """In-place form of `elu`."""
    return elu(input, alpha, True)


_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


@public(method=False)
def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """The elu with the scales that keep activations at mean 0 and variance 1.

    Source: Klambauer et al. 2017, "Self-normalizing neural networks"; PyTorch's `nn.functional.selu`.
    """
    need_reals(input, "elu_cpu")
    return run_either_way(_elu, input, (_SELU_ALPHA, _SELU_SCALE, 1.0), inplace)


def selu_(input: Tensor) -> Tensor:
    """In-place form of `selu`."""
    return selu(input, True)


@public(method=False)
def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x above 0, alpha (exp(x / alpha) - 1) below. Source: Barron 2017; PyTorch's `nn.functional.celu`."""
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    need_reals(input, "elu_cpu")
    return run_either_way(_celu, input, (alpha,), inplace)


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """In-place form of `celu`."""
    return celu(input, alpha, True)


# ---- made of others -------------------------------------------------------------------------------------------------
@takes_out
def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|). Source: PyTorch's `nn.functional.softsign`."""
    return input / (abs(input) + 1)


@takes_out
def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x). Source: PyTorch's `nn.functional.tanhshrink`."""
    return input - tanh(input)
