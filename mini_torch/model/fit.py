"""The training loop behind `Model.fit`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..optimizer import ReduceLROnPlateau
from .history import History, Position, read_generators, set_generators
from .progress import Bar, Interruption

if TYPE_CHECKING:
    from .model import Model

__all__ = ["Callback", "Fit"]


class Callback:
    """What `Model.fit` calls while it runs; override what you need. A plain function stands for `on_epoch` alone.

    `logs` holds "epoch" and "step" (how many are finished, from the run's start), "loss", and at an epoch's end
    "lr" and, with validation data, "dev_loss". Set `model.stop = True` to end the run after the step or epoch
    at hand. `model.save` may be called at any of these moments: the checkpoint continues the run bit for bit.

    >>> class Patience(Callback):
    ...     def on_epoch(self, model, logs):
    ...         model.stop = logs["dev_loss"] < 1e-4
    """

    def on_start(self, model: Model) -> None:
        """Before the first step."""

    def on_step(self, model: Model, logs: dict[str, Any]) -> None:
        """After each step; "loss" is that of its batch."""

    def on_epoch(self, model: Model, logs: dict[str, Any]) -> None:
        """After each epoch, when validation is done and the scheduler has stepped."""

    def on_end(self, model: Model, history: History) -> None:
        """When the run is over, also when it was interrupted."""


class _OnEpoch(Callback):
    def __init__(self, function: Callable[[Model, dict[str, Any]], None]) -> None:
        self.on_epoch = function  # type: ignore[method-assign, assignment]


def as_callbacks(given: Any) -> list[Callback]:
    """A callback, a function, or several of them, as a list of callbacks."""
    several = given if isinstance(given, list | tuple) else [given]
    return [c if isinstance(c, Callback) else _OnEpoch(c) for c in several]


class Fit:
    """One call of `Model.fit`: runs epochs from the model's position on."""

    def __init__(
        self, model: Model, loader: Any, validation: Any, epochs: int, max_steps: int | None, callbacks: list[Callback],
        scheduler_interval: str, progress: bool | None,
    ) -> None:  # fmt: skip
        self.model, self.loader, self.validation, self.callbacks = model, loader, validation, callbacks
        self.position: Position = model.position
        self.epochs = epochs
        self.limit = float("inf") if max_steps is None else max_steps
        self.length = len(loader) if hasattr(loader, "__len__") else None
        self.interval = scheduler_interval
        self.on_step = [c.on_step for c in callbacks if type(c).on_step is not Callback.on_step]
        self.bar = Bar(progress, epochs, self._total_steps(), self.position.steps)

    def _total_steps(self) -> int | None:
        total = float("inf") if self.length is None else self.epochs * self.length
        total = min(total, self.limit)
        return None if total == float("inf") else int(total)

    def run(self) -> History:
        """Trains until the epochs or steps are done, a callback stops it, or Ctrl-C interrupts it."""
        history = self.position.history
        self.model.network.train()
        for callback in self.callbacks:
            callback.on_start(self.model)
        try:
            with Interruption() as interruption:
                while self._wanted() and history is self.position.history:
                    history = self._epoch(interruption)
                    if interruption.asked:
                        raise KeyboardInterrupt
        finally:
            if self.position.rng is None:
                self.position.rng = read_generators(self.loader)
            self.bar.close()
            for callback in self.callbacks:
                callback.on_end(self.model, history)
        return history

    def _wanted(self) -> bool:
        return self.position.epoch < self.epochs and self.position.steps < self.limit and not self.model.stop

    def _epoch(self, interruption: Interruption) -> History:
        """An epoch or what is left of it. Returns the run's history, or of a cut epoch a copy with its numbers so far.

        The copy, because an epoch that `max_steps` or a callback cut can still be continued and is noted only
        then.
        """
        position = self.position
        self._steps(self._batches(), interruption)
        if cut := self._is_cut(interruption):
            position.rng = read_generators(self.loader)
            if interruption.asked:
                return position.history
        values = self._values()
        if cut:
            history = position.history.copy()
            history.note(**values)
            return history
        position.history.note(**values)
        self.bar.draw(position)
        position.next_epoch()
        self._step_scheduler(values)
        logs = {"epoch": position.epoch, "step": position.steps, **values}
        for callback in self.callbacks:
            callback.on_epoch(self.model, logs)
        return position.history

    def _batches(self) -> Iterator[Any]:
        """The batches of this epoch that are still to come; see `Position` for how a cut epoch is taken up."""
        position, now = self.position, self.position.rng
        position.rng = None  # from here on the generators themselves know
        if position.batch:
            set_generators(self.loader, position.epoch_rng or [])
            batches = iter(self.loader)
            for _ in range(position.batch):
                next(batches, None)
            set_generators(self.loader, now or [])
            return batches
        if now is not None:
            set_generators(self.loader, now)
        position.epoch_rng = read_generators(self.loader)
        return iter(self.loader)

    def _steps(self, batches: Iterator[Any], interruption: Interruption) -> None:
        model, position, bar, step = self.model, self.position, self.bar, self.model.train_step
        for x, y in batches:
            loss = step(x, y)
            position.add(loss, len(y))
            if self.interval == "step" and model.scheduler is not None:
                model.scheduler.step()
            for on_step in self.on_step:
                on_step(model, {"epoch": position.epoch, "step": position.steps, "loss": loss})
            bar.step(position)
            if interruption.asked or position.steps >= self.limit or model.stop:
                return

    def _is_cut(self, interruption: Interruption) -> bool:
        stopped = interruption.asked or self.position.steps >= self.limit or self.model.stop
        return stopped and self.position.batch != self.length

    def _values(self) -> dict[str, float]:
        """The epoch's numbers for the history."""
        values = {"loss": self.position.loss}
        if self.validation is not None:
            values["dev_loss"] = self.bar.dev_loss = self.model.evaluate(self.validation)
        return {**values, "lr": float(self.model.optimizer.param_groups[0]["lr"])}

    def _step_scheduler(self, values: dict[str, float]) -> None:
        scheduler = self.model.scheduler
        if scheduler is None or self.interval == "step":
            return
        if isinstance(scheduler, ReduceLROnPlateau):
            scheduler.step(values.get("dev_loss", values["loss"]))
        else:
            scheduler.step()
