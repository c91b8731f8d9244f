"""`grad`, `vjp` and `jvp` of functions, which nest: each level gets fresh tensors to differentiate with respect to.

A fresh tensor is a leaf of its own, or, where the argument has a history, a tensor with that history behind it: then
an outer level, or a plain backward, sees through. Results keep a graph only if it leads to something else than this
level's own fresh tensors. Source: PyTorch's `torch.func`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..backward import grad as gradients
from ..graph import Node, enable_grad, mode, reachable
from ..op import own_node
from ..tensor import Tensor, wrap
from ..tree import flatten, map_leaves, unflatten

__all__ = ["Pullback", "detached_unless_outer", "fresh", "grad", "grad_and_value", "jvp", "linearize",
           "replaced", "vjp"]  # fmt: skip


def fresh(x: Any) -> Any:
    """A tensor to differentiate with respect to, with x's memory and x's history."""
    if not isinstance(x, Tensor) or x._array.dtype.kind not in "fc":
        return x
    with enable_grad():
        return own_node(x) if x.requires_grad else x.detach().requires_grad_()


def replaced(args: tuple[Any, ...], argnums: int | Sequence[int], name: str) -> tuple[list[Any], Any]:
    """The arguments with fresh tensors at `argnums`, and those: one tree, or a tuple of trees."""
    several = not isinstance(argnums, int)
    numbers = [argnums] if isinstance(argnums, int) else argnums
    places = [n + len(args) if n < 0 else n for n in numbers]
    for n in places:
        if not 0 <= n < len(args):
            raise RuntimeError(f"{name}: got argnum={n}, but only {len(args)} positional inputs")
    new = list(args)
    for n in places:
        new[n] = map_leaves(fresh, args[n])
    return new, tuple(new[n] for n in places) if several else new[places[0]]


def _leads_elsewhere(outs: Sequence[Any], own: Sequence[Any]) -> bool:
    """Whether gradients of `outs` can reach a leaf that is none of `own`."""
    if not mode.enabled:
        return False
    known = {id(x) for x in own}
    roots = [x for x in outs if isinstance(x, Tensor) and x.requires_grad]
    if any(x._node is None and id(x) not in known for x in roots):
        return True
    edges = [e for node in reachable([x._node for x in roots]) for e in node.edges]
    return any(e is not None and not isinstance(e, Node) and id(e) not in known for e in edges)


def detached_unless_outer(results: Any, own: Sequence[Any]) -> Any:
    """The results, outside the graph if it leads nowhere but to this level's own tensors."""
    leaves, structure = flatten(results)
    if _leads_elsewhere(leaves, own):
        return results
    return unflatten([x.detach() if isinstance(x, Tensor) else x for x in leaves], structure)


def _split_aux(result: Any, has_aux: bool, name: str) -> tuple[Any, Any]:
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise RuntimeError(
            f"{name}: output of function should be a tuple: (output, aux) if has_aux is True, got "
            f"{type(result).__name__}"
        )
    return result


class Pullback:
    """What one call of a function computed, ready to send gradients back through any number of times.

    `own` are the fresh tensors, `outs` the results' leaves.
    """

    def __init__(self, own: list[Any], outs: list[Any]) -> None:
        self.own, self.outs = own, outs
        self.targets = [x for x in own if isinstance(x, Tensor) and x.requires_grad]
        self.outer = _leads_elsewhere(outs, self.targets)

    def __call__(self, cotangents: Sequence[Any], create_graph: bool = False) -> list[Any]:
        """Per tensor of `own` its gradient, zeros where nothing arrives."""
        pairs = [(x, g) for x, g in zip(self.outs, cotangents) if isinstance(x, Tensor) and x.requires_grad]
        found: dict[int, Any] = {}
        if pairs and self.targets:
            outer = self.outer or create_graph or (mode.enabled and any(g.requires_grad for _, g in pairs))
            with enable_grad():
                grads = gradients([x for x, _ in pairs], self.targets, [g for _, g in pairs], retain_graph=True,
                                  create_graph=outer, allow_unused=True)  # fmt: skip
            found = {id(x): g for x, g in zip(self.targets, grads)}
        return [
            g if (g := found.get(id(x))) is not None else wrap(np.zeros_like(x._array)) if isinstance(x, Tensor) else x
            for x in self.own
        ]


def grad_and_value(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns (gradient, value) of `func`, which returns a single number; see `grad`.

    Source: PyTorch's `torch.func.grad_and_value`.
    """

    @functools.wraps(func)
    def both(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        new, wanted = replaced(args, argnums, "grad")
        with enable_grad():
            value, aux = _split_aux(func(*new, **kwargs), has_aux, "grad_and_value(f)(*args)")
        _need_single(value)
        own, structure = flatten(wanted)
        pullback = Pullback(own, [value])
        grads = pullback([wrap(np.ones_like(value._array))])
        out = detached_unless_outer((unflatten(grads, structure), value, aux), pullback.targets)
        return (out[0], (out[1], out[2])) if has_aux else (out[0], out[1])

    return both


def _need_single(value: Any) -> None:
    if not isinstance(value, Tensor):
        raise RuntimeError(f"grad_and_value(f)(*args): Expected f(*args) to return tensors, got type {type(value)}")
    if value._array.ndim:
        raise RuntimeError(
            f"grad_and_value(f)(*args): Expected f(*args) to return a scalar tensor, got tensor with "
            f"{value._array.ndim} dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
        )


def grad(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the gradient of `func`, which returns a single number.

    With respect to argument `argnums`, or a tuple of them; an argument may be a nested dict, list or tuple of tensors,
    and so is its gradient. With `has_aux`, `func` returns (value, aux) and the result is (gradient, aux). Errors:
    RuntimeError where `func` returns more than a number. Source: PyTorch's `torch.func.grad`.

    >>> from mini_torch import tensor, sin
    >>> grad(grad(sin))(tensor(1.))
    tensor(-0.8415)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        result = both(*args, **kwargs)
        return (result[0], result[1][1]) if has_aux else result[0]

    return gradient


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """(func(*primals), a function from cotangents of the result to gradients of the primals): Jᵀv.

    The function gives one gradient for one primal, a tuple for more. Source: PyTorch's `torch.func.vjp`.

    >>> from mini_torch import tensor
    >>> out, pull = vjp(lambda x: x * x, tensor([1., 2.]))
    >>> pull(tensor([1., 1.]))
    (tensor([2., 4.]),)
    """
    new = [map_leaves(fresh, x) for x in primals]
    with enable_grad():
        result, aux = _split_aux(func(*new), has_aux, "vjp(f, *primals)")
    own, structure = flatten(tuple(new))
    outs, shape = flatten(result)
    _need_tensors(outs, "vjp(f, *primals)")
    pullback = Pullback(own, outs)

    def pull(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        given, got = flatten(cotangents)
        if got != shape and not (len(outs) == 1 and len(given) == 1):
            raise RuntimeError(
                f"Expected pytree structure of cotangents to be the same as pytree structure of outputs to the "
                f"function. cotangents: {got}, primal output: {shape}"
            )
        return unflatten(detached_unless_outer(pullback(given), pullback.targets), structure)

    out, aux = detached_unless_outer((result, aux), pullback.targets)
    return (out, pull, aux) if has_aux else (out, pull)


def _need_tensors(outs: list[Any], what: str) -> None:
    for x in outs:
        if not isinstance(x, Tensor):
            raise RuntimeError(f"{what}: Expected f(*primals) to return only tensors, got unsupported type {type(x)}")


class Pushforward:
    """A function's derivative as a linear map of tangents: Jv, as the transpose of the transpose.

    Backward with a placeholder u gives Jᵀu, which is linear in u; backward of that with v gives Jv.
    """

    def __init__(self, pullback: Pullback) -> None:
        self.outs, self.own = pullback.outs, pullback.own
        self.u = [wrap(np.zeros_like(x._array)).requires_grad_() for x in self.outs]
        self.transposed = Pullback(self.u, pullback(self.u, create_graph=True))
        self.targets = [*pullback.targets, *self.u]
        self.outer = pullback.outer

    def __call__(self, tangents: Sequence[Any]) -> list[Any]:
        """Per result its tangent."""
        self.transposed.outer = self.outer
        return self.transposed(tangents)


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """(func(*primals), the function from tangents of the primals to the tangent of the result).

    Source: PyTorch's `torch.func.linearize`.
    """
    new = [map_leaves(fresh, x) for x in primals]
    with enable_grad():
        result = func(*new)
    outs, shape = flatten(result)
    _need_tensors(outs, "linearize(f, *primals)")
    push = Pushforward(Pullback(flatten(tuple(new))[0], outs))

    def tangent(*tangents: Any) -> Any:
        given, _ = flatten(tangents)
        return unflatten(detached_unless_outer(push(given), push.targets), shape)

    return detached_unless_outer(result, push.targets), tangent


def jvp(func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """(func(*primals), its derivative in the direction of `tangents`): Jv.

    Computed by two passes back (there is no forward mode here), so it costs as much as a gradient of a gradient.
    Errors: RuntimeError where tangents and primals do not match. Source: PyTorch's `torch.func.jvp`.

    >>> from mini_torch import tensor
    >>> jvp(lambda x: x * x, (tensor(3.),), (tensor(1.),))
    (tensor(9.), tensor(6.))
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise RuntimeError("jvp(f, primals, tangents): Expected primals and tangents to be tuples")
    own, structure = flatten(primals)
    given, other = flatten(tangents)
    if structure != other or not own:
        raise RuntimeError(
            f"jvp(f, primals, tangents): Expected primals and tangents to have the same python structure. For example, "
            f"if primals is a tuple of 3 tensors, tangents also must be. Got primals with structure {structure} and "
            f"tangents with structure {other}"
        )
    for x, t in zip(own, given):
        if x.shape != t.shape:
            raise RuntimeError(f"jvp(f, primals, tangents): a tangent has shape {t.shape}, its primal {x.shape}")
    aux: list[Any] = []

    def plain(*args: Any) -> Any:
        result, extra = _split_aux(func(*args), has_aux, "jvp(f, primals, tangents)")
        aux.append(extra)
        return result

    out, push = linearize(plain, *primals)
    return (out, push(*tangents), *([map_leaves(_outside, aux[0])] if has_aux else []))


def _outside(x: Any) -> Any:
    return x.detach() if isinstance(x, Tensor) else x
