"""Copies, other number types, and filling in place."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from ..dtype import bfloat16, contiguous_format, device, from_numpy_dtype, to_numpy_dtype
from ..graph import mode
from ..memory import in_format, is_in_format, order_of
from ..op import (
    TYPE_NAMES,
    cast,
    check_writable,
    common_type,
    implements,
    inplace,
    number_as,
    overwrite,
    public,
    row,
    type_name,
)  # fmt: skip
from ..tensor import Tensor, alias, check_device, method, wrap

__all__ = [
    "clone", "detach", "fill", "is_complex", "is_floating_point", "is_inference", "is_nonzero", "is_signed",
    "is_tensor", "result_type",
]  # fmt: skip

_clone = row("clone", lambda x: np.array(x, order=order_of(x)), x=lambda g: g)


def _fresh(x: Any, memory_format: Any) -> Any:
    out = in_format(x, memory_format)
    return np.array(x, order=order_of(x)) if np.may_share_memory(out, x) else out


_clone_in = row("clone_in", _fresh, grad_name="CloneBackward0", x=lambda g: g)


@public
def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy with memory of its own, in the graph. Source: PyTorch's `torch.clone`."""
    return _clone(input) if memory_format is None else _clone_in(input, memory_format)


@implements(np.copy, np.array)
def _numpy_copy(a: Tensor, *_: Any, **__: Any) -> Tensor:
    return _clone(a)


def _contiguous(self: Tensor, memory_format: Any = contiguous_format) -> Tensor:
    """This tensor if its elements lie in memory in order (or in the order of a memory format), else such a copy."""
    if memory_format.name == "preserve_format":
        raise RuntimeError("preserve memory format is unsupported by the contiguous operator")
    if memory_format is contiguous_format and self._array.flags.c_contiguous:
        return self
    return self if is_in_format(self._array, memory_format) else _clone_in(self, memory_format)


method("contiguous", _contiguous)


def _to_type(self: Tensor, dtype: Any) -> Tensor:
    kind = to_numpy_dtype(dtype)
    return self if self._array.dtype == kind else cast(self, kind)


def kinds_asked(*args: Any) -> list[Any]:
    """The number types among the arguments of a `to`, in order; devices among them are checked, flags passed over."""
    kinds = []
    for arg in args:
        if isinstance(arg, Tensor):
            kinds.append(arg.dtype)
        elif isinstance(arg, builtins.bool):
            continue
        elif isinstance(arg, str | builtins.int | device):
            check_device(arg)
        elif arg is not None:
            kinds.append(arg)
    return kinds


def _to(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """This tensor in another type: `to(dtype)`, `to(device)`, `to(device, dtype)`, `to(other)`; itself if it is so.

    `memory_format=` also asks for an order of the elements in memory.
    `copy=True` always copies. Errors: those of `check_device` for a device that is not the CPU. Source: PyTorch's
    `Tensor.to`.
    """
    flags = [arg for arg in args if isinstance(arg, builtins.bool)]  # non_blocking, copy
    copy = kwargs.get("copy", flags[1] if len(flags) > 1 else False)
    dtype, memory_format = kwargs.get("dtype"), kwargs.get("memory_format")
    check_device(kwargs.get("device"))
    asked = kinds_asked(*args)
    dtype = asked[-1] if asked else dtype
    out = self if dtype is None else _to_type(self, dtype)
    kept = memory_format is None or memory_format.name == "preserve_format"
    if not kept and not is_in_format(out._array, memory_format):
        return clone(out, memory_format=memory_format)
    return clone(out, memory_format=memory_format) if copy and out is self else out


method("to", _to)
for _name, _kind in (
    ("float", "float32"), ("double", "float64"), ("half", "float16"), ("long", "int64"), ("int", "int32"),
    ("short", "int16"), ("char", "int8"), ("byte", "uint8"), ("bool", "bool"), ("cfloat", "complex64"),
    ("cdouble", "complex128"),
):  # fmt: skip
    _numpy_kind = np.dtype(_kind)
    method(_name, lambda self, memory_format=None, _kind=_numpy_kind: _to_type(self, _kind))

def _bfloat16(self: Tensor, memory_format: Any = None) -> Tensor:
    """This tensor in bfloat16. Errors: MissingExtraError without the package ml_dtypes."""
    return _to_type(self, bfloat16)


method("bfloat16", _bfloat16)
method("type_as", lambda self, other: _to_type(self, other.dtype))


def _type(self: Tensor, dtype: Any = None, non_blocking: builtins.bool = False) -> Any:
    """The type's name such as 'torch.FloatTensor', or with `dtype` the tensor in that type.

    Errors: ValueError for a name that no type has, AssertionError for a type on a device that is not there.
    """
    if dtype is None:
        return f"torch.{type_name(self._array.dtype)}Tensor"
    if isinstance(dtype, str):
        name = dtype.removeprefix("torch.")
        if name.startswith("cuda."):
            check_device("cuda")
        kinds = [kind for kind, known in TYPE_NAMES.items() if f"{known}Tensor" == name]
        if not kinds:
            raise ValueError(f"invalid type: {dtype!r}; name one such as 'torch.FloatTensor', or give a torch.dtype")
        return _to_type(self, np.dtype(kinds[0]))
    check_device(getattr(dtype, "device", None))  # torch.cuda.FloatTensor and its like
    return _to_type(self, getattr(dtype, "dtype", dtype))  # torch.LongTensor and its like name a type, too


method("type", _type)


def _copy_(self: Tensor, src: Tensor, non_blocking: builtins.bool = False) -> Tensor:
    """Writes `src`, broadcast and converted, into this tensor, in place."""
    check_writable(self)
    source = src if isinstance(src, Tensor) else wrap(np.asarray(src))
    if source._array.dtype != self._array.dtype:
        source = cast(source, self._array.dtype)
    if source._array.shape != self._array.shape:
        try:
            source = source.expand(self._array.shape)
        except RuntimeError:
            raise RuntimeError(
                f"The size of tensor a {list(self.shape)} must match the size of tensor b {list(source.shape)}: "
                "the source does not broadcast to the destination"
            ) from None
    if mode.enabled and (self.requires_grad or source.requires_grad):
        return overwrite(self, _copied(alias(self), source))
    self._array[...] = source._array
    self._bump()
    return self


_copied = row("copy", lambda x, src: src, x=lambda g: np.zeros_like(g), src=lambda g: g, grad_name="CopyBackwards")
method("copy_", _copy_)
# ---- filling ---------------------------------------------------------------------------------------------------------
_filled = row(
    "fill", lambda x, value: np.full_like(x, value), x=lambda g: np.zeros_like(g), value=lambda g, shape: np.sum(g),
)  # fmt: skip


def _fill_value(x: Tensor, value: Any) -> Tensor:
    """The number or 0-d tensor as a 0-d tensor of x's type."""
    kind = x._array.dtype
    if not isinstance(value, Tensor):
        return wrap(number_as(value, kind))
    if value._array.ndim:
        raise RuntimeError(f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} dimensions.")
    return value if value._array.dtype == kind else cast(value, kind)


@public(method=False)
def fill(input: Tensor, value: Any) -> Tensor:
    """`value`, a number or a 0-d tensor, in the shape and type of input. Source: PyTorch's `torch.fill`."""
    return _filled(input, _fill_value(input, value))


_fill_recorded = inplace(fill)


def _fill(self: Tensor, value: Any) -> Tensor:
    """Writes `value` everywhere, in place."""
    number = _fill_value(self, value)
    if mode.enabled and (self.requires_grad or number._requires_grad):
        return _fill_recorded(self, value)
    check_writable(self)
    self._array[...] = number._array
    self._bump()
    return self


def _map(self: Tensor, *others: Any) -> Tensor:
    *tensors, function = others
    if self.requires_grad:
        raise RuntimeError("Can't call apply_() on Variable that requires grad. Use var.detach().apply_() instead.")
    arrays = np.broadcast_arrays(self._array, *[x._array for x in tensors])
    values = [function(*numbers) for numbers in zip(*[array.ravel().tolist() for array in arrays])]
    self._array[...] = np.array(values, self._array.dtype).reshape(self._array.shape)
    self._bump()
    return self


method("apply_", lambda self, callable: _map(self, callable))
method("map_", lambda self, tensor, callable: _map(self, tensor, callable))
def _zero(self: Tensor) -> Tensor:
    """Writes 0 everywhere, in place."""
    if mode.enabled and self.requires_grad:
        return _fill_recorded(self, 0)
    check_writable(self)
    self._array[...] = 0
    self._bump()
    return self


method("fill_", _fill)
method("zero_", _zero)


@public
def is_nonzero(input: Tensor) -> builtins.bool:
    """Whether the single element is not 0. RuntimeError for more than one. Source: PyTorch's `torch.is_nonzero`."""
    return builtins.bool(input)


@public(method=False)
def detach(input: Tensor) -> Tensor:
    """The same memory outside the graph. Source: PyTorch's `torch.detach`."""
    return input.detach()


@public(method=False)
def is_tensor(obj: Any) -> builtins.bool:
    """Whether `obj` is a tensor. Source: PyTorch's `torch.is_tensor`."""
    return isinstance(obj, Tensor)


@public(method=False)
def is_floating_point(input: Tensor) -> builtins.bool:
    """Whether the type is floating. Source: PyTorch's `torch.is_floating_point`."""
    return input.is_floating_point()


@public(method=False)
def is_complex(input: Tensor) -> builtins.bool:
    """Whether the type is complex. Source: PyTorch's `torch.is_complex`."""
    return input.is_complex()


@public(method=False)
def is_signed(input: Tensor) -> builtins.bool:
    """Whether the type holds negative numbers. Source: PyTorch's `torch.is_signed`."""
    return input.is_signed()


@public(method=False)
def is_inference(input: Tensor) -> builtins.bool:
    """Whether it was made in `inference_mode`. Source: PyTorch's `torch.is_inference`."""
    return input.is_inference()


@public(method=False)
def result_type(tensor1: Any, tensor2: Any) -> Any:
    """The dtype that an operation of the two, tensors or numbers, would give. Source: PyTorch's `torch.result_type`."""
    return from_numpy_dtype(common_type(tensor1, tensor2))
