"""`CatTransform` and `StackTransform`: the parts of a value, each by a transform of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..op import functions
from ..tensor import Tensor
from . import constraint
from .parameter import total
from .transform import Transform

__all__ = ["CatTransform", "StackTransform"]


class _Joined(Transform):
    """What is cut along `dim` into as many parts as there are transforms, and joined again.

    Errors: AssertionError, as PyTorch's, for what is no transform, and for a value of another length along `dim`.
    """

    transforms: list[Transform]
    dim: int

    def __init__(self, tseq: Iterable[Transform], dim: int, cache_size: int) -> None:
        parts = list(tseq)
        if not all(isinstance(part, Transform) for part in parts):
            raise AssertionError("All elements of tseq must be Transform instances")
        super().__init__(cache_size)
        self.transforms = [part.with_cache(cache_size) for part in parts] if cache_size else parts
        self.dim = dim

    @property
    def bijective(self) -> Any:
        return all(part.bijective for part in self.transforms)

    def _cut(self, value: Tensor) -> Sequence[Tensor]:
        raise NotImplementedError

    def _join(self, parts: list[Tensor], dim: int) -> Tensor:
        raise NotImplementedError

    def _check(self, value: Tensor, length: int, expected: str) -> None:
        if not -value.dim() <= self.dim < value.dim():
            raise AssertionError(f"dim {self.dim} out of range for tensor with {value.dim()} dimensions")
        if value.shape[self.dim] != length:
            raise AssertionError(f"x.size({self.dim}) = {value.shape[self.dim]} must equal {expected}")

    def _call(self, x: Tensor) -> Tensor:
        return self._join([part(piece) for part, piece in zip(self.transforms, self._cut(x))], self.dim)

    def _inverse(self, y: Tensor) -> Tensor:
        return self._join([part.inv(piece) for part, piece in zip(self.transforms, self._cut(y))], self.dim)


class CatTransform(_Joined):
    """The i-th transform for the next lengths[i] places along `dim`, in the way of `cat`; each length 1 by default.

    >>> from mini_torch import tensor
    >>> from mini_torch.distribution import ExpTransform, identity_transform
    >>> CatTransform([ExpTransform(), identity_transform], lengths=[1, 2])(tensor([0.0, 1.0, 2.0]))
    tensor([1., 1., 2.])
    """

    def __init__(
        self, tseq: Iterable[Transform], dim: int = 0, lengths: Sequence[int] | None = None, cache_size: int = 0
    ) -> None:
        super().__init__(tseq, dim, cache_size)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.transforms):
            raise AssertionError(f"lengths ({len(self.lengths)}) must match transforms ({len(self.transforms)})")

    @property
    def event_dim(self) -> int:
        return max(part.event_dim for part in self.transforms)

    @property
    def length(self) -> int:
        """Of the whole, along `dim`."""
        return sum(self.lengths)

    @constraint.dependent_property
    def domain(self) -> Any:
        return constraint.cat([part.domain for part in self.transforms], self.dim, self.lengths)

    @constraint.dependent_property
    def codomain(self) -> Any:
        return constraint.cat([part.codomain for part in self.transforms], self.dim, self.lengths)

    def with_cache(self, cache_size: int = 1) -> Transform:
        if self._cache_size == cache_size:
            return self
        return CatTransform(self.transforms, self.dim, self.lengths, cache_size)

    def _cut(self, value: Tensor) -> Sequence[Tensor]:
        self._check(value, self.length, f"length {self.length}")
        return value.split(self.lengths, self.dim)

    def _join(self, parts: list[Tensor], dim: int) -> Tensor:
        return functions["cat"](parts, dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Joined where `dim` counts batches, added up where it lies in the event."""
        changes = [
            total(part.log_abs_det_jacobian(before, after), self.event_dim - part.event_dim)
            for part, before, after in zip(self.transforms, self._cut(x), self._cut(y))
        ]
        dim = (self.dim - x.dim() if self.dim >= 0 else self.dim) + self.event_dim
        return self._join(changes, dim) if dim < 0 else sum(changes[1:], changes[0])


class StackTransform(_Joined):
    """The i-th transform for the i-th place along `dim`, in the way of `stack`."""

    def __init__(self, tseq: Iterable[Transform], dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(tseq, dim, cache_size)

    @constraint.dependent_property
    def domain(self) -> Any:
        return constraint.stack([part.domain for part in self.transforms], self.dim)

    @constraint.dependent_property
    def codomain(self) -> Any:
        return constraint.stack([part.codomain for part in self.transforms], self.dim)

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self if self._cache_size == cache_size else StackTransform(self.transforms, self.dim, cache_size)

    def _cut(self, value: Tensor) -> Sequence[Tensor]:
        self._check(value, len(self.transforms), f"len(transforms) {len(self.transforms)}")
        return value.unbind(self.dim)

    def _join(self, parts: list[Tensor], dim: int) -> Tensor:
        return functions["stack"](parts, dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        pieces = zip(self.transforms, self._cut(x), self._cut(y))
        return self._join([part.log_abs_det_jacobian(before, after) for part, before, after in pieces], self.dim)
