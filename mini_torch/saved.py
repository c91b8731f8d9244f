"""Hooks on what operations save for backward: kept packed in another form, and unpacked when backward asks.

A packed tensor stands in a node's `saved` where the tensor would, and answers to the same two names: `_array`, and
`_cell` with the version. So backward does not know of hooks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .graph import Node, mode, no_grad
from .tensor import Tensor, make, wrap

__all__ = ["disable_saved_tensors_hooks", "pack", "save_on_cpu", "saved_tensors_hooks"]


class saved_tensors_hooks:
    """Inside, every tensor saved for backward is kept as `pack_hook(tensor)` and comes back by `unpack_hook`.

    The hooks see tensors outside the graph. Those of an inner block go before those of an outer one. PyTorch's
    `torch.autograd.graph.saved_tensors_hooks`.

    >>> from mini_torch import tensor
    >>> x = tensor([3.], requires_grad=True)
    >>> with saved_tensors_hooks(lambda t: t.tolist(), lambda kept: tensor(kept)):
    ...     y = x * x
    >>> y.sum().backward()
    >>> x.grad
    tensor([6.])
    """

    def __init__(self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]) -> None:
        self.hooks = (pack_hook, unpack_hook)

    def __enter__(self) -> None:
        if mode.hooks_refused is not None:
            raise RuntimeError(mode.hooks_refused)
        mode.watch(hooks=(*mode.hooks, self.hooks))

    def __exit__(self, *_: object) -> None:
        mode.watch(hooks=mode.hooks[:-1])


class save_on_cpu(saved_tensors_hooks):
    """What is saved inside is kept as a copy (there is only the CPU).

    PyTorch's `torch.autograd.graph.save_on_cpu`.
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda x: x.clone(), lambda x: x)


class disable_saved_tensors_hooks:
    """Inside, `saved_tensors_hooks` is refused with this message.

    PyTorch's `torch.autograd.graph.disable_saved_tensors_hooks`.
    """

    def __init__(self, error_message: str) -> None:
        self.message = error_message

    def __enter__(self) -> None:
        if mode.hooks:
            raise RuntimeError(self.message)
        self.before, mode.hooks_refused = mode.hooks_refused, self.message

    def __exit__(self, *_: object) -> None:
        mode.hooks_refused = self.before


def pack(node: Node) -> None:
    """Puts what the innermost hooks make of the node's saved tensors in their place."""
    hooks = mode.hooks[-1]
    node.saved = tuple([part for x in node.saved[::2] for part in (_Packed(x, hooks), 0)])
    if node.plan.saves_out:
        node.out = _PackedOut(wrap(node.out[0]), hooks)


class _Packed:
    """In place of a saved tensor: what a hook made of it."""

    __slots__ = ("_cell", "edge", "packed", "unpack")

    def __init__(self, x: Tensor, hooks: tuple[Callable[..., Any], Callable[..., Any]]) -> None:
        pack_hook, self.unpack = hooks
        with no_grad():
            self.packed = pack_hook(x.detach())
        self._cell = [0]
        self.edge = (x if x._node is None else x._node) if x.requires_grad else None

    @property
    def unpacked(self) -> Tensor:
        """The tensor, with its place in the graph."""
        with no_grad():
            x = self.unpack(self.packed)
        if not isinstance(x, Tensor):
            raise TypeError(
                f"Output of saved tensor unpack_hook expected to be a Tensor but got result of type {type(x)}"
            )
        out: Tensor = make(Tensor, x._array)
        out._node, out._requires_grad = self.edge, self.edge is not None
        return out

    @property
    def _array(self) -> np.ndarray[Any, Any]:
        return self.unpacked._array


class _PackedOut:
    """In place of a node's saved output (array, counter, version)."""

    def __init__(self, out: Tensor, hooks: tuple[Callable[..., Any], Callable[..., Any]]) -> None:
        self.packed = _Packed(out, hooks)

    def __iter__(self) -> Iterator[Any]:
        return iter((self.packed._array, [0, 0], 0))

    def __getitem__(self, at: int) -> Any:
        return ((), [0, 0], 0)[at]
