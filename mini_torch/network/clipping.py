"""Gradients kept within bounds, and parameters as one vector. Source: PyTorch's `torch.nn.utils`."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..graph import mode, no_grad, verify
from ..op import check_writable
from ..ops.join import cat
from ..ops.linalg.norms import norm_of_array
from ..tensor import Tensor, wrap

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm",
           "parameters_to_vector", "vector_to_parameters"]  # fmt: skip

Tensors = Tensor | Iterable[Tensor]


def _listed(tensors: Tensors) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _gradients(parameters: Tensors) -> list[Tensor]:
    return [p.grad for p in _listed(parameters) if p.grad is not None]


def _writable(parameters: Tensors) -> list[np.ndarray[Any, Any]]:
    """The arrays of the gradients, to be written to: no history is made of it."""
    gradients = _gradients(parameters)
    with no_grad():
        for g in gradients:
            check_writable(g)
            g._bump()
    return [g._array for g in gradients]


def get_total_norm(
    tensors: Tensors, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """The norm of all elements of all tensors, as if they were one vector. `foreach` changes nothing.

    Errors: RuntimeError for an infinite or NaN norm, with `error_if_nonfinite`.
    """
    arrays, order = [x._array for x in _listed(tensors)], float(norm_type)
    if not arrays:
        return wrap(np.zeros((), np.float32))
    if math.isinf(order) and not all(a.size for a in arrays):
        raise RuntimeError(f"the {order} norm of an empty tensor is not defined: leave out tensors without elements")
    # A norm of norms, as PyTorch rounds; on arrays, as a training step waits for it.
    together = np.array if mode.recorder is None else np.stack  # the first is faster, the second can be recorded
    norms = together([norm_of_array(a, order, tuple(range(a.ndim))) for a in arrays])
    total = norm_of_array(norms, order, (0,))
    if error_if_nonfinite:
        verify(_check_finite, total, order)
    return wrap(np.asarray(total) if mode.recorder is None else total)


def _check_finite(total: Any, order: float) -> None:
    if not math.isfinite(total):
        raise RuntimeError(
            f"The total norm of order {order} for gradients from `parameters` is non-finite, so it cannot be clipped. "
            "To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )


def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Multiplies all gradients by max_norm / (total_norm + 1e-6), where that is below 1."""
    if mode.recorder is not None:  # the same, without a decision
        total = total_norm._array.astype(np.float64)
        scale = np.minimum(float(max_norm) / (total + 1e-6), 1.0)
        for array in _writable(parameters):
            np.multiply(array, scale.astype(array.dtype), out=array)
        return
    factor = min(float(max_norm) / (total_norm.item() + 1e-6), 1.0)
    if factor == 1.0:
        return
    for array in _writable(parameters):
        np.multiply(array, array.dtype.type(factor), out=array)


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
    for array in _writable(parameters):
        if array.dtype.kind == "c":
            raise RuntimeError("clamp is not supported for complex types, such as that of a gradient here")
        array.clip(-bound, bound, out=array)


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
