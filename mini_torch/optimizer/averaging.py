"""Averages of a network's parameters along its training: `AveragedModel`, `SWALR`, `update_bn`."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from ..creation import asarray
from ..graph import no_grad
from ..layer.batch_norm import _BatchNorm
from ..network import Module
from ..tensor import Tensor
from .optimizer import Optimizer, number
from .scheduler.scheduler import LRScheduler, per_group

__all__ = [
    "SWALR", "AveragedModel", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn", "get_swa_multi_avg_fn",
    "update_bn",
]  # fmt: skip

Average = Callable[[Tensor, Tensor, Any], Tensor]
AverageAll = Callable[[list[Tensor], list[Tensor], Any], None]


def get_swa_avg_fn() -> Average:
    """(mean, newest, count) → the mean of count + 1: mean + (newest - mean) / (count + 1)."""
    return lambda mean, newest, count: mean + (newest - mean) / (count + 1)


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """(mean, newest, count) → decay · mean + (1 - decay) · newest. Errors: ValueError for a decay outside [0, 1]."""
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")
    return lambda mean, newest, count: decay * mean + (1 - decay) * newest


def get_swa_multi_avg_fn() -> AverageAll:
    """`get_swa_avg_fn` for lists of tensors, in place."""
    return _for_each(get_swa_avg_fn(), lambda count: 1 / (number(count) + 1))


def get_ema_multi_avg_fn(decay: float = 0.999) -> AverageAll:
    """`get_ema_avg_fn` for lists of tensors, in place."""
    return _for_each(get_ema_avg_fn(decay), lambda count: 1 - decay)


def _for_each(average: Average, weight: Callable[[Any], float] | None = None) -> AverageAll:
    """`average` for lists; with a `weight` the mean moves by so much towards the newest: the same in one go."""

    def update(means: list[Tensor], newest: list[Tensor], count: Any) -> None:
        part = None if weight is None else weight(count)
        with no_grad():
            for mean, new in zip(means, newest):
                if part is None or not (mean.is_floating_point() or mean.is_complex()):
                    mean.copy_(average(mean, new, count))
                else:
                    mean.lerp_(new, part)

    return update


class AveragedModel(Module):
    """A copy of `model` whose parameters are the mean of those that `update_parameters` was given.

    `avg_fn(mean, newest, count)` gives another kind of mean, `multi_avg_fn` that of all tensors in place; with
    `use_buffers` buffers are averaged too, else they are those of the newest model. Errors: AssertionError for both
    functions at once. Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", 2018;
    PyTorch's `optim.swa_utils.AveragedModel`.

    >>> from mini_torch import nn
    >>> mean = AveragedModel(nn.Linear(2, 1), multi_avg_fn=get_ema_multi_avg_fn(0.9))
    >>> mean.update_parameters(nn.Linear(2, 1))
    >>> mean.n_averaged
    tensor(1)
    """

    n_averaged: Tensor
    module: Module

    def __init__(
        self, model: Module, device: Any = None, avg_fn: Average | None = None, multi_avg_fn: AverageAll | None = None,
        use_buffers: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module.to(device)
        self.register_buffer("n_averaged", asarray(0))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Takes the parameters of `model` into the mean; the first time they are the mean."""
        with no_grad():
            means, newest = self._averaged(self.module), self._averaged(model)
            if self.n_averaged == 0:
                for mean, new in zip(means, newest):
                    mean.copy_(new)
            else:
                for pairs in _by_type(means, newest):
                    self._average()(*pairs, self.n_averaged)
            if not self.use_buffers:
                for buffer, new in zip(self.module.buffers(), model.buffers()):
                    buffer.copy_(new)
            self.n_averaged += 1

    def _average(self) -> AverageAll:
        return self.multi_avg_fn or (get_swa_multi_avg_fn() if self.avg_fn is None else _for_each(self.avg_fn))

    def _averaged(self, model: Module) -> list[Tensor]:
        tensors = chain(model.parameters(), model.buffers()) if self.use_buffers else model.parameters()
        return [tensor.detach() for tensor in tensors]


def _by_type(means: list[Tensor], newest: list[Tensor]) -> Iterable[tuple[list[Tensor], list[Tensor]]]:
    """Both lists for each number type, as PyTorch hands them to a `multi_avg_fn`."""
    for kind in dict.fromkeys(mean.dtype for mean in means):
        pairs = [(mean, new) for mean, new in zip(means, newest) if mean.dtype == kind]
        yield [mean for mean, _ in pairs], [new for _, new in pairs]


def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Makes the batch normalisations' running averages anew: plain means over all batches of `loader`.

    A batch is a tensor, or a list or tuple that begins with one. PyTorch's `optim.swa_utils.update_bn`.
    """
    norms = {module: module.momentum for module in model.modules() if isinstance(module, _BatchNorm)}
    if not norms:
        return
    was_training = model.training
    model.train()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    with no_grad():
        for batch in loader:
            batch = batch[0] if isinstance(batch, list | tuple) else batch
            model(batch if device is None else batch.to(device))
    for norm, momentum in norms.items():
        norm.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """Goes from the present rate to `swa_lr` within `anneal_epochs`, along a line or half a cosine, and stays there.

    Errors: ValueError for another `anneal_strategy`, a negative or fractional `anneal_epochs`, or another number of
    rates than of groups. PyTorch's `optim.swa_utils.SWALR`.

    >>> from mini_torch import nn, optim, ones
    >>> optimizer = optim.SGD([nn.Parameter(ones(2))], lr=1.0)
    >>> scheduler = SWALR(optimizer, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.75]
    """

    def __init__(
        self, optimizer: Optimizer, swa_lr: Any, anneal_epochs: int = 10, anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        for group, rate in zip(optimizer.param_groups, per_group("swa_lr", optimizer, swa_lr)):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self.anneal_epochs, self._anneal_strategy = anneal_epochs, anneal_strategy
        super().__init__(optimizer, last_epoch)

    def _part(self, step: int) -> float:
        """How much of the way is behind after so many steps."""
        t = max(0, min(1, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def get_lr(self) -> list[Any]:
        """The rates of this step; where the way began is worked out from the present ones."""
        self._warn_outside_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._part(step - 1), self._part(step)
        rates = []
        for group, present in zip(self.optimizer.param_groups, self._present()):
            end = group["swa_lr"]
            start = end if before == 1 else (present - before * end) / (1 - before)
            rates.append(end * now + start * (1 - now))
        return rates
