"""Casting what a module keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..dtype import from_numpy_dtype, to_numpy_dtype
from ..graph import no_grad
from ..ops.conversion import kinds_asked
from ..tensor import Tensor

if TYPE_CHECKING:
    from .module import Module


def dtype_of_to(
    *args: Any, device: Any = None, dtype: Any = None, tensor: Any = None, non_blocking: bool = False,
    copy: bool = False, memory_format: Any = None, **unknown: Any,
) -> Any:  # fmt: skip
    """The number type that the arguments of `Module.to` ask for, None for none; checks the device that they name.

    `non_blocking` and `memory_format` change nothing. Errors: TypeError for a number type that cannot hold gradients
    and for two of them, RuntimeError for `copy`, and what `check_device` says of a device that is not there.
    """
    for name in unknown:
        raise TypeError(f"to() got an unexpected keyword argument '{name}'")
    if copy:
        raise RuntimeError(".to() does not accept copy argument")
    kinds = [from_numpy_dtype(to_numpy_dtype(kind)) for kind in kinds_asked(*args, tensor, device, dtype)]
    if len(kinds) > 1:
        raise TypeError(f"to() takes one number type, got {' and '.join(map(str, kinds))}")
    for kind in kinds:
        if not (kind.is_floating_point or kind.is_complex):
            raise TypeError(f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={kind}")
    return kinds[0] if kinds else None


def apply_to_own(module: Module, fn: Callable[[Tensor], Tensor]) -> None:
    """`fn` of the values of the module's own parameters, of their gradients and of its buffers."""
    for param in module._parameters.values():
        if param is not None:
            with no_grad():
                param.data = fn(param)
                if param.grad is not None:
                    param.grad.data = fn(param.grad)
    for name, buffer in module._buffers.items():
        if buffer is not None:
            module._buffers[name] = fn(buffer)
