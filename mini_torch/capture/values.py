"""What a recording writes down: values, which stand for arrays, and calls, which make or change them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

__all__ = ["Call", "Value", "each_value", "leaves", "mapped"]

Array = np.ndarray[Any, Any]
_LEAVES = (int, float, str, type(None), np.dtype)


class Value:
    """An array of the recorded program (or, of kind "object", something that only one operation understands).

    - "input": an argument's; "tensor": of a tensor from outside, such as a parameter, read anew at every call;
      "constant": the same for ever; "made": by a call; "seed": a gradient that comes from outside.
    - `root` is the value whose memory this one is in: itself, or what it is a view of.
    - `array` is the memory of a tensor or a constant, `owner` the tensor.
    """

    __slots__ = ("array", "dtype", "index", "kind", "known", "name", "owner", "root", "shape", "strides", "written")

    def __init__(self, kind: str, index: int, real: Any, root: Value | None = None, owner: Any = None) -> None:
        self.kind, self.index, self.owner = kind, index, owner
        self.root: Value = self if root is None else root
        self.array: Any = real if kind in ("tensor", "constant") else None
        self.name = ""
        self.known = kind == "constant"  # whether its numbers are the same at every call
        self.written = False  # whether a call changes this memory after it was made
        if isinstance(real, np.ndarray):
            self.shape, self.dtype, self.strides = real.shape, real.dtype, real.strides
        else:
            self.shape, self.dtype, self.strides = (), np.dtype(object), ()

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    @property
    def is_view(self) -> bool:
        """Whether it lies in another value's memory."""
        return self.root is not self

    def __repr__(self) -> str:
        return f"<{self.kind} {self.index} {self.name} {self.dtype}{list(self.shape)}>"


class Call:
    """One call: `function(*args, **kwargs)`, where the arguments have values in the places of arrays.

    `form` says how it is written: "ufunc", "function" and "method" are NumPy's own, "kernel" is an operation of ours
    that is a unit, "effect" a call for what it does elsewhere. `outs` are the values it makes, or None for a result
    that nobody can use; `many` says that it returns a tuple of them. `writes` are values it changes in place.
    """

    __slots__ = ("_reads", "args", "form", "function", "kwargs", "many", "outs", "pure", "scope", "title",
                 "writes")  # fmt: skip

    def __init__(
        self, form: str, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], scope: str,
        pure: bool = True,
    ) -> None:  # fmt: skip
        self.form, self.function, self.args, self.kwargs = form, function, args, kwargs
        self.scope, self.pure, self.title = scope, pure, ""
        self._reads: list[Value] | None = None
        self.outs: list[Value | None] = []
        self.writes: list[Value] = []
        self.many = False

    def reads(self) -> list[Value]:
        """The values among the arguments."""
        if self._reads is None:
            self._reads = []
            for x in (*self.args, *self.kwargs.values()):
                if type(x) is Value:
                    self._reads.append(x)
                elif not isinstance(x, _LEAVES):
                    self._reads += each_value(x)
        return self._reads

    def replace(self, instead: dict[int, Value]) -> None:
        """Reads and writes other values in the place of some, given by their ids."""
        if any(id(x) in instead for x in self.reads()):
            self.args, self.kwargs = mapped((self.args, self.kwargs), lambda x: instead.get(id(x), x))
            self._reads = None
        if self.writes:
            self.writes = [instead.get(id(x), x) for x in self.writes]

    def become(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        """Is another call from now on, for the same result."""
        self.function, self.args, self._reads = function, args, None

    def touched(self) -> list[Value]:
        """The values that it reads, writes into or makes."""
        return [*self.reads(), *self.writes, *(out for out in self.outs if out is not None)]

    @property
    def out(self) -> Value | None:
        """What it makes, if that is one value."""
        return self.outs[0] if len(self.outs) == 1 and not self.many else None

    @property
    def is_view(self) -> bool:
        """Whether all it makes are views."""
        return bool(self.outs) and all(out is not None and out.is_view for out in self.outs)

    @property
    def owner(self) -> Any:
        """What the function is a method of: a ufunc of its `reduce`, an optimizer of its `step`; else None."""
        return getattr(self.function, "__self__", None)

    @property
    def name(self) -> str:
        """The call's name, for people: its title, or its function's name."""
        return self.title or self.own_name

    @property
    def own_name(self) -> str:
        """The function's name."""
        named = getattr(self.function, "__qualname__", None) or getattr(self.function, "__name__", None)
        return str(named or "call").rpartition(".")[2]

    def __repr__(self) -> str:
        return f"{self.outs} = {self.name}{self.args}{self.kwargs or ''}"


def mapped(x: Any, change: Callable[[Any], Any]) -> Any:
    """x with each leaf of its tuples, lists, dicts and slices replaced by `change` of it."""
    kind = type(x)
    if kind is tuple or kind is list:
        return kind([mapped(each, change) for each in x])
    if kind is dict:
        return {key: mapped(each, change) for key, each in x.items()}
    if kind is slice:
        return slice(*[mapped(each, change) for each in (x.start, x.stop, x.step)])
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return kind(*[mapped(each, change) for each in x])
    return change(x)


def leaves(x: Any) -> Iterator[Any]:
    """What nested tuples, lists, dicts and slices hold."""
    if isinstance(x, tuple | list):
        for each in x:
            yield from leaves(each)
    elif isinstance(x, dict):
        for each in x.values():
            yield from leaves(each)
    elif isinstance(x, slice):
        yield from leaves((x.start, x.stop, x.step))
    else:
        yield x


def each_value(x: Any) -> Iterator[Value]:
    """The values among the leaves."""
    return (each for each in leaves(x) if isinstance(each, Value))
