"""Activations as modules, to stand between layers. What they compute is in `ops/activation.py`."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .dtype import check_device, default_numpy_dtype, to_numpy_dtype
from .layer import Identity, Linear
from .network import Module, Parameter
from .ops.activation import (
    celu,
    elu,
    gelu,
    glu,
    leaky_relu,
    logsigmoid,
    mish,
    prelu,
    relu,
    rrelu,
    selu,
    sigmoid,
    silu,
    softplus,
    softsign,
    tanhshrink,
)
from .ops.elementwise.trigonometry import tanh
from .ops.linear_relu import linear_relu
from .ops.softmax import log_softmax, softmax, softmin
from .ops.thresholds import hardshrink, hardsigmoid, hardswish, hardtanh, relu6, softshrink, threshold
from .tensor import Tensor, wrap

__all__ = [
    "CELU", "ELU", "GELU", "GLU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "Identity", "LeakyReLU",
    "LogSigmoid", "LogSoftmax", "Mish", "PReLU", "RReLU", "ReLU", "ReLU6", "SELU", "SiLU", "Sigmoid", "Softmax",
    "Softmax2d", "Softmin", "Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink", "Threshold",
]  # fmt: skip


class _InPlace(Module):
    """What the activations share whose only option is `inplace`: to write the result into the input."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class _SilentlyInPlace(_InPlace):
    """PyTorch's repr of these does not tell."""

    def extra_repr(self) -> str:
        return ""


def _and_inplace(text: str, inplace: bool) -> str:
    return f"{text}, inplace=True" if inplace else text


def _renamed(old: str, new: str, value: float) -> float:
    warnings.warn(f"keyword argument `{old}` is deprecated and renamed to `{new}`", FutureWarning, stacklevel=3)
    return value


class ReLU(_InPlace):
    """max(x, 0), with gradient 0 at 0. PyTorch's `nn.ReLU`.

    >>> ReLU()(mini_torch.tensor([-1., 2.]))
    tensor([0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return relu(input, self.inplace)

    def _after(self, module: Module, input: Any) -> Any:
        if type(module) is not Linear or type(self) is not ReLU or module._has_hooks or self._has_hooks:
            return None
        held = module.__dict__
        if "forward" in held or "forward" in self.__dict__:  # somebody's own
            return None
        own = held["_parameters"]
        return linear_relu(input, own.get("weight"), own.get("bias"))


class LeakyReLU(Module):
    """x above 0, negative_slope · x below. PyTorch's `nn.LeakyReLU`."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return _and_inplace(f"negative_slope={self.negative_slope}", self.inplace)


class RReLU(Module):
    """A leaky relu with random slopes in training. Source: Xu et al. 2015; PyTorch's `nn.RReLU`."""

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return _and_inplace(f"lower={self.lower}, upper={self.upper}", self.inplace)


class PReLU(Module):
    """x above 0, weight · x below; the weight is trained, one for all or one per channel (dimension 1).

    Source: He et al. 2015, "Delving deep into rectifiers"; PyTorch's `nn.PReLU`.
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        check_device(device)
        self.num_parameters = num_parameters
        self.init = init
        kind = default_numpy_dtype() if dtype is None else to_numpy_dtype(dtype)
        self.weight = Parameter(wrap(np.full(num_parameters, init, kind)))

    def reset_parameters(self) -> None:
        """Sets the weight back to its first value."""
        self.weight.data.fill_(self.init)

    def forward(self, input: Tensor) -> Tensor:
        return prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class ELU(Module):
    """x above 0, alpha (exp(x) - 1) below. Source: Clevert et al. 2015; PyTorch's `nn.ELU`."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return _and_inplace(f"alpha={self.alpha}", self.inplace)


class CELU(Module):
    """x above 0, alpha (exp(x / alpha) - 1) below. Source: Barron 2017; PyTorch's `nn.CELU`."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return celu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return _and_inplace(f"alpha={self.alpha}", self.inplace)


class SELU(_InPlace):
    """The elu that keeps mean 0 and variance 1. Source: Klambauer et al. 2017; PyTorch's `nn.SELU`."""

    def forward(self, input: Tensor) -> Tensor:
        return selu(input, self.inplace)


class GELU(Module):
    """x Φ(x), Φ the normal distribution function; approximate='tanh' for the paper's formula.

    Source: Hendrycks and Gimpel 2016, "Gaussian error linear units"; PyTorch's `nn.GELU`.

    >>> GELU()(mini_torch.tensor([-1., 0., 1.]))
    tensor([-0.1587,  0.0000,  0.8413])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(_InPlace):
    """x · sigmoid(x). Source: Ramachandran et al. 2017; PyTorch's `nn.SiLU`."""

    def forward(self, input: Tensor) -> Tensor:
        return silu(input, self.inplace)


class Mish(_InPlace):
    """x · tanh(softplus(x)). Source: Misra 2019; PyTorch's `nn.Mish`."""

    def forward(self, input: Tensor) -> Tensor:
        return mish(input, self.inplace)


class Hardswish(_SilentlyInPlace):
    """x · hardsigmoid(x). Source: Howard et al. 2019; PyTorch's `nn.Hardswish`."""

    def forward(self, input: Tensor) -> Tensor:
        return hardswish(input, self.inplace)


class Hardsigmoid(_SilentlyInPlace):
    """x / 6 + 1/2 within [-3, 3], 0 below, 1 above. PyTorch's `nn.Hardsigmoid`."""

    def forward(self, input: Tensor) -> Tensor:
        return hardsigmoid(input, self.inplace)


class Hardtanh(Module):
    """x within [min_val, max_val], the nearest end outside; `min_value` and `max_value` are old names, which warn.

    Errors: AssertionError where max_val is not above min_val. PyTorch's `nn.Hardtanh`.
    """

    def __init__(
        self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False, min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if min_value is not None:
            min_val = _renamed("min_value", "min_val", min_value)
        if max_value is not None:
            max_val = _renamed("max_value", "max_val", max_value)
        if max_val <= min_val:
            raise AssertionError(f"max_val ({max_val}) must be greater than min_val ({min_val})")
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        return _and_inplace(f"min_val={self.min_val}, max_val={self.max_val}", self.inplace)


class ReLU6(Hardtanh):
    """x within [0, 6], the nearest end outside. PyTorch's `nn.ReLU6`."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def forward(self, input: Tensor) -> Tensor:
        return relu6(input, self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Threshold(Module):
    """x where it is above `threshold`, else `value`. PyTorch's `nn.Threshold`."""

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        return _and_inplace(f"threshold={self.threshold}, value={self.value}", self.inplace)


class Hardshrink(Module):
    """x where |x| > lambd, else 0. PyTorch's `nn.Hardshrink`."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


class Softshrink(Module):
    """x moved towards 0 by lambd. PyTorch's `nn.Softshrink`."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


class Sigmoid(Module):
    """1 / (1 + exp(-x)). PyTorch's `nn.Sigmoid`."""

    def forward(self, input: Tensor) -> Tensor:
        return sigmoid(input)


class LogSigmoid(Module):
    """ln sigmoid(x). PyTorch's `nn.LogSigmoid`."""

    def forward(self, input: Tensor) -> Tensor:
        return logsigmoid(input)


class Tanh(Module):
    """tanh x. PyTorch's `nn.Tanh`."""

    def forward(self, input: Tensor) -> Tensor:
        return tanh(input)


class Tanhshrink(Module):
    """x - tanh(x). PyTorch's `nn.Tanhshrink`."""

    def forward(self, input: Tensor) -> Tensor:
        return tanhshrink(input)


class Softsign(Module):
    """x / (1 + |x|). PyTorch's `nn.Softsign`."""

    def forward(self, input: Tensor) -> Tensor:
        return softsign(input)


class Softplus(Module):
    """ln(1 + exp(beta x)) / beta, and x itself where beta x > threshold. PyTorch's `nn.Softplus`."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        return softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class GLU(Module):
    """The first half along `dim` times the sigmoid of the second. Source: Dauphin et al. 2016; PyTorch's `nn.GLU`."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(Module):
    """exp(x) along `dim`, divided by its sum. PyTorch's `nn.Softmax`."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return softmax(input, self.dim, _stacklevel=5)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """ln softmax(x) along `dim`. PyTorch's `nn.LogSoftmax`."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return log_softmax(input, self.dim, _stacklevel=5)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmin(Module):
    """softmax(-x) along `dim`. PyTorch's `nn.Softmin`."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return softmin(input, self.dim, _stacklevel=5)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax2d(Module):
    """The softmax over the channels of (N, C, H, W) or (C, H, W). PyTorch's `nn.Softmax2d`."""

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead")
        return softmax(input, -3)
