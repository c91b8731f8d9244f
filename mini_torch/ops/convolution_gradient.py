"""The gradients of a convolution by themselves: of its input, and of its weight.

They are the other two rows of `convolution`'s trilinear form. Source: PyTorch's `nn.grad`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..tensor import Tensor
from .convolution import spread, weigh
from .spatial import Sizes, per_dimension
from .window import Windows, windows_of

__all__ = ["conv1d_input", "conv1d_weight", "conv2d_input", "conv2d_weight", "conv3d_input", "conv3d_weight"]


def _windows(
    name: str, size: Sequence[int], kernel: Sequence[int], count: Sequence[int], stride: Sizes, padding: Sizes,
    dilation: Sizes,
) -> Windows:  # fmt: skip
    """Where the convolution's windows lie. RuntimeError where `grad_output` has not as many as there are."""
    dims = len(kernel)
    s, p, d = (
        per_dimension(value, dims, name, label)
        for value, label in ((stride, "stride"), (padding, "padding"), (dilation, "dilation"))
    )
    numbers = zip(size, kernel, s, p, d)
    wanted = tuple([(n + 2 * before - step * (k - 1) - 1) // m + 1 for n, k, m, before, step in numbers])
    if wanted != tuple(count):
        raise RuntimeError(f"{name}: expected grad_output with {list(wanted)} positions, got {list(count)}")
    return windows_of(tuple(size), tuple(kernel), wanted, s, p, d)


def _input(dims: int) -> Callable[..., Tensor]:
    def function(
        input_size: Sequence[int], weight: Tensor, grad_output: Tensor, stride: Sizes = 1, padding: Sizes = 0,
        dilation: Sizes = 1, groups: int = 1,
    ) -> Tensor:  # fmt: skip
        size, kernel, count = tuple(input_size)[2:], weight.shape[2:], grad_output.shape[2:]
        w = _windows(function.__name__, size, kernel, count, stride, padding, dilation)
        result: Tensor = spread(grad_output, weight, w, groups)
        return result

    return _named(function, f"conv{dims}d_input", dims, "input", "input_size, weight and grad_output")


def _weight(dims: int) -> Callable[..., Tensor]:
    def function(
        input: Tensor, weight_size: Sequence[int], grad_output: Tensor, stride: Sizes = 1, padding: Sizes = 0,
        dilation: Sizes = 1, groups: int = 1,
    ) -> Tensor:  # fmt: skip
        size, kernel, count = input.shape[2:], tuple(weight_size)[2:], grad_output.shape[2:]
        w = _windows(function.__name__, size, kernel, count, stride, padding, dilation)
        result: Tensor = weigh(input, grad_output, w, groups)
        return result

    return _named(function, f"conv{dims}d_weight", dims, "weight", "input, weight_size and grad_output")


def _named(function: Any, name: str, dims: int, of: str, given: str) -> Callable[..., Tensor]:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"The gradient of `conv{dims}d` with respect to its {of}, from {given}.\n\n"
        "Errors: RuntimeError where grad_output has another shape than the convolution's result. "
        f"Source: PyTorch's `nn.grad.{name}`."
    )
    result: Callable[..., Tensor] = function
    return result


conv1d_input, conv2d_input, conv3d_input = _input(1), _input(2), _input(3)
conv1d_weight, conv2d_weight, conv3d_weight = _weight(1), _weight(2), _weight(3)
