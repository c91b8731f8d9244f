"""Products with Jacobians and Hessians at given inputs: PyTorch's `torch.autograd.functional`.

Where `func` of this room makes functions, these compute at once, take tensors or tuples of tensors only, and give
results outside the graph unless `create_graph`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..backward import grad as gradients
from ..graph import enable_grad
from ..op import own_node
from ..ops.join import stack
from ..tensor import Tensor, wrap

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Tensors = tuple[Tensor, ...]


def _as_tuple(x: Any, what: str, name: str) -> tuple[bool, Tensors]:
    several = isinstance(x, tuple | list)
    parts = tuple(x) if several else (x,)
    for i, part in enumerate(parts):
        if not isinstance(part, Tensor):
            where = f"The value at index {i} of the {what}" if several else f"The {what}"
            raise TypeError(f"{where} given to {name} must be a Tensor or a tuple of Tensors but got {type(part)}")
    return several, parts


def _prepared(inputs: Tensors, create_graph: bool, need_graph: bool = True) -> Tensors:
    if create_graph:
        return tuple(own_node(x) if x.requires_grad else x.detach().requires_grad_(need_graph) for x in inputs)
    return tuple(x.detach().requires_grad_(need_graph) for x in inputs)


def _given_back(results: Sequence[Tensor], several: bool, create_graph: bool) -> Any:
    done = tuple(results) if create_graph else tuple(x.detach() for x in results)
    return done if several else done[0]


def _zeros_like(x: Tensor) -> Tensor:
    return wrap(np.zeros_like(x._array))


def _need_graph(tensors: Sequence[Any], strict: bool, complaint: str) -> None:
    """In strict mode a tensor that does not depend on the inputs is an error."""
    for i, x in enumerate(tensors) if strict else ():
        if x is None or not x.requires_grad:
            raise RuntimeError(f"{complaint.format(i=i)} This is not allowed in strict mode.")


_OUTPUT = "Output {i} of the user-provided function does not require gradients, or is independent of the inputs."
_GRADIENT = "The output of the user-provided function is independent of input {i}."
_JACOBIAN = "The jacobian of the user-provided function with respect to input {i} is independent of the input."
_HESSIAN = "The hessian of the user-provided function with respect to input {i} is independent of the input."


def _pulled(outs: Sequence[Tensor], inputs: Tensors, v: Any, create_graph: bool) -> tuple[Any, ...]:
    """Gradients of those of `outs` that have a graph; None where nothing arrives."""
    weights = [None] * len(outs) if v is None else v
    pairs = [(x, g) for x, g in zip(outs, weights) if x is not None and x.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    return gradients([x for x, _ in pairs], inputs, [g for _, g in pairs], retain_graph=True, create_graph=create_graph,
                     allow_unused=True)  # fmt: skip


def _filled(grads: Sequence[Any], like: Tensors, strict: bool, create_graph: bool, complaint: str) -> list[Tensor]:
    """Zeros where a gradient is missing; in strict mode that is an error."""
    for i, g in enumerate(grads) if strict else ():
        if g is None or (create_graph and not g.requires_grad):
            raise RuntimeError(f"{complaint.format(i=i)} This is not allowed in strict mode.")
    return [_zeros_like(x) if g is None else g for g, x in zip(grads, like)]


def _vector(v: Any, like: Tensors, several: bool, name: str, what: str, create_graph: bool) -> Tensors | None:
    """`v`, which has the shapes of `like`; None only for a single number."""
    if v is None:
        if len(like) != 1 or like[0]._array.size != 1:
            raise RuntimeError(
                f"The vector v can only be None if {what} is a single Tensor with a single element; here the shapes "
                f"are {[list(x.shape) for x in like]}."
            )
        return None
    _, parts = _as_tuple(v, "v", name)
    if len(parts) != len(like):
        raise RuntimeError(
            f"v is a tuple of invalid length: should be {len(like)} but got {len(parts)}."
            if several else "The given v should contain a single Tensor."
        )  # fmt: skip
    for i, (a, b) in enumerate(zip(parts, like)):
        if a.shape != b.shape:
            entry = f"Entry {i} in " if several else ""
            raise RuntimeError(f"{entry}v has invalid size: should be {b.shape} but got {a.shape}.")
    return _prepared(parts, create_graph, need_graph=False)


class _Call:
    """One call of the function at the inputs, recorded."""

    def __init__(self, func: Callable[..., Any], inputs: Any, create_graph: bool, strict: bool, name: str) -> None:
        self.several_in, given = _as_tuple(inputs, "inputs", name)
        self.inputs = _prepared(given, create_graph)
        with enable_grad():
            outs = func(*self.inputs)
        self.several_out, self.outs = _as_tuple(outs, "outputs of the user-provided function", name)
        _need_graph(self.outs, strict, _OUTPUT)

    def single(self, name: str) -> None:
        """Raises unless the result is one number."""
        if self.several_out:
            raise RuntimeError(f"The function given to {name} should return a single Tensor")
        if self.outs[0]._array.size != 1:
            raise RuntimeError(f"The Tensor returned by the function given to {name} should contain a single element")


def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(func(*inputs), vᵀJ). `v` has the shape of the result. PyTorch's `torch.autograd.functional.vjp`."""
    call = _Call(func, inputs, create_graph, strict, "vjp")
    v = _vector(v, call.outs, call.several_out, "vjp", "the user-provided function's result", create_graph)
    grads = _pulled(call.outs, call.inputs, v, create_graph)
    result = _filled(grads, call.inputs, strict, create_graph, _GRADIENT)
    return (_given_back(call.outs, call.several_out, create_graph), _given_back(result, call.several_in, create_graph))


def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(func(*inputs), Jv). `v` has the shape of the inputs. PyTorch's `torch.autograd.functional.jvp`."""
    call = _Call(func, inputs, create_graph, strict, "jvp")
    v = _vector(v, call.inputs, call.several_in, "jvp", "the input to the user-provided function", create_graph)
    u = tuple(_zeros_like(x).requires_grad_() for x in call.outs)
    with enable_grad():
        transposed = _pulled(call.outs, call.inputs, u, True)
    _need_graph(transposed, strict, _GRADIENT)
    weights = v or tuple(wrap(np.ones_like(x._array)) for x in call.inputs)
    grads = _pulled(transposed, u, weights, create_graph)
    result = _filled(grads, call.outs, strict, create_graph, _JACOBIAN)
    return (_given_back(call.outs, call.several_out, create_graph), _given_back(result, call.several_out, create_graph))


def vhp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(func(*inputs), vᵀH) of a function that returns a number. PyTorch's `torch.autograd.functional.vhp`."""
    call = _Call(func, inputs, create_graph, strict, "vhp")
    v = _vector(v, call.inputs, call.several_in, "vhp", "the input to the user-provided function", create_graph)
    call.single("vhp")
    with enable_grad():
        first = _pulled(call.outs, call.inputs, None, True)
    _need_graph(first, strict, _JACOBIAN)
    grads = _pulled(first, call.inputs, v or (None,), create_graph)
    result = _filled(grads, call.inputs, strict, create_graph, _HESSIAN)
    return (_given_back(call.outs, False, create_graph), _given_back(result, call.several_in, create_graph))


def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(func(*inputs), Hv) of a function that returns a number. H is symmetric, so this is `vhp`, which takes one pass
    less than PyTorch's two. PyTorch's `torch.autograd.functional.hvp`."""
    return vhp(func, inputs, v, create_graph, strict)


def jacobian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """The Jacobian of `func` at the inputs: for each result and each input a tensor of both shapes.

    `vectorize` and `strategy` are taken and make no difference. PyTorch's `torch.autograd.functional.jacobian`.

    >>> from mini_torch import tensor
    >>> jacobian(lambda x: x ** 2, tensor([1., 3.]))
    tensor([[2., 0.],
            [0., 6.]])
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')
    call = _Call(func, inputs, create_graph, strict, "jacobian")
    blocks = []
    for out in call.outs:
        columns: list[list[Tensor]] = [[] for _ in call.inputs]
        for at in np.ndindex(out._array.shape):
            with enable_grad():
                grads = _pulled([out[at]], call.inputs, None, create_graph)
            for column, g in zip(columns, _filled(grads, call.inputs, strict, create_graph, _GRADIENT)):
                column.append(g)
        blocks.append(_given_back([
            stack(column).reshape(*out.shape, *x.shape) if column
            else wrap(np.zeros((*out.shape, *x.shape), x._array.dtype))
            for column, x in zip(columns, call.inputs)
        ], call.several_in, create_graph))  # fmt: skip
    return tuple(blocks) if call.several_out else blocks[0]


def hessian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """The second derivatives of a function that returns a number: for each pair of inputs a tensor of both shapes.

    PyTorch's `torch.autograd.functional.hessian`.
    """
    several, given = _as_tuple(inputs, "inputs", "hessian")

    def gradient(*args: Tensor) -> Tensors:
        call = _Call(func, args, True, strict, "hessian")
        call.single("hessian")
        with enable_grad():
            grads = _pulled(call.outs, call.inputs, None, True)
        _need_graph(grads, strict, _JACOBIAN)
        return tuple(_zeros_like(x) if g is None else g for g, x in zip(grads, call.inputs))

    blocks = jacobian(gradient, given, create_graph=create_graph, strict=strict)
    return blocks if several else blocks[0][0]
