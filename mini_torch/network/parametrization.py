"""A parameter as a function of others: its modules compute it anew whenever the attribute is read.

Source: PyTorch's `nn.utils.parametrize`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..graph import no_grad
from ..tensor import Tensor
from .containers import ModuleDict, ModuleList
from .module import Module
from .parameter import Parameter

__all__ = [
    "ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
    "transfer_parametrizations_and_params", "type_before_parametrizations",
]  # fmt: skip

_depth = 0  # of `cached` around us
_cache: dict[tuple[int, str], Tensor] = {}


@contextmanager
def cached() -> Iterator[None]:
    """Inside, each parametrized tensor is computed once, when it is first read."""
    global _depth
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        if not _depth:
            _cache.clear()


def _enter(module: Module, name: str, x: Tensor) -> None:
    if isinstance(x, Parameter):
        module.register_parameter(name, x)
    else:
        module.register_buffer(name, x)


def _check_same(what: str, x: Any, wanted: Tensor) -> None:
    """That a parametrization's result may stand where `wanted` stood."""
    if not isinstance(x, Tensor):
        raise ValueError(f"{what} must return a tensor. Got {type(x).__name__}.")
    if x.dtype != wanted.dtype or x.shape != wanted.shape:
        raise ValueError(
            f"{what} may not change the dtype or the shape of the tensor, unless `unsafe` flag is enabled: got "
            f"{x.dtype} {list(x.shape)} for {wanted.dtype} {list(wanted.shape)}"
        )


def _check_tensors(parts: Any) -> None:
    """That `parts` are several tensors, of which a parametrization makes one."""
    wanted = "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got "
    if not isinstance(parts, Sequence):
        raise ValueError(f"{wanted}{type(parts).__name__}")
    for i, part in enumerate(parts):
        if not isinstance(part, Tensor):
            raise ValueError(f"{wanted}element {i} of the sequence with type {type(part).__name__}.")


class ParametrizationList(ModuleList):
    """The modules that compute a tensor, applied in order to what is kept: `original`, or `original0`, `original1` …

    Errors: ValueError for a `right_inverse` or a result of another kind than the tensor's. PyTorch's
    `nn.utils.parametrize.ParametrizationList`.
    """

    original: Tensor

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        before = original.detach()
        new: Any = self._inverse(original, strict=False)
        self.is_tensor = isinstance(new, Tensor)
        if not self.is_tensor:
            _check_tensors(new)
        self.ntensors = 1 if self.is_tensor else len(new)
        if self.is_tensor:
            self._check_type(new, original)
            original.data = new
            _enter(self, "original", original)
        else:
            for i, part in enumerate(new):
                kept = part.detach()
                trained = isinstance(original, Parameter)
                _enter(self, f"original{i}", Parameter(kept, original.requires_grad) if trained else kept)
        if not unsafe:
            _check_same("A parametrization", self(), before)

    def _inverse(self, value: Any, strict: bool) -> Any:
        with no_grad():
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    try:
                        value = module.right_inverse(value)
                    except NotImplementedError:
                        if strict:
                            raise
                elif strict:
                    raise RuntimeError(f"parametrization {type(module).__name__} does not implement right_inverse.")
        return value

    @staticmethod
    def _check_type(new: Tensor, original: Tensor) -> None:
        if new.dtype != original.dtype:
            raise ValueError(
                f"`right_inverse` may not change the dtype of a tensor, got {new.dtype} for {original.dtype}"
            )

    def right_inverse(self, value: Tensor) -> None:
        """Sets what is kept so that the computed tensor becomes `value`."""
        new = self._inverse(value, strict=True)
        parts = [new] if self.is_tensor else list(new)
        if len(parts) != self.ntensors or not all(isinstance(part, Tensor) for part in parts):
            raise ValueError(f"'right_inverse' must return {self.ntensors} tensor(s), got {new!r}")
        for kept, part in zip(self._originals(), parts):
            self._check_type(part, kept)
            kept.data = part

    def _originals(self) -> list[Tensor]:
        return [self.original] if self.is_tensor else [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def forward(self) -> Tensor:
        first, *others = self
        x: Tensor = first(*self._originals())
        for module in others:
            x = module(x)
        return x


def _with_properties(module: Module) -> None:
    """Gives the module a class of its own, which can have properties."""
    cls = type(module)

    def refuse(self: Any) -> Any:
        raise RuntimeError("Serialization of parametrized modules is only supported through state_dict().")

    def deepcopy(self: Any, memo: dict[int, Any]) -> Any:
        replica = memo[id(self)] = object.__new__(type(self))
        replica.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return replica

    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), {"__getstate__": refuse, "__deepcopy__": deepcopy})


def _property(name: str) -> property:
    def read(module: Any) -> Tensor:
        if not _depth:
            return module.parametrizations[name]()
        key = id(module), name
        if key not in _cache:
            _cache[key] = module.parametrizations[name]()
        return _cache[key]

    def write(module: Any, value: Tensor) -> None:
        module.parametrizations[name].right_inverse(value)

    return property(read, write)


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Makes `module.tensor_name` the result of `parametrization`, applied to what that was before.

    If the parametrization has a method `right_inverse`, its value is kept instead, and the attribute can be assigned.
    Errors: ValueError where there is no such tensor, or (unless `unsafe`) where dtype or shape would change. PyTorch's
    `nn.utils.parametrize.register_parametrization`.

    >>> from mini_torch.layer import Linear
    >>> class Symmetric(Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).T
    >>> layer = register_parametrization(Linear(3, 3), "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.T).all()), [name for name, _ in layer.named_parameters()]
    (True, ['bias', 'parametrizations.weight.original'])
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        parts = module.parametrizations[tensor_name]
        if not unsafe:
            now = getattr(module, tensor_name)
            then = parametrization(now)
            _check_same("A parametrization", then, now)
            if hasattr(parametrization, "right_inverse"):
                _check_same("parametrization.right_inverse", parametrization.right_inverse(then), now)
        parts.append(parametrization)
        parts.unsafe |= unsafe
        return module
    if tensor_name not in module._buffers and tensor_name not in module._parameters:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
            f"'{tensor_name}'"
        )
    parts = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        _with_properties(module)
        module.parametrizations = ModuleDict()
    setattr(type(module), tensor_name, _property(tensor_name))
    module.parametrizations[tensor_name] = parts
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether the module has a parametrized tensor, or one of that name. PyTorch's
    `nn.utils.parametrize.is_parametrized`."""
    parts = getattr(module, "parametrizations", None)
    if not isinstance(parts, ModuleDict):
        return False
    return len(parts) > 0 if tensor_name is None else tensor_name in parts


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Makes a plain tensor of a parametrized one: with the value that it has now, or (False) what was kept.

    Errors: ValueError where it is not parametrized, or keeps several tensors and should be left so. PyTorch's
    `nn.utils.parametrize.remove_parametrizations`.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    parts = module.parametrizations[tensor_name]
    if not parts.is_tensor and not leave_parametrized:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
            "sequence of tensors."
        )
    now = getattr(module, tensor_name)
    if parts.is_tensor:
        plain = parts.original
        if leave_parametrized:
            plain.data = now.detach()
    else:
        plain = Parameter(now.detach()) if now.requires_grad else now
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _enter(module, tensor_name, plain)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """The module's class, without what parametrizations made of it."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Gives `to_module` the parametrizations of the other, of one tensor or of all, and what they keep."""
    if not is_parametrized(from_module):
        return to_module
    for name in list(from_module.parametrizations) if tensor_name is None else [tensor_name]:
        theirs = from_module.parametrizations[name]
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name).detach()))
        for part in theirs:
            register_parametrization(to_module, name, part, unsafe=theirs.unsafe)
        for key, kept in [*theirs._parameters.items(), *theirs._buffers.items()]:
            setattr(to_module.parametrizations[name], key, kept)
    return to_module
