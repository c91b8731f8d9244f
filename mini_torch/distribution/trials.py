"""How long trials go on: Geometric, NegativeBinomial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..creation import empty
from ..dtype import finfo
from ..graph import no_grad
from ..ops.activation import logsigmoid
from ..ops.loss import binary_cross_entropy_with_logits
from ..random import poisson
from ..tensor import Tensor
from . import constraint
from .discrete import OfChance
from .distribution import Constraints
from .gamma import Gamma
from .parameter import broadcast_all

__all__ = ["Geometric", "NegativeBinomial"]

Shape = Sequence[int]


class Geometric(OfChance):
    """P(k) = (1 - p)ᵏ p: how many trials of chance p fail before the first succeeds. Source: PyTorch's
    `torch.distributions.Geometric`."""

    arg_constraints: ClassVar[Constraints] = {"probs": constraint.unit_interval, "logits": constraint.real}
    support = constraint.nonnegative_integer

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        self._keep_the_given(probs, logits)
        super().__init__(self._param.shape, validate_args=validate_args)
        if self._validate_args and probs is not None and not (self.probs > 0).all():
            raise ValueError(
                f"Expected parameter probs ({type(probs).__name__} of shape {tuple(self.probs.shape)}) of distribution "
                f"{self!r} to be positive but found invalid values:\n{self.probs[self.probs <= 0]}"
            )

    @property
    def mean(self) -> Tensor:
        return 1 / self.probs - 1

    @property
    def mode(self) -> Tensor:
        return self.probs.new_zeros(self.probs.shape)

    @property
    def variance(self) -> Tensor:
        return (1 / self.probs - 1) / self.probs

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        with no_grad():
            u = empty(self._extended_shape(sample_shape), dtype=self.probs.dtype)
            u.uniform_(finfo(u.dtype).tiny, 1)
            return (u.log() / (-self.probs).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        value, probs = broadcast_all(value, self.probs)
        failure = probs.masked_fill((probs == 1) & (value == 0), 0)
        return value * (-failure).log1p() + self.probs.log()

    def entropy(self) -> Tensor:
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none") / self.probs


class NegativeBinomial(OfChance):
    """P(k) = C(n + k - 1, k) pᵏ (1 - p)ⁿ: how many trials of chance p succeed before n = total_count fail. Source:
    PyTorch's `torch.distributions.NegativeBinomial`."""

    arg_constraints: ClassVar[Constraints] = {
        "total_count": constraint.greater_than_eq(0), "probs": constraint.half_open_interval(0.0, 1.0),
        "logits": constraint.real,
    }  # fmt: skip
    support = constraint.nonnegative_integer

    def __init__(
        self, total_count: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        (count,) = self._keep_the_given(probs, logits, total_count)
        self.total_count = count.to(self._param.dtype)
        super().__init__(self._param.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Tensor:
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.mean / (-self.logits).sigmoid()

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """A Poisson number whose rate is a gamma number."""
        with no_grad():
            return poisson(Gamma(self.total_count, (-self.logits).exp(), validate_args=False).sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n, chances = self.total_count, self.total_count * logsigmoid(-self.logits) + value * logsigmoid(self.logits)
        log_choose = (n + value).lgamma() - (1 + value).lgamma() - n.lgamma()
        return chances + log_choose.masked_fill(n + value == 0, 0)  # no failure to wait for: 0 is certain
