"""Weights with a norm of their own or a bounded one, as parametrizations and as the older hooks.

Source: Salimans and Kingma 2016, "Weight normalization"; Miyato et al. 2018, "Spectral normalization for generative
adversarial networks".
"""

from __future__ import annotations

import warnings
from typing import Any

from ..graph import no_grad
from ..network import Module, Parameter, is_lazy
from ..network.parametrization import register_parametrization
from ..ops.normalization import norm_except_dim, normalize
from ..tensor import Tensor

__all__ = [
    "parametrized_spectral_norm", "parametrized_weight_norm", "remove_spectral_norm", "remove_weight_norm",
    "spectral_norm", "weight_norm",
]  # fmt: skip


def _of_norm(v: Tensor, g: Tensor, dim: int) -> Tensor:
    """v with the norms g of its slices along `dim`."""
    return v * (g / norm_except_dim(v, 2, dim))


def _as_matrix(weight: Tensor, dim: int) -> Tensor:
    """`dim` first, all others as one."""
    return (weight.movedim(dim, 0) if dim else weight).flatten(1)


def _outputs_dim(module: Module, dim: int | None) -> int:
    """Where a weight has its outputs: first, in a transposed convolution second."""
    return int(getattr(module, "transposed", False)) if dim is None else dim


# ---- as parametrizations ---------------------------------------------------------------------------------------------
class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return _of_norm(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """The norms, and the weight itself as the direction."""
        return norm_except_dim(weight, 2, self.dim), weight


def parametrized_weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """A weight as g v / |v|: `original0` is g, the norm of each slice along `dim` (of all for None), `original1` v.

    State dicts of the older `weight_norm` load. PyTorch's `nn.utils.parametrizations.weight_norm`.

    >>> from mini_torch.layer import Linear
    >>> [key for key in parametrized_weight_norm(Linear(3, 2)).state_dict()]
    ['bias', 'parametrizations.weight.original0', 'parametrizations.weight.original1']
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def rename(module: Module, state_dict: dict[str, Any], prefix: str, *_: Any) -> None:
        old = [f"{prefix}{name}_{part}" for part in "gv"]
        if all(key in state_dict for key in old):
            for i, key in enumerate(old):
                state_dict[f"{prefix}parametrizations.{name}.original{i}"] = state_dict.pop(key)

    module.register_load_state_dict_pre_hook(rename)
    return module


class _SpectralNorm(Module):
    """weight / σ, σ being its largest singular value, which power iterations follow in training."""

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        ndim = weight.dim()
        if not -ndim <= dim < ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [-{ndim}, {ndim - 1}] but got {dim})"
            )
        _check_iterations(n_power_iterations)
        self.dim = dim % ndim
        self.eps = eps
        if ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = _as_matrix(weight.detach(), self.dim)
            for label, size in zip(("_u", "_v"), matrix.shape):
                self.register_buffer(label, normalize(matrix.new_empty(size).normal_(0, 1), dim=0, eps=eps))
            self._power_method(matrix, 15)

    def _power_method(self, matrix: Tensor, count: int) -> None:
        with no_grad():
            for _ in range(count):
                self._u.copy_(normalize(matrix.mv(self._v), dim=0, eps=self.eps))
                self._v.copy_(normalize(matrix.mH.mv(self._u), dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.dim() == 1:
            return normalize(weight, dim=0, eps=self.eps)
        matrix = _as_matrix(weight, self.dim)
        if self.training:
            self._power_method(matrix, self.n_power_iterations)
        return weight / self._u.clone().vdot(matrix.mv(self._v.clone()))

    def right_inverse(self, value: Tensor) -> Tensor:
        """The value itself: what has norm 1 stays."""
        return value


def _check_iterations(count: int) -> None:
    if count <= 0:
        raise ValueError(f"Expected n_power_iterations to be positive, but got n_power_iterations={count}")


def parametrized_spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """A weight divided by its largest singular value, as a matrix whose rows are the slices along `dim`.

    Errors: ValueError where there is no such tensor. PyTorch's `nn.utils.parametrizations.spectral_norm`.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    part = _SpectralNorm(weight, n_power_iterations, _outputs_dim(module, dim), eps)
    return register_parametrization(module, name, part)


# ---- as hooks before forward -----------------------------------------------------------------------------------------
class _WeightNormHook:
    """Computes the weight from name_g and name_v before every call."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module: Module) -> Tensor:
        return _of_norm(getattr(module, f"{self.name}_v"), getattr(module, f"{self.name}_g"), self.dim)

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def _found_hook(module: Module, kind: type, name: str) -> int | None:
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, kind) and hook.name == name:  # type: ignore[attr-defined]
            return key
    return None


def _checked_weight(module: Module, kind: type, name: str, what: str) -> Tensor:
    if _found_hook(module, kind, name) is not None:
        raise RuntimeError(f"Cannot register two {what} hooks on the same parameter {name}")
    weight = getattr(module, name)
    if weight is None or is_lazy(weight):
        raise ValueError(f"{what} cannot be applied to {name}, which is None or has no size yet")
    return weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """A weight as g v / |v|, computed before every call from the parameters `weight_g` and `weight_v`.

    Warns that `nn.utils.parametrizations.weight_norm` is its successor. PyTorch's `nn.utils.weight_norm`.
    """
    warnings.warn(
        "`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`.",
        FutureWarning, stacklevel=2,
    )  # fmt: skip
    weight = _checked_weight(module, _WeightNormHook, name, "weight_norm")
    hook = _WeightNormHook(name, dim)
    delattr(module, name)
    module.register_parameter(f"{name}_g", Parameter(norm_except_dim(weight.detach(), 2, hook.dim)))
    module.register_parameter(f"{name}_v", Parameter(weight.detach()))
    hook(module, None)
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """Makes the weight a parameter again. Errors: ValueError where it is none. PyTorch's
    `nn.utils.remove_weight_norm`."""
    key = _found_hook(module, _WeightNormHook, name)
    if key is None:
        raise ValueError(f"weight_norm of '{name}' not found in {module}")
    weight = module._forward_pre_hooks.pop(key).compute_weight(module)  # type: ignore[attr-defined]
    for label in (name, f"{name}_g", f"{name}_v"):
        delattr(module, label)
    module.register_parameter(name, Parameter(weight.detach()))
    return module


class _SpectralNormHook:
    """Computes the weight from name_orig and the singular vectors name_u and name_v before every call."""

    def __init__(self, name: str, n_power_iterations: int, dim: int, eps: float) -> None:
        _check_iterations(n_power_iterations)
        self.name, self.n_power_iterations, self.dim, self.eps = name, n_power_iterations, dim, eps

    def compute_weight(self, module: Module, iterations: int) -> Tensor:
        weight, u, v = (getattr(module, f"{self.name}_{part}") for part in ("orig", "u", "v"))
        matrix = _as_matrix(weight, self.dim)
        with no_grad():
            for _ in range(iterations):
                v.copy_(normalize(matrix.T.mv(u), dim=0, eps=self.eps))
                u.copy_(normalize(matrix.mv(v), dim=0, eps=self.eps))
        return weight / u.clone().dot(matrix.mv(v.clone()))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, self.n_power_iterations if module.training else 0))

    def write_version(self, module: Module, state_dict: Any, prefix: str, metadata: dict[str, Any]) -> None:
        """Says in a state dict which version it is of: PyTorch would take one that has none for an old one."""
        metadata.setdefault("spectral_norm", {})[f"{self.name}.version"] = 1


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """A weight divided by its largest singular value, computed before every call from `weight_orig`.

    Source: PyTorch's `nn.utils.spectral_norm`, whose successor is `nn.utils.parametrizations.spectral_norm`.
    """
    weight = _checked_weight(module, _SpectralNormHook, name, "spectral_norm")
    hook = _SpectralNormHook(name, n_power_iterations, _outputs_dim(module, dim), eps)
    matrix = _as_matrix(weight.detach(), hook.dim)
    u, v = (normalize(matrix.new_empty(size).normal_(0, 1), dim=0, eps=eps) for size in matrix.shape)
    delattr(module, name)
    module.register_parameter(f"{name}_orig", weight)  # type: ignore[arg-type]
    setattr(module, name, weight.detach())
    module.register_buffer(f"{name}_u", u)
    module.register_buffer(f"{name}_v", v)
    module.register_forward_pre_hook(hook)
    module.register_state_dict_post_hook(hook.write_version)
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """Makes the weight a parameter again. Errors: ValueError where it is none. PyTorch's
    `nn.utils.remove_spectral_norm`."""
    key = _found_hook(module, _SpectralNormHook, name)
    if key is None:
        raise ValueError(f"spectral_norm of '{name}' not found in {module}")
    hook: Any = module._forward_pre_hooks.pop(key)
    weight = hook.compute_weight(module, 0)
    for i, (function, _) in list(module._state_dict_hooks.items()):
        if function == hook.write_version:
            del module._state_dict_hooks[i]
    for label in (name, f"{name}_u", f"{name}_v", f"{name}_orig"):
        delattr(module, label)
    module.register_parameter(name, Parameter(weight.detach()))
    return module
