"""Backward and grad: from tensors to the walk through the graph, and back to `Tensor.grad`."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .graph import Lift, Node, mode, walk_back
from .tensor import Tensor, make, method, numpy_entries, wrap

__all__ = ["backward", "grad", "gradients_into"]


_ndarray = np.ndarray


class _TensorLift(Lift):
    """Tensors, as the walk in `graph.py` needs them."""

    def tensor(self, value: Any) -> Tensor:
        return value if isinstance(value, Tensor) else wrap(value)

    def cast(self, value: Any, kind: Any) -> Any:
        return value if value._array.dtype is kind else value.to(kind)

    def output(self, node: Node) -> Tensor:
        array, cell, _ = node.out
        out: Tensor = make(Tensor, array)
        out._cell, out._node, out._requires_grad = cell, node, True
        return out

    def accumulate(self, leaves: dict[Any, Any], borrowed: set[Any], create_graph: bool) -> None:
        for leaf, g in leaves.items():
            old = leaf._grad
            if create_graph:
                leaf._grad = g if old is None else old + g
            elif old is None:
                own = g.copy() if leaf in borrowed else g
                leaf._grad = make(Tensor, own) if type(own) is _ndarray else wrap(own)
            else:
                np.add(old._array, g, out=old._array)
                old._cell[0] += 1
            if leaf._post_hooks:
                for hook in list(leaf._post_hooks.values()):
                    hook(leaf)

    def call_hooks(self, hooks: dict[int, Any] | None, g: Any) -> Any:
        for hook in list(hooks.values()) if hooks else ():
            seen = self.tensor(g)
            changed = hook(seen)
            if changed is None:
                continue
            if not isinstance(changed, Tensor) or changed.shape != seen.shape:
                raise RuntimeError(
                    f"hook '{getattr(hook, '__name__', hook)}' has changed the size of value: expected a tensor of "
                    f"shape {list(seen.shape)} or None, got {type(changed).__name__} "
                    f"{list(getattr(changed, 'shape', ()))}"
                )
            g = changed if isinstance(g, Tensor) else changed._array
        return g


_lift = _TensorLift()


def _listed(x: Any) -> list[Any]:
    return [x] if x is None or isinstance(x, Tensor) else list(x)


def _roots(outputs: list[Tensor], gradients: list[Tensor | None], create_graph: bool) -> list[tuple[Any, Any]]:
    """Where backward starts: (node or leaf, gradient), checked."""
    roots = []
    if len(gradients) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(gradients)} gradients")
    for i, (out, g) in enumerate(zip(outputs, gradients)):
        if not out.requires_grad:
            raise RuntimeError(f"element {i} of tensors does not require grad and does not have a grad_fn")
        if g is None:
            if out._array.size != 1:
                raise RuntimeError("grad can be implicitly created only for scalar outputs")
            if out._array.dtype.kind == "c":
                raise RuntimeError(f"grad can be implicitly created only for real scalar outputs but got {out.dtype}")
            g = _one_like(out._array)
        elif not isinstance(g, Tensor):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
        elif g._array.shape != out._array.shape:
            raise RuntimeError(
                f"Mismatch in shape: grad_output[{i}] has a shape of {g.shape} and output[{i}] has a shape of "
                f"{out.shape}."
            )
        elif g._array.dtype != out._array.dtype:
            g = wrap(g._array.astype(out._array.dtype))
        roots.append((out if out._node is None else out._node, g if create_graph else g._array))
    return roots


def _one_like(x: Any) -> Tensor:
    if mode.recorder is not None:
        return wrap(np.ones_like(x))
    one = _one_of(x.dtype).copy()  # in a third of the time of `np.ones`
    return wrap(one.reshape(x.shape) if x.ndim else one)


@functools.cache
def _one_of(kind: np.dtype[Any]) -> Any:
    return np.ones((), kind)


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    *,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Adds the gradients of `tensors` to the `grad` of the leaves they were computed from.

    PyTorch's `torch.autograd.backward`.
    """
    outputs = _listed(tensors)
    gradients = _listed(grad_tensors) if grad_tensors is not None else [None] * len(outputs)
    retain = create_graph if retain_graph is None else retain_graph
    roots = _roots(outputs, gradients, create_graph)
    if inputs is None:
        with _Recording(create_graph, not retain):
            walk_back(_lift, roots, retain_graph=retain, create_graph=create_graph)
        return
    targets = _listed(inputs)
    if not targets:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    found = zip(targets, _gradients(roots, targets, retain, create_graph))
    _lift.accumulate({x: g for x, g in found if g is not None}, set(targets), create_graph)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor, ...]:
    """The gradients of `outputs` with respect to `inputs`, without touching anyone's `grad`.

    `only_inputs` is always so; False warns. Errors: RuntimeError where an input was not used (unless `allow_unused`,
    then None) or does not require grad. PyTorch's `torch.autograd.grad`.

    >>> x = mini_torch.tensor(3., requires_grad=True)
    >>> (dx,) = grad(x * x * x, x, create_graph=True)
    >>> dx, grad(dx, x)
    (tensor(27., grad_fn=<AddBackward0>), (tensor(18.),))
    """
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient "
            "for other parts of the graph, please use torch.autograd.backward.",
            FutureWarning,
            stacklevel=2,
        )
    outs, targets = _listed(outputs), _listed(inputs)
    gradients = _listed(grad_outputs) if grad_outputs is not None else [None] * len(outs)
    retain = create_graph if retain_graph is None else retain_graph
    if is_grads_batched:
        n = len(next(g for g in gradients if g is not None))
        each = [grad(outs, targets, [g if g is None else g[i] for g in gradients], retain or i < n - 1, create_graph,
                     allow_unused=allow_unused, materialize_grads=materialize_grads) for i in range(n)]  # fmt: skip
        return tuple(numpy_entries[np.stack](column) for column in zip(*each))
    for x in targets:
        if not x.requires_grad:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
    results: list[Any] = []
    for x, g in zip(targets, _gradients(_roots(outs, gradients, create_graph), targets, retain, create_graph)):
        if g is None:
            if not allow_unused and not materialize_grads:
                raise RuntimeError(
                    "One of the differentiated Tensors appears to not have been used in the graph. Set "
                    "allow_unused=True if this is the desired behavior."
                )
            results.append(wrap(np.zeros_like(x._array)) if materialize_grads else None)
        else:
            results.append(g if create_graph else wrap(g.copy("K")))
    return tuple(results)


def gradients_into(nodes: list[Any], gradients: list[Any], targets: list[Tensor]) -> list[Any]:
    """The gradients of leaves or nodes `targets`, as arrays (or None), for these gradients of `nodes`."""
    return _gradients([*zip(nodes, gradients)], targets, True, False)


def _gradients(roots: list[tuple[Any, Any]], targets: list[Tensor], retain: bool, create_graph: bool) -> list[Any]:
    places = [x if x.grad_fn is None else x._node for x in targets]
    with _Recording(create_graph, not retain):
        found = walk_back(_lift, roots, retain_graph=retain, create_graph=create_graph, capture=places)
    return [found.get(place) for place in places]


class _Recording:
    """Recording on or off, without the cost of the general context manager; and NumPy quiet for all formulas."""

    __slots__ = ("before", "spends", "switch", "wanted")

    def __init__(self, wanted: bool, spends: bool) -> None:
        self.wanted, self.spends = wanted, spends
        self.switch = np.errstate(all="ignore")

    def __enter__(self) -> None:
        self.switch.__enter__()
        self.before = mode.enabled, mode.spends
        mode.enabled, mode.spends = self.wanted, self.spends

    def __exit__(self, *_: object) -> None:
        mode.enabled, mode.spends = self.before
        self.switch.__exit__(None, None, None)


def _backward_method(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Adds the gradient of this tensor to the `grad` of every leaf that it was computed from.

    `gradient` is needed unless this is a single number. With `create_graph` the gradients can be differentiated
    again. With `inputs` only these get a gradient. Errors: RuntimeError where there is no graph, where the graph
    was used up before, where `gradient` has another shape. PyTorch's `Tensor.backward`.
    """
    backward(self, gradient, retain_graph, create_graph, inputs=inputs)


method("backward", _backward_method)
