"""bfloat16, for which NumPy has no arithmetic of its own: computed in float32, and the result rounded once.

That is what PyTorch's kernels for the CPU do. A function that is not written for bfloat16 says so by raising
`NeedsFloat32` (mostly in its check of types), and its decorator calls it again with what is of bfloat16 in float32. So
other types pay nothing, and a function made of others rounds after each of them, as PyTorch's do. The casts are
recorded: gradients come back through them, rounded once, too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ..dtype import to_numpy_dtype
from ..tensor import Tensor
from .inplace import inplace
from .table import parameters_of
from .types import cast, refused

__all__ = ["NeedsFloat32", "again_in_float32", "by_float32", "need_float32", "rounds_once"]

F = TypeVar("F", bound=Callable[..., Any])
_SINGLE = np.dtype(np.float32)


class NeedsFloat32(NotImplementedError):
    """An input is of bfloat16, which the function knows in float32 only."""


def need_float32(kernel: str, *inputs: Tensor | None) -> None:
    """NeedsFloat32 where one of the inputs is of bfloat16."""
    for x in inputs:
        if x is not None and x._array.dtype.kind == "V":
            raise NeedsFloat32(*refused(kernel, x._array.dtype).args)


def rounds_once(function: F) -> F:
    """The function, called again in float32 where it raises `NeedsFloat32`. (`takes_out` does so, too.)"""

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except NeedsFloat32 as refusal:
            return again_in_float32(function, args, kwargs, refusal)

    return called  # type: ignore[return-value]


def again_in_float32(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], refusal: NeedsFloat32
) -> Any:
    """function(*args, **kwargs) computed in float32, its float32 results in bfloat16; `refusal` where none is of it."""
    names = parameters_of(function)
    given = _in_type_asked({**dict(zip(names, args)), **kwargs})
    found = next((x._array.dtype for x in given.values() if _is_brain(x)), None)
    if found is None:
        raise refusal
    if given.pop("inplace", False):
        first = given.pop(names[0])
        return inplace(lambda x: again_in_float32(function, (x,), given, refusal))(first)
    wide = _map(given, _is_brain, _SINGLE)
    result = _map(function(**wide), _is_single, found)
    for name, x in given.items():
        if _is_brain(x) and wide[name]._version:  # what was written in place: running averages, say
            x._array[...] = wide[name]._array
            x._bump()
    return result


def by_float32(function: Callable[..., Any], *operands: Any) -> Any:
    """function(*operands), one of them of bfloat16: the same for what asks for it itself, and so needs no decorator."""
    brain = next(x._array.dtype for x in operands if _is_brain(x))
    return _map(function(*_map(operands, _is_brain, _SINGLE)), _is_single, brain)


def _in_type_asked(given: dict[str, Any]) -> dict[str, Any]:
    """The arguments after a `dtype` of bfloat16 among them, if there is one, has been seen to."""
    kind = None if given.get("dtype") is None else to_numpy_dtype(given["dtype"])
    if kind is None or kind.kind != "V":
        return given
    rest = {name: x for name, x in given.items() if name != "dtype"}
    return _map(rest, lambda x: isinstance(x, Tensor) and x.is_floating_point(), kind)


def _is_brain(x: Any) -> bool:
    return isinstance(x, Tensor) and x._array.dtype.kind == "V"


def _is_single(x: Any) -> bool:
    return isinstance(x, Tensor) and x._array.dtype == _SINGLE


def _map(x: Any, wanted: Callable[[Any], bool], kind: np.dtype[Any]) -> Any:
    """x, or what a tuple or dict of such holds, cast to `kind` where `wanted`."""
    if type(x) is dict:
        return {name: _map(each, wanted, kind) for name, each in x.items()}
    if type(x) is tuple:
        return tuple([_map(each, wanted, kind) for each in x])
    return cast(x, kind) if wanted(x) else x
