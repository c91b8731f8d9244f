"""Jacobians of functions, by rows (`jacrev`) or by columns (`jacfwd`), and Hessians. Source: PyTorch's `torch.func`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..graph import enable_grad
from ..ops.join import stack
from ..tensor import Tensor, wrap
from ..tree import flatten, unflatten
from .gradient import Pullback, Pushforward, detached_unless_outer, replaced

__all__ = ["hessian", "jacfwd", "jacrev"]


def _units(tensors: list[Tensor]) -> Iterator[list[Tensor]]:
    """For every element of every tensor: ones there, zeros elsewhere."""
    zeros = [wrap(np.zeros_like(x._array)) for x in tensors]
    for i, x in enumerate(tensors):
        for at in np.ndindex(x._array.shape):
            unit = np.zeros_like(x._array)
            unit[at] = 1
            yield [*zeros[:i], wrap(unit), *zeros[i + 1 :]]


def _assembled(slices: list[list[Tensor]], split: list[Tensor], rest: list[Tensor]) -> list[list[Tensor]]:
    """From a list of results (one per unit of `split`) the blocks [i][j] of shape split[i] + rest[j]."""
    blocks, start = [], 0
    for x in split:
        n = x._array.size
        mine, start = slices[start : start + n], start + n
        blocks.append([
            stack([row[j] for row in mine]).reshape(*x.shape, *y.shape) if n
            else wrap(np.zeros((*x.shape, *y.shape), y._array.dtype))
            for j, y in enumerate(rest)
        ])  # fmt: skip
    return blocks


def _call(func: Callable[..., Any], args: Any, kwargs: Any, argnums: Any, has_aux: bool, name: str) -> Any:
    """(pullback, the wanted arguments' structure, the results' structure, aux) of one call."""
    new, wanted = replaced(args, argnums, name)
    with enable_grad():
        result = func(*new, **kwargs)
    result, aux = result if has_aux else (result, None)
    own, structure = flatten(wanted)
    outs, shape = flatten(result)
    for x in outs:
        if not isinstance(x, Tensor):
            raise RuntimeError(f"{name}: Expected the function to return only tensors, got {type(x)}")
    return Pullback(own, outs), structure, shape, aux


def _finished(blocks: Any, structure: Any, shape: Any, aux: Any, has_aux: bool, own: Any) -> Any:
    """The results' tree whose leaves are the arguments' trees of blocks [result][argument]."""
    tree = unflatten([unflatten(row, structure) for row in blocks], shape)
    out = detached_unless_outer((tree, aux), own)
    return out if has_aux else out[0]


def jacrev(
    func: Callable[..., Any], argnums: Any = 0, *, has_aux: bool = False, chunk_size: int | None = None, **_: Any
) -> Callable[..., Any]:
    """A function that returns the Jacobian of `func`, computed by one pass back per element of the result.

    Its shape is the result's followed by the argument's. With nested results or arguments it is nested in the same
    way. Source: PyTorch's `torch.func.jacrev`.

    >>> from mini_torch import tensor
    >>> jacrev(lambda x: x * x)(tensor([1., 2.]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        pullback, structure, shape, aux = _call(func, args, kwargs, argnums, has_aux, "jacrev")
        rows = [pullback(unit) for unit in _units(pullback.outs)]
        blocks = _assembled(rows, pullback.outs, pullback.own)
        return _finished(blocks, structure, shape, aux, has_aux, pullback.targets)

    return jacobian


def jacfwd(
    func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False, *, randomness: str = "error", **_: Any
) -> Callable[..., Any]:
    """A function that returns the Jacobian of `func`, computed column by column, one pass per element of the argument.

    As `jacrev`, and cheaper where the result is larger than the argument. Source: PyTorch's `torch.func.jacfwd`.
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        pullback, structure, shape, aux = _call(func, args, kwargs, argnums, has_aux, "jacfwd")
        push = Pushforward(pullback)
        columns = [push(unit) for unit in _units(pullback.own)]
        by_argument = _assembled(columns, pullback.own, pullback.outs)
        blocks = [[_results_first(by_argument[j][i], x, y) for j, x in enumerate(pullback.own)]
                  for i, y in enumerate(pullback.outs)]  # fmt: skip
        return _finished(blocks, structure, shape, aux, has_aux, push.targets)

    return jacobian


def _results_first(block: Tensor, argument: Tensor, result: Tensor) -> Tensor:
    k, n = argument._array.ndim, result._array.ndim
    return block.permute(*range(k, k + n), *range(k)) if k + n else block


def hessian(func: Callable[..., Any], argnums: Any = 0) -> Callable[..., Any]:
    """A function that returns the second derivatives of `func`: the columns of the Jacobian of its gradient.

    Source: PyTorch's `torch.func.hessian`.

    >>> from mini_torch import tensor
    >>> hessian(lambda x: (x ** 3).sum())(tensor([1., 2.]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)
