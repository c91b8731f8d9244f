"""Optimizers by name, for command lines."""

from __future__ import annotations

from typing import Any

from .adadelta import Adadelta
from .adafactor import Adafactor
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .adamax import Adamax
from .asgd import ASGD
from .nadam import NAdam
from .optimizer import Optimizer
from .radam import RAdam
from .rmsprop import RMSprop
from .rprop import Rprop
from .sgd import SGD

__all__ = ["by_name"]

_CLASSES: dict[str, type[Optimizer]] = {
    c.__name__.lower(): c
    for c in (Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, ASGD, NAdam, RAdam, RMSprop, Rprop, SGD)
}  # those that any network can be trained with as it is


def by_name(name: str) -> Any:
    """The class of an optimizer, by its name in any case; ValueError for an unknown one, with those there are.

    >>> by_name("adam").__name__
    'Adam'
    """
    try:
        return _CLASSES[name.lower()]
    except KeyError:
        raise ValueError(f"unknown optimizer {name!r}: choose one of {', '.join(sorted(_CLASSES))}") from None
