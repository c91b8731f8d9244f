"""A module whose parameters are not drawn. Source: PyTorch's `nn.utils.skip_init`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from ..graph import mode
from ..random import fork_rng
from .module import Module

__all__ = ["skip_init"]

M = TypeVar("M", bound=Module)


def skip_init(module_cls: Callable[..., M], *args: Any, **kwargs: Any) -> M:
    """`module_cls(*args, **kwargs)` with memory of any content in its parameters and buffers, for you to fill.

    Nothing is drawn for it: what a checkpoint replaces takes no time, and the default generator stays where it is.
    Errors: RuntimeError for what is no class of modules, or takes no `device`. PyTorch's `nn.utils.skip_init`.

    >>> from mini_torch import nn
    >>> skip_init(nn.Linear, 3, 2).weight.shape
    torch.Size([2, 3])
    """
    if not isinstance(module_cls, type) or not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    before, mode.fills = mode.fills, False
    try:
        with fork_rng():
            module: Any = module_cls(*args, **kwargs)
    finally:
        mode.fills = before
    return module.to_empty(device=kwargs.get("device") or "cpu")
