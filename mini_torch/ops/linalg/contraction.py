"""Sums of products in Einstein's notation.

Every dimension of every operand has a letter; equal letters are multiplied along, and summed where the result does not
name them. Two operands at a time, as a batch of matrix products: of the letters that both have, those in the result
are the batch, the others are summed; what only one has is a row or a column.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from string import ascii_lowercase, ascii_uppercase
from typing import Any

import numpy as np

from ...op import implements, public, row, type_name
from ...tensor import Tensor
from ..adjoint import diagonal_of
from .products import HALVES

__all__ = ["bilinear", "einsum"]

Letters = tuple[str, ...]  # one for each dimension; an ellipsis' dimensions have letters beyond the alphabet

_LETTERS = ascii_uppercase + ascii_lowercase
_ELLIPSIS = "..."


# ---- a product of two ------------------------------------------------------------------------------------------------
def _arranged(x: Any, letters: Letters, groups: Sequence[Sequence[str]]) -> Any:
    """x with its dimensions gathered into three: the letters of each group as one."""
    at = {c: i for i, c in enumerate(letters)}
    sizes = [math.prod([x.shape[at[c]] for c in group]) for group in groups]
    return x.transpose([at[c] for group in groups for c in group]).reshape(sizes)


def _product(x: Any, y: Any, a: Letters, b: Letters, c: Letters) -> Any:
    """Σ x[a] y[b] as an array [c]; every letter stands in at least two of a, b and c."""
    batch, summed = [s for s in a if s in b and s in c], [s for s in a if s in b and s not in c]
    left, right = [s for s in a if s not in b], [s for s in b if s not in a]
    if batch and summed and not left and not right:  # many short dot products: no work for BLAS
        names = {s: i for i, s in enumerate({*a, *b})}
        return np.einsum(x, [names[s] for s in a], y, [names[s] for s in b], [names[s] for s in c])
    size = {**dict(zip(a, x.shape)), **dict(zip(b, y.shape))}
    x, y = _arranged(x, a, (batch, left, summed)), _arranged(y, b, (batch, summed, right))
    if summed and x.dtype.char in HALVES:  # BLAS has neither
        out = np.matmul(x.astype(np.float32), y.astype(np.float32)).astype(x.dtype)
    else:
        out = np.matmul(x, y) if summed else x * y
    order = [*batch, *left, *right]
    return out.reshape([size[s] for s in order]).transpose([order.index(s) for s in c])


_pair: Callable[..., Any] = row(
    "einsum", _product, grad_name="BmmBackward0",
    x=lambda g, y, a, b, c: _pair(g, y, c, b, a), y=lambda g, x, a, b, c: _pair(x, g, a, c, b),
)  # fmt: skip


# ---- reading the equation --------------------------------------------------------------------------------------------
def _read_term(text: str, start: int, whose: str) -> list[str]:
    """The letters (and '...') of one operand, which stands at `start` of the equation."""
    out: list[str] = []
    at = 0
    while at < len(text):
        c = text[at]
        if text.startswith(_ELLIPSIS, at):
            if _ELLIPSIS in out:
                raise RuntimeError(f"einsum(): found '.' for {whose} for which an ellipsis was already found")
            out.append(_ELLIPSIS)
            at += 3
            continue
        if c == ".":
            raise RuntimeError(f"einsum(): found '.' for {whose} that is not part of any ellipsis")
        if c in _LETTERS:
            out.append(c)
        elif c != " ":
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {start + at} in the equation string, subscripts must be "
                f"in [a-zA-Z] (got {c!r})"
            )
        at += 1
    return out


def _read_equation(equation: str) -> tuple[list[list[str]], list[str] | None]:
    """The operands' letters, and the result's if it is given."""
    left, arrow, right = equation.partition("->")
    terms, start = [], 0
    for i, text in enumerate(left.split(",")):
        terms.append(_read_term(text, start, f"operand {i}"))
        start += len(text) + 1
    return terms, _read_term(right, len(left) + 2, "output") if arrow else None


def _read_lists(args: Sequence[Any]) -> tuple[list[Any], list[list[str]], list[str] | None]:
    """Operands and letters of the form einsum(x, [0, 1], y, [1, 2], [0, 2])."""
    result = _letters_of(args[-1]) if len(args) % 2 else None
    pairs = args[: len(args) // 2 * 2]
    return list(pairs[::2]), [_letters_of(numbers) for numbers in pairs[1::2]], result


def _letters_of(numbers: Sequence[Any]) -> list[str]:
    for n in numbers:
        if n is not Ellipsis and not 0 <= n < len(_LETTERS):
            raise ValueError(f"einsum(): subscript in subscript list is not within the valid range [0, 52) (got {n})")
    return [_ELLIPSIS if n is Ellipsis else _LETTERS[n] for n in numbers]


@functools.lru_cache(256)
def _equation_for(equation: str, ndims: tuple[int, ...]) -> tuple[list[Letters], Letters]:
    """The letters of every dimension of operands with so many dimensions, and of the result; kept for the next time."""
    return _filled_in(*_read_equation(equation), ndims)


def _check_count(terms: int, operands: int) -> None:
    if terms != operands:
        more = "more" if operands > terms else "fewer"
        raise RuntimeError(f"einsum(): {more} operands were provided than specified in the equation")


def _filled_in(
    terms: list[list[str]], result: list[str] | None, ndims: Sequence[int]
) -> tuple[list[Letters], Letters]:
    """The letters with one per dimension of each ellipsis, counted from the last, and the implicit result written out.

    An implicit result has the ellipsis' dimensions, then what occurs once, in alphabetical order.
    """
    _check_count(len(terms), len(ndims))
    widths = []
    for i, (term, ndim) in enumerate(zip(terms, ndims)):
        given = len(term) - (_ELLIPSIS in term)
        widths.append(ndim - given if _ELLIPSIS in term else 0)
        if given > ndim or (_ELLIPSIS not in term and given != ndim):
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({given}) does not match the number of dimensions "
                f"({ndim}) for operand {i} and no ellipsis was given"
            )
    wide = [chr(0x1000 + i) for i in range(max(widths))]

    def full(term: list[str], width: int) -> Letters:
        return tuple([c for letter in term for c in (wide[len(wide) - width :] if letter == _ELLIPSIS else [letter])])

    every = [c for term in terms for c in term]
    if result is None:
        result = [_ELLIPSIS, *sorted(c for c in set(every) if every.count(c) == 1 and c != _ELLIPSIS)]
    for c in result:
        if result.count(c) > 1:
            raise RuntimeError(f"einsum(): output subscript {c} appears more than once in the output")
        if c not in every and c != _ELLIPSIS:
            raise RuntimeError(f"einsum(): output subscript {c} does not appear in the equation for any input operand")
    return [full(term, width) for term, width in zip(terms, widths)], full(result, len(wide))


def _broadcast(operands: list[Any], terms: list[Letters]) -> list[Any]:
    """The operands with equal letters of equal size: a size of 1 is expanded."""
    sizes: dict[str, int] = {}
    for i, (x, term) in enumerate(zip(operands, terms)):
        for k, c in enumerate(term):
            n = x._array.shape[k]
            if term.index(c) != k and x._array.shape[term.index(c)] != n:
                raise RuntimeError(
                    f"einsum(): subscript {c} is repeated for operand {i} but the sizes don't match, {n} != "
                    f"{x._array.shape[term.index(c)]}"
                )
            if n != 1 and sizes.setdefault(c, n) != n and sizes[c] != 1:
                what = f"subscript {c} has" if c in _LETTERS else "a dimension covered by the ellipsis has"
                raise RuntimeError(
                    f"einsum(): {what} size {n} for operand {i} which does not broadcast with previously seen size "
                    f"{sizes[c]}"
                )
    shapes = [tuple(sizes.get(c, 1) for c in term) for term in terms]
    return [x if x._array.shape == shape else x.expand(shape) for x, shape in zip(operands, shapes)]


# ---- einsum ----------------------------------------------------------------------------------------------------------
def _simplified(x: Any, term: Letters, elsewhere: set[str]) -> tuple[Any, Letters]:
    """Repeated letters as a diagonal, letters that occur nowhere else summed."""
    for c in dict.fromkeys(term):
        while term.count(c) > 1:
            i = term.index(c)
            j = term.index(c, i + 1)
            x = diagonal_of(x, 0, i, j)
            term = (*(s for k, s in enumerate(term) if k not in (i, j)), c)
    lone = tuple(k for k, c in enumerate(term) if c not in elsewhere)
    if lone:
        kind = x._array.dtype
        x = np.sum(x, axis=lone, dtype=kind) if kind.kind in "iu" else np.sum(x, axis=lone)
        term = tuple(c for c in term if c in elsewhere)
    return x, term


def _best_pair(terms: Sequence[Letters], result: Letters, size: dict[str, int]) -> tuple[int, int]:
    """The two operands whose product is smallest, compared to what they take now; the first of equals."""

    def growth(i: int, j: int) -> int:
        others = {*result, *(c for k, term in enumerate(terms) if k not in (i, j) for c in term)}
        kept = {*terms[i], *terms[j]} & others
        volumes = [math.prod([size[c] for c in letters]) for letters in (kept, {*terms[i]}, {*terms[j]})]
        return volumes[0] - volumes[1] - volumes[2]

    pairs = [(i, j) for i in range(len(terms)) for j in range(i + 1, len(terms))]
    return min(pairs, key=lambda pair: growth(*pair))


@public(method=False)
def einsum(*args: Any) -> Tensor:
    """Sums of products by Einstein's notation, e.g. einsum("bij,bjk->bik", x, y), or with lists of numbers for letters.

    Repeated letters take a diagonal, '...' stands for dimensions that broadcast, and without '->' the result has the
    letters that occur once, in alphabetical order. More than two operands are multiplied two at a time, next always
    the pair whose product takes least memory beyond its factors. Errors: RuntimeError where the equation does not fit
    the operands. Source: PyTorch's `torch.einsum`.

    >>> from mini_torch import ones, einsum
    >>> einsum("ij,j->i", ones(2, 3), ones(3))
    tensor([3., 3.])
    """
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand and its "
            "subscripts list"
        )
    if isinstance(args[0], str):
        given = list(args[1]) if len(args) == 2 and isinstance(args[1], list | tuple) else list(args[1:])
        letters, out = _equation_for(args[0], tuple([x._array.ndim for x in given]))
    else:
        given, terms, result = _read_lists(args)
        letters, out = _filled_in(terms, result, [x._array.ndim for x in given])
    _check_types(given)
    return _contracted(_broadcast(given, letters), letters, out)


def _check_types(operands: list[Any]) -> None:
    kind = operands[0]._array.dtype
    for x in operands[1:]:
        if x._array.dtype != kind:
            raise RuntimeError(f"expected scalar type {type_name(kind)} but found {type_name(x._array.dtype)}")
    if len(operands) > 1 and kind.kind == "b":
        raise NotImplementedError("\"bmm\" not implemented for 'Bool'")


def _contracted(operands: list[Any], terms: list[Letters], result: Letters) -> Tensor:
    size = {c: n for x, term in zip(operands, terms) for c, n in zip(term, x._array.shape)}
    if len(operands) == 1 and operands[0]._array.dtype.kind in "iu" and {*terms[0]} > {*result}:
        operands = [operands[0].long()]  # a sum alone is PyTorch's sum, which adds integers up in int64
    while len(operands) > 1:
        i, j = _best_pair(terms, result, size) if len(terms) > 2 else (0, 1)
        rest = [term for k, term in enumerate(terms) if k not in (i, j)]
        elsewhere = {*result, *(c for term in rest for c in term)}
        x, a = _simplified(operands[i], terms[i], elsewhere | {*terms[j]})
        y, b = _simplified(operands[j], terms[j], elsewhere | {*a})
        c = tuple(s for s in dict.fromkeys((*a, *b)) if s in elsewhere)
        if not rest and {*c} == {*result}:
            c = result
        operands = [*(x for k, x in enumerate(operands) if k not in (i, j)), _pair(x, y, a, b, c)]
        terms = [*rest, c]
    x, term = _simplified(operands[0], terms[0], {*result})
    return x if term == result else x.permute(*[term.index(c) for c in result])


@implements(np.einsum)
def _numpy_einsum(equation: str, *operands: Any, **_: Any) -> Tensor:
    return einsum(equation, *operands)


@public(method=False)
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x₁ᵀ A x₂ + b per output feature; weight (n, k1, k2). Source: PyTorch's `nn.functional.bilinear`."""
    out = einsum("...i,oij,...j->...o", input1, weight, input2)
    return out if bias is None else out + bias
