"""Which tensors a recorded program reads, and what becomes of them.

For the time of a recording, the two slots of `Tensor` that programs live by, its array and its gradient, are watched:
whoever reads an array gets what stands for it. So nothing that a program computes with can escape the recording, and
when nothing is recorded, a tensor's slots cost what slots cost.
"""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..graph import mode
from ..tensor import Tensor
from .recorder import Recorder
from .traced import Traced
from .values import Value

__all__ = ["Watch"]

_array_slot: Any = Tensor.__dict__["_array"]
_grad_slot: Any = Tensor.__dict__["_grad"]
_one_at_a_time = threading.RLock()


class Watch:
    """The tensors that a recording meets.

    `outside`: those that were there before, by id, with what stands for their array; `made`: those that it makes;
    `grads`: the tensors whose `grad` was set; `grads_read`: those whose `grad` mattered, and what it was;
    `grads_given`: those with a `grad` whose numbers mattered, and its value.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.outside: dict[int, tuple[Tensor, Traced]] = {}
        self.made: dict[int, weakref.ref[Tensor]] = {}
        self.grads: dict[int, Tensor] = {}
        self.grads_read: dict[int, tuple[Tensor, Tensor | None]] = {}
        self.grads_given: list[tuple[Tensor, Value]] = []
        self.rebound: list[Tensor] = []

    def enter(self, x: Tensor, kind: str) -> Value:
        """A tensor from outside as a value of that kind."""
        array = _array_slot.__get__(x)
        root = next((t.value.root for _, t in self.outside.values() if np.may_share_memory(t.held, array)), None)
        value = self.recorder.value(kind, array, root if kind == "tensor" else None, x)
        if kind == "input":
            value.array = array
        self.outside[id(x)] = (x, Traced(array, value, self.recorder))
        return value

    def _lies_in_another(self, array: Any) -> bool:
        return any(np.may_share_memory(t.held, array) for _, t in self.outside.values())

    # ---- the slots ---------------------------------------------------------------------------------------------------
    def get_array(self, x: Tensor) -> Any:
        """`x._array`."""
        found = _array_slot.__get__(x)
        recorder = self.recorder
        if threading.get_ident() != recorder.thread or not recorder.active:
            return found.held if type(found) is Traced else found
        if type(found) is Traced:
            return found
        if id(x) not in self.outside:
            leaf = next((leaf for leaf, grad in self.grads_read.values() if grad is x), None)
            if leaf is None or self._lies_in_another(found):
                self.enter(x, "tensor")
            else:  # a gradient is another tensor at every call: the program is given it as an argument
                self.grads_given.append((leaf, self.enter(x, "input")))
        return self.outside[id(x)][1]

    def set_array(self, x: Tensor, array: Any) -> None:
        """`x._array = array`."""
        recorder = self.recorder
        if threading.get_ident() != recorder.thread or not recorder.active:
            _array_slot.__set__(x, array)
            return
        if id(x) in self.outside:
            self.rebound.append(x)
        elif id(x) not in self.made:
            number = id(x)
            self.made[number] = weakref.ref(x, lambda _: self.made.pop(number, None))
        traced = array if type(array) is Traced else recorder.constant(array)
        frame = sys._getframe(1)
        if frame.f_code.co_name == "apply" and not traced.value.name:
            recorder.label(traced.value, frame.f_locals["row"].name)
        _array_slot.__set__(x, traced)

    def get_grad(self, x: Tensor) -> Any:
        """`x._grad`."""
        found = _grad_slot.__get__(x)
        if threading.get_ident() == self.recorder.thread and self.recorder.active and id(x) not in self.made \
                and id(x) not in self.grads and id(x) not in self.grads_read:  # fmt: skip
            self.grads_read[id(x)] = (x, found)
        return found

    def set_grad(self, x: Tensor, grad: Any) -> None:
        """`x._grad = grad`."""
        if threading.get_ident() == self.recorder.thread and self.recorder.active and id(x) not in self.made:
            self.grads[id(x)] = x
        _grad_slot.__set__(x, grad)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Inside, this thread is recorded."""
        with _one_at_a_time:
            Tensor._array = property(self.get_array, self.set_array)  # type: ignore[assignment]
            Tensor._grad = property(self.get_grad, self.set_grad)  # type: ignore[assignment]
            mode.recorder = self.recorder
            try:
                yield
            finally:
                mode.recorder = None
                Tensor._array, Tensor._grad = _array_slot, _grad_slot
                self._restore()

    def _restore(self) -> None:
        """Gives every tensor its array back."""
        for x in [*self.rebound, *self.alive()]:
            found = _array_slot.__get__(x)
            if type(found) is Traced:
                _array_slot.__set__(x, found.held)

    def alive(self) -> list[Tensor]:
        """The tensors made inside that are still there."""
        return [x for x in [ref() for ref in [*self.made.values()]] if x is not None]

    def grads_of(self, tensors: list[Tensor]) -> list[Tensor]:
        """The gradients of those that were made inside."""
        found = [_grad_slot.__get__(x) for x in tensors if id(x) in self.made]
        return [g for g in found if g is not None]

    # ---- at the end, while it still watches --------------------------------------------------------------------------
    def survivors(self, known: list[Tensor]) -> list[Tensor]:
        """Tensors made inside that somebody outside holds, besides those known and those that are constants."""
        ids = {id(x) for x in known}

        def held() -> list[Tensor]:
            others = [x for x in self.alive() if id(x) not in ids]
            return [x for x in others if _array_slot.__get__(x).value.root.kind != "constant"]

        if held():
            gc.collect()
        return held()
