"""Layers whose input sizes are found out at the first call."""

from __future__ import annotations

from itertools import chain
from typing import Any

from .module import Module
from .parameter import is_lazy

__all__ = ["LazyModuleMixin"]


class LazyModuleMixin(Module):
    """Makes a layer lazy: it starts with `UninitializedParameter`s and fills them in at its first call.

    The layer says how in `initialize_parameters(*args, **kwargs)`, which gets the first call's arguments; then it turns
    into `cls_to_become`. Take the number types you want, and make optimizers, after the first call or before: the
    parameters stay the same objects. PyTorch's `nn.modules.lazy.LazyModuleMixin`.
    """

    cls_to_become: type[Module]

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Gives the parameters their shapes and first values, from the arguments of the first call."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer has no shape yet."""
        return any(is_lazy(tensor) for tensor in chain(self._parameters.values(), self._buffers.values()))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.initialize_parameters(*args, **kwargs)
        if self.has_uninitialized_params():
            raise RuntimeError(f"module {self._get_name()} has not been fully initialized")
        self.__class__ = self.cls_to_become  # type: ignore[assignment]
        return self(*args, **kwargs)
