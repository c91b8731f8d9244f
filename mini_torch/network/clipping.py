"""Gradients kept within bounds, and parameters as one vector. Source: PyTorch's `torch.nn.utils`."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable

import numpy as np

from ..graph import no_grad
from ..ops.join import cat, stack
from ..ops.linalg.norms import norm
from ..tensor import Tensor, wrap

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm",
           "parameters_to_vector", "vector_to_parameters"]  # fmt: skip

Tensors = Tensor | Iterable[Tensor]


def _listed(tensors: Tensors) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _gradients(parameters: Tensors) -> list[Tensor]:
    return [p.grad for p in _listed(parameters) if p.grad is not None]


def get_total_norm(
    tensors: Tensors, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """The norm of all elements of all tensors, as if they were one vector. `foreach` changes nothing.

    Errors: RuntimeError for an infinite or NaN norm, with `error_if_nonfinite`.
    """
    each = _listed(tensors)
    if not each:
        return wrap(np.zeros((), np.float32))
    with no_grad():
        total = norm(stack([norm(x.detach(), float(norm_type)) for x in each]), float(norm_type))
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be "
            "clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    return total


def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Multiplies all gradients by max_norm / (total_norm + 1e-6), where that is below 1."""
    factor = min(float(max_norm) / (total_norm.item() + 1e-6), 1.0)
    for g in _gradients(parameters):
        with no_grad():
            g.mul_(factor)


def clip_grad_norm_(
    parameters: Tensors, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:  # fmt: skip
    """Scales all gradients down so that together their norm is at most `max_norm`. Returns the norm before.

    Errors: RuntimeError for an infinite or NaN norm, with `error_if_nonfinite`. Source: Pascanu et al. 2013, "On the
    difficulty of training recurrent neural networks"; PyTorch's `nn.utils.clip_grad_norm_`.

    >>> from mini_torch import nn, tensor
    >>> p = nn.Parameter(tensor([0., 0.]))
    >>> p.grad = tensor([3., 4.])
    >>> clip_grad_norm_([p], 1.)
    tensor(5.)
    >>> p.grad
    tensor([0.6000, 0.8000])
    """
    parameters = _listed(parameters)
    total = get_total_norm(_gradients(parameters), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(parameters, max_norm, total, foreach)
    return total


def clip_grad_norm(
    parameters: Tensors, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:  # fmt: skip
    """The old name of `clip_grad_norm_`, with a warning."""
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`.",
        FutureWarning, stacklevel=2,
    )  # fmt: skip
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Cuts every element of every gradient to [-clip_value, clip_value]."""
    bound = float(clip_value)
    for g in _gradients(parameters):
        with no_grad():
            g.clamp_(-bound, bound)


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All elements of all parameters in one vector, in order; part of the graph."""
    return cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Gives the parameters the elements of the vector, in order: each becomes a view of its part.

    Errors: TypeError for what is no tensor.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type(vec).__name__}")
    start = 0
    for p in parameters:
        p.data = vec[start : start + p.numel()].reshape(p.shape).data
        start += p.numel()
