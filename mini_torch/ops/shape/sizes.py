"""How sizes are given: `f(2, 3)`, `f((2, 3))` or `f(size=(2, 3))`."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ...tensor import Tensor

__all__ = ["listed", "sizes_of"]


def sizes_of(size: tuple[Any, ...]) -> tuple[int, ...]:
    """`f(2, 3)` or `f((2, 3))` as a tuple of ints; TypeError for what is no int."""
    given = size[0] if len(size) == 1 and isinstance(size[0], tuple | list) else size
    if all(type(n) is int for n in given):
        return tuple(given)
    for n in given:
        if not isinstance(n, int | np.integer | Tensor):
            raise TypeError(f"sizes must be ints, not {type(n).__name__}: {tuple(given)}")
    return tuple([int(n) for n in given])


def listed(name: str) -> Any:
    """Decorator for `f(x, *sizes)`: the sizes may also be given as one keyword argument, `f(x, name=(2, 3))`."""

    def enter(function: Any) -> Any:
        @functools.wraps(function)
        def called(input: Tensor, *args: Any, **named: Any) -> Tensor:
            if name in named:
                args = (*args, named.pop(name))
            return function(input, *args, **named)

        return called

    return enter
