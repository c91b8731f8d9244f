"""`Traced`: stands in for a tensor's array while a program is recorded.

It holds the real array, so that the program runs as ever, and hands everything that NumPy does with it to the recorder,
which does it and writes it down. What cannot be written down, because the program wants to know a number, goes to
`Recorder.leave`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from ..tensor import Tensor
from .values import Value

__all__ = ["Traced"]


class Traced(NDArrayOperatorsMixin):
    """An array of the program that is being recorded. `held` is what it holds in this first run; `scalar` says that
    NumPy had made a scalar of it."""

    __slots__ = ("held", "recorder", "scalar", "value")

    def __init__(self, held: Any, value: Value, recorder: Any, scalar: bool = False) -> None:
        self.held, self.value, self.recorder, self.scalar = held, value, recorder, scalar

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """`isinstance(x, np.ndarray)` is asked of what stands for one, too. (`type(x)` tells the truth.)"""
        return np.ndarray

    # ---- NumPy's protocols -------------------------------------------------------------------------------------------
    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(isinstance(x, Tensor) for x in inputs):
            return NotImplemented  # it is an operation on tensors
        return self.recorder.ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if any(issubclass(kind, Tensor) for kind in types):
            return NotImplemented
        return self.recorder.function(function, args, kwargs)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        real = self.recorder.leave(self, "takes its numbers out of the recorded program (np.asarray, np.array)")
        if dtype is not None and dtype != real.dtype:
            return real.astype(dtype)
        return real.copy() if copy else real  # NumPy takes it for a copy if it asked for one

    def __dlpack__(self, **options: Any) -> Any:
        return self.recorder.leave(self, "hands a tensor's memory out (__dlpack__)").__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        device: tuple[int, int] = self.held.__dlpack_device__()
        return device

    # ---- what does not depend on numbers -----------------------------------------------------------------------------
    shape = property(lambda self: self.held.shape, lambda self, shape: self.recorder.leave(self, "sets its shape"))
    dtype = property(lambda self: self.held.dtype)
    ndim = property(lambda self: self.held.ndim)
    size = property(lambda self: self.held.size)
    itemsize = property(lambda self: self.held.itemsize)
    nbytes = property(lambda self: self.held.nbytes)
    strides = property(lambda self: self.held.strides)
    flags = property(lambda self: self.held.flags)
    base = property(lambda self: self.held.base)

    def __len__(self) -> int:
        return len(self.held)

    def __iter__(self) -> Iterator[Any]:
        return iter([self[i] for i in range(len(self.held))])

    def __repr__(self) -> str:
        return f"Traced({self.held!r})"

    # ---- views, copies and reductions --------------------------------------------------------------------------------
    def __getitem__(self, index: Any) -> Any:
        return self.recorder.getitem(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        self.recorder.setitem(self, index, value)

    T = property(lambda self: self.transpose())
    mT = property(lambda self: self.swapaxes(-1, -2))
    real = property(lambda self: self.recorder.method("real", self))
    imag = property(lambda self: self.recorder.method("imag", self))

    def astype(
        self, dtype: Any, order: Any = "K", casting: Any = "unsafe", subok: bool = True, copy: bool = True
    ) -> Any:
        """As `ndarray.astype`."""
        if not copy and np.dtype(dtype) == self.dtype:
            return self
        return self.recorder.cast(self, np.dtype(dtype), order)

    def copy(self, order: Any = "C") -> Any:
        """As `ndarray.copy`."""
        return self.recorder.cast(self, self.dtype, order)

    def settled(self, kind: np.dtype[Any]) -> Any:
        """As a gradient of type `kind`; see `plan.settled`."""
        x = self.recorder.method("real", self) if self.dtype.kind == "c" != kind.kind else self
        return x.astype(kind, copy=False)

    # ---- numbers -----------------------------------------------------------------------------------------------------
    def __bool__(self) -> bool:
        return bool(self.recorder.leave(self, "decides by a tensor's value (bool)"))

    def __float__(self) -> float:
        return float(self.recorder.leave(self, "turns a tensor into a number (float)"))

    def __int__(self) -> int:
        return int(self.recorder.leave(self, "turns a tensor into a number (int)"))

    def __index__(self) -> int:
        return int(self.recorder.leave(self, "uses a tensor as an index of Python's"))

    def __complex__(self) -> complex:
        return complex(self.recorder.leave(self, "turns a tensor into a number (complex)"))

    def __contains__(self, x: Any) -> bool:
        return x in self.recorder.leave(self, "decides by a tensor's values (in)")

    def __getattr__(self, name: str) -> Any:
        """What else an array has: the real one's, after the recorder was told."""
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.recorder.leave(self, _REASONS.get(name, f"asks for an array's {name}")), name)


_REASONS = {
    "item": "turns a tensor into a number (item)", "tolist": "turns a tensor into numbers (tolist)",
    "nonzero": "has a result whose shape depends on values (nonzero)", "ctypes": "asks for an address in memory",
}  # fmt: skip


def _method(name: str) -> Callable[..., Any]:
    def method(self: Traced, *args: Any, **kwargs: Any) -> Any:
        return self.recorder.method(name, self, *args, **kwargs)

    method.__name__ = name
    method.__doc__ = f"As `ndarray.{name}`."
    return method


for _name in ("reshape", "transpose", "swapaxes", "ravel", "flatten", "squeeze", "view", "diagonal", "sum", "prod",
              "mean", "max", "min", "any", "all", "argmax", "argmin", "cumsum", "cumprod", "clip", "repeat", "take",
              "dot", "conj", "conjugate", "round", "argsort", "var", "std", "fill", "trace", "byteswap"):  # fmt: skip
    setattr(Traced, _name, _method(_name))
