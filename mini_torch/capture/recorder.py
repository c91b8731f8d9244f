"""`Recorder`: runs a program for real, and writes down every NumPy call with its arrays.

While it is at work, a tensor's array is a `Traced`, through `watch.py`, so that NumPy's own protocols bring every call
here. Operations whose inside writes in place or looks at numbers are taken as a unit, a "kernel". What can be neither
is noted in `reasons`: the run goes on to its end, rightly, but there will be no plan.
"""

from __future__ import annotations

import functools
import re
import sys
import threading
import traceback
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from ..errors import LeavesProgram
from ..graph import Node, births, enable_grad, mode
from ..optimizer.flat import FlatOptimizer
from ..plan import Plan
from ..tensor import Tensor, wrap
from ..view import View
from .traced import Traced
from .values import Call, Value, leaves, mapped

__all__ = ["Recorder", "fresh"]

Array = np.ndarray[Any, Any]

# NumPy functions whose result does not depend on numbers: what they say now holds for ever.
_FACTS = {np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.may_share_memory, np.shares_memory,
          np.iscomplexobj, np.isrealobj, np.min_scalar_type, np.common_type}  # fmt: skip
# And those whose result's shape does.
_BY_VALUES = {np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.extract, np.compress, np.trim_zeros, np.bincount,
              np.intersect1d, np.setdiff1d, np.union1d, np.delete, np.histogram, np.array_equal, np.allclose,
              np.array_repr, np.array_str, np.array2string, np.savetxt, np.save}  # fmt: skip
_MAY_FAIL = {np.linalg.cholesky, np.linalg.solve, np.linalg.inv, np.linalg.eig, np.linalg.eigh, np.linalg.eigvals,
             np.linalg.eigvalsh, np.linalg.svd, np.linalg.lstsq, np.linalg.pinv}  # fmt: skip
_WRITERS = {np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis}
_MAKERS: dict[Any, Any] = {np.empty_like: None, np.zeros_like: 0, np.ones_like: 1}
_SMALL = 4096  # elements of a constant up to which it is looked at once more at the end
_INSIDE = {("apply", "table.py"), ("pull", "recorder.py"), ("_run", "several.py")}


def fresh(shape: tuple[int, ...], dtype: Any, strides: tuple[int, ...], value: Any) -> Array:
    """An array of that layout, filled with the value (None: with anything)."""
    order = sorted(range(len(shape)), key=lambda axis: -strides[axis])
    out = np.empty([shape[axis] for axis in order], dtype).transpose(np.argsort(order))
    if value is not None:
        out.fill(value)
    return out


class Recorder:
    """A recording at work, in the thread that made it."""

    def __init__(self, fullgraph: bool) -> None:
        self.fullgraph = fullgraph
        self.thread = threading.get_ident()
        self.active = True
        self.calls: list[Call] = []
        self.reasons: list[str] = []  # why there can be no plan
        self.scope = ""
        self.path = ""  # where the module at work is in the network
        self.labels: list[tuple[int, str]] = []  # names of results, with the number that a node would have had before
        self.count = 0
        self.updated = False  # whether an optimizer has stepped, which cannot be undone
        self.constants: dict[int, tuple[Array, Value, Array | None]] = {}
        self.begun: list[Value] = []  # constants that are written to
        self.shared: list[Array] = []  # arrays of NumPy's that the program makes tensors of
        self.before: dict[int, tuple[Any, Array]] = {}  # what outside was written to, as it was

    # ---- values ------------------------------------------------------------------------------------------------------
    def value(self, kind: str, real: Any, root: Value | None = None, owner: Any = None) -> Value:
        """A new value."""
        self.count += 1
        return Value(kind, self.count, real, root, owner)

    def constant(self, array: Array) -> Traced:
        """An array that was there before, or that nothing recorded went into."""
        known = self.constants.get(id(array))
        if known is None:
            snapshot = array.copy() if array.size <= _SMALL else None
            known = self.constants[id(array)] = (array, self.value("constant", array), snapshot)
        return Traced(array, known[1], self)

    def label(self, value: Value, name: str) -> None:
        """Names the result of an operation after it and the module at work."""
        if not value.name and value.kind in ("made", "object") and self.active:
            value.name = f"{name}_{self.path}".strip("_")
            self.labels.append((next(births), value.name))

    def label_of(self, node: Any) -> str:
        """The name of what the node has made."""
        i = bisect_left(self.labels, (node.birth, ""))
        return self.labels[i - 1][1] if i else "result"

    def holds(self, x: Any) -> bool:
        """Whether x stands for an array here."""
        return type(x) is Traced

    def real(self, x: Any) -> Any:
        """x with the real array in each stand-in's place."""
        return mapped(x, _held)

    def _noted(self, x: Any) -> Any:
        """x as it is written down: values in the places of arrays."""
        return mapped(x, self._noted_leaf)

    def _noted_leaf(self, x: Any) -> Any:
        if type(x) is Traced:
            return x.value
        if isinstance(x, np.ndarray):
            return self.constant(x).value
        if type(x) is View:
            return x.steps_alone()
        return x.copy() if isinstance(x, np.generic) else x

    # ---- leaving -----------------------------------------------------------------------------------------------------
    def leave(self, x: Traced, reason: str) -> Any:
        """Somebody wants to know numbers. Inside an operation this is `LeavesProgram`, and the operation is taken as a
        unit; from outside the real array is given, and there will be no plan."""
        if self.active and not (x.value.known and x.value.root.known):
            if _inside_operation():
                raise LeavesProgram(reason)
            self.give_up(reason)
        return x.held

    def give_up(self, reason: str) -> None:
        """Notes why there can be no plan; with `fullgraph` RuntimeError."""
        where = _user_line()
        message = f"{reason}, in {where}" if where else reason
        if self.fullgraph:
            raise RuntimeError(f"compile(fullgraph=True): the program cannot be recorded: it {message}")
        self.reasons.append(message)

    # ---- calls -------------------------------------------------------------------------------------------------------
    def ufunc(self, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`ufunc.method(*inputs, **kwargs)`."""
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        out = kwargs.pop("out", None)
        targets = [x for x in (out if isinstance(out, tuple) else (out,)) if x is not None]
        if method == "at":
            targets = [inputs[0]]
        self._check_targets(targets, f"np.{ufunc.__name__}(…, out=…)")
        if not self.active:
            return function(*self.real(inputs), **self.real(kwargs), **({"out": self.real(out)} if out else {}))
        if targets and method != "at":
            result = self._write(function, inputs, kwargs, targets)
        else:
            result = function(*self.real(inputs), **self.real(kwargs))
        kwargs.pop("extobj", None)  # NumPy 1's way to be quiet; a program is quiet as a whole
        form = "ufunc" if method == "__call__" else "function"
        if method == "at":
            return self._written(form, function, inputs, kwargs, targets, None)
        if targets:
            return self._written(form, function, inputs, {**kwargs, "out": out[0] if len(out) == 1 else out}, targets,
                                 targets[0] if len(targets) == 1 else tuple(targets))  # fmt: skip
        return self._made(form, function, inputs, kwargs, result)

    def _write(self, function: Any, inputs: Any, kwargs: Any, targets: list[Traced]) -> Any:
        self._keep_before(targets)
        out = tuple(x.held for x in targets)
        return function(*self.real(inputs), **self.real(kwargs), out=out if len(out) > 1 else out[0])

    def function(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A NumPy function that is no ufunc."""
        if not self.active or function in _FACTS:
            return function(*self.real(args), **self.real(kwargs))
        if function in _BY_VALUES or (function is np.where and len(args) + len(kwargs) == 1):
            x = next(x for x in leaves((args, kwargs)) if type(x) is Traced)
            self.leave(x, f"has a result that depends on values as a whole (np.{function.__name__})")
            return function(*self.real(args), **self.real(kwargs))
        if function in _MAY_FAIL and _inside_operation():
            raise LeavesProgram("calls what raises errors for some numbers, which the operation may go on from")
        if function in _MAKERS or function is np.full_like:
            return self._maker(function, args, kwargs)
        out = kwargs.get("out")
        targets = [args[0]] if function in _WRITERS else [] if out is None else [out]
        self._check_targets(targets, f"np.{function.__name__}")
        self._keep_before(targets)
        result = function(*self.real(args), **self.real(kwargs))
        if targets:
            return self._written("function", function, args, kwargs, targets, None if out is None else out)
        return self._made("function", function, args, kwargs, result)

    def _maker(self, function: Any, args: Any, kwargs: Any) -> Any:
        result = function(*self.real(args), **self.real(kwargs))
        value = _MAKERS.get(function, self.real(args[1] if len(args) > 1 else kwargs.get("fill_value")))
        if function is np.full_like and any(type(x) is Traced for x in (args[1:], kwargs.get("fill_value"))):
            return self._made("function", function, args, kwargs, result)
        return self._made("function", fresh, (result.shape, result.dtype, result.strides, value), {}, result)

    def method(self, name: str, x: Traced, *args: Any, **kwargs: Any) -> Any:
        """A method of arrays, or a property."""
        if name in ("real", "imag"):
            return self._any(_PARTS[name], (x,), {})
        function = getattr(np.ndarray, name)
        if kwargs.get("out") is not None or name == "fill":
            target = kwargs["out"] if name != "fill" else x
            self._check_targets([target], f"ndarray.{name}")
            self._keep_before([target])
            function(*self.real((x, *args)), **self.real(kwargs))
            return self._written("method", function, (x, *args), kwargs, [target], target)
        return self._any(function, (x, *args), kwargs)

    def _any(self, function: Any, args: Any, kwargs: Any) -> Any:
        result = function(*self.real(args), **self.real(kwargs))
        return self._made("method", function, args, kwargs, result) if self.active else result

    def cast(self, x: Traced, kind: np.dtype[Any], order: Any) -> Any:
        """A copy in another type and order."""
        return self._any(np.ndarray.astype, (x, kind, order), {})

    def getitem(self, x: Traced, index: Any) -> Any:
        """x[index]."""
        parts = index if isinstance(index, tuple) else (index,)
        if any(type(i) is Traced and i.dtype.kind == "b" and not (i.value.known and i.value.root.known) for i in parts):
            return self.leave(x, "has a result whose shape depends on values (an index of bools)")[self.real(index)]
        return self._any(_getitem, (x, index), {})

    def check_index(self, parts: tuple[Any, ...]) -> None:
        """No plan for a mask that picks other elements at every call: the result's shape depends on it."""
        for part in parts:
            if type(part) is Traced and part.dtype.kind == "b":
                self.leave(part, "has a result whose shape depends on values (an index of bools)")

    def setitem(self, x: Traced, index: Any, value: Any) -> None:
        """x[index] = value."""
        if type(value) is Traced and self._is_own_part(x, index, value):
            return  # what `x[index] += y` ends with
        self._keep_before([x])
        _setitem(x.held, self.real(index), self.real(value))
        if self.active:
            self._written("method", _setitem, (x, index, value), {}, [x], None)

    def _is_own_part(self, x: Traced, index: Any, value: Traced) -> bool:
        """Whether `value` is the very part of x that it is to be written to."""
        by_arrays = any(isinstance(i, Traced | np.ndarray | list) for i in leaves(index))
        if by_arrays or value.value.root is not x.value.root:
            return False
        part = x.held[index]
        return isinstance(part, np.ndarray) and part.shape == value.held.shape and part.strides == value.held.strides \
            and part.__array_interface__["data"] == value.held.__array_interface__["data"]  # fmt: skip

    def kernel(
        self, function: Callable[..., Any], *args: Any, handle: bool = False, pure: bool = True, label: str = "",
        title: str = "",
    ) -> Any:  # fmt: skip
        """An operation as a unit. With `handle`, what it returns beside its first result is for its like alone.

        `pure` says that it does nothing else, as drawing random numbers would be. `label` is for its result, `title`
        for itself, where its function's name says nothing.
        """
        filled, at = next(((x, i) for i, x in enumerate(args) if handle and type(x) is dict and not x), (None, 0))
        filling = None if filled is None else _Filling(function, at)
        function = filling or function
        if any(type(x) is Traced for x in _known_to(function)):
            self.give_up("has an operation that knows an array by another way than as its argument")
        real = self.real(args)
        with self.paused():
            result = function(*real)
        call = Call("kernel", function, self._noted(args), {}, self.scope, pure)
        call.title = title
        self.calls.append(call)
        if not handle:
            return self._outs(call, args, result)
        call.many = True
        value = self.value("object", None)
        first = self._out(call, args, result[0])
        self.label(first.value, label)
        value.name = f"{first.value.name}_kept"
        call.outs.append(value)
        if filled is not None and filling is not None:
            filled.update(zip(filling.keys, [self._out(call, args, each) for each in result[2:]]))
        return first, Traced(result[1], value, self)

    def formula(self, function: Callable[..., Any], *args: Any) -> Any:
        """function(*args): written down call by call, or as a unit if it cannot be taken apart."""
        try:
            return function(*args)
        except Exception:
            return self.kernel(function, *args)

    def effect(self, function: Callable[..., Any], *args: Any) -> Any:
        """Something that is to be done at every call, such as a scheduler's step; its result is a fact of this one."""
        if any(isinstance(x, Tensor) for x in args):
            function = _OfTensors(function, [isinstance(x, Tensor) for x in args])
            args = tuple([x._array if isinstance(x, Tensor) else x for x in args])
        with self.paused():
            result = function(*self.real(args))
        self.calls.append(Call("effect", function, self._noted(args), {}, self.scope, False))
        return result

    def seen(self, array: Any, what: str) -> Any:
        """A tensor's array for somebody who wants to see numbers, or to do what we do not know of."""
        return self.leave(array, f"hands a tensor's numbers out ({what})") if type(array) is Traced else array

    def step(self, optimizer: Any, step: Callable[..., Any], closure: Any = None) -> Any:
        """An optimizer's step, as one call that reads gradients and writes parameters."""
        loss = None
        if closure is not None:
            if not isinstance(optimizer, FlatOptimizer):
                self.give_up(f"gives {type(optimizer).__name__}.step a closure, which it calls as often as it likes")
                with self.paused():
                    return step(optimizer, closure)
            with enable_grad():
                loss = closure()
        params = [p for group in optimizer.param_groups for p in group["params"] if p._grad is not None]
        call = Call("update", optimizer.step, (), {}, type(optimizer).__name__, False)
        call.args = ([p._array.value for p in params], [p._grad._array.value for p in params])
        call.writes = call.args[0]
        for value in call.writes:
            value.root.written, value.root.known = True, False
        with self.paused():
            step(optimizer)
        self.updated = True
        self.calls.append(call)
        return loss

    # ---- writing them down -------------------------------------------------------------------------------------------
    def _made(self, form: str, function: Any, args: Any, kwargs: Any, result: Any) -> Any:
        for x in leaves((args, kwargs)):
            if type(x) is Traced and x.held is result:
                return x
        call = Call(form, function, self._noted(args), self._noted(kwargs), self.scope)
        self.calls.append(call)
        return self._outs(call, (args, kwargs), result)

    def _outs(self, call: Call, args: Any, result: Any) -> Any:
        if isinstance(result, tuple | list):
            call.many = True
            return type(result)([self._out(call, args, each) for each in result]) if not hasattr(result, "_fields") \
                else type(result)(*[self._out(call, args, each) for each in result])  # fmt: skip
        return self._out(call, args, result)

    def _out(self, call: Call, args: Any, result: Any) -> Any:
        """One result: as what stands for it from now on."""
        scalar = isinstance(result, np.generic)
        if scalar:
            result = np.asarray(result)
        if not isinstance(result, np.ndarray):
            call.outs.append(None)
            if result is not None and not isinstance(result, bool | np.dtype):
                self.give_up(f"makes a {type(result).__name__} in {call.name}")
            return result
        root = None
        owner = _owner(result)
        for x in leaves(args):
            if type(x) is not Traced and isinstance(x, np.ndarray):
                x = self.constant(x)
            if type(x) is Traced and isinstance(x.held, np.ndarray) and _owner(x.held) is owner:
                root = x.value.root
                break
        value = self.value("made", result, root)
        value.known = call.pure and all(each.known and each.root.known for each in call.reads())
        call.outs.append(value)
        return Traced(result, value, self, scalar)

    def _written(
        self, form: str, function: Any, args: Any, kwargs: Any, targets: list[Any], result: Any
    ) -> Any:
        call = Call(form, function, self._noted(args), self._noted(kwargs), self.scope)
        call.writes = [x.value for x in targets]
        for value in call.writes:
            value.root.written, value.root.known = True, False
        self.calls.append(call)
        return result

    def _check_targets(self, targets: list[Any], what: str) -> None:
        for x in targets:
            if type(x) is not Traced and self.active:
                raise LeavesProgram(f"writes into an array of its own ({what})")

    def _keep_before(self, targets: list[Any]) -> None:
        """Copies what is about to be written to: so that a recording that fails leaves no trace outside, and so that
        what the program starts from is there at every call."""
        for x in targets:
            root = x.value.root
            if root.kind != "made" and id(root) not in self.before and self.active:
                self.before[id(root)] = (root.array, root.array.copy("K"))
                if root.kind == "constant":
                    self.begun.append(root)

    def begin_anew(self) -> int:
        """Has the program make what it starts from and writes to (zeros that are added to, say) at every call. Gives
        the number of calls that have come to its beginning."""
        for root in self.begun:
            array, copy = self.before[id(root)]
            others = [other for other, value, _ in self.constants.values() if value is not root]
            if any(np.may_share_memory(array, other) for other in [*others, *self.shared]):
                self.give_up("writes into an array of NumPy's")
            if fresh(copy.shape, copy.dtype, copy.strides, None).strides != array.strides:
                self.give_up("writes into an array of NumPy's that has gaps")
            call = Call("method", np.ndarray.astype, (self.value("constant", copy), copy.dtype, "K"), {}, "")
            call.outs, root.kind, root.array = [root], "made", None
            self.calls.insert(0, call)
        return len(self.begun)

    def undo(self) -> None:
        """Puts back what was written to outside."""
        for array, copy in self.before.values():
            array[...] = copy

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Inside, tensors have their real arrays, and nothing is written down."""
        before, recorder = self.active, mode.recorder
        self.active, mode.recorder = False, None
        try:
            yield
        finally:
            self.active, mode.recorder = before, recorder

    # ---- backward ----------------------------------------------------------------------------------------------------
    def pull(self, plan: Any, node: Any, g: Any) -> Any:
        """`plan.pull(node, g)`, with a formula that cannot be written down as a kernel."""
        self.scope = f"backward of {self.label_of(node)}"
        grads = self._pulled(plan, node, g)
        for edge, grad in zip(node.edges, grads):
            if type(grad) is Traced and isinstance(edge, Node):
                self.label(grad.value, f"d_{self.label_of(edge)}")
        return grads

    def _pulled(self, plan: Any, node: Any, g: Any) -> Any:
        if not isinstance(plan, Plan):
            return plan.pull(node, g)
        turned = plan.holomorphic and g.dtype.kind == "c"
        try:
            return plan.pull_complex(node, g) if turned else plan.pull(node, g)
        except Exception:  # it does what only real arrays can, or its own error comes again
            name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", plan.name.partition("Backward")[0]).lower()
            kernel = functools.partial(self.kernel, title=f"{name}_backward")
            grads = plan.pull_singly(node, np.conjugate(g) if turned else g, kernel)
        return [np.conjugate(d) if turned and d is not None and d.dtype.kind == "c" else d for d in grads]

    # ---- at the end --------------------------------------------------------------------------------------------------
    def check_constants(self) -> None:
        """No plan where an array that was taken for a constant has changed since."""
        for array, value, snapshot in self.constants.values():
            if snapshot is not None and not value.written and snapshot.tobytes() != array.tobytes():
                self.give_up("changes an array of NumPy's behind the recording")
                return


class _Filling:
    """A kernel that puts further results into a dict among its arguments, as one that returns them."""

    def __init__(self, function: Callable[..., Any], position: int) -> None:
        self.function, self.position = function, position
        self.keys: list[str] = []
        self.__name__ = getattr(function, "__name__", "kernel")

    def __call__(self, *args: Any) -> tuple[Any, ...]:
        found: dict[str, Any] = {}
        position = self.position
        results = self.function(*args[:position], found, *args[position + 1 :])
        self.keys = [*found]
        return (*results, *found.values())


class _OfTensors:
    """A function of tensors, at some of its places, as one of arrays."""

    def __init__(self, function: Callable[..., Any], places: list[bool]) -> None:
        self.function, self.places = function, places
        self.__name__ = getattr(getattr(function, "func", function), "__name__", "effect")

    def __call__(self, *args: Any) -> Any:
        return self.function(*[wrap(x) if there else x for x, there in zip(args, self.places)])


def _getitem(x: Any, index: Any) -> Any:
    return x[index]


def _setitem(x: Any, index: Any, value: Any) -> None:
    x[index] = value


def _real(x: Any) -> Any:
    return x.real


def _imag(x: Any) -> Any:
    return x.imag


_PARTS = {"real": _real, "imag": _imag}


def _held(x: Any) -> Any:
    return x.held if type(x) is Traced else x


def _owner(array: Any) -> Any:
    """The object whose memory the array shows. (Between views by `as_strided` there is something else than arrays.)"""
    while (base := getattr(array, "base", None)) is not None:
        array = base
    return array


def _known_to(function: Any) -> Iterator[Any]:
    """What a function has besides its arguments."""
    for cell in getattr(function, "__closure__", None) or ():
        with suppress(ValueError):  # an empty one
            yield cell.cell_contents
    yield from (*getattr(function, "args", ()), *getattr(function, "keywords", {}).values())


def _inside_operation() -> bool:
    """Whether a forward or a formula is at work, rather than the program that is recorded."""
    frame = sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        if (code.co_name, code.co_filename.rpartition("/")[2]) in _INSIDE or code.co_filename.startswith("<the door"):
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


_HERE = __file__.rpartition("/capture/")[0]


def _user_line() -> str:
    """The line of the program that is recorded, for messages."""
    for frame in reversed(traceback.extract_stack()):
        if not frame.filename.startswith(_HERE) and "<frozen" not in frame.filename:
            return f'line {frame.lineno} of {frame.filename} ("{frame.line}")'
    return ""
