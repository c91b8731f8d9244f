"""The old names of tensors: of one type, `torch.FloatTensor(2, 3)`, `isinstance(x, torch.LongTensor)`; `Variable`.

Source: PyTorch's page "Tensors", section "Data types".
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .dtype import Size, bfloat16, check_device, default_numpy_dtype, dtype, from_numpy_dtype, set_default_dtype
from .hardware import not_compiled
from .op import TYPE_NAMES
from .sequence import from_sequence
from .tensor import Tensor, method, wrap

__all__ = ["BFloat16Tensor", "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor",
           "IntTensor", "LongTensor", "ShortTensor", "Variable", "set_default_tensor_type", "typename"]  # fmt: skip


class _TensorType(type):
    """A class of tensors by their number type: what it makes are plain tensors, so `isinstance` must ask the type."""

    dtype: dtype

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, Tensor) and x.dtype is cls.dtype

    def __call__(cls, *size: Any) -> Tensor:
        """A tensor with the data of a sequence or array, or uninitialised with the given sizes."""
        return _made(cls.dtype, size)

    def __repr__(cls) -> str:
        return f"<class 'torch.{cls.__name__}'>"


class _VariableType(type):
    """Of `Variable`: every tensor is one."""

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, Tensor)

    def __call__(cls, data: Tensor | None = None, requires_grad: bool = False, volatile: bool = False) -> Tensor:
        if data is None:
            data = wrap(np.empty(0, default_numpy_dtype()))
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        if volatile:
            warnings.warn("volatile was removed and now has no effect. Use `with torch.no_grad():` instead.",
                          UserWarning, stacklevel=2)  # fmt: skip
        return data.detach().requires_grad_(requires_grad)


class Variable(metaclass=_VariableType):
    """`Variable(tensor, requires_grad)`: the tensor's memory, outside the graph. Tensors have long been variables.

    Errors: TypeError for what is no tensor. Source: PyTorch's `torch.autograd.Variable`.
    """


def _made(kind: dtype, size: tuple[Any, ...]) -> Tensor:
    if len(size) == 1 and not isinstance(size[0], int | Size):
        data = size[0]._array if isinstance(size[0], Tensor) else size[0]
        array = np.array(data if isinstance(data, np.ndarray) else from_sequence(data, kind))
        return wrap(array.astype(kind.numpy))
    return wrap(np.empty(size[0] if size and isinstance(size[0], Size) else size or (0,), kind.numpy))


def _new(self: Tensor, *size: Any, device: Any = None) -> Tensor:
    """A tensor of this one's type with the data of a sequence, uninitialised with the given sizes, or empty.

    Of a tensor another one on the same memory. The old name of what `new_tensor` and `new_empty` do. Errors: TypeError
    for a tensor of another type and for what is no sequence.
    """
    check_device(device)
    (data,) = size if len(size) == 1 else (None,)
    if isinstance(data, Tensor):
        if data.dtype is not self.dtype:
            raise TypeError(f"new(): expected a tensor of {self.dtype}, got one of {data.dtype}")
        return wrap(data._array)
    if len(size) == 1 and not isinstance(data, Sequence | np.ndarray | Size | int):
        raise TypeError(f"new(): data must be a sequence (got {type(data).__name__})")
    return _made(self.dtype, size)


method("new", _new)


def _named(kind: str) -> Any:
    return _TensorType(f"{TYPE_NAMES[kind]}Tensor", (), {"dtype": from_numpy_dtype(np.dtype(kind))})


BoolTensor, ByteTensor, CharTensor = _named("bool"), _named("uint8"), _named("int8")
ShortTensor, IntTensor, LongTensor = _named("int16"), _named("int32"), _named("int64")
HalfTensor, FloatTensor, DoubleTensor = _named("float16"), _named("float32"), _named("float64")
BFloat16Tensor: Any = _TensorType("BFloat16Tensor", (), {"dtype": bfloat16})  # filling it needs ml_dtypes


class _CudaType(_TensorType):
    """A class of tensors on a device that is not there: none is one, and none can be made."""

    def __instancecheck__(cls, x: Any) -> bool:
        return False

    def __call__(cls, *size: Any) -> Tensor:
        raise TypeError(f"type torch.cuda.{cls.__name__} not available. {not_compiled('cuda')}")

    def __repr__(cls) -> str:
        return f"<class 'torch.cuda.{cls.__name__}'>"


def _cuda(kind: Any) -> Any:
    return _CudaType(kind.__name__, (), {"dtype": kind.dtype, "device": "cuda"})


CudaBoolTensor, CudaByteTensor, CudaCharTensor = _cuda(BoolTensor), _cuda(ByteTensor), _cuda(CharTensor)
CudaShortTensor, CudaIntTensor, CudaLongTensor = _cuda(ShortTensor), _cuda(IntTensor), _cuda(LongTensor)
CudaHalfTensor, CudaFloatTensor, CudaDoubleTensor = _cuda(HalfTensor), _cuda(FloatTensor), _cuda(DoubleTensor)
CudaBFloat16Tensor = _cuda(BFloat16Tensor)


def set_default_tensor_type(t: Any) -> None:
    """`set_default_dtype` by the old name of a type, such as `torch.DoubleTensor` or its name in a string.

    Errors: TypeError for what is no floating tensor type. Source: PyTorch's `torch.set_default_tensor_type`.
    """
    found = globals().get(t.removeprefix("torch.")) if isinstance(t, str) else t
    if isinstance(found, _CudaType) or (isinstance(t, str) and t.startswith("torch.cuda.")):
        raise TypeError(f"type {t} not available. {not_compiled('cuda')}")
    if not isinstance(found, _TensorType):
        raise TypeError(f"invalid type object: {t!r} is no type of tensors such as torch.FloatTensor")
    set_default_dtype(found.dtype)


def typename(obj: Any, /) -> str:
    """The old name of a tensor's type, such as 'torch.FloatTensor'; of anything else the full name of its class.

    Of a class or function its own full name. Source: PyTorch's `torch.typename`.

    >>> typename(mini_torch.ones(1)), typename(3)
    ('torch.FloatTensor', 'int')
    """
    if isinstance(obj, Tensor):
        return str(obj.type())
    named = obj if hasattr(obj, "__qualname__") else type(obj)
    module = named.__module__
    return named.__qualname__ if module in ("builtins", "", None) else f"{module}.{named.__qualname__}"
