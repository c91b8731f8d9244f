"""Elements of an image by their numbers in its flattened last dimensions, as an adjoint pair.

    pick_places / put_places     (*lead, *size) ↔ (*lead, *counts)

Max pooling, in all its kinds, and sampling by a grid pick elements; gradients put them back, adding up what was picked
twice. `where` (*lead, *counts) may be broadcast along the leading dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import unit
from ..op import row
from .spatial import Shape

__all__: list[str] = []


def _in_memory(where: Any, lead: Shape, places: int) -> Any:
    """Numbers in the flattened whole, one after the other."""
    images = np.arange(0, math.prod(lead) * places, places or 1).reshape(*lead, *[1] * (where.ndim - len(lead)))
    return (where + images).ravel()


@unit
def _pick(x: Any, where: Any, dims: int, values: Any, node: str) -> Any:
    if values is not None:
        return values
    lead, size = x.shape[: x.ndim - dims], x.shape[x.ndim - dims :]
    return x.ravel()[_in_memory(where, lead, math.prod(size))].reshape(*lead, *where.shape[len(lead) :])


@unit
def _put(x: Any, where: Any, lead: Shape, size: Shape, node: str) -> Any:
    places = math.prod(size)
    out = np.zeros(math.prod(lead) * places, x.dtype)
    np.add.at(out, _in_memory(where, lead, places), x.ravel())
    return out.reshape(*lead, *size)


# What is known already may be given as `values`, so that a search for the largest need not pick again what it found.
# `node` is the name of what picks.
pick_places = row(
    "pick_places", _pick, grad_name="{node}Backward0",
    x=lambda g, where, shape, dims, node: put_places(g, where, shape[:-dims], shape[-dims:], node), where=None,
)  # fmt: skip
put_places: Callable[..., Any] = row(
    "put_places", _put, grad_name="{node}BackwardBackward0",
    x=lambda g, where, size, node: pick_places(g, where, len(size), None, node), where=None,
)  # fmt: skip
