"""What distributions are told, as what they compute with: of one shape, chances as log odds, vectors as triangles.

PyTorch's `torch.distributions.utils`.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from ..dtype import default_numpy_dtype, finfo
from ..graph import enable_grad
from ..op import as_operand, functions
from ..tensor import Tensor

__all__ = [
    "broadcast_all", "clamp_probs", "lazy_property", "logits_to_probs", "probs_to_logits", "total",
    "tril_matrix_to_vec", "vec_to_tril_matrix",
]  # fmt: skip

_GIVEN = (Tensor, int, float)


def broadcast_all(*values: Any) -> list[Tensor]:
    """Tensors and numbers as tensors of one shape; numbers take the first tensor's type.

    Errors: ValueError for anything else.
    """
    for value in values:
        if not isinstance(value, _GIVEN):
            raise ValueError(
                "Input arguments must all be instances of Number, torch.Tensor or objects implementing "
                f"__torch_function__, got {type(value).__name__}"
            )
    tensors = [x for x in values if isinstance(x, Tensor)]
    kind = tensors[0]._array.dtype if tensors else default_numpy_dtype()
    shapes = [x._array.shape for x in tensors]
    alike = shapes[:1] * len(shapes) == shapes  # which is faster to ask than to broadcast
    shape = (*shapes, ())[0] if alike else functions["broadcast_shapes"](*shapes)
    made = (x if isinstance(x, Tensor) else as_operand(x, kind) for x in values)
    return [x if x._array.shape == shape else x.expand(shape) for x in made]  # no node where nothing changes


def total(values: Tensor, dims: int) -> Tensor:
    """The sum over so many of the last dimensions."""
    return values.reshape((*values.shape[: values.ndim - dims], -1)).sum(-1) if dims else values


class lazy_property(cached_property[Any]):
    """Computed when it is first asked for, then kept. Always recorded: a later use may want the gradient."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        with enable_grad():
            return super().__get__(instance, owner)


# ---- chances -----------------------------------------------------------------------------------------------
def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Probabilities of log odds, or, along the last dimension, of logarithms of weights."""
    return logits.sigmoid() if is_binary else logits.softmax(-1)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Log odds ln(p / (1 - p)), or ln p; finite, as the probabilities are clamped first."""
    inside = clamp_probs(probs)
    return inside.log() - (-inside).log1p() if is_binary else inside.log()


def clamp_probs(probs: Tensor) -> Tensor:
    """At least eps away from 0 and 1."""
    margin = finfo(probs.dtype).eps
    return probs.clamp(margin, 1 - margin)


# ---- triangles ---------------------------------------------------------------------------------------------
def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """The lower triangle of (*, n, n), row by row, down from the diagonal `diag`: (*, k).

    Errors: ValueError for a diagonal outside the matrix.
    """
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    rows, columns = functions["tril_indices"](n, n, diag).unbind()
    return mat[..., rows, columns]


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """A lower triangle (*, n, n) of what `tril_matrix_to_vec` gives.

    Errors: ValueError where no n x n matrix has so many numbers there.
    """
    count, below = vec.shape[-1], abs(diag) * (diag + 1)
    n = (-(1 + 2 * diag) + ((1 + 2 * diag) ** 2 + 8 * count + 4 * below) ** 0.5) / 2
    if round(n) - n > finfo(vec.dtype).eps:
        raise ValueError(
            f"The size of last dimension is {count} which cannot be expressed as "
            "the lower triangular part of a square D x D matrix."
        )
    rows, columns = functions["tril_indices"](round(n), round(n), diag).unbind()
    out = vec.new_zeros((*vec.shape[:-1], round(n), round(n)))
    out[..., rows, columns] = vec
    return out
