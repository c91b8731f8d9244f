"""`compile` as programs call it, and what `torch.compiler` has beside it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..graph import mode
from ..network.module import Module
from .compiled import Compiled, stance

__all__ = [
    "OptimizedModule", "allow_in_graph", "assume_constant_result", "compile", "cudagraph_mark_step_begin", "disable",
    "is_compiling", "is_dynamo_compiling", "is_exporting", "list_backends", "set_stance", "wrap_numpy",
]  # fmt: skip


def compile(
    model: Callable[..., Any] | None = None, *, fullgraph: bool = False, dynamic: bool | None = None,
    backend: Any = None, mode: str | None = None, options: dict[str, Any] | None = None, name: str | None = None,
    disable: bool = False, recompile_limit: int | None = None, isolate_recompiles: bool = False,
    shapes_spec: Any = None,
) -> Any:  # fmt: skip
    """A function or module that does the same in straight-line NumPy, from its second call on.

    The first call with new shapes, types or modes runs as ever and is written down: forward, and also backward and an
    optimizer's step, if the function makes them. Later calls run the program made of it, with buffers that are there
    already: a training step of a small network takes about two thirds of the time. `.source` shows the program.

    What it goes by besides tensors (other arguments, globals, closures, attributes, modes, hooks, an optimizer's
    groups) is looked at before every run; if that has changed, the call is recorded again. Tensors from outside, and
    NumPy's arrays, are read as they are then.

    What a program cannot hold is noticed: a decision by a tensor's value, printing one, a shape that depends on values.
    Then the function runs as it is, and a warning says why; with `fullgraph` it is an error (RuntimeError) that names
    the line. What the function does to other Python objects is not done again.

    Called without a function, a decorator. The other arguments choose among PyTorch's compilers and change nothing
    here. Of a module a module is made, whose parameters are the same. Source: PyTorch's `torch.compile`.

    >>> import mini_torch as torch
    >>> from mini_torch import nn
    >>> network = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> optimizer = torch.optim.Adam(network.parameters())
    >>> @torch.compile
    ... def step(x, y):
    ...     optimizer.zero_grad()
    ...     loss = nn.functional.mse_loss(network(x), y)
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> x, y = torch.randn(64, 2), torch.randn(64, 1)
    >>> step(x, y).item() > step(x, y).item()
    True
    """
    if model is None:
        return lambda model: compile(model, fullgraph=fullgraph, dynamic=dynamic, name=name, disable=disable)
    if not callable(model):
        raise TypeError(f"compile takes a function or a module, not {type(model).__name__}")
    if disable:
        return model
    if isinstance(model, Module):
        return OptimizedModule(model, fullgraph)
    return Compiled(model, fullgraph)


class OptimizedModule(Module):
    """A compiled module: calls go to the program; parameters, state and attributes are the original's.

    The original is `_orig_mod`, as in PyTorch, also in the names of the state dict.
    """

    def __init__(self, module: Module, fullgraph: bool = False) -> None:
        super().__init__()
        self._orig_mod = module
        self.__dict__["_compiled"] = Compiled(module, fullgraph)
        self.__dict__["training"] = module.training

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The module's result, by its program."""
        return self._compiled(*args, **kwargs)

    __call__ = forward

    def train(self, mode: bool = True) -> Any:
        """Sets training mode, here and in the original."""
        super().train(mode)
        return self

    def __getattr__(self, name: str) -> Any:
        if name == "_orig_mod":
            return self._modules["_orig_mod"]
        return getattr(self._modules["_orig_mod"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("_orig_mod", "training") or name in self.__dict__:
            super().__setattr__(name, value)
        else:
            setattr(self._modules["_orig_mod"], name, value)

    @property
    def source(self) -> str:
        """The generated program of the call recorded last."""
        return self._compiled.source

    def explain(self, *args: Any, **kwargs: Any) -> Any:
        """What that program consists of, and what each part costs; see `Compiled.explain`."""
        return self._compiled.explain(*args, **kwargs)

    def export(self, path: Any) -> None:
        """Writes that program into a file that needs NumPy alone; see `Compiled.export`."""
        self._compiled.export(path)

    def __reduce__(self) -> Any:
        return OptimizedModule, (self._orig_mod, self._compiled.fullgraph)


# ---- torch.compiler --------------------------------------------------------------------------------------------------
def is_compiling() -> bool:
    """Whether this call is recorded by `compile`. Source: PyTorch's `torch.compiler.is_compiling`."""
    return mode.recorder is not None


is_dynamo_compiling = is_compiling


def is_exporting() -> bool:
    """False: there is no `torch.export` here. Source: PyTorch's `torch.compiler.is_exporting`."""
    return False


def disable(fn: Callable[..., Any] | None = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """Takes a function out of compilation: what calls it runs as it is. PyTorch's `torch.compiler.disable`."""
    if fn is None:
        return lambda fn: disable(fn, recursive, reason=reason)
    function: Callable[..., Any] = fn

    @functools.wraps(function)
    def as_it_is(*args: Any, **kwargs: Any) -> Any:
        if mode.recorder is not None:
            mode.recorder.give_up(f"calls {function.__name__}, which is taken out by compiler.disable")
        return function(*args, **kwargs)

    return as_it_is


def assume_constant_result(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose result in a compiled program is that of the first call, for ever.

    Source: PyTorch's `torch.compiler.assume_constant_result`.
    """

    @functools.wraps(fn)
    def constant(*args: Any, **kwargs: Any) -> Any:
        if mode.recorder is None:
            return fn(*args, **kwargs)
        with mode.recorder.paused():
            return fn(*args, **kwargs)

    return constant


def allow_in_graph(fn: Any) -> Any:
    """`fn`: everything may be in a recorded program. Source: PyTorch's `torch.compiler.allow_in_graph`."""
    return fn


def wrap_numpy(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A function of arrays as one of tensors. Source: PyTorch's `torch.compiler.wrap_numpy`."""
    from ..tensor import Tensor, wrap
    from .values import mapped

    @functools.wraps(fn)
    def of_tensors(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = mapped((args, kwargs), lambda x: x._array if isinstance(x, Tensor) else x)
        result = fn(*args, **kwargs)
        return mapped(result, lambda x: wrap(x) if hasattr(x, "__array_ufunc__") or hasattr(x, "dtype") else x)

    return of_tensors


def cudagraph_mark_step_begin() -> None:
    """Nothing: for GPUs. Source: PyTorch's `torch.compiler.cudagraph_mark_step_begin`."""


def list_backends(exclude_tags: Any = ("debug", "experimental")) -> list[str]:
    """["numpy"]. Source: PyTorch's `torch.compiler.list_backends`."""
    return ["numpy"]


@contextmanager
def _back_to(before: str) -> Iterator[None]:
    try:
        yield
    finally:
        stance[0] = before


def set_stance(stance_: str = "default", *, skip_guard_eval_unsafe: bool = False, force_backend: Any = None) -> Any:
    """"default"; "force_eager": compiled functions run as they are; "eager_on_recompile": nothing new is recorded;
    "fail_on_recompile": that is an error. Also a context manager. Source: PyTorch's `torch.compiler.set_stance`."""
    known = ("default", "force_eager", "eager_on_recompile", "fail_on_recompile")
    if stance_ not in known:
        raise RuntimeError(f"invalid torch.compile stance '{stance_}': expected one of {known}")
    before, stance[0] = stance[0], stance_
    return _back_to(before)
