"""`LRScheduler`: counts epochs and writes the rates into the optimizer's groups."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from types import FunctionType
from typing import Any

from ...graph import repeated
from ...tensor import Tensor
from ..optimizer import Optimizer, number

__all__ = ["LRScheduler"]

EPOCH_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use "
    "`scheduler.step()` to step the scheduler. During the deprecation, if epoch is different from None, the closed "
    "form is used instead of the new chainable form, where available."
)
ORDER_WARNING = (
    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, you should call "
    "them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  Failure to do this will result in "
    "PyTorch skipping the first value of the learning rate schedule. See more details at "
    "https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
)


class LRScheduler:
    """Sets the learning rate of each group of an optimizer, once at the start and then at each `step`.

    A subclass says in `get_lr` what the rates of epoch `last_epoch` are, usually from the present ones (then
    schedules can be chained); where it can say so from `base_lrs` alone it does that in `_get_closed_form_lr`,
    too. Give `last_epoch` to go on with a run whose groups have their "initial_lr".

    Errors: TypeError for what is no optimizer; KeyError with `last_epoch` when a group has no "initial_lr".
    PyTorch's `optim.lr_scheduler.LRScheduler`.
    """

    _is_initial = False
    _get_lr_called_within_step = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = check_optimizer(optimizer)
        if last_epoch == -1:
            for group in optimizer.param_groups:
                group.setdefault("initial_lr", read(group, "lr"))
        for i, group in enumerate(optimizer.param_groups):
            if "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with last_epoch "
                    ">= 0: load the optimizer's state first, or leave last_epoch out for a new run"
                )
        self.base_lrs: list[Any] = [read(group, "initial_lr") for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        if optimizer._opt_called is None:
            optimizer._opt_called = False
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def get_lr(self) -> list[Any]:
        """The rates of epoch `last_epoch`, one per group; for subclasses. See `get_last_lr` for those in use."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_lr")

    def get_last_lr(self) -> list[Any]:
        """The rates that the last step set, one per group."""
        return self._last_lr

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):
            cls.step = repeated(cls.step)  # type: ignore[method-assign]

    @repeated
    def step(self, epoch: int | None = None) -> None:
        """Goes on to the next epoch (or to `epoch`, which PyTorch deprecates) and sets its rates."""
        if self._step_count == 1 and not self.optimizer._opt_called:
            warnings.warn(ORDER_WARNING, UserWarning, stacklevel=2)
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_WARNING, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        closed = None if epoch is None else getattr(self, "_get_closed_form_lr", None)
        self._set_lr(closed or self.get_lr)

    def _set_lr(self, get: Callable[[], list[Any]]) -> None:
        """Sets the rates that `get` gives."""
        self._get_lr_called_within_step = True
        try:
            rates = get()
        finally:
            self._get_lr_called_within_step = False
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            write(group, "lr", rate)
        self._last_lr = self._present()

    def _present(self) -> list[Any]:
        return [read(group, "lr") for group in self.optimizer.param_groups]

    def _warn_outside_step(self) -> None:
        if not self._get_lr_called_within_step:
            message = "To get the last learning rate computed by the scheduler, please use `get_last_lr()`."
            warnings.warn(message, UserWarning, stacklevel=3)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, as a dict."""
        return {key: value for key, value in vars(self).items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes what `state_dict` gave. The optimizer's own state, with the rates, is to be loaded apart."""
        vars(self).update(state_dict)


def check_optimizer(optimizer: Any) -> Optimizer:
    """The optimizer; TypeError for what is none."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
    return optimizer


def read(group: dict[str, Any], key: str) -> Any:
    """A group's number; a tensor is copied, for it changes in place."""
    value = group[key]
    return value.clone() if isinstance(value, Tensor) else value


def write(group: dict[str, Any], key: str, value: Any) -> None:
    """Sets a group's number; a tensor is written into."""
    held = group[key]
    if isinstance(held, Tensor):
        held._array[...] = number(value)
        held._bump()
    else:
        group[key] = value


def per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """One value for each group, from a list or from one for all."""
    count = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [value] * count
    if len(value) != count:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} values, param_groups "
            f"has {count}."
        )
    return list(value)


def functions_state(functions: list[Any]) -> list[dict[str, Any] | None]:
    """What a state dict keeps of functions: the attributes of callable objects; nothing of plain functions."""
    return [None if isinstance(f, FunctionType) else vars(f).copy() for f in functions]


def load_functions(functions: list[Any], states: list[dict[str, Any] | None]) -> None:
    """Gives the callable objects the attributes that `functions_state` kept."""
    for function, state in zip(functions, states):
        if state is not None:
            vars(function).update(state)
