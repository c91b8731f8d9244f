"""Pruning: entries of a parameter set to zero by a mask, which is applied anew before every call.

A pruned `weight` is a plain attribute, computed from the parameter `weight_orig` and the buffer `weight_mask`; a
pruning method is a hook before `forward` that does so. Source: PyTorch's `nn.utils.prune`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from numbers import Integral, Real
from typing import Any, TypeVar

from ..creation import ones_like, zeros_like
from ..graph import no_grad
from ..ops.linalg.norms import norm
from ..ops.quantiles import kthvalue
from ..ops.sorting import topk
from ..random import rand, rand_like
from ..tensor import Tensor
from .clipping import parameters_to_vector
from .module import Module

__all__ = [
    "BasePruningMethod", "CustomFromMask", "Identity", "L1Unstructured", "LnStructured", "PruningContainer",
    "RandomStructured", "RandomUnstructured", "custom_from_mask", "global_unstructured", "identity", "is_pruned",
    "l1_unstructured", "ln_structured", "random_structured", "random_unstructured", "remove",
]  # fmt: skip

M = TypeVar("M", bound=Module)


class BasePruningMethod(ABC):
    """How to prune. A subclass says in `compute_mask` what stays, and in `PRUNING_TYPE` what it looks at.

    "unstructured": single entries, those that are still there; "structured": slices along its `dim`, those that are
    not all zero; "global": everything. PyTorch's `nn.utils.prune.BasePruningMethod`.
    """

    PRUNING_TYPE: str
    _tensor_name: str

    def __call__(self, module: Module, inputs: Any) -> None:
        """Sets the pruned tensor anew: the hook before `forward`."""
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask, 0 for what goes and 1 for what stays, of importance scores `t`; zeros of `default_mask` stay."""

    def apply_mask(self, module: Module) -> Tensor:
        """What is kept times the mask."""
        orig = getattr(module, f"{self._tensor_name}_orig")
        pruned: Tensor = getattr(module, f"{self._tensor_name}_mask").to(dtype=orig.dtype) * orig
        return pruned

    @classmethod
    def apply(
        cls, module: Module, name: str, *args: Any, importance_scores: Tensor | None = None, **kwargs: Any
    ) -> BasePruningMethod:
        """Prunes `module`'s parameter `name` by a new method made of the other arguments, and registers the hook.

        A parameter that is pruned already gets a `PruningContainer` of both. `importance_scores`, of the parameter's
        shape, are judged in place of its values. Returns the hook.
        """
        method = _joined_to_earlier(module, name, cls(*args, **kwargs))
        orig = getattr(module, name)
        scores = orig if importance_scores is None else importance_scores
        if scores.shape != orig.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as parameter {name} of {module}, got {scores.shape} vs "
                f"{orig.shape}"
            )
        first = not isinstance(method, PruningContainer)
        with no_grad():
            before = ones_like(orig) if first else getattr(module, f"{name}_mask").clone()
            mask = method.compute_mask(scores.detach(), default_mask=before)
        if first:
            module.register_parameter(f"{name}_orig", orig)
            del module._parameters[name]
        module.register_buffer(f"{name}_mask", mask)
        method(module, None)
        module.register_forward_pre_hook(method)
        return method

    def prune(
        self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None
    ) -> Tensor:
        """A tensor pruned by this method, without a module."""
        scores = t if importance_scores is None else importance_scores
        if scores.shape != t.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as tensor t, got {scores.shape} vs {t.shape}"
            )
        return t * self.compute_mask(scores, default_mask=ones_like(t) if default_mask is None else default_mask)

    def remove(self, module: Module) -> None:
        """Makes the pruned tensor the parameter. The hook itself stays: `prune.remove` removes that too."""
        name = self._tensor_name
        weight = self.apply_mask(module)
        if hasattr(module, name):
            delattr(module, name)
        orig: Any = module._parameters.pop(f"{name}_orig")
        orig.data = weight.data
        del module._buffers[f"{name}_mask"]
        setattr(module, name, orig)


def _hooks_of(module: Module, name: str) -> dict[int, BasePruningMethod]:
    """The hooks that prune the parameter `name`."""
    return {
        key: hook for key, hook in module._forward_pre_hooks.items()
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name
    }  # fmt: skip


def _joined_to_earlier(module: Module, name: str, method: BasePruningMethod) -> BasePruningMethod:
    """`method`, or a container of what pruned the parameter before and it; the hook from before is taken away."""
    method._tensor_name = name
    earlier = _hooks_of(module, name)
    if len(earlier) > 1:
        raise AssertionError(
            f"Avoid adding multiple pruning hooks to the same tensor {name} of module {module}. Use a PruningContainer."
        )
    for key, before in earlier.items():
        del module._forward_pre_hooks[key]
        container = before if isinstance(before, PruningContainer) else PruningContainer(before)
        container.add_pruning_method(method)
        return container
    return method


class PruningContainer(BasePruningMethod):
    """Methods one after the other: each prunes what those before it have left. PyTorch's
    `nn.utils.prune.PruningContainer`."""

    def __init__(self, *args: BasePruningMethod) -> None:
        self._pruning_methods: tuple[Any, ...] = ()
        if args:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod | None) -> None:
        """Adds one at the end. Errors: TypeError for what is none, ValueError for one of another parameter."""
        if method is not None and not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method is not None and self._tensor_name != method._tensor_name:
            raise ValueError(
                f"Can only add pruning methods acting on the parameter named '{self._tensor_name}' to PruningContainer "
                f"{self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[BasePruningMethod]:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: Any) -> Any:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask of the last method, where that of those before it, `default_mask`, leaves something."""
        method = self._pruning_methods[-1]
        part = _remaining(method, t, default_mask)
        mask = default_mask.to(dtype=t.dtype).clone()
        mask[part] = method.compute_mask(t[part], default_mask=default_mask[part]).to(dtype=mask.dtype)
        return mask


def _remaining(method: BasePruningMethod, t: Tensor, mask: Tensor) -> Any:
    """The index of what `method` looks at: entries, or slices, that `mask` leaves."""
    if method.PRUNING_TYPE == "unstructured":
        return mask == 1
    if method.PRUNING_TYPE == "global":
        return (slice(None),) * t.dim()
    if method.PRUNING_TYPE != "structured":
        raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
    if not hasattr(method, "dim"):
        raise AttributeError('Pruning methods of PRUNING_TYPE "structured" need to have the attribute `dim` defined.')
    if method.dim < -t.dim():
        raise IndexError(f"Index is out of bounds for tensor with dimensions {t.dim()}")
    return _along(t, method.dim, mask.sum(dim=_others(t, method.dim)) != 0)


def _others(t: Tensor, dim: int) -> list[int]:
    """All dimensions but `dim`."""
    return [d for d in range(t.dim()) if d != dim % t.dim()]


def _along(t: Tensor, dim: int, chosen: Any) -> tuple[Any, ...]:
    """The index of the `chosen` slices along `dim`."""
    index: list[Any] = [slice(None)] * t.dim()
    index[dim] = chosen
    return tuple(index)


# ---- how much, and which ---------------------------------------------------------------------------------------------
def _checked_amount(amount: Any) -> Any:
    if not isinstance(amount, Real):
        raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    if float(amount) < 0 or (not isinstance(amount, Integral) and float(amount) > 1):
        raise ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")
    return amount


def _count(amount: Any, size: int) -> int:
    """How many of `size` go: `amount` of them, or that share of them."""
    count = int(amount) if isinstance(amount, Integral) else round(amount * size)
    if count > size:
        raise ValueError(f"amount={count} should be smaller than the number of parameters to prune={size}")
    return count


class Identity(BasePruningMethod):
    """Prunes nothing: gives a parameter the names and the hook of a pruned one, with a mask of ones."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask that there was."""
        return default_mask

    @classmethod
    def apply(cls, module: Module, name: str) -> BasePruningMethod:  # type: ignore[override]
        """See `BasePruningMethod.apply`."""
        return super().apply(module, name)


class _Unstructured(BasePruningMethod):
    """Prunes the entries of the least scores: `amount` of them, an int, or a share of them, a float."""

    PRUNING_TYPE = "unstructured"

    def __init__(self, amount: float) -> None:
        self.amount = _checked_amount(amount)

    def _scores(self, t: Tensor) -> Tensor:
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """`default_mask` with zeros for the least scores of `t`."""
        count = _count(self.amount, t.numel())
        mask = default_mask.clone()
        if count:
            mask.view(-1)[topk(self._scores(t).reshape(-1), count, largest=False).indices] = 0
        return mask


class RandomUnstructured(_Unstructured):
    """Prunes entries by chance: `amount` of them, an int, or a share of them, a float."""

    def _scores(self, t: Tensor) -> Tensor:
        return -rand_like(t)

    @classmethod
    def apply(cls, module: Module, name: str, amount: float) -> BasePruningMethod:  # type: ignore[override]
        """See `BasePruningMethod.apply`."""
        return super().apply(module, name, amount=amount)


class L1Unstructured(_Unstructured):
    """Prunes the entries nearest to zero: `amount` of them, an int, or a share of them, a float."""

    def _scores(self, t: Tensor) -> Tensor:
        return t.abs()

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Module, name: str, amount: float, importance_scores: Tensor | None = None
    ) -> BasePruningMethod:
        """See `BasePruningMethod.apply`."""
        return super().apply(module, name, amount=amount, importance_scores=importance_scores)


class _Structured(BasePruningMethod):
    """Prunes whole slices along `dim`: `amount` of them, an int, or a share of them, a float."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, dim: int = -1) -> None:
        self.amount = _checked_amount(amount)
        self.dim = dim

    def _kept(self, t: Tensor, count: int) -> Tensor:
        """The index of the slices that stay when `count` go."""
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """`default_mask` with zeros for the slices that go.

        Errors: ValueError for a tensor of one dimension, IndexError for a `dim` that is not there.
        """
        if t.dim() <= 1:
            raise ValueError(
                "Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
                f"{t.shape} with {t.dim()} dims"
            )
        if self.dim >= t.dim():
            raise IndexError(f"Invalid index {self.dim} for tensor of size {t.shape}")
        count = _count(self.amount, t.shape[self.dim])
        if count == 0:
            return default_mask
        mask = zeros_like(t)
        mask[_along(t, self.dim, self._kept(t, count))] = 1
        return mask * default_mask.to(dtype=mask.dtype)


class RandomStructured(_Structured):
    """Prunes slices along `dim` by chance: `amount` of them, an int, or a share of them, a float."""

    def _kept(self, t: Tensor, count: int) -> Tensor:
        chance = rand(t.shape[self.dim])
        return chance > kthvalue(chance, count).values

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Module, name: str, amount: float, dim: int = -1
    ) -> BasePruningMethod:
        """See `BasePruningMethod.apply`."""
        return super().apply(module, name, amount=amount, dim=dim)


class LnStructured(_Structured):
    """Prunes the slices along `dim` of the least `n`-norms: `amount` of them, an int, or a share of them, a float."""

    def __init__(self, amount: float, n: float | str, dim: int = -1) -> None:
        super().__init__(amount, dim)
        self.n = n

    def _kept(self, t: Tensor, count: int) -> Tensor:
        norms = norm(t, self.n, _others(t, self.dim))
        return topk(norms, t.shape[self.dim] - count, largest=True).indices

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Module, name: str, amount: float, n: float | str, dim: int,
        importance_scores: Tensor | None = None,
    ) -> BasePruningMethod:  # fmt: skip
        """See `BasePruningMethod.apply`."""
        return super().apply(module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores)


class CustomFromMask(BasePruningMethod):
    """Prunes what a given mask says."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Both masks' zeros."""
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"default_mask shape {default_mask.shape} must match self.mask shape {self.mask.shape}"
            )
        return default_mask * self.mask.to(dtype=default_mask.dtype)

    @classmethod
    def apply(cls, module: Module, name: str, mask: Tensor) -> BasePruningMethod:  # type: ignore[override]
        """See `BasePruningMethod.apply`."""
        return super().apply(module, name, mask=mask)


# ---- as functions of a module ----------------------------------------------------------------------------------------
def identity(module: M, name: str) -> M:
    """`Identity` on the module's parameter `name`; returns the module. PyTorch's `nn.utils.prune.identity`."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: M, name: str, amount: float) -> M:
    """Sets `amount` entries (an int) or that share of them (a float) of a parameter to zero, by chance.

    Returns the module. PyTorch's `nn.utils.prune.random_unstructured`.
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: M, name: str, amount: float, importance_scores: Tensor | None = None) -> M:
    """Sets `amount` entries (an int) or that share of them (a float) of a parameter to zero, those nearest to it.

    Returns the module. PyTorch's `nn.utils.prune.l1_unstructured`.

    >>> from mini_torch import nn, tensor
    >>> line = nn.Linear(4, 1, bias=False)
    >>> line.weight.data = tensor([[1., -2., 3., -4.]])
    >>> l1_unstructured(line, "weight", 2).weight
    tensor([[ 0., -0.,  3., -4.]], grad_fn=<MulBackward0>)
    >>> list(line.state_dict())
    ['weight_orig', 'weight_mask']
    """
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: M, name: str, amount: float, dim: int) -> M:
    """Sets slices along `dim` of a parameter to zero, by chance. Returns the module. PyTorch's
    `nn.utils.prune.random_structured`."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: M, name: str, amount: float, n: float | str, dim: int, importance_scores: Tensor | None = None
) -> M:
    """Sets the slices along `dim` of a parameter that have the least `n`-norms to zero. Returns the module. PyTorch's
    `nn.utils.prune.ln_structured`."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: M, name: str, mask: Tensor) -> M:
    """Sets a parameter to zero where `mask` is. Returns the module. PyTorch's `nn.utils.prune.custom_from_mask`."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Module, str]], pruning_method: type[BasePruningMethod],
    importance_scores: dict[tuple[Module, str], Tensor] | None = None, **kwargs: Any,
) -> None:  # fmt: skip
    """Prunes parameters, given as (module, name), as if they were one vector.

    `kwargs` are those of `pruning_method`. Errors: TypeError for a method that is not unstructured. PyTorch's
    `nn.utils.prune.global_unstructured`.
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    given = {} if importance_scores is None else importance_scores
    if not isinstance(given, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            f'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method {pruning_method} of '
            f"type {method.PRUNING_TYPE}"
        )
    places = list(parameters)
    tensors = [getattr(module, name) for module, name in places]
    method._tensor_name = "all"
    with no_grad():
        scores = parameters_to_vector([given.get(place, tensor) for place, tensor in zip(places, tensors)])
        masks = [getattr(module, f"{name}_mask", ones_like(x)) for (module, name), x in zip(places, tensors)]
        mask = PruningContainer(method).compute_mask(scores, parameters_to_vector(masks))
    for (module, name), part in zip(places, mask.split([x.numel() for x in tensors])):
        custom_from_mask(module, name, part.view_as(getattr(module, name)))


def remove(module: M, name: str) -> M:
    """Makes the pruned tensor the parameter again, for good. Returns the module.

    Errors: ValueError where it is not pruned. PyTorch's `nn.utils.prune.remove`.
    """
    for key, hook in _hooks_of(module, name).items():
        hook.remove(module)
        del module._forward_pre_hooks[key]
        return module
    raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")


def is_pruned(module: Module) -> bool:
    """Whether a parameter of the module, or of one below it, is pruned. PyTorch's `nn.utils.prune.is_pruned`."""
    return any(isinstance(hook, BasePruningMethod) for m in module.modules() for hook in m._forward_pre_hooks.values())
