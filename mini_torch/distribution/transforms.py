"""Transforms of numbers, vectors and matrices. Source: PyTorch's page "torch.distributions", section "Transforms"."""

from __future__ import annotations

import math
from typing import Any

from ..dtype import Size, finfo
from ..op import functions
from ..ops.activation import logsigmoid, softplus
from ..tensor import Tensor
from . import constraint
from .distribution import Distribution
from .parameter import broadcast_all, tril_matrix_to_vec, vec_to_tril_matrix
from .transform import Transform

__all__ = [
    "AbsTransform", "AffineTransform", "CorrCholeskyTransform", "CumulativeDistributionTransform", "ExpTransform",
    "LowerCholeskyTransform", "PositiveDefiniteTransform", "PowerTransform", "SigmoidTransform", "SoftmaxTransform",
    "SoftplusTransform", "StickBreakingTransform", "TanhTransform",
]  # fmt: skip


class _Alike(Transform):
    """All transforms of one of these types are equal: they have no parameters."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))


# ---- numbers -----------------------------------------------------------------------------------------------
class ExpTransform(_Alike):
    """y = exp x."""

    domain, codomain = constraint.real, constraint.positive
    bijective = True
    sign = 1

    def _call(self, x: Tensor) -> Tensor:
        return x.exp()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x


class SigmoidTransform(_Alike):
    """y = 1 / (1 + exp(-x)), kept off 0 and 1."""

    domain, codomain = constraint.real, constraint.unit_interval
    bijective = True
    sign = 1

    def _call(self, x: Tensor) -> Tensor:
        return _off_the_ends(x.sigmoid())

    def _inverse(self, y: Tensor) -> Tensor:
        y = _off_the_ends(y)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -softplus(-x) - softplus(x)


class SoftplusTransform(_Alike):
    """y = ln(1 + exp x)."""

    domain, codomain = constraint.real, constraint.positive
    bijective = True
    sign = 1

    def _call(self, x: Tensor) -> Tensor:
        return softplus(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return (-(-y).expm1()).log() + y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -softplus(-x)


class TanhTransform(_Alike):
    """y = tanh x. The inverse of ±1 is infinite: use `cache_size=1` where y may round to that."""

    domain, codomain = constraint.real, constraint.interval(-1.0, 1.0)
    bijective = True
    sign = 1

    def _call(self, x: Tensor) -> Tensor:
        return x.tanh()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return 2 * (math.log(2) - x - softplus(-2 * x))  # ln(1 - y²) without the difference of near numbers


class AbsTransform(_Alike):
    """y = |x|."""

    domain, codomain = constraint.real, constraint.positive

    def _call(self, x: Tensor) -> Tensor:
        return x.abs()

    def _inverse(self, y: Tensor) -> Tensor:
        return y


class PowerTransform(Transform):
    """y = x^exponent."""

    domain, codomain = constraint.positive, constraint.positive
    bijective = True

    def __init__(self, exponent: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        (self.exponent,) = broadcast_all(exponent)

    @property
    def sign(self) -> Any:
        return self.exponent.sign()

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self if self._cache_size == cache_size else PowerTransform(self.exponent, cache_size)

    def _call(self, x: Tensor) -> Tensor:
        return x**self.exponent

    def _inverse(self, y: Tensor) -> Tensor:
        return y ** (1 / self.exponent)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return (self.exponent * y / x).abs().log()

    def forward_shape(self, shape: Any) -> Any:
        return functions["broadcast_shapes"](shape, self.exponent.shape)

    inverse_shape = forward_shape

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PowerTransform) and bool((self.exponent == other.exponent).all())

    __hash__ = Transform.__hash__


class AffineTransform(Transform):
    """y = loc + scale · x, for events of `event_dim` axes.

    As in PyTorch, a tensor `scale` counts in `log_abs_det_jacobian` by its own numbers: give it the whole event shape.
    """

    bijective = True

    def __init__(self, loc: Any, scale: Any, event_dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.loc, self.scale, self._event_dim = loc, scale, event_dim

    @property
    def event_dim(self) -> int:
        return self._event_dim

    @constraint.dependent_property(is_discrete=False)
    def domain(self) -> Any:
        return constraint.independent(constraint.real, self._event_dim) if self._event_dim else constraint.real

    codomain = domain

    @property
    def sign(self) -> Any:
        return self.scale.sign() if isinstance(self.scale, Tensor) else (self.scale > 0) - (self.scale < 0)

    def with_cache(self, cache_size: int = 1) -> Transform:
        if self._cache_size == cache_size:
            return self
        return AffineTransform(self.loc, self.scale, self._event_dim, cache_size)

    def _call(self, x: Tensor) -> Tensor:
        return self.loc + self.scale * x

    def _inverse(self, y: Tensor) -> Tensor:
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        scale = self.scale if isinstance(self.scale, Tensor) else x.new_full(x.shape, self.scale)
        change = scale.abs().log()
        if self._event_dim:
            change = change.reshape((*change.shape[: -self._event_dim], -1)).sum(-1)
        return change.expand(x.shape[: x.ndim - self._event_dim])

    def forward_shape(self, shape: Any) -> Any:
        return functions["broadcast_shapes"](shape, *(getattr(part, "shape", ()) for part in (self.loc, self.scale)))

    inverse_shape = forward_shape

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AffineTransform):
            return False
        pairs = ((self.loc, other.loc), (self.scale, other.scale))
        return all(bool((a == b).all()) if isinstance(a == b, Tensor) else a == b for a, b in pairs)

    __hash__ = Transform.__hash__


class CumulativeDistributionTransform(Transform):
    """y = F(x), a distribution's cdf: turns its numbers into uniform ones. On top of a `MultivariateNormal` with
    variances of 1, `Normal(0, 1)` gives a Gaussian copula."""

    codomain = constraint.unit_interval
    bijective = True
    sign = 1

    def __init__(self, distribution: Distribution, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.distribution = distribution

    @property
    def domain(self) -> Any:
        return self.distribution.support

    def with_cache(self, cache_size: int = 1) -> Transform:
        if self._cache_size == cache_size:
            return self
        return CumulativeDistributionTransform(self.distribution, cache_size)

    def _call(self, x: Tensor) -> Tensor:
        return self.distribution.cdf(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return self.distribution.icdf(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return self.distribution.log_prob(x)


# ---- vectors -----------------------------------------------------------------------------------------------
class SoftmaxTransform(_Alike):
    """y = exp(x) / Σ exp(x). Not bijective; the inverse given is ln y."""

    domain, codomain = constraint.real_vector, constraint.simplex

    def _call(self, x: Tensor) -> Tensor:
        return x.softmax(-1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def forward_shape(self, shape: Any) -> Any:
        return _with_last(shape, 0)

    inverse_shape = forward_shape


class StickBreakingTransform(_Alike):
    """n numbers into n + 1 positive ones of sum 1: each takes its part, sigmoid(x - offset), of what is left."""

    domain, codomain = constraint.real_vector, constraint.simplex
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        part = _off_the_ends((x - _log_left(x)).sigmoid())
        rest, one = (1 - part).cumprod(-1), x.new_ones((*x.shape[:-1], 1))
        return functions["cat"]([part, one], -1) * functions["cat"]([one, rest], -1)

    def _inverse(self, y: Tensor) -> Tensor:
        taken = y[..., :-1]
        left = (1 - taken.cumsum(-1)).clamp(min=finfo(y.dtype).tiny)
        return taken.log() - left.log() + _log_left(taken)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        x = x - _log_left(x)
        return (-x + logsigmoid(x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Any) -> Any:
        return _with_last(shape, 1)

    def inverse_shape(self, shape: Any) -> Any:
        return _with_last(shape, -1)


def _log_left(x: Tensor) -> Tensor:
    """ln n … ln 1: with these offsets x = 0 breaks the stick into equal parts."""
    n = x.shape[-1]
    return functions["arange"](n, 0, -1).to(x.dtype).log()


def _with_last(shape: Any, more: int) -> Any:
    if len(shape) < 1:
        raise ValueError("Too few dimensions on input")
    return Size((*shape[:-1], shape[-1] + more))


def _off_the_ends(y: Tensor) -> Tensor:
    limits = finfo(y.dtype)
    return y.clamp(limits.tiny, 1 - limits.eps)


# ---- matrices ----------------------------------------------------------------------------------------------
class LowerCholeskyTransform(_Alike):
    """The lower triangle, its diagonal as exp of the matrix's."""

    domain, codomain = constraint.independent(constraint.real, 2), constraint.lower_cholesky

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(_Alike):
    """L Lᵀ, with L from `LowerCholeskyTransform`."""

    domain, codomain = constraint.independent(constraint.real, 2), constraint.positive_definite

    def _call(self, x: Tensor) -> Tensor:
        lower = LowerCholeskyTransform()(x)
        return lower @ lower.mT

    def _inverse(self, y: Tensor) -> Tensor:
        return LowerCholeskyTransform().inv(y.cholesky())


class CorrCholeskyTransform(Transform):
    """n (n - 1) / 2 numbers into L of an n x n correlation matrix L Lᵀ. Each row of L has length 1: every number takes
    its part, tanh(x), of the length that the row has left, and the diagonal the rest.

    Source: the Stan reference manual, "Cholesky factors of correlation matrices".

    >>> from mini_torch import zeros
    >>> CorrCholeskyTransform()(zeros(1))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain, codomain = constraint.real_vector, constraint.corr_cholesky
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        margin = finfo(x.dtype).eps
        part = vec_to_tril_matrix(x.tanh().clamp(min=-1 + margin, max=1 - margin), -1)
        left = (1 - part**2).sqrt().cumprod(-1)
        ones = functions["eye"](part.shape[-1], dtype=part.dtype)
        return (part + ones) * _moved_on(left)

    def _inverse(self, y: Tensor) -> Tensor:
        left = _moved_on(1 - (y * y).cumsum(-1))
        part = tril_matrix_to_vec(y, -1) / tril_matrix_to_vec(left, -1).sqrt()
        return (part.log1p() - (-part).log1p()) / 2

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Of x and the numbers of L below the diagonal."""
        left = tril_matrix_to_vec(1 - (y * y).cumsum(-1), -2)
        of_tanh = -2 * (x + softplus(-2 * x) - math.log(2)).sum(-1)
        return 0.5 * left.log().sum(-1) + of_tanh

    def forward_shape(self, shape: Any) -> Any:
        if len(shape) < 1:
            raise ValueError("Too few dimensions on input")
        n = round((0.25 + 2 * shape[-1]) ** 0.5 + 0.5)
        if n * (n - 1) // 2 != shape[-1]:
            raise ValueError("Input is not a flattened lower-diagonal number")
        return Size((*shape[:-1], n, n))

    def inverse_shape(self, shape: Any) -> Any:
        if len(shape) < 2:
            raise ValueError("Too few dimensions on input")
        if shape[-2] != shape[-1]:
            raise ValueError("Input is not square")
        return Size((*shape[:-2], shape[-1] * (shape[-1] - 1) // 2))


def _moved_on(x: Tensor) -> Tensor:
    """Each row one place to the right, after a 1."""
    return functions["cat"]([x.new_ones((*x.shape[:-1], 1)), x[..., :-1]], -1)
