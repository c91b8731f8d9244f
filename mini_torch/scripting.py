"""TorchScript's names: here a scripted function or module is itself, and Python runs it.

PyTorch compiles it into a program with the same results, so what a script does with it goes on as it was. What cannot
be had without that compiler, a file that runs outside of Python, is an error: see `absent`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

from .network import Module

__all__ = [
    "Error", "Future", "ScriptFunction", "ScriptModule", "TracerWarning", "annotate", "fork", "freeze", "ignore",
    "is_scripting", "is_tracing", "isinstance_of", "itself", "other_fuser", "script", "trace", "trace_module", "wait",
]  # fmt: skip

Thing = TypeVar("Thing")


class ScriptModule(Module):
    """A module; the name by which programs ask whether one is scripted. Its `script_method`s are its methods."""


class ScriptFunction:
    """The class of PyTorch's scripted functions, of which there are none here."""


class Error(RuntimeError):
    """What PyTorch raises when a scripted function fails; here its own exception comes through."""


class TracerWarning(Warning):
    """What PyTorch warns of when a traced function decides by a tensor's value; here such a function just works."""


# ---- a function or module, and what PyTorch would make of it -------------------------------------------------
def script(obj: Thing, *_: Any, **__: Any) -> Thing:
    """`obj` itself: a function, class or module. Source: PyTorch's `torch.jit.script`.

    >>> @script
    ... def double(x):
    ...     return x + x
    >>> double(2)
    4
    """
    return obj


def trace(func: Thing, example_inputs: Any = None, *_: Any, **__: Any) -> Thing:
    """`func` itself, a function or module, which is not called. What it decides, it decides at every call anew.

    Source: PyTorch's `torch.jit.trace`, which keeps the operations of one call.
    """
    return func


def trace_module(mod: Module, inputs: dict[str, Any], *_: Any, **__: Any) -> Module:
    """`mod` itself."""
    return mod


def freeze(mod: Module, *_: Any, **__: Any) -> Module:
    """`mod` itself. Errors: RuntimeError in training mode, as in PyTorch."""
    if mod.training:
        raise RuntimeError("freeze takes a module in evaluation mode; call module.eval() first")
    return mod


def itself(thing: Thing, *_: Any, **__: Any) -> Thing:
    """`thing`: what is only a mark for PyTorch's compiler."""
    return thing


def ignore(drop: Any = False, **_: Any) -> Any:
    """A mark for PyTorch's compiler, with brackets and without."""
    return drop if callable(drop) else itself


def annotate(the_type: Any, the_value: Thing) -> Thing:
    """`the_value`."""
    return the_value


def isinstance_of(obj: Any, target_type: Any) -> bool:
    """Whether `obj` is of the type, also one such as `list[int]`, of which only the first part counts."""
    return isinstance(obj, getattr(target_type, "__origin__", target_type))


def is_scripting() -> bool:
    """False: Python runs."""
    return False


def is_tracing() -> bool:
    """False: Python runs."""
    return False


def other_fuser(*_: Any, **__: Any) -> AbstractContextManager[None]:
    """A context for PyTorch's compiler, in which nothing changes."""
    return nullcontext()


# ---- tasks ---------------------------------------------------------------------------------------------------
class Future:
    """The result of `fork`: already there."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def wait(self) -> Any:
        """The result."""
        return self._value

    value = wait

    def done(self) -> bool:
        """True."""
        return True


def fork(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Future:
    """Calls `func` at once. Source: PyTorch's `torch.jit.fork`, which in Python does the same."""
    return Future(func(*args, **kwargs))


def wait(future: Future) -> Any:
    """The result of a `fork`."""
    return future.wait()
