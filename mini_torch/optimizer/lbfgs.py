"""L-BFGS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..tensor import Tensor, wrap
from .line_search import Point, strong_wolfe
from .optimizer import Optimizer, evaluate, number

__all__ = ["LBFGS"]

Array = np.ndarray[Any, Any]


class History:
    """The last changes of the gradient (y) and of the parameters (s), from which the Hessian's inverse is guessed."""

    def __init__(self, size: int, state: dict[str, Any]) -> None:
        self.size = size
        self.y, self.s, self.rho = ([_array(x) for x in state.get(name, ())] for name in ("old_dirs", "old_stps", "ro"))
        self.scale = _array(state.get("H_diag", 1))

    def take(self, y: Array, s: Array) -> None:
        """Remembers a step, if the loss curves upward along it."""
        curvature = y.dot(s)
        if not curvature > 1e-10:
            return
        if len(self.y) == self.size:
            for memory in (self.y, self.s, self.rho):
                del memory[0]
        self.y.append(y)
        self.s.append(s)
        self.rho.append(1 / curvature)
        self.scale = curvature / y.dot(y)

    def direction(self, gradient: Array) -> tuple[Array, list[Any]]:
        """-H⁻¹ gradient, by the two loops over the memory; and the first one's coefficients."""
        q, alpha = -gradient, []
        for y, s, rho in zip(reversed(self.y), reversed(self.s), reversed(self.rho)):
            alpha.append(s.dot(q) * rho)
            q -= alpha[-1] * y
        alpha.reverse()
        q *= self.scale
        for y, s, rho, a in zip(self.y, self.s, self.rho, alpha):
            q += (a - y.dot(q) * rho) * s
        return q, alpha

    def as_state(self) -> dict[str, Any]:
        """As the optimizer's state holds it, and as PyTorch's does."""
        return {
            "old_dirs": [*map(wrap, self.y)], "old_stps": [*map(wrap, self.s)], "ro": [*map(wrap, self.rho)],
            "H_diag": wrap(self.scale) if isinstance(self.scale, np.generic | np.ndarray) else self.scale,
        }  # fmt: skip


class LBFGS(Optimizer):
    """Quasi-Newton steps from the last `history_size` changes of the gradient; `step` needs a closure.

    Each `step` makes up to `max_iter` iterations with about `max_eval` (1.25 · max_iter) calls of the closure, and ends
    early where no gradient is above `tolerance_grad` or neither loss nor parameters change by `tolerance_change`. The
    step length is `lr`, or found by line search with `line_search_fn="strong_wolfe"`.

    Errors: ValueError for a negative lr or several groups, RuntimeError for another line search. Liu and Nocedal, "On
    the limited memory BFGS method for large scale optimization", 1989; PyTorch's `optim.LBFGS`.

    >>> from mini_torch import nn, tensor
    >>> p = nn.Parameter(tensor([3.0, -2.0]))
    >>> optimizer = LBFGS([p], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((p - tensor([1.0, 2.0])) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure)
    tensor(20., grad_fn=<SumBackward0>)
    >>> p.data.round(decimals=3)
    tensor([1., 2.])
    """

    def __init__(
        self, params: Any, lr: Any = 1, max_iter: int = 20, max_eval: int | None = None, tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9, history_size: int = 100, line_search_fn: str | None = None,
    ) -> None:  # fmt: skip
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not number(lr) >= 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        super().__init__(params, {
            "lr": lr, "max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change, "history_size": history_size,
            "line_search_fn": line_search_fn,
        })  # fmt: skip
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    # ---- all parameters as one vector ----------------------------------------------------------------------
    @property
    def _params(self) -> list[Tensor]:
        params: list[Tensor] = self.param_groups[0]["params"]
        return params

    def _gradient(self) -> Array:
        grads = (np.zeros_like(p._array) if p.grad is None else p.grad._array for p in self._params)
        return np.concatenate([*map(_real, grads)])

    def _move(self, t: Any, direction: Array) -> None:
        """parameters += t · direction."""
        start = 0
        for p in self._params:
            size = p._array.size * (2 if p._array.dtype.kind == "c" else 1)
            step = (t * direction[start : start + size]).astype(p._array.real.dtype).view(p._array.dtype)
            start += size
            p._array[...] = p._array + step.reshape(p._array.shape)
            p._bump()

    def _evaluate_at(self, closure: Callable[[], Any], direction: Array) -> Callable[[Any], Point]:
        """A function of the step length that evaluates there and comes back."""
        here = [p._array.copy() for p in self._params]

        def at(t: Any) -> Point:
            self._move(t, direction)
            loss = float(number(evaluate(closure)))
            gradient = self._gradient()
            for p, before in zip(self._params, here):
                p._array[...] = before
                p._bump()
            return Point(t, loss, gradient, gradient.dot(direction))

        return at

    # ---- the step ------------------------------------------------------------------------------------------
    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Iterates as described above; gives the loss that the closure computed first."""
        if closure is None:
            raise TypeError("LBFGS evaluates the loss anew: step needs a closure, but got None")
        group, state = self.param_groups[0], self.state[self._params[0]]
        state["func_evals"], state["n_iter"] = state.get("func_evals", 0) + 1, state.get("n_iter", 0)
        first = evaluate(closure)
        gradient = self._gradient()
        if _largest(gradient) <= group["tolerance_grad"]:
            return first
        with np.errstate(all="ignore"):
            self._iterate(closure, group, state, Point(0, float(number(first)), gradient, None))
        return first

    def _iterate(self, closure: Callable[[], Any], group: dict[str, Any], state: dict[str, Any], point: Point) -> None:
        history = History(group["history_size"], state)
        direction, t = _array(state.get("d")), _array(state.get("t"))
        before = _array(state.get("prev_flat_grad"))
        alpha: list[Any] = []
        evaluations, loss_before = 1, state.get("prev_loss")
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                direction = -point.gradient
            else:
                history.take(point.gradient - before, direction * t)
                direction, alpha = history.direction(point.gradient)
                state.setdefault("al", None)  # PyTorch's order of names
            before, loss_before = point.gradient, point.loss
            t = _array(group["lr"])
            t = t.item() if isinstance(t, np.ndarray) else t
            if state["n_iter"] == 1:
                t = min(1.0, 1.0 / np.abs(before).sum()) * t
            slope = before.dot(direction)
            if slope > -group["tolerance_change"]:
                break
            last = iteration == group["max_iter"]
            start, left = point._replace(t=0, slope=slope), group["max_eval"] - evaluations
            point, t, calls = self._advance(closure, group, start, t, direction, left, last)
            evaluations += calls
            state["func_evals"] += calls
            if last or evaluations >= group["max_eval"] or _largest(point.gradient) <= group["tolerance_grad"]:
                break
            small = group["tolerance_change"]
            if _largest(direction * t) <= small or abs(point.loss - loss_before) < small:
                break
        if "al" in state:
            state["al"] = [*map(wrap, alpha), *[None] * (group["history_size"] - len(alpha))]
        state.update(
            d=wrap(direction), t=wrap(t) if isinstance(t, np.generic) else t, **history.as_state(),
            prev_flat_grad=wrap(before), prev_loss=loss_before,
        )  # fmt: skip

    def _advance(
        self, closure: Callable[[], Any], group: dict[str, Any], start: Point, t: Any, direction: Array, left: int,
        last: bool,
    ) -> tuple[Point, Any, int]:  # fmt: skip
        """One step along the direction: where it ends, its length, and how often the closure was called."""
        search = group["line_search_fn"]
        if search is not None:
            if search != "strong_wolfe":
                raise RuntimeError(f"only 'strong_wolfe' is supported, got {search!r}")
            at = self._evaluate_at(closure, direction)
            point, calls = strong_wolfe(at, start, t, _largest(direction), left)
            self._move(point.t, direction)
            return point, point.t, calls
        self._move(t, direction)
        if last:  # nothing would look at it
            return start, t, 0
        loss = float(number(evaluate(closure)))
        return Point(t, loss, self._gradient(), None), t, 1


def _largest(x: Array) -> Any:
    return np.abs(x).max()


def _real(x: Array) -> Array:
    """Flat, and complex numbers as pairs of real ones."""
    return np.ravel(x).view(x.real.dtype)


def _array(value: Any) -> Any:
    """A loaded state's tensors as arrays, numbers as they are."""
    if not isinstance(value, Tensor):
        return value
    return value._array[()] if value._array.ndim == 0 else value._array
