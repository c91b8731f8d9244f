"""Rounding, and what is left of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...op import by_float32, implements, public, quiet, refused, row, unary
from ...tensor import Tensor
from .arithmetic import no_gradient

__all__ = ["ceil", "fix", "floor", "frac", "round", "trunc"]


def _unless_integer(ufunc: Any) -> Any:
    return lambda x: ufunc(x) if x.dtype.kind == "f" else x.copy()  # NumPy 1 makes floats of integers


def _rounding(name: str, ufunc: Any, doc: str, aliases: tuple[str, ...] = ()) -> Any:
    function = unary(name, _unless_integer(ufunc), no_gradient, floats=False, aliases=aliases, doc=doc, refuses="bc",
                     kernel=f"{name}_vml_cpu")  # fmt: skip
    return implements(ufunc)(function)


floor = _rounding("floor", np.floor, "⌊x⌋")
ceil = _rounding("ceil", np.ceil, "⌈x⌉")
trunc = fix = _rounding("trunc", np.trunc, "x without its fraction", aliases=("fix",))
frac = unary("frac", quiet(lambda x: x - np.trunc(x)), lambda g: g, refuses="biuc", doc="x − trunc x")


def _to_nearest(x: Any, decimals: int) -> Any:
    if x.dtype.kind != "f":
        return x.copy()  # which NumPy 1 would hand back itself
    return np.round(x, decimals) if decimals else np.rint(x)


_round = row("round", quiet(_to_nearest), x=no_gradient)


@public(inplace=True)
def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """To the nearest, halves to even, at `decimals` places. Source: PyTorch's `torch.round`."""
    kind = input._array.dtype
    if kind.kind == "V":
        return by_float32(lambda x: round(x, decimals=decimals), input)
    if kind.kind in "bc" or (decimals and kind.kind != "f"):
        raise refused("round_vml_cpu", kind)
    return _round(input, decimals)
