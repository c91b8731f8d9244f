"""The old names of tensors of one type: `torch.FloatTensor(2, 3)`, `isinstance(x, torch.LongTensor)`.

Source: PyTorch's page "Tensors", section "Data types".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .dtype import Size, dtype, from_numpy_dtype, set_default_dtype
from .op import TYPE_NAMES
from .sequence import from_sequence
from .tensor import Tensor, wrap

__all__ = ["BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor", "IntTensor",
           "LongTensor", "ShortTensor", "set_default_tensor_type"]  # fmt: skip


class _TensorType(type):
    """A class of tensors by their number type: what it makes are plain tensors, so `isinstance` must ask the type."""

    dtype: dtype

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, Tensor) and x.dtype is cls.dtype

    def __call__(cls, *size: Any) -> Tensor:
        """A tensor with the data of a sequence or array, or uninitialised with the given sizes."""
        kind = cls.dtype.numpy
        if len(size) == 1 and not isinstance(size[0], int | Size):
            data = size[0]._array if isinstance(size[0], Tensor) else size[0]
            return wrap(np.array(data if isinstance(data, np.ndarray) else from_sequence(data, cls.dtype)).astype(kind))
        return wrap(np.empty(size[0] if size and isinstance(size[0], Size) else size or (0,), kind))

    def __repr__(cls) -> str:
        return f"<class 'torch.{cls.__name__}'>"


def _named(kind: str) -> Any:
    return _TensorType(f"{TYPE_NAMES[kind]}Tensor", (), {"dtype": from_numpy_dtype(np.dtype(kind))})


BoolTensor, ByteTensor, CharTensor = _named("bool"), _named("uint8"), _named("int8")
ShortTensor, IntTensor, LongTensor = _named("int16"), _named("int32"), _named("int64")
HalfTensor, FloatTensor, DoubleTensor = _named("float16"), _named("float32"), _named("float64")


def set_default_tensor_type(t: Any) -> None:
    """`set_default_dtype` by the old name of a type, such as `torch.DoubleTensor` or its name in a string.

    Errors: TypeError for what is no floating tensor type. Source: PyTorch's `torch.set_default_tensor_type`.
    """
    found = globals().get(t.removeprefix("torch.")) if isinstance(t, str) else t
    if not isinstance(found, _TensorType):
        raise TypeError(f"invalid type object: {t!r} is no type of tensors such as torch.FloatTensor")
    set_default_dtype(found.dtype)
