"""Distances between points, and vectors held to a length."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...op import public, quiet, row, type_name
from ...tensor import Tensor, check_dim
from .matrices import kind_of, mT
from .norms import vector_norm

__all__ = ["cdist", "dist", "renorm"]


def _euclidean_forward(x: Any, y: Any) -> Any:
    """√(|x|² + |y|² − 2 x·y): one matrix product instead of all differences."""
    squares = np.sum(x * x, -1)[..., :, None] + np.sum(y * y, -1)[..., None, :]
    return np.sqrt(np.maximum(squares - 2 * np.matmul(x, mT(y)), 0))


def _ratio(g: Any, out: Any) -> Any:
    return np.where(out == 0, 0.0, g / np.where(out == 0, 1.0, out))


def _pull(ratio: Any, x: Any, y: Any) -> Any:
    return x * np.sum(ratio, axis=-1, keepdims=True) - np.matmul(ratio, y)


_euclidean = row(
    "euclidean_dist", quiet(_euclidean_forward), broadcasts=True, grad_name="EuclideanDistBackward0",
    x=lambda g, out, x, y: _pull(_ratio(g, out), x, y), y=lambda g, out, x, y: _pull(mT(_ratio(g, out)), y, x),
)  # fmt: skip
_MODES = {"use_mm_for_euclid_dist_if_necessary": None, "use_mm_for_euclid_dist": True,
          "donot_use_mm_for_euclid_dist": False}  # fmt: skip


@public(method=False)
def cdist(
    x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary"
) -> Tensor:
    """The p-norm distances of each pair of rows: (*, n, m), (*, k, m) → (*, n, k).

    For p = 2 and more than 25 points (or as `compute_mode` says) by way of a matrix product, which is faster and less
    exact. Source: PyTorch's `torch.cdist`.
    """
    for x, name in ((x1, "X1"), (x2, "X2")):
        if kind_of(x).kind != "f":
            raise RuntimeError(f"cdist only supports floating-point dtypes, {name} got: {type_name(kind_of(x))}")
    for x, name in ((x1, "X1"), (x2, "X2")):
        if x._array.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x._array.ndim}D")
    a, b = x1._array.shape, x2._array.shape
    if a[-1] != b[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {a[-1]} X2: {b[-1]}")
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    if compute_mode not in _MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    if kind_of(x1) != kind_of(x2):
        raise RuntimeError(f"expected scalar type {type_name(kind_of(x1))} but found {type_name(kind_of(x2))}")
    if kind_of(x1).itemsize == 2:
        raise NotImplementedError("\"cdist\" not implemented for 'Half'")
    mode = _MODES[compute_mode]
    if p == 2 and (mode or (mode is None and (a[-2] > 25 or b[-2] > 25))):
        return _euclidean(x1, x2)
    between = x1[..., :, None, :] - x2[..., None, :, :]
    return vector_norm(between, p, -1) if a[-1] else between.sum(-1)


@public
def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of input − other, which broadcast. Source: PyTorch's `torch.dist`."""
    between = input - other
    if kind_of(between).kind not in "fc":
        raise RuntimeError(
            "norm(): input dtype should be either floating point or complex. "
            f"Got {type_name(kind_of(between))} instead."
        )
    return vector_norm(between, p)


@public(inplace=True)
def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """Each slice along `dim` whose p-norm is over `maxnorm` scaled down to it. Source: PyTorch's `torch.renorm`."""
    if isinstance(p, complex):
        raise RuntimeError("renorm: p must be real-valued")
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    ndim = input._array.ndim
    if ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {ndim} dimensions")
    axis = check_dim(dim, ndim)
    size: Any = vector_norm(input, p, [i for i in range(ndim) if i != axis], True)
    return input * np.where(size > maxnorm, maxnorm / (size + 1e-7), 1.0)
