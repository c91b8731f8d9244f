"""Declaring what PyTorch has in `torch.special` alone: functions without a method and without an in-place form."""

from __future__ import annotations

from collections.abc import Callable

from ...op import Formula, Forward, binary, unary
from ...tensor import Tensor
from .blocks import Kernel, blockwise

__all__ = ["of_x", "special", "special_of_two", "without_gradient"]


def special(name: str, forward: Forward, rule: Formula | None = None, *, doc: str) -> Callable[..., Tensor]:
    """`unary` for `torch.special`."""
    return unary(f"special_{name}", forward, rule, method=False, export=False, doc=doc)


def without_gradient(name: str, kernel: Kernel, doc: str) -> Callable[..., Tensor]:
    """A function of `torch.special` that has neither gradient nor float16 in PyTorch."""
    return special(name, blockwise(f"{name}_cpu", half=False)(kernel), doc=doc)


def of_x(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The function with its argument called `x`, as PyTorch calls it for a few."""

    def called(x: Tensor, *, out: Tensor | None = None) -> Tensor:
        return function(x, out=out)

    called.__name__, called.__qualname__, called.__doc__ = function.__name__, function.__name__, function.__doc__
    return called


def special_of_two(
    name: str, forward: Forward, *, x: Formula | None = None, y: Formula | None = None, doc: str,
) -> Callable[..., Tensor]:  # fmt: skip
    """`binary` for `torch.special`: of two tensors, or a tensor and a number, as floats."""
    return binary(f"special_{name}", forward, x=x, y=y, floats=True, method=False, export=False, doc=doc)
