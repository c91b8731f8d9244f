"""How far a loader has come, as plain data: what `DataLoader.state_dict` gives and `load_state_dict` takes.

The order of the items is not saved but made again: the generators go back to where they were when the epoch began, the
sampler runs as it did, and what is done already is left out. No item is loaded for that.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any

from ..random.generator import Generator, default_generator
from ..tensor import Tensor
from .place import Place

__all__ = ["Progress", "generators_of", "rewound"]


@dataclass
class Progress:
    """How far one epoch has come."""

    began: list[Tensor]  # where the generators were at the epoch's beginning
    seed: int | None = None  # of the workers
    drew_seed: bool = True  # in this epoch: persistent workers keep that of an earlier one
    drawn: int = 0  # batches whose items' numbers the sampler has given
    drew_all: bool = False  # and it has said that these are all
    pending: dict[int, int] = field(default_factory=dict)  # of these, not here yet: number of the batch -> its worker
    turn: int = 0  # the worker that gets the next one
    at_end: list[int] = field(default_factory=list)  # workers whose streams have ended
    places: list[Place] = field(default_factory=list)  # of the workers, or of this process where it has none
    finished: bool = False
    look: Callable[[int], list[Place]] | None = None  # finds the places after so many batches, where none are told

    def state(self, generators: list[Generator]) -> dict[str, Any]:
        """All of this, and where the generators are now, as plain data."""
        if self.look is not None:
            self.places = self.look(self.drawn)
        told = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "look"}
        told["places"] = [place.state() for place in self.places]
        return {**copy.deepcopy(told), "generators": [g.get_state() for g in generators]}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Progress:
        """The progress that `state` told of. Errors: ValueError for anything else."""
        try:
            told = {f.name: copy.deepcopy(state[f.name]) for f in fields(cls) if f.name != "look"}
            told["places"] = [Place.from_state(place) for place in told["places"]]
            return cls(**told)
        except (KeyError, TypeError) as error:
            raise ValueError(f"load_state_dict: this is no state of a DataLoader ({error!r})") from None

    def next_epoch(self, began: list[Tensor]) -> Progress:
        """The beginning of the epoch after this one, with the same workers and their seed."""
        places = [Place(start=place.now or place.start, data=place.data) for place in self.places]
        return Progress(began, self.seed, drew_seed=False, places=places)

    def after_the_end(self, dataset: Any, num_workers: int, persistent: bool) -> Progress | None:
        """What a new epoch takes over from this one, which is finished: what persistent workers would have kept, and
        without workers what the dataset itself has kept."""
        if num_workers and not persistent:
            return None
        following = self.next_epoch([])
        following.drew_seed = not (persistent and self.seed is not None)
        if not hasattr(dataset, "load_state_dict"):  # it was the state of an iterator that is at its end
            for place in following.places:
                place.data = None
        return following


def generators_of(loader: Any) -> list[Generator]:
    """The generators that an epoch may draw from: the default one, the loader's, and those of its samplers."""
    holders = (loader, loader.sampler, loader.batch_sampler, getattr(loader.batch_sampler, "sampler", None))
    found = [default_generator]
    for holder in holders:
        generator = getattr(holder, "generator", None)
        if isinstance(generator, Generator) and not any(generator is other for other in found):
            found.append(generator)
    return found


@contextmanager
def rewound(generators: list[Generator], state: dict[str, Any]) -> Iterator[None]:
    """Inside, the generators are where they were when the saved epoch began, and afterwards where they were when it
    was saved; but the default one, which belongs to the program, is where the program had it."""
    default = generators[0].get_state()
    for generator, there in zip(generators, state["began"]):
        generator.set_state(there)
    try:
        yield
    finally:
        for generator, there in zip(generators, [default, *state["generators"][1:]]):
            generator.set_state(there)
