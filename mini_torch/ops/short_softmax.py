"""Softmax under `torch.` and on tensors, where `dim` must be given: `torch.softmax`, `torch.log_softmax`."""

from __future__ import annotations

from typing import Any

from ..op import public
from ..tensor import Tensor
from .softmax import log_softmax as _log_softmax
from .softmax import softmax as _softmax

__all__ = ["log_softmax", "softmax"]


@public
def softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """exp(x) along `dim`, divided by its sum. Right for numbers of any size.

    Errors: IndexError for a dimension out of range. Source: PyTorch's `torch.softmax`.

    >>> from mini_torch import tensor
    >>> softmax(tensor([1000., 1000.]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return _softmax(input, dim, dtype=dtype)


@public
def log_softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """ln softmax(x), right also where softmax is 0. Source: PyTorch's `torch.log_softmax`.

    >>> from mini_torch import tensor
    >>> log_softmax(tensor([1000., 0.]), dim=0)
    tensor([    0., -1000.])
    """
    return _log_softmax(input, dim, dtype=dtype)
