"""How far a loader has come, as plain data: what `DataLoader.state_dict` gives and `load_state_dict` takes.

The order of the items is not saved but made again: the generators go back to where they were when the epoch began, the
sampler runs as it did, and what is done already is left out. No item is loaded for that.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
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
    pending: dict[int, int] = field(default_factory=dict)  # of these, not here yet: number of the batch -> its worker
    turn: int = 0  # the worker that gets the next one
    at_end: list[int] = field(default_factory=list)  # workers whose streams have ended
    places: list[Place] = field(default_factory=list)  # of the workers, or of this process where it has none
    finished: bool = False
    look: Callable[[], None] = field(default=lambda: None, repr=False)  # brings `places` up to date

    def state(self, generators: list[Generator]) -> dict[str, Any]:
        """All of this, and where the generators are now, as plain data."""
        self.look()
        told = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "look"}
        told["places"] = [asdict(place) for place in self.places]
        return {**copy.deepcopy(told), "generators": [g.get_state() for g in generators]}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Progress:
        """The progress that `state` told of. Errors: ValueError for anything else."""
        try:
            told = copy.deepcopy({f.name: state[f.name] for f in fields(cls) if f.name != "look"})
            told["places"] = [Place(**place) for place in told["places"]]
            return cls(**told)
        except (KeyError, TypeError) as error:
            raise ValueError(f"load_state_dict: this is no state of a DataLoader ({error!r})") from None

    def next_epoch(self, began: list[Tensor], keep_data: bool) -> Progress:
        """The beginning of the epoch after this one, with the same workers."""
        places = [Place(start=p.now or p.start, data=p.data if keep_data else None) for p in self.places]
        return Progress(began, self.seed, drew_seed=self.seed is None, places=places)


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
