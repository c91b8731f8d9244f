"""Layers that multiply by a matrix: `Linear`, and `Dense`, which finds out its input size itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..creation import empty
from ..graph import no_grad
from ..initializer import initializer, kaiming_uniform_, uniform_
from ..network import LazyModuleMixin, Module, Parameter, UninitializedParameter, is_lazy
from ..ops.linalg.contraction import bilinear
from ..ops.linalg.products import linear
from ..tensor import Tensor

__all__ = ["Bilinear", "Dense", "LazyLinear", "Linear"]

Initial = str | Callable[[Tensor], Any]


def _empty(shape: tuple[int, ...], device: Any, dtype: Any) -> Parameter:
    parameter: Parameter = Parameter(empty(shape, dtype=dtype, device=device))
    return parameter


def _start_weight(weight: Tensor) -> None:
    """Uniform in ±1/√in_features, in PyTorch's arithmetic."""
    kaiming_uniform_(weight, a=math.sqrt(5))


def _start_bias(bias: Tensor, in_features: int) -> None:
    bound = 1 / math.sqrt(in_features) if in_features > 0 else 0
    uniform_(bias, -bound, bound)


class Linear(Module):
    """y = x Wᵀ + b.

    Shape: x (*, in_features) → y (*, out_features); weight (out_features, in_features), bias (out_features,).
    Initialised uniformly in ±1/√in_features. Errors: RuntimeError where x has another last size.
    Source: PyTorch's `nn.Linear`.

    >>> Linear(3, 2)(mini_torch.ones(5, 3)).shape
    torch.Size([5, 2])
    """

    in_features: int
    out_features: int

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = _empty((out_features, in_features), device, dtype)
        self.register_parameter("bias", _empty((out_features,), device, dtype) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws weight and bias anew."""
        _start_weight(self.weight)
        if self.bias is not None:
            _start_bias(self.bias, self.in_features)

    def forward(self, input: Tensor) -> Tensor:
        own = self._parameters  # not self.weight: that search costs as much as a small product
        try:
            weight, bias = own["weight"], own["bias"]
        except KeyError:  # somebody made a plain attribute or a property of one (weight normalisation does)
            weight, bias = self.weight, self.bias
        return linear(input, weight, bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class LazyLinear(LazyModuleMixin, Linear):
    """A `Linear` whose in_features is the last size of its first input. PyTorch's `nn.LazyLinear`.

    >>> layer = LazyLinear(2)
    >>> layer(mini_torch.ones(5, 3)).shape, layer
    (torch.Size([5, 2]), Linear(in_features=3, out_features=2, bias=True))
    """

    cls_to_become = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        Module.__init__(self)
        self.in_features = 0
        self.out_features = out_features
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.register_parameter("bias", UninitializedParameter(device=device, dtype=dtype) if bias else None)

    def reset_parameters(self) -> None:
        """Draws weight and bias anew, if they have a shape."""
        if not self.has_uninitialized_params() and self.in_features:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        in_features = input.shape[-1]
        if self.has_uninitialized_params():
            self.weight.materialize((self.out_features, in_features))  # type: ignore[attr-defined]
            if self.bias is not None:
                self.bias.materialize((self.out_features,))
            self.in_features = in_features
            self.reset_parameters()
        self.in_features = self.weight.shape[1]


class Dense(Module):
    """y = x Wᵀ + b, the input size taken from the first input, the start from initializers.

    `weight_initializer` and `bias_initializer` are objects of `mini_torch.initializer`, names such as "he_normal", or
    functions that fill a tensor; by default both start as in `Linear`, with the same numbers under the same seed.
    Shape: x (*, k) → y (*, out_features); weight (out_features, k), bias (out_features,). Until the first call the
    parameters have no shape; they stay the same objects when they get it.

    >>> layer = Dense(2, weight_initializer="ones", bias_initializer="zeros")
    >>> layer(mini_torch.ones(1, 3))
    tensor([[3., 3.]], grad_fn=<AddmmBackward0>)
    >>> layer
    Dense(in_features=3, out_features=2, bias=True)
    """

    def __init__(
        self, out_features: int, bias: bool = True, weight_initializer: Initial | None = None,
        bias_initializer: Initial | None = None, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if not isinstance(out_features, int) or out_features < 0:
            raise ValueError(f"out_features must be a number of outputs, got {out_features!r}")
        self.in_features: int | None = None
        self.out_features = out_features
        self.weight_initializer = None if weight_initializer is None else initializer(weight_initializer)
        self.bias_initializer = None if bias_initializer is None else initializer(bias_initializer)
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.register_parameter("bias", UninitializedParameter(device=device, dtype=dtype) if bias else None)

    def reset_parameters(self) -> None:
        """Draws weight and bias anew."""
        (self.weight_initializer or _start_weight)(self.weight)
        if self.bias is None:
            return
        if self.bias_initializer is None:
            _start_bias(self.bias, self.weight.shape[1])
        else:
            self.bias_initializer(self.bias)

    def _build(self, in_features: int) -> None:
        if is_lazy(self.weight):
            self.weight.materialize((self.out_features, in_features))
            if self.bias is not None:
                self.bias.materialize((self.out_features,))
            with no_grad():
                self.reset_parameters()
        self.in_features = self.weight.shape[1]

    def forward(self, input: Tensor) -> Tensor:
        if self.in_features is None:
            self._build(input.shape[-1])
        own = self._parameters
        return linear(input, own["weight"], own["bias"])

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Bilinear(Module):
    """y = x₁ᵀ A x₂ + b, per output feature.

    Shape: x₁ (*, in1_features), x₂ (*, in2_features) → y (*, out_features); weight (out, in1, in2), bias (out,).
    Source: PyTorch's `nn.Bilinear`.

    >>> Bilinear(2, 3, 4)(mini_torch.ones(5, 2), mini_torch.ones(5, 3)).shape
    torch.Size([5, 4])
    """

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got ({in1_features=})")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = _empty((out_features, in1_features, in2_features), device, dtype)
        self.register_parameter("bias", _empty((out_features,), device, dtype) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws weight and bias anew."""
        bound = 1 / math.sqrt(self.in1_features)
        uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )
