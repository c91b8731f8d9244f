"""What a training run has done so far, and exactly where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..random import Generator, default_generator

__all__ = ["History", "Position"]


class History(dict[str, list[float]]):
    """What `Model.fit` noted after each epoch: a list each for "loss", "dev_loss" (with validation data) and "lr".

    >>> history = History(loss=[0.5])
    >>> history.note(loss=0.25)
    >>> history["loss"]
    [0.5, 0.25]
    """

    def note(self, **values: float) -> None:
        """Appends one epoch's values."""
        for name, value in values.items():
            self.setdefault(name, []).append(value)

    def copy(self) -> History:
        """Another history with lists of its own."""
        return History({name: list(values) for name, values in self.items()})


@dataclass
class Position:
    """Where a run stands: enough to go on as if it had never stopped.

    An epoch's order of rows is drawn when the epoch begins. So a run that was cut inside an epoch is continued
    by setting the generators to `epoch_rng` (their states when that epoch began), drawing the same order again,
    passing over the first `batch` batches, and then setting the generators to `rng` (their states at the cut).
    """

    epoch: int = 0  # finished epochs
    batch: int = 0  # finished steps of the epoch at work
    steps: int = 0  # finished steps of the run
    loss_sum: float = 0.0  # over the rows of the epoch at work
    rows: int = 0
    history: History = field(default_factory=History)
    epoch_rng: list[Any] | None = None
    rng: list[Any] | None = None

    @property
    def loss(self) -> float:
        """The mean loss over the rows of this epoch so far; nan before the first."""
        return self.loss_sum / self.rows if self.rows else float("nan")

    def add(self, loss: float, rows: int) -> None:
        """Counts one step on `rows` rows with this mean loss."""
        self.batch += 1
        self.steps += 1
        self.loss_sum += loss * rows
        self.rows += rows

    def next_epoch(self) -> None:
        """Counts the epoch as finished."""
        self.epoch += 1
        self.batch, self.loss_sum, self.rows = 0, 0.0, 0

    def state_dict(self) -> dict[str, Any]:
        """All of it, for a checkpoint."""
        return {**vars(self), "history": {name: list(values) for name, values in self.history.items()}}

    @classmethod
    def from_state_dict(cls, state: dict[str, Any]) -> Position:
        """The position that `state_dict` described."""
        return cls(**{**state, "history": History(state["history"]).copy()})


def _generators(loader: Any) -> list[Generator]:
    own = getattr(loader, "generator", None)
    return [default_generator] if own is None else [default_generator, own]


def read_generators(loader: Any) -> list[Any]:
    """The states of the default generator and of the loader's own, if it has one."""
    return [generator.get_state() for generator in _generators(loader)]


def set_generators(loader: Any, states: list[Any]) -> None:
    """Sets what `read_generators` gave; RuntimeError where the loader has no generator of its own, or one too many."""
    generators = _generators(loader)
    if len(generators) != len(states):
        raise RuntimeError(
            f"the run to continue drew its random numbers from {len(states)} generators, this one from "
            f"{len(generators)}: give the loader a `generator` if, and only if, it had one before"
        )
    for generator, state in zip(generators, states):
        generator.set_state(state)
