"""Where one process is in an epoch: in its data and in its random numbers. By this an epoch can be gone on with."""

from __future__ import annotations

import random
from array import array
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..random.generator import default_generator, manual_seed, words_of
from ..tensor import wrap
from .fetch import Source

__all__ = ["Place", "open_at", "random_state", "seed_everything", "set_random_state", "state_of_data"]

RandomState = dict[str, Any]


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
        for _ in range(place.batches):
            fetch.next_items(range(source.batch_size or 1))
    if place.now is not None:
        set_random_state(place.now)
    return fetch


def state_of_data(source: Source, fetch: Any) -> Any:
    """What the dataset or the stream's iterator says of where it is; None if neither can tell."""
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
    """Where Python's, NumPy's and mini_torch's random numbers are, as plain data; `before` is an earlier answer."""
    version, words, gauss = random.getstate()
    return {
        "python": [version, array("I", words).tobytes(), gauss],
        "numpy": _numpy_state(before and before["numpy"]),
        "mini_torch": default_generator.get_state()._array.tobytes(),
    }


def set_random_state(state: RandomState) -> None:
    """Takes the random numbers to where `random_state` found them."""
    version, words, gauss = state["python"]
    random.setstate((version, tuple(array("I", words)), gauss))
    if state["numpy"] is not None:
        words, has_gauss, gauss = state["numpy"]
        key = np.frombuffer(words, np.uint32)
        np.random.set_state(("MT19937", key[:-1], int(key[-1]), has_gauss, gauss))  # noqa: NPY002
    default_generator.set_state(wrap(np.frombuffer(state["mini_torch"], np.uint8)))


def _numpy_state(before: list[Any] | None) -> list[Any] | None:
    twister = np.random.get_bit_generator()
    if not isinstance(twister, np.random.MT19937):  # the program has put in another one
        return None
    words = words_of(twister).tobytes()
    # NumPy's own answer is slow, and asked for only where something can have changed: a draw moves the words, and
    # without a draw only the second number of a normal pair can have gone.
    if before is not None and before[0] == words and not before[1]:
        return before
    state = np.random.get_state(legacy=False)  # noqa: NPY002
    return [words, state["has_gauss"], state["gauss"]]
