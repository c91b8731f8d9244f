"""The means of Adam: of the gradients and of their squares."""

from __future__ import annotations

from typing import Any

from .flat import FlatOptimizer

__all__ = ["Moments"]


class Moments(FlatOptimizer):
    """Keeps Adam's means of the gradients and of their squares."""

    def _state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq")

    def _move_moments(self, x: Any, k: Any) -> tuple[Any, Any]:
        """m and v, moved on."""
        x.exp_avg = x.exp_avg + k.rest1 * (x.g - x.exp_avg)
        x.exp_avg_sq = k.beta2 * x.exp_avg_sq + k.rest2 * (x.g * x.g)
        return x.exp_avg, x.exp_avg_sq
