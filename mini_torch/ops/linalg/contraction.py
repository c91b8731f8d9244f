"""Sums of products in Einstein's notation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...op import implements, public, row
from ...tensor import Tensor
from ..adjoint import diagonal_of

__all__ = ["einsum"]

_einsum: Callable[..., Any] = row(
    "einsum", lambda x, y, a, b, c: np.einsum(f"{a},{b}->{c}", x, y, optimize=True), grad_name="BmmBackward0",
    x=lambda g, y, a, b, c: _einsum(g, y, c, b, a), y=lambda g, x, a, b, c: _einsum(x, g, a, c, b),
)  # fmt: skip


def _parse(equation: str, ndims: Sequence[int]) -> tuple[list[str], str]:
    """The terms and the result of an equation, with letters for the ellipses' dimensions."""
    text = equation.replace(" ", "")
    left, arrow, result = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        more = "more" if len(ndims) > len(terms) else "fewer"
        raise RuntimeError(f"einsum(): {more} operands were provided than specified in the equation")
    letters = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in text]
    widths = [n - len(t.replace("...", "")) if "..." in t else 0 for t, n in zip(terms, ndims)]
    for i, (t, n, w) in enumerate(zip(terms, ndims, widths)):
        if w < 0 or ("..." not in t and len(t) != n):
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(t.replace('...', ''))}) does not match the "
                f"number of dimensions ({n}) for operand {i} and no ellipsis was given"
            )
    widest = letters[: max(widths, default=0)]
    terms = [t.replace("...", "".join(widest[len(widest) - w :])) for t, w in zip(terms, widths)]
    if arrow:
        result = result.replace("...", "".join(widest))
    else:
        every = "".join(terms)
        result = "".join(widest) + "".join(sorted(c for c in set(every) if every.count(c) == 1 and c not in widest))
    for c in result:
        if c not in "".join(terms):
            raise RuntimeError(f"einsum(): output subscript {c} does not appear in the equation for any input operand")
    return terms, result


def _simplified(x: Any, term: str, elsewhere: str) -> tuple[Any, str]:
    """Repeated letters as a diagonal, letters that occur nowhere else summed."""
    for c in sorted(set(term)):
        while term.count(c) > 1:
            i, j = (k for k, letter in enumerate(term) if letter == c) if term.count(c) == 2 else _first_two(term, c)
            x = diagonal_of(x, 0, i, j)
            term = "".join(letter for k, letter in enumerate(term) if k not in (i, j)) + c
    lone = tuple(k for k, c in enumerate(term) if c not in elsewhere)
    if lone:
        x = np.sum(x, axis=lone)
        term = "".join(c for c in term if c in elsewhere)
    return x, term


def _first_two(term: str, c: str) -> tuple[int, int]:
    first = term.index(c)
    return first, term.index(c, first + 1)


@public(method=False)
def einsum(equation: str, *operands: Any) -> Tensor:
    """Sums of products by Einstein's notation, e.g. "bij,bjk->bik"; repeated letters, ellipses, implicit results.

    More than two operands are contracted pair by pair in a greedy order. Errors: RuntimeError where the equation does
    not fit the operands. Source: PyTorch's `torch.einsum`.

    >>> from mini_torch import ones, einsum
    >>> einsum("ij,j->i", ones(2, 3), ones(3))
    tensor([3., 3.])
    """
    given = list(operands[0]) if len(operands) == 1 and isinstance(operands[0], list | tuple) else list(operands)
    terms, result = _parse(equation, [x.ndim for x in given])
    sizes: dict[str, int] = {}
    for x, term in zip(given, terms):
        for c, n in zip(term, x._array.shape):
            if sizes.setdefault(c, n) != n:
                if 1 not in (n, sizes[c]):
                    raise RuntimeError(
                        f"einsum(): subscript {c} has size {n} for operand {terms.index(term)} which does "
                        f"not broadcast with previously seen size {sizes[c]}"
                    )
                sizes[c] = max(n, sizes[c])
    for k, (x, term) in enumerate(zip(given, terms)):
        shape = tuple(sizes[c] for c in term)
        if x._array.shape != shape:
            given[k] = np.broadcast_to(x, shape)
    for step in _contraction_order(terms, result, given):
        picked = [(given[k], terms[k]) for k in step]
        given = [x for k, x in enumerate(given) if k not in step]
        terms = [t for k, t in enumerate(terms) if k not in step]
        x, term = _contract(picked, result + "".join(terms))
        given.append(x)
        terms.append(term)
    x, term = _simplified(given[0], terms[0], result)
    return x.permute(*(term.index(c) for c in result))


def _contraction_order(terms: list[str], result: str, given: list[Any]) -> list[tuple[int, ...]]:
    if len(terms) < 3:
        return [tuple(range(len(terms)))] if len(terms) == 2 else []
    clean = ",".join(terms) + "->" + result
    path = np.einsum_path(clean, *[np.broadcast_to(np.empty((), bool), x.shape) for x in given], optimize="greedy")[0]
    return [s for step in path[1:] for s in ([step] if len(step) == 2 else [(0, 1)] * (len(step) - 1))]


def _contract(picked: list[tuple[Any, str]], needed: str) -> tuple[Any, str]:
    (x, a), (y, b) = picked
    x, a = _simplified(x, a, needed + b)
    y, b = _simplified(y, b, needed + a)
    c = "".join(dict.fromkeys(letter for letter in a + b if letter in needed))
    return _einsum(x, y, a, b, c), c


@implements(np.einsum)
def _numpy_einsum(equation: str, *operands: Any, **_: Any) -> Tensor:
    return einsum(equation, *operands)
