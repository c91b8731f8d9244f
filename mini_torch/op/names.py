"""How a function gets its public names: in the table of functions, on Tensor, among NumPy's functions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ..tensor import Tensor, numpy_entries
from ..tensor import method as enter_method
from .brain import NeedsFloat32, again_in_float32
from .inplace import inplace, write_out
from .table import parameters_of

__all__ = ["describe", "enter_ufunc", "functions", "implements", "public", "publish", "publish_inplace",
           "takes_out"]  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])
functions: dict[str, Callable[..., Any]] = {}  # every public function by its name


def public(
    function: Callable[..., Any] | None = None, /, *, name: str | None = None, method: bool = True,
    function_too: bool = True, aliases: tuple[str, ...] = (), inplace: bool | np.ufunc = False,
    apart: bool = False,
) -> Any:  # fmt: skip
    """Decorator: enters a function into the table of public functions and makes it a method of Tensor.

    With `inplace`, there is the method `name_`, too; the ufunc that computes it may be given there. The function takes
    `out=`, see `takes_out`; with `apart`, none that is an input.
    """

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        names = (name or function.__name__, *aliases)
        called = takes_out(function, apart)
        if function_too:
            functions.update(dict.fromkeys(names, called))
        if method:
            for each in names:
                enter_method(each, called if "dim" in parameters_of(function) else function)
            if inplace:
                publish_inplace(function, names, None if inplace is True else inplace)
        return called

    return enter if function is None else enter(function)


_NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "x1": "input", "a": "input", "x2": "other"}


def takes_out(function: F, apart: bool = False) -> F:
    """The function as people call it: with `out=` for a place to write to, with NumPy's `axis=`, `keepdims=` and `x=`
    for `dim=`, `keepdim=` and `input=`, and with PyTorch's words for what is no tensor."""
    parameters = parameters_of(function)

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        out = None
        try:
            if not kwargs:  # a tenth of a microsecond less for most calls
                return function(*args)
            out = kwargs.pop("out", None)
            for theirs in _NUMPY_NAMES.keys() & kwargs.keys():
                if theirs not in parameters and _NUMPY_NAMES[theirs] in parameters:
                    kwargs[_NUMPY_NAMES[theirs]] = kwargs.pop(theirs)
            result = function(*args, **kwargs)
        except NeedsFloat32 as refusal:
            result = again_in_float32(function, args, kwargs, refusal)
        except AttributeError as error:
            _explain(function.__name__, {**dict(zip(parameters, args)), **kwargs}, error)
            raise
        if out is None:
            return result
        _check_memory(out, args, apart)
        return write_out(result, out)

    return called  # type: ignore[return-value]


def _check_memory(out: Any, args: tuple[Any, ...], apart: bool) -> None:
    """RuntimeError where `out` shares a part of its memory with an input, as PyTorch has it; or, with `apart`, all."""
    given = [x for arg in args for x in (arg if isinstance(arg, tuple | list) else [arg])]
    for x in given:
        if not isinstance(x, Tensor) or not isinstance(out, Tensor):
            continue
        a, b = x._array, out._array
        if x is out or a is b:
            shared = apart
        elif np.may_share_memory(a, b):
            same = (a.ctypes.data, a.shape, a.strides) == (b.ctypes.data, b.shape, b.strides)
            shared = apart if same else np.shares_memory(a, b)
        else:
            continue
        if shared:
            raise RuntimeError(
                "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single "
                "memory location. Please clone() the tensor before performing the operation."
            )


def _explain(name: str, given: dict[str, Any], error: AttributeError) -> None:
    """If what has no array is one of the arguments, says so: TypeError."""
    for position, (parameter, value) in enumerate(given.items(), 1):
        if value is error.obj and not isinstance(value, Tensor):
            raise TypeError(
                f"{name}(): argument '{parameter}' (position {position}) must be Tensor, not {type(value).__name__}"
            ) from None


def publish(function: Any, names: tuple[str, ...], methods: tuple[str, ...], export: bool) -> None:
    """Enters a function under its names into the table, and on Tensor."""
    for name in names:
        if export:
            functions[name] = function
    for name in methods:
        enter_method(name, function)


def implements(*numpy_functions: Any) -> Any:
    """Decorator: the function stands in for NumPy's when that is called on tensors (it has NumPy's signature)."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        for each in numpy_functions:
            numpy_entries[each] = function
        return function

    return enter


def enter_ufunc(forward: Any, function: Any) -> None:
    """If `forward` is NumPy's ufunc (or a quiet one), the function stands in for it on tensors."""
    ufunc = getattr(forward, "__wrapped__", forward)
    if isinstance(ufunc, np.ufunc):
        numpy_entries.setdefault(ufunc, function)


def describe(function: Any, name: str, doc: str) -> None:
    """Gives a made function its name and docstring. Those of `torch.special` alone are named special_x."""
    function.__name__ = function.__qualname__ = name
    source = name.replace("special_", "special.", 1)
    function.__doc__ = f"{doc or name}\n\nElementwise, with PyTorch's promotion. Source: PyTorch's `torch.{source}`."


def publish_inplace(function: Any, names: tuple[str, ...], ufunc: Any = None) -> None:
    """Makes the in-place form a method under each name."""
    for name in names:
        enter_method(f"{name}_", inplace(function, ufunc))
