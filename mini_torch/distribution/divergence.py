"""The Kullback-Leibler divergence ∫ p ln(p / q): how its rules are entered and found. Source: PyTorch's page
"torch.distributions"."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from ..tensor import Tensor
from .continuous import Normal
from .distribution import Distribution

__all__ = ["kl_divergence", "register_kl"]

Rule = Callable[[Any, Any], Tensor]

_RULES: dict[tuple[type, type], Rule] = {}
_FOUND: dict[tuple[type, type], Rule | None] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Rule], Rule]:
    """Decorator: the function computes the divergence of `type_p` from `type_q` and what is derived from them.

    Errors: TypeError unless both are distributions. Source: PyTorch's `torch.distributions.kl.register_kl`.
    """
    for given in (type_p, type_q):
        if not (isinstance(given, type) and issubclass(given, Distribution)):
            raise TypeError(f"Expected a Distribution subclass but got {given}")

    def enter(rule: Rule) -> Rule:
        _RULES[type_p, type_q] = rule
        _FOUND.clear()  # there may be a nearer one now
        return rule

    return enter


def _nearest(type_p: type, type_q: type) -> Rule | None:
    """The rule for the nearest of what each is derived from; where the two disagree, p's nearest, with a warning."""
    by_p = [(p, q) for p in type_p.__mro__ for q in type_q.__mro__ if (p, q) in _RULES]
    by_q = [(p, q) for q in type_q.__mro__ for p in type_p.__mro__ if (p, q) in _RULES]
    if not by_p:
        return None
    if _RULES[by_p[0]] is not _RULES[by_q[0]]:
        warnings.warn(
            f"Ambiguous kl_divergence({type_p.__name__}, {type_q.__name__}). "
            f"Please register_kl({by_p[0][0].__name__}, {by_q[0][1].__name__})",
            RuntimeWarning,
            stacklevel=3,
        )
    return _RULES[by_p[0]]


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """KL(p ‖ q), of the batch's shape.

    Errors: NotImplementedError where there is no rule for the two. Source: PyTorch's
    `torch.distributions.kl_divergence`.

    >>> kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0))
    tensor(0.5000)
    """
    kinds = type(p), type(q)
    if kinds not in _FOUND:
        _FOUND[kinds] = _nearest(*kinds)
    rule = _FOUND[kinds]
    if rule is None:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {type(p).__name__} and q type {type(q).__name__}"
        )
    return rule(p, q)


@register_kl(Normal, Normal)
def _normals(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale) ** 2
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale) ** 2 - 1 - ratio.log())
