"""`compile`: a function or module that is recorded at its first call and then runs as straight-line NumPy."""

from __future__ import annotations

import functools
import inspect
import warnings
import weakref
from collections.abc import Callable
from typing import Any

from ..dtype import default_numpy_dtype
from ..graph import mode
from ..network.module import Module
from ..tensor import Tensor
from .guard import Guard
from .plan import Plan
from .record import NotRecorded, Recording, record

__all__ = ["Compiled", "reset", "stance"]

stance = ["default"]  # see `interface.set_stance`
MOST = 8  # plans of one function, as many as PyTorch keeps
_all: weakref.WeakSet[Compiled] = weakref.WeakSet()


class Compiled:
    """A function with the plans that were recorded of it, by what its arguments are."""

    def __init__(self, function: Callable[..., Any], fullgraph: bool = False) -> None:
        self.function, self.fullgraph = function, fullgraph
        self.plans: dict[Any, list[Plan]] = {}
        self.gave_up: set[Any] = set()
        self._in_vain: dict[Any, int] = {}  # plans in a row that were not used
        self._arguments = _argument_names(function)
        functools.update_wrapper(self, function, updated=())
        _all.add(self)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if mode.recorder is not None or stance[0] == "force_eager":  # inside another one: part of it
            return self.function(*args, **kwargs)
        tensors: list[Tensor] = []
        key: list[Any] = [mode.enabled, mode.inference, default_numpy_dtype()]
        for x in args:
            if isinstance(x, Tensor):
                tensors.append(x)
                array = x._array
                key.append((array.shape, array.dtype, array.strides, x._requires_grad))
            else:
                _describe(x, key, tensors)
        if kwargs:
            _describe(kwargs, key, tensors)
        if len(tensors) > 1:
            ids = [*map(id, tensors)]
            key.append(tuple(map(ids.index, ids)))  # which of them are the same
        kind = tuple(key)
        try:
            known = self.plans.get(kind)
        except TypeError as error:
            raise TypeError(f"compile: an argument cannot be part of a signature: {error}") from error
        if known is not None:
            for plan in known:
                if plan.holds(tensors):
                    return plan.run(tensors)
        return self._first(kind, args, kwargs)

    def _first(self, kind: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call that no plan is for: records one, unless that was tried in vain."""
        if stance[0] == "fail_on_recompile":
            raise RuntimeError("compile: no plan is for this call, and the stance is 'fail_on_recompile'")
        if kind in self.gave_up or mode.anomaly or mode.hooks or stance[0] != "default":
            return self.function(*args, **kwargs)
        known = self.plans.setdefault(kind, [])
        known[:] = [plan for plan in known if not plan.outdated]
        self._in_vain[kind] = 0 if known and known[-1].used else self._in_vain.get(kind, -1) + 1
        if self._in_vain[kind] >= MOST:
            self._give_up(kind, "goes by something that is another at every call, so that no plan is used twice")
            return self.function(*args, **kwargs)
        if sum(map(len, self.plans.values())) >= MOST:
            self._drop_oldest(kind)
        tensors: list[Tensor] = []
        _describe((args, kwargs), [], tensors)
        before = Guard(self.function, [*self.function.modules()] if isinstance(self.function, Module) else [], [])
        try:
            recording = record(self.function, args, kwargs, tensors, self.fullgraph)
        except NotRecorded as failure:
            cause = failure.__cause__
            if self.fullgraph or failure.went_on:
                raise cause from None  # type: ignore[misc]
            result = self.function(*args, **kwargs)  # and if this fails, too, that is the program's own error
            self._give_up(kind, f"raises {type(cause).__name__} when it is recorded: {cause}")
            return result
        if recording.reasons:
            self._give_up(kind, recording.reasons[0])
        elif before.holds():  # else it has changed something that it goes by, as a count of its calls
            guard = Guard(self.function, recording.modules, [x for x, _ in recording.outside])
            known.append(Plan(recording, guard, self._names_for(tensors, recording)))
        return recording.result

    def _names_for(self, tensors: list[Tensor], recording: Recording) -> list[str]:
        names = self._arguments[: len(tensors)]
        names += [f"x{i}" for i in range(len(names), len(tensors))]
        return names + [f"grad_of_{recording.names.get(id(x), 'leaf')}" for x in recording.grads_given]

    def _drop_oldest(self, kind: Any) -> None:
        for other in self.plans:
            if self.plans[other] and (other != kind or len(self.plans) == 1 or len(self.plans[other]) > 1):
                self.plans[other].pop(0)
                return

    def _give_up(self, kind: Any, reason: str) -> None:
        if len(self.gave_up) > 64:
            self.gave_up.clear()
        if not self.gave_up:
            name = getattr(self.function, "__qualname__", type(self.function).__name__)
            warnings.warn(f"compile: {name} runs as it is, without a plan: it {reason}", stacklevel=4)
        self.gave_up.add(kind)

    # ---- looking inside ----------------------------------------------------------------------------------------------
    @property
    def plan(self) -> Plan:
        """The plan recorded last. Errors: RuntimeError where there is none."""
        plans = [plan for each in self.plans.values() for plan in each]
        if not plans:
            raise RuntimeError("nothing is compiled yet: call the function once")
        return plans[-1]

    @property
    def source(self) -> str:
        """The generated program of the plan recorded last."""
        return self.plan.source

    def explain(self, *args: Any, **kwargs: Any) -> Any:
        """What the program recorded last consists of, and what each part costs: print it, it is a table.

        Calls, bytes read and written, and estimated floating-point operations follow from the shapes ("> " says that
        some calls have more that are not known); times are measured, by some runs on the given arguments or on random
        numbers of the same shapes. Nothing is changed by that: parameters, the optimizer's state, running averages and
        the random stream are put back.

        Errors: RuntimeError where nothing is compiled yet, for arguments of these shapes.
        """
        from .explain import explain

        if not args and not kwargs:
            return explain(self.plan)
        tensors: list[Tensor] = []
        _describe((args, kwargs), [], tensors)
        kinds = [(x._array.shape, x._array.dtype) for x in tensors]
        for plan in [plan for each in self.plans.values() for plan in each][::-1]:
            if [(v.shape, v.dtype) for v in plan.program.inputs[: len(kinds)]] == kinds:
                return explain(plan, [x._array.copy("K") for x in tensors])
        raise RuntimeError("nothing is compiled for arguments of these shapes and types: call it with them once")

    def export(self, path: Any) -> None:
        """Writes the program recorded last into one file that needs NumPy alone, its arrays in an .npz beside it.

        The file has the program as in `source` and a function of the same arguments as this one's tensors, which takes
        and gives arrays; it goes on from the weights, the optimizer's state and the random stream as they are now, to
        the same numbers. An optimizer's options are in a namespace of its name (`adam.lr = 1e-4`); `save` and `load`
        write and read the arrays. Other arguments than tensors are written into the program as they were.

        Errors: RuntimeError where nothing is compiled yet; `NotExported`, one of them, names what cannot be written
        down; ValueError for a path that does not end in .py.
        """
        from .export import export

        function = self.function
        export(self.plan, "forward" if hasattr(function, "forward") else getattr(function, "__name__", "forward"), path)

    def reset(self) -> None:
        """Forgets all plans."""
        self.plans.clear()
        self.gave_up.clear()
        self._in_vain.clear()


def _describe(x: Any, key: list[Any], tensors: list[Tensor]) -> None:
    """Adds what a plan depends on of an argument."""
    if isinstance(x, Tensor):
        array = x._array
        tensors.append(x)
        key.append((array.shape, array.dtype, array.strides, x._requires_grad))
    elif isinstance(x, tuple | list):
        key.append((type(x), len(x)))
        for each in x:
            _describe(each, key, tensors)
    elif isinstance(x, dict):
        key.append((dict, *x))
        for each in x.values():
            _describe(each, key, tensors)
    elif x is None or isinstance(x, bool | int | float | complex | str | bytes):
        key.append((type(x), x))
    else:
        key.append(_Same(x))


class _Same:
    """An argument that is the same only if it is the same object."""

    __slots__ = ("x",)

    def __init__(self, x: Any) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.x is self.x

    def __hash__(self) -> int:
        return id(self.x)


def _argument_names(function: Callable[..., Any]) -> list[str]:
    try:
        parameters = inspect.signature(getattr(function, "forward", function)).parameters
    except (TypeError, ValueError):
        return []
    return [name for name, p in parameters.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def reset() -> None:
    """Forgets all plans of all compiled functions. Source: PyTorch's `torch.compiler.reset`."""
    for each in _all:
        each.reset()

