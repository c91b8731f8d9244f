"""Where one process is in an epoch: in its data and in its random numbers. By this an epoch can be gone on with."""

from __future__ import annotations

import copy
import random
from array import array
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..random.generator import default_generator, manual_seed, words_of
from ..tensor import Tensor, wrap
from .fetch import Source

__all__ = ["Place", "open_at", "random_state", "seed_everything", "set_random_state", "state_of_data"]

RandomState = dict[str, Any]
_PYTHONS_VERSION = 3  # of the layout of `random.getstate`


@dataclass
class Place:
    """Where a worker is: plain data, all that another one needs to go on from there.

    Random numbers are None as long as they are those of the worker's seed; `data` is what the dataset (or a stream's
    iterator) says of itself, if it has `state_dict` and `load_state_dict`.
    """

    batches: int = 0  # that the loader has given on in this epoch
    start: RandomState | None = None  # the random numbers at the beginning of the epoch
    now: RandomState | None = None  # and after the last of these batches
    data: Any = None

    def state(self) -> dict[str, Any]:
        """All of this, with tensors for bytes, which `save` does not take."""
        start, now = (_mapped(state, bytes, _as_tensor) for state in (self.start, self.now))
        return {"batches": self.batches, "start": start, "now": now, "data": copy.deepcopy(self.data)}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Place:
        """The place that `state` told of."""
        start, now = (_mapped(state[name], Tensor, _as_bytes) for name in ("start", "now"))
        return cls(state["batches"], start, now, copy.deepcopy(state["data"]))


def _mapped(x: Any, kind: type, function: Any) -> Any:
    """`x` with `function` applied to all in it that is of this kind."""
    if isinstance(x, dict):
        return {key: _mapped(value, kind, function) for key, value in x.items()}
    if isinstance(x, list):
        return [_mapped(value, kind, function) for value in x]
    return function(x) if isinstance(x, kind) else x


def _as_tensor(x: bytes) -> Tensor:
    return wrap(np.frombuffer(x, np.uint8).copy())


def _as_bytes(x: Tensor) -> bytes:
    return x._array.tobytes()


def open_at(source: Source, place: Place) -> Any:
    """Opens the source and goes on to a place: by the data's own state, or by taking the items before it."""
    has_state = hasattr(source.dataset, "load_state_dict")
    if place.start is not None:
        set_random_state(place.start)
    if place.data is not None and has_state:
        source.dataset.load_state_dict(place.data)
    fetch = source.open()
    if place.data is not None and not has_state:
        fetch.items.load_state_dict(place.data)
    if place.data is None and source.is_stream:
        with suppress(StopIteration):  # there is less of it now
            for _ in range(place.batches):
                fetch.next_items(range(source.batch_size or 1))
    if place.now is not None:
        set_random_state(place.now)
    return fetch


def state_of_data(source: Source, fetch: Any) -> Any:
    """What the dataset or the stream's iterator says of where it is; None if neither can tell."""
    holder: Any
    for holder in (source.dataset, getattr(fetch, "items", None)):
        if hasattr(holder, "state_dict") and hasattr(holder, "load_state_dict"):
            return holder.state_dict()
    return None


# ---- random numbers ----------------------------------------------------------------------------------------
def seed_everything(seed: int, worker: int) -> None:
    """Seeds Python's, NumPy's and mini_torch's random numbers as PyTorch seeds those of a worker."""
    random.seed(seed + worker)
    np.random.seed(np.random.SeedSequence([worker, seed & 0xFFFFFFFF, seed >> 32, 0]).generate_state(4))  # noqa: NPY002
    manual_seed(seed + worker)


def random_state(before: RandomState | None = None) -> RandomState:
    """Where Python's, NumPy's and mini_torch's random numbers are; `before` is an earlier answer."""
    _, words, waiting = random.getstate()
    return {
        "python": array("I", words).tobytes(),
        "python's next normal": waiting,
        "numpy": _numpy_state(before and before["numpy"]),
        "mini_torch": default_generator.get_state()._array.tobytes(),
    }


def set_random_state(state: RandomState) -> None:
    """Takes the random numbers to where `random_state` found them."""
    random.setstate((_PYTHONS_VERSION, tuple(array("I", state["python"])), state["python's next normal"]))
    if state["numpy"] is not None:
        words, has_waiting, waiting = state["numpy"]
        key = np.frombuffer(words, np.uint32)
        np.random.set_state(("MT19937", key[:-1], int(key[-1]), has_waiting, waiting))  # noqa: NPY002
    default_generator.set_state(wrap(np.frombuffer(state["mini_torch"], np.uint8)))


def _numpy_state(before: Any) -> Any:
    twister = np.random.get_bit_generator()  # type: ignore[attr-defined]
    if not isinstance(twister, np.random.MT19937):  # the program has put in another one
        return None
    words = words_of(twister).tobytes()
    # NumPy's own answer is slow, and asked for only where something can have changed: a draw moves the words, and
    # without a draw only the second number of a normal pair can have gone.
    if before is not None and before[0] == words and not before[1]:
        return before
    state = np.random.get_state(legacy=False)  # noqa: NPY002
    return [words, state["has_gauss"], state["gauss"]]
