"""How a view is tied to its base."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .graph import enable_grad

__all__ = ["View"]


class View:
    """How a view came from its base: the base tensor and the steps to take from it again.

    An in-place write to the base, or to any view of it, makes a new history for the base. `generation` says for which
    history the view's own node was made; an older one is made anew when it is asked for.
    """

    __slots__ = ("base", "generation", "steps")

    def __init__(self, base: Any, steps: tuple[tuple[Callable[..., Any], tuple[Any, ...]], ...]) -> None:
        self.base = base
        self.steps = steps
        self.generation = base._cell[1]

    def steps_alone(self) -> View:
        """The same steps, without a base: for those who take them from another."""
        new = object.__new__(View)
        new.base, new.steps, new.generation = None, self.steps, 0
        return new

    def replay(self, x: Any) -> Any:
        """The steps on another array, tensor or base of the same shape."""
        for function, options in self.steps:
            x = function(x, *options)
        return x

    def refresh(self, view: Any) -> None:
        """Gives the view the history that its base has now."""
        with enable_grad():
            again = self.replay(self.base)
        view._node, view._requires_grad = again._node, again._requires_grad
        self.generation = view._cell[1]
