"""Optimizers by name, for command lines."""

from __future__ import annotations

from typing import Any

from .adagrad import Adagrad
from .adam import Adam, AdamW
from .optimizer import Optimizer
from .rmsprop import RMSprop
from .sgd import SGD

__all__ = ["by_name"]

_CLASSES: dict[str, type[Optimizer]] = {c.__name__.lower(): c for c in (SGD, Adam, AdamW, RMSprop, Adagrad)}


def by_name(name: str) -> Any:
    """The class of an optimizer, by its name in any case; ValueError for an unknown one, with those there are.

    >>> by_name("adam").__name__
    'Adam'
    """
    try:
        return _CLASSES[name.lower()]
    except KeyError:
        raise ValueError(f"unknown optimizer {name!r}: choose one of {', '.join(sorted(_CLASSES))}") from None
