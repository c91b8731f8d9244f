"""Schedules that multiply the rate by a factor at each step."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from ..optimizer import Optimizer
from .scheduler import LRScheduler, functions_state, load_functions

__all__ = [
    "ConstantLR", "ExponentialLR", "LambdaLR", "LinearLR", "MultiStepLR", "MultiplicativeLR", "PolynomialLR", "StepLR",
]  # fmt: skip

Lambdas = Callable[[int], float] | list[Callable[[int], float]]


class _Factor(LRScheduler):
    """lr = lr · `_factor()` at each step; from the start, lr = base · `_total_factor()`."""

    def _factor(self) -> float:
        raise NotImplementedError

    def _total_factor(self) -> float:
        raise NotImplementedError

    def get_lr(self) -> list[Any]:
        """The present rates times the factor of this step."""
        self._warn_outside_step()
        factor = self._factor()
        return [rate * factor for rate in self._present()]

    def _get_closed_form_lr(self) -> list[Any]:
        factor = self._total_factor()
        return [base * factor for base in self.base_lrs]


class StepLR(_Factor):
    """Multiplies the rate by `gamma` every `step_size` epochs. PyTorch's `lr_scheduler.StepLR`.

    >>> from mini_torch import nn, optim, ones
    >>> optimizer = optim.SGD([nn.Parameter(ones(2))], lr=1.0)
    >>> scheduler = StepLR(optimizer, step_size=2, gamma=0.1)
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.1]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        return 1.0 if self.last_epoch == 0 or self.last_epoch % self.step_size else self.gamma

    def _total_factor(self) -> float:
        return self.gamma ** (self.last_epoch // self.step_size)


class MultiStepLR(_Factor):
    """Multiplies the rate by `gamma` at each of the epochs `milestones`. PyTorch's `lr_scheduler.MultiStepLR`."""

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        return self.gamma ** self.milestones.get(self.last_epoch, 0)

    def _total_factor(self) -> float:
        return self.gamma ** bisect_right(sorted(self.milestones.elements()), self.last_epoch)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes what `state_dict` gave."""
        super().load_state_dict({**state_dict, "milestones": Counter(state_dict["milestones"])})


class ConstantLR(_Factor):
    """Multiplies the rate by `factor` for the first `total_iters` epochs. PyTorch's `lr_scheduler.ConstantLR`.

    Errors: ValueError for a factor that is not in [0, 1].
    """

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        if not 0 <= factor <= 1.0:
            raise ValueError("Constant multiplicative factor expected to be between 0 and 1.")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        if self.last_epoch == 0:
            return self.factor
        return 1.0 / self.factor if self.last_epoch == self.total_iters else 1.0

    def _total_factor(self) -> float:
        return self.factor + (self.last_epoch >= self.total_iters) * (1 - self.factor)


class LinearLR(_Factor):
    """Multiplies the base rate by a factor that goes from `start_factor` to `end_factor` in `total_iters` epochs.

    Errors: ValueError for factors that are not in (0, 1] and [0, 1]. PyTorch's `lr_scheduler.LinearLR`.
    """

    def __init__(
        self, optimizer: Optimizer, start_factor: float = 1.0 / 3, end_factor: float = 1.0, total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        if not 0 < start_factor <= 1.0:
            raise ValueError("Starting multiplicative factor expected to be greater than 0 and less or equal to 1.")
        if not 0 <= end_factor <= 1.0:
            raise ValueError("Ending multiplicative factor expected to be between 0 and 1.")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        if self.last_epoch == 0:
            return self.start_factor
        if self._is_initial or self.last_epoch > self.total_iters:
            return 1.0
        rise = self.end_factor - self.start_factor
        return 1.0 + rise / (self.total_iters * self.start_factor + (self.last_epoch - 1) * rise)

    def _total_factor(self) -> float:
        rise = self.end_factor - self.start_factor
        return self.start_factor + rise * min(self.total_iters, self.last_epoch) / self.total_iters


class ExponentialLR(_Factor):
    """Multiplies the rate by `gamma` at each epoch. PyTorch's `lr_scheduler.ExponentialLR`."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        return 1.0 if self._is_initial else self.gamma

    def _total_factor(self) -> float:
        return self.gamma**self.last_epoch


class PolynomialLR(_Factor):
    """Multiplies the base rate by (1 − epoch / `total_iters`) ** `power`, then by 0.

    PyTorch's `lr_scheduler.PolynomialLR`.
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        if self._is_initial or self.last_epoch > self.total_iters:
            return 1.0
        left, left_before = ((1.0 - epoch / self.total_iters) for epoch in (self.last_epoch, self.last_epoch - 1))
        factor: float = (left / left_before) ** self.power
        return factor

    def _total_factor(self) -> float:
        factor: float = (1.0 - min(self.total_iters, self.last_epoch) / self.total_iters) ** self.power
        return factor


class _Lambdas(LRScheduler):
    """Keeps a function of the epoch for each group."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Lambdas, last_epoch: int = -1) -> None:
        groups = len(optimizer.param_groups)
        self.lr_lambdas = list(lr_lambda) if isinstance(lr_lambda, list | tuple) else [lr_lambda] * groups
        if len(self.lr_lambdas) != groups:
            raise ValueError(f"Expected {groups} lr_lambdas, but got {len(self.lr_lambdas)}")
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer; of the functions only callable objects' attributes."""
        return {**super().state_dict(), "lr_lambdas": functions_state(self.lr_lambdas)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes what `state_dict` gave; the functions stay those of this scheduler."""
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "lr_lambdas"})
        load_functions(self.lr_lambdas, state_dict["lr_lambdas"])


class LambdaLR(_Lambdas):
    """The base rate times `lr_lambda(epoch)`, a function or a list of one for each group.

    Errors: ValueError for a list of another length than the groups. PyTorch's `lr_scheduler.LambdaLR`.

    >>> from mini_torch import nn, optim, ones
    >>> optimizer = optim.SGD([nn.Parameter(ones(2))], lr=1.0)
    >>> scheduler = LambdaLR(optimizer, lambda epoch: 0.5 ** epoch)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def get_lr(self) -> list[Any]:
        """The base rates times what the functions say of this epoch."""
        self._warn_outside_step()
        return [base * function(self.last_epoch) for function, base in zip(self.lr_lambdas, self.base_lrs, strict=True)]


class MultiplicativeLR(_Lambdas):
    """Multiplies the rate by `lr_lambda(epoch)` at each epoch. PyTorch's `lr_scheduler.MultiplicativeLR`.

    Errors: ValueError for a list of another length than the groups, TypeError for what is no function.
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Lambdas, last_epoch: int = -1) -> None:
        for function in lr_lambda if isinstance(lr_lambda, list | tuple) else [lr_lambda]:
            if not callable(function):
                raise TypeError(f"lr_lambda should be a function, but got {type(function).__name__}")
        super().__init__(optimizer, lr_lambda, last_epoch)

    def get_lr(self) -> list[Any]:
        """The present rates times what the functions say of this epoch."""
        self._warn_outside_step()
        if self._is_initial:
            return self._present()
        return [
            rate * function(self.last_epoch) for function, rate in zip(self.lr_lambdas, self._present(), strict=True)
        ]
