"""The vocabulary of matrix formulas, on arrays and tensors alike, and the checks of what should be a matrix."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np

from ...graph import unit
from ...op import need_float32, type_name
from ...tensor import Tensor

__all__ = [
    "absent", "by", "identity_like", "is_complex", "kind_of", "mH", "mT", "need_floats", "need_half_not",
    "need_matrix", "need_same_type", "need_square", "on_diagonal", "only_diagonal", "quotient", "return_type",
    "where_finite",
]  # fmt: skip


# ---- formulas --------------------------------------------------------------------------------------------------------
def mT(x: Any) -> Any:
    """The transposes of the matrices."""
    return np.swapaxes(x, -1, -2)


def mH(x: Any) -> Any:
    """The conjugate transposes of the matrices."""
    return np.conjugate(mT(x)) if is_complex(x) else mT(x)


def kind_of(x: Any) -> np.dtype[Any]:
    """NumPy's type of an array or a tensor."""
    kind: np.dtype[Any] = x._array.dtype if isinstance(x, Tensor) else x.dtype
    return kind


def is_complex(x: Any) -> bool:
    return kind_of(x).kind == "c"


def identity_like(x: Any, n: int) -> np.ndarray[Any, Any]:
    """The n × n identity in x's real type."""
    return np.eye(n, dtype=np.empty(0, kind_of(x)).real.dtype)


def on_diagonal(x: Any) -> Any:
    """Matrices with the vectors (*, n) on their diagonals."""
    return np.expand_dims(x, -2) * identity_like(x, x.shape[-1])


def only_diagonal(x: Any) -> Any:
    """The diagonals (*, n) of square matrices."""
    return np.diagonal(x, 0, -2, -1)


def quotient(x: Any, y: Any) -> Any:
    """x / y without a word where y is 0: equal eigenvalues, a norm of 0."""
    with np.errstate(all="ignore"):
        return x / y


def absent(g: Any) -> bool:
    """Whether a gradient is nothing but zeros: then its terms, which may be 0 / 0, are left out."""
    return isinstance(g, np.ndarray) and not g.any()


@unit
def where_finite(decompose: Callable[[Any], tuple[Any, ...]], a: Any) -> tuple[Any, ...]:
    """The parts of the matrices, nan for those that are not finite (where LAPACK does not return, or does not know)."""
    finite = np.isfinite(a).all(axis=(-2, -1))
    if finite.all():
        return decompose(a)
    parts = decompose(np.where(finite[..., None, None], a, 0))
    masks = [finite.reshape(finite.shape + (1,) * (x.ndim - finite.ndim)) for x in parts]
    return tuple(np.where(mask, x, np.nan).astype(x.dtype) for mask, x in zip(masks, parts))


# ---- checks ----------------------------------------------------------------------------------------------------------
def by(shape: tuple[int, ...]) -> str:
    """A matrix's size in messages: 2x3."""
    return "x".join(map(str, shape[-2:]))


def need_matrix(x: Tensor, name: str, letter: str = "A") -> None:
    if x._array.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor {letter} must have at least 2 dimensions.")


def need_square(x: Tensor, name: str) -> None:
    need_matrix(x, name)
    n, m = x._array.shape[-2:]
    if n != m:
        raise RuntimeError(f"{name}: A must be batches of square matrices, but they are {n} by {m} matrices")


_OF_BRAIN = ("linalg.vector_norm", "linalg.vecdot")  # PyTorch's kernels for LAPACK's problems have no bfloat16


def need_floats(x: Tensor, name: str, low: bool = True) -> None:
    """RuntimeError for integers, and unless `low` for float16."""
    kind = x._array.dtype
    if kind.kind not in "fc":
        if name in _OF_BRAIN:
            need_float32(name, x)
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {type_name(kind)}")
    if not low and kind.itemsize == 2:
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got {type_name(kind)}")


def need_half_not(x: Tensor, kernel: str) -> None:
    """NotImplementedError for the types that LAPACK has no routines for."""
    kind = x._array.dtype
    if kind.kind not in "fc" or kind.itemsize == 2:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{type_name(kind)}'")


def need_same_type(a: Tensor, b: Tensor, name: str, letters: tuple[str, str] = ("A", "B")) -> None:
    if a._array.dtype != b._array.dtype:
        x, y = letters
        raise RuntimeError(
            f"{name}: Expected {x} and {y} to have the same dtype, but found {x} of type {type_name(a._array.dtype)} "
            f"and {y} of type {type_name(b._array.dtype)} instead"
        )


# ---- results ---------------------------------------------------------------------------------------------------------
def return_type(name: str, *fields: str) -> Any:
    """A named tuple that shows itself as PyTorch's `torch.return_types.NAME`."""

    def shown(self: Any) -> str:
        parts = ",\n".join(f"{field}={value!r}" for field, value in zip(fields, self))
        return f"torch.return_types.{name}(\n{parts})"

    return type(name, (namedtuple(name, fields),), {"__slots__": (), "__repr__": shown})
