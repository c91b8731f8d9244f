"""How parameters start: objects that fill a tensor, and PyTorch's `nn.init` functions, which draw the same numbers.

    XavierUniform(gain=2.0)(weight)        an object, for `Dense(…, weight_initializer=…)`
    xavier_uniform_(weight, gain=2.0)      a function, as `nn.init.xavier_uniform_`

All work in place, outside the graph, and return the tensor. A weight has the shape (outputs, inputs, …).
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from .creation import empty_like
from .graph import no_grad
from .random import inplace as fill
from .random.generator import Generator, chosen, default_generator
from .tensor import Tensor

__all__ = [
    "Constant", "HeNormal", "HeUniform", "Initializer", "Normal", "Ones", "Orthogonal", "TruncatedNormal", "Uniform",
    "XavierNormal", "XavierUniform", "Zeros", "calculate_gain", "constant_", "dirac_", "eye_", "kaiming_normal_",
    "initializer", "kaiming_uniform_", "normal_", "ones_", "orthogonal_", "sparse_", "trunc_normal_", "uniform_",
    "xavier_normal_", "xavier_uniform_", "zeros_",
]  # fmt: skip

_GAINS: dict[str, float] = {
    "linear": 1, "conv1d": 1, "conv2d": 1, "conv3d": 1, "conv_transpose1d": 1, "conv_transpose2d": 1,
    "conv_transpose3d": 1, "sigmoid": 1, "tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 3.0 / 4,
}  # fmt: skip


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much weights must grow so that the activations behind `nonlinearity` keep their scale.

    `param` is leaky_relu's slope, 0.01 if not given. Errors: ValueError for an unknown name.
    Source: PyTorch's `nn.init.calculate_gain`.

    >>> calculate_gain("relu")
    1.4142135623730951
    """
    if nonlinearity in _GAINS:
        return _GAINS[nonlinearity]
    if nonlinearity != "leaky_relu":
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}")
    if param is None:
        param = 0.01
    elif isinstance(param, bool) or not isinstance(param, int | float):
        raise ValueError(f"negative_slope {param} not a valid number")
    return math.sqrt(2.0 / (1 + param**2))


def _fans(tensor: Tensor) -> tuple[int, int]:
    """How many inputs and outputs one number of the weight connects: (fan in, fan out)."""
    shape = tensor._array.shape
    if len(shape) < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def _write(tensor: Tensor, values: Any) -> Tensor:
    tensor._array[...] = values
    tensor._bump()
    return tensor


def _is_empty(tensor: Tensor) -> bool:
    if tensor._array.size:
        return False
    warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
    return True


# ---- PyTorch's functions --------------------------------------------------------------------------------------------
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fills `tensor` with numbers drawn uniformly from [a, b). Source: PyTorch's `nn.init.uniform_`."""
    with no_grad():
        return fill.uniform_(tensor, a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fills `tensor` with normal numbers. Source: PyTorch's `nn.init.normal_`."""
    with no_grad():
        return fill.normal_(tensor, mean, std, generator=generator)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fills `tensor` with `val`. Source: PyTorch's `nn.init.constant_`."""
    return _write(tensor, val)


def ones_(tensor: Tensor) -> Tensor:
    """Fills `tensor` with 1. Source: PyTorch's `nn.init.ones_`."""
    return _write(tensor, 1)


def zeros_(tensor: Tensor) -> Tensor:
    """Fills `tensor` with 0. Source: PyTorch's `nn.init.zeros_`."""
    return _write(tensor, 0)


def eye_(tensor: Tensor) -> Tensor:
    """Makes the matrix `tensor` the identity. Source: PyTorch's `nn.init.eye_`."""
    if tensor._array.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    return _write(tensor, np.eye(*tensor._array.shape))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Makes a convolution's weight pass its input on: 1 at the centre of channel i to i, else 0.

    Source: PyTorch's `nn.init.dirac_`.
    """
    shape = tensor._array.shape
    if len(shape) not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if shape[0] % groups:
        raise ValueError("dim 0 must be divisible by groups")
    weight = np.zeros(shape, tensor._array.dtype)
    per_group = shape[0] // groups
    for channel in range(min(per_group, shape[1])):
        weight[(slice(channel, None, per_group), channel, *(n // 2 for n in shape[2:]))] = 1
    return _write(tensor, weight)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform in ±gain √(6 / (inputs + outputs)).

    Source: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks";
    PyTorch's `nn.init.xavier_uniform_`.
    """
    fan_in, fan_out = _fans(tensor)
    std = gain * math.sqrt(2.0 / float(fan_in + fan_out))
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with standard deviation gain √(2 / (inputs + outputs)).

    Source: Glorot and Bengio 2010; PyTorch's `nn.init.xavier_normal_`.
    """
    fan_in, fan_out = _fans(tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / float(fan_in + fan_out)), generator)


def _fan(tensor: Tensor, mode: str) -> int:
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode.lower()} not supported, please use one of ['fan_in', 'fan_out']")
    return _fans(tensor)[mode.lower() == "fan_out"]


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """He's initialisation, uniform: in ±gain √(3 / fan), fan by `mode`; `a` is leaky_relu's slope.

    Source: He et al. 2015, "Delving deep into rectifiers"; PyTorch's `nn.init.kaiming_uniform_`.
    """
    if _is_empty(tensor):
        return tensor
    bound = math.sqrt(3.0) * (calculate_gain(nonlinearity, a) / math.sqrt(_fan(tensor, mode)))
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """He's initialisation, normal: standard deviation gain / √fan, fan by `mode`; `a` is leaky_relu's slope.

    Source: He et al. 2015; PyTorch's `nn.init.kaiming_normal_`.
    """
    if _is_empty(tensor):
        return tensor
    return normal_(tensor, 0.0, calculate_gain(nonlinearity, a) / math.sqrt(_fan(tensor, mode)), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Makes the matrix (all dimensions but the first as one) orthogonal, times `gain`.

    Source: Saxe et al. 2013, "Exact solutions to the nonlinear dynamics of learning in deep linear networks";
    PyTorch's `nn.init.orthogonal_`.
    """
    shape = tensor._array.shape
    if len(shape) < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if not tensor._array.size:
        return tensor
    rows, columns = shape[0], math.prod(shape[1:])
    flat = chosen(generator).normal((rows, columns), dtype=tensor._array.dtype)
    q, r = np.linalg.qr(flat.T if rows < columns else flat)
    q = q * np.sign(np.diagonal(r))  # one choice of the signs: uniform over the orthogonal matrices
    return _write(tensor, (q.T if rows < columns else q).reshape(shape) * gain)


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Normal numbers within [a, b]: what falls outside is drawn again. Source: PyTorch's `nn.init.trunc_normal_`."""
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be "
            "incorrect.",
            stacklevel=2,
        )
    draw = _normal_within if _share_below((b - mean) / std) - _share_below((a - mean) / std) > 0.3 else _uniform_thinned
    return _write(tensor, draw(tensor, mean, std, a, b, chosen(generator)))


def _share_below(x: float) -> float:
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def _normal_within(tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Generator) -> Any:
    """As in PyTorch, all are drawn anew as long as one is outside, and only those outside are replaced."""

    def drawn() -> Any:
        return normal_(empty_like(tensor), mean, std, generator)._array

    values = drawn()
    while (outside := (values < a) | (values > b)).any():
        values = np.where(outside, drawn(), values)
    return values


def _uniform_thinned(tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Generator) -> Any:
    """Where [a, b] is far out: uniform candidates, kept with a probability as high as the density there."""

    def drawn(low: float, high: float) -> Any:
        return uniform_(empty_like(tensor), low, high, generator)._array

    peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
    values, pending = np.zeros_like(tensor._array), np.ones_like(tensor._array, bool)
    while pending.any():
        candidates = drawn(a, b)
        values = np.where(pending, candidates, values)
        with np.errstate(divide="ignore"):
            chance = np.log(drawn(0, 1))
        pending &= chance > np.square((candidates - mean) / std) * -0.5 - peak
    return values


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Normal numbers, of which the share `sparsity` of each column is 0.

    Source: Martens 2010, "Deep learning via Hessian-free optimization"; PyTorch's `nn.init.sparse_`.
    """
    if tensor._array.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor._array.shape
    normal_(tensor, 0.0, std, generator)
    for column in range(columns):
        order = default_generator.permutation(rows)
        tensor._array[order[: math.ceil(sparsity * rows)], column] = 0
    return tensor


def _old_name(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """`function` under its name without the underscore, which warns."""
    new = function.__name__
    old = new.removesuffix("_")

    @functools.wraps(function)
    def renamed(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(
            f"`nn.init.{old}` is now deprecated in favor of `nn.init.{new}`.", FutureWarning, stacklevel=2
        )
        return function(*args, **kwargs)

    renamed.__name__ = renamed.__qualname__ = old
    return renamed


uniform, normal, constant, eye = (_old_name(f) for f in (uniform_, normal_, constant_, eye_))
xavier_uniform, xavier_normal = _old_name(xavier_uniform_), _old_name(xavier_normal_)
kaiming_uniform, kaiming_normal = _old_name(kaiming_uniform_), _old_name(kaiming_normal_)
dirac, orthogonal, sparse = _old_name(dirac_), _old_name(orthogonal_), _old_name(sparse_)


# ---- objects --------------------------------------------------------------------------------------------------------
class Initializer:
    """A way to fill tensors: call it with one. The classes below are such ways, with their options."""

    def __call__(self, tensor: Tensor) -> Tensor:
        """Fills `tensor`, in place and outside the graph, and returns it."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).items()))


class Constant(Initializer):
    """`value` everywhere.

    >>> Constant(3.0)(mini_torch.empty(2))
    tensor([3., 3.])
    """

    def __init__(self, value: float) -> None:
        self.value = value

    def __call__(self, tensor: Tensor) -> Tensor:
        return constant_(tensor, self.value)


class Zeros(Initializer):
    """0 everywhere: for biases. Weights that all start at 0 stay equal to each other."""

    def __call__(self, tensor: Tensor) -> Tensor:
        return zeros_(tensor)


class Ones(Initializer):
    """1 everywhere."""

    def __call__(self, tensor: Tensor) -> Tensor:
        return ones_(tensor)


class Uniform(Initializer):
    """Uniform in [a, b)."""

    def __init__(self, a: float = 0.0, b: float = 1.0) -> None:
        self.a, self.b = a, b

    def __call__(self, tensor: Tensor) -> Tensor:
        return uniform_(tensor, self.a, self.b)


class Normal(Initializer):
    """Normal with the given mean and standard deviation."""

    def __init__(self, mean: float = 0.0, std: float = 1.0) -> None:
        self.mean, self.std = mean, std

    def __call__(self, tensor: Tensor) -> Tensor:
        return normal_(tensor, self.mean, self.std)


class TruncatedNormal(Initializer):
    """Normal within [a, b], see `trunc_normal_`."""

    def __init__(self, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0) -> None:
        self.mean, self.std, self.a, self.b = mean, std, a, b

    def __call__(self, tensor: Tensor) -> Tensor:
        return trunc_normal_(tensor, self.mean, self.std, self.a, self.b)


class XavierUniform(Initializer):
    """Keeps the scale of activations and gradients through linear, tanh and sigmoid layers, see `xavier_uniform_`."""

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, tensor: Tensor) -> Tensor:
        return xavier_uniform_(tensor, self.gain)


class XavierNormal(Initializer):
    """As `XavierUniform`, but normal, see `xavier_normal_`."""

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, tensor: Tensor) -> Tensor:
        return xavier_normal_(tensor, self.gain)


class HeUniform(Initializer):
    """Keeps the scale of activations through relu layers: uniform in ±gain √(3 / fan), see `kaiming_uniform_`.

    `mode="fan_out"` keeps that of the gradients instead.
    """

    def __init__(self, gain: float = math.sqrt(2.0), mode: str = "fan_in") -> None:
        self.gain, self.mode = gain, mode

    def __call__(self, tensor: Tensor) -> Tensor:
        bound = math.sqrt(3.0) * (self.gain / math.sqrt(_fan(tensor, self.mode)))
        return uniform_(tensor, -bound, bound)


class HeNormal(Initializer):
    """As `HeUniform`, but normal with standard deviation gain / √fan, see `kaiming_normal_`."""

    def __init__(self, gain: float = math.sqrt(2.0), mode: str = "fan_in") -> None:
        self.gain, self.mode = gain, mode

    def __call__(self, tensor: Tensor) -> Tensor:
        return normal_(tensor, 0.0, self.gain / math.sqrt(_fan(tensor, self.mode)))


class Orthogonal(Initializer):
    """An orthogonal matrix times `gain`, see `orthogonal_`."""

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, tensor: Tensor) -> Tensor:
        return orthogonal_(tensor, self.gain)


_BY_NAME: dict[str, type[Initializer]] = {
    "zeros": Zeros, "ones": Ones, "uniform": Uniform, "normal": Normal, "truncated_normal": TruncatedNormal,
    "xavier_uniform": XavierUniform, "xavier_normal": XavierNormal, "he_uniform": HeUniform, "he_normal": HeNormal,
    "kaiming_uniform": HeUniform, "kaiming_normal": HeNormal, "orthogonal": Orthogonal,
}  # fmt: skip


def initializer(given: str | Callable[[Tensor], Any]) -> Callable[[Tensor], Any]:
    """The initializer of a name such as "he_normal"; an object, or a function of a tensor, as it is.

    Errors: ValueError for an unknown name, TypeError for what cannot be called.

    >>> initializer("xavier_uniform")
    XavierUniform(gain=1.0)
    """
    if isinstance(given, str):
        if given not in _BY_NAME:
            raise ValueError(f"unknown initializer {given!r}, expected one of {', '.join(_BY_NAME)}")
        return _BY_NAME[given]()
    if not callable(given):
        raise TypeError(f"an initializer is a name or a callable, got {type(given).__name__}")
    return given
