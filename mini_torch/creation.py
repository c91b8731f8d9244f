"""New tensors: filled, or around existing memory."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from .dtype import check_device, default_numpy_dtype, from_numpy_dtype, scalar_dtype, to_numpy_dtype
from .graph import mode
from .memory import in_format, order_of, strided
from .op import functions, number_as, refused, takes_out
from .tensor import Tensor, as_array, method, tensor, wrap

__all__ = [
    "as_tensor", "asarray", "empty", "empty_like", "empty_permuted", "empty_strided", "eye", "from_dlpack",
    "from_numpy", "frombuffer", "full", "full_like", "ones", "ones_like", "scalar_tensor", "tril_indices",
    "triu_indices", "zeros", "zeros_like",
]  # fmt: skip


def size_of(size: tuple[Any, ...]) -> tuple[int, ...]:
    """`f(2, 3)` or `f((2, 3))` as a tuple of ints; RuntimeError for a negative one."""
    given = tuple(size[0]) if len(size) == 1 and isinstance(size[0], tuple | list) else size
    for n in given:
        if isinstance(n, float | str | bool) or n is None:
            raise TypeError(f"size must be a tuple of ints, not {type(n).__name__}: {given}")
        if n < 0:
            raise RuntimeError(f"Dimension size must be non-negative, got {n}: {list(given)}")
    return tuple([int(n) for n in given])


def finish(array: Any, device: Any, requires_grad: bool) -> Tensor:
    """The array as a tensor, after the arguments that every creating function takes."""
    check_device(device)
    return wrap(array, requires_grad)


def _kind(dtype: Any) -> np.dtype[Any]:
    return default_numpy_dtype() if dtype is None else to_numpy_dtype(dtype)


@takes_out
def empty(
    *sizes: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    layout: Any = None, pin_memory: bool = False, memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """Uninitialised. Source: PyTorch's `torch.empty`."""
    array = np.empty(size_of(sizes if size is None else (size,)), _kind(dtype))
    return finish(in_format(array, memory_format), device, requires_grad)


def empty_strided(
    size: Any, stride: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Uninitialised, with these strides. Source: PyTorch's `torch.empty_strided`."""
    shape = size_of((tuple(size),))
    if len(shape) != len(stride):
        raise RuntimeError(
            f"dimensionality of sizes ({len(shape)}) must match dimensionality of strides ({len(stride)})"
        )
    extent = 1 + sum((n - 1) * s for n, s in zip(shape, stride)) if math.prod(shape) else 0
    return finish(strided(np.empty(extent, _kind(dtype)), shape, tuple(stride), 0), device, requires_grad)


def empty_permuted(
    size: Any, physical_layout: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    layout: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Uninitialised, with its dimensions in memory in the order `physical_layout`, the last one without gaps.

    Source: PyTorch's `torch.empty_permuted`.
    """
    shape, order = size_of((tuple(size),)), tuple(physical_layout)
    if len(order) != len(shape):
        raise RuntimeError(
            f"Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = "
            f"{len(shape)} is not equal to len(physical_layout) = {len(order)}"
        )
    for d in order:
        if not 0 <= d < len(shape):
            raise RuntimeError(f"Dimension out of range (expected to be between 0 and {len(shape) - 1}, but got {d})")
    if len(set(order)) != len(order):
        raise RuntimeError(f"Duplicate dim not allowed: {order}")
    array = np.empty([shape[d] for d in order], _kind(dtype))
    return finish(array.transpose(np.argsort(order)), device, requires_grad)


@takes_out
def zeros(
    *sizes: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    layout: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Filled with 0. Source: PyTorch's `torch.zeros`.

    >>> zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    return finish(np.zeros(size_of(sizes if size is None else (size,)), _kind(dtype)), device, requires_grad)


@takes_out
def ones(
    *sizes: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    layout: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Filled with 1. Source: PyTorch's `torch.ones`."""
    return finish(np.ones(size_of(sizes if size is None else (size,)), _kind(dtype)), device, requires_grad)


@takes_out
def full(
    size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    layout: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Filled with a number, in the number's type unless `dtype` is given. Source: PyTorch's `torch.full`."""
    if not isinstance(size, tuple | list):
        raise TypeError(f"full(): argument 'size' (position 1) must be tuple of ints, not {type(size).__name__}")
    value = _number("full", fill_value)
    kind = scalar_dtype(value) if dtype is None else to_numpy_dtype(dtype)
    return finish(np.full(size_of((size,)), number_as(value, kind)), device, requires_grad)


def _number(name: str, value: Any) -> Any:
    """What is to fill a tensor as a Python number: TypeError for anything else, and for a tensor with dimensions."""
    plain = value._array if isinstance(value, Tensor) else value
    if isinstance(plain, np.ndarray | np.generic) and not plain.ndim:
        plain = plain.item()
    if not isinstance(plain, int | float | builtins.complex):
        raise TypeError(f"{name}(): argument 'fill_value' (position 2) must be Number, not {type(value).__name__}")
    return plain


def _like(input: Tensor, dtype: Any) -> np.dtype[Any]:
    return input._array.dtype if dtype is None else to_numpy_dtype(dtype)


def empty_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, memory_format: Any = None,
    layout: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Uninitialised, in the shape and type of `input`; in its order in memory, too, unless `memory_format` says one.

    Source: PyTorch's `torch.empty_like`.
    """
    array = np.empty_like(input._array, _like(input, dtype), order_of(input._array), subok=False)
    return finish(in_format(array, memory_format), device, requires_grad)


def zeros_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, memory_format: Any = None,
    layout: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """`empty_like`, filled with 0. Source: PyTorch's `torch.zeros_like`."""
    array = np.zeros_like(input._array, _like(input, dtype), order_of(input._array))
    return finish(in_format(array, memory_format), device, requires_grad)


def ones_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, memory_format: Any = None,
    layout: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """`empty_like`, filled with 1. Source: PyTorch's `torch.ones_like`."""
    array = np.ones_like(input._array, _like(input, dtype), order_of(input._array))
    return finish(in_format(array, memory_format), device, requires_grad)


def full_like(
    input: Tensor, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    memory_format: Any = None, layout: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """`empty_like`, filled with a number. Source: PyTorch's `torch.full_like`."""
    value = number_as(_number("full_like", fill_value), _like(input, dtype))
    array = np.full_like(input._array, value, value.dtype, order_of(input._array))
    return finish(in_format(array, memory_format), device, requires_grad)


def scalar_tensor(s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A 0-d tensor of the default floating type. Source: PyTorch's `torch.scalar_tensor`."""
    return finish(number_as(_number("scalar_tensor", s), _kind(dtype)), device, requires_grad)


# ---- matrices and their indices --------------------------------------------------------------------------------------
@takes_out
def eye(
    n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    layout: Any = None,
) -> Tensor:  # fmt: skip
    """The n × m matrix with 1 on its diagonal. Source: PyTorch's `torch.eye`."""
    rows, columns = size_of((n, n if m is None else m))
    return finish(np.eye(rows, columns, dtype=_kind(dtype)), device, requires_grad)


def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None, layout: Any = None
) -> Tensor:
    """The indices (2, n) of a lower triangle. Source: PyTorch's `torch.tril_indices`."""
    return _indices("tril_indices", np.tril_indices(row, offset, col), dtype, device)


def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None, layout: Any = None
) -> Tensor:
    """The indices (2, n) of an upper triangle. Source: PyTorch's `torch.triu_indices`."""
    return _indices("triu_indices", np.triu_indices(row, offset, col), dtype, device)


def _indices(name: str, indices: Any, dtype: Any, device: Any) -> Tensor:
    kind = np.dtype(np.int64) if dtype is None else to_numpy_dtype(dtype)
    if kind not in (np.int32, np.int64):
        raise refused(name, kind)
    return finish(np.array(indices).astype(kind), device, False)


# ---- around existing memory ------------------------------------------------------------------------------------------
def from_numpy(ndarray: Any) -> Tensor:
    """A tensor that shares the array's memory; of a read-only array, one that cannot be written either.

    Errors: TypeError for what is no array, or of a type that tensors do not have; ValueError for negative strides and
    foreign byte order, which they do not have either. Source: PyTorch's `torch.from_numpy`.
    """
    if not isinstance(ndarray, np.ndarray):
        where = type(ndarray).__module__
        name = type(ndarray).__name__ if where == "builtins" else f"{where}.{type(ndarray).__name__}"
        raise TypeError(f"expected np.ndarray (got {name})")
    return wrap(_shared(ndarray))


def _shared(array: Any) -> Any:
    """The array, of which somebody else may know: a program that is recorded must not take it for its own.

    Errors: those of `from_numpy`.
    """
    from_numpy_dtype(array.dtype)
    if any(s < 0 for s in array.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
            "currently supported. (You can probably work around this by making a copy of your array with array.copy().)"
        )
    if not array.dtype.isnative:
        raise ValueError(
            "given numpy array has byte order different from the native byte order. Conversion between byte orders is "
            "currently not supported. (array.astype(array.dtype.newbyteorder('=')) makes a copy in the native one.)"
        )
    if any(s % array.itemsize for s in array.strides):
        raise ValueError(
            "given numpy array strides not a multiple of the element byte size. Copy the numpy array to reallocate the "
            "memory."
        )
    if mode.recorder is not None:
        mode.recorder.shared.append(array)
    return array


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor that shares memory where it can; a tensor of the type is itself the result. As `torch.as_tensor`.

    It can share an array's memory, and that of another library's array that has `__dlpack__`. Errors: as `from_numpy`.
    """
    check_device(device)
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    if isinstance(data, np.ndarray):
        return wrap(as_array(_shared(data), dtype))
    if hasattr(data, "__dlpack__") or type(data).__name__ == "PyCapsule":
        return as_tensor(from_dlpack(data), dtype)
    return wrap(as_array(data, dtype))


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """`as_tensor`, which also shares the memory of a buffer: a bytearray, an array.array, a memoryview.

    The bytes of a buffer are taken for numbers of `dtype`, or else of the default floating type. `copy=True` copies
    always, `copy=False` never: a ValueError where it would have to. Source: PyTorch's `torch.asarray`.

    >>> numbers = bytearray(2)
    >>> asarray(numbers, dtype=mini_torch.uint8).fill_(7)
    tensor([7, 7], dtype=torch.uint8)
    >>> list(numbers)
    [7, 7]
    """
    check_device(device)
    kind = None if dtype is None else to_numpy_dtype(dtype)
    if not isinstance(obj, Tensor | np.ndarray | np.generic) and _is_buffer(obj) and not hasattr(obj, "__dlpack__"):
        obj = frombuffer(obj, dtype=kind or default_numpy_dtype())
    shares = isinstance(obj, Tensor | np.ndarray) or hasattr(obj, "__dlpack__") or type(obj).__name__ == "PyCapsule"
    if copy is False and not shares:
        raise ValueError("can't alias arbitrary sequence into a tensor.")
    out = as_tensor(obj)
    if copy is False and kind is not None and kind != out._array.dtype:
        raise ValueError(f"can't alias tensor with dtype {out.dtype} into dtype {from_numpy_dtype(kind)}.")
    out = out if kind is None else out.to(kind)
    out = tensor(out, requires_grad=requires_grad) if copy else out
    return out.requires_grad_(True) if requires_grad else out


def _is_buffer(obj: Any) -> bool:
    try:
        memoryview(obj)
    except TypeError:
        return False
    return True


def frombuffer(buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Tensor:
    """A 1-d tensor around a buffer's memory: `count` numbers, or all, from byte `offset` on.

    Errors: ValueError for what is no buffer and for numbers that are not in it. Source: PyTorch's `torch.frombuffer`.
    """
    if not _is_buffer(buffer):
        raise ValueError("object does not implement Python buffer protocol.")
    kind, length = to_numpy_dtype(dtype), memoryview(buffer).nbytes
    if not length or not count:
        raise ValueError(f"both buffer length ({length}) and count ({count}) must not be 0")
    if not 0 <= offset < length:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({length} bytes) minus 1"
        )
    left, size = length - offset, kind.itemsize
    if count < 0 and left % size:
        raise ValueError(
            f"buffer length ({left} bytes) after offset ({offset} bytes) must be a multiple of element size ({size})"
        )
    if count > 0 and count * size > left:
        raise ValueError(
            f"requested buffer length ({count} * {size} bytes) after offset ({offset} bytes) must not be greater than "
            f"actual buffer length ({length} bytes)"
        )
    return wrap(_shared(np.frombuffer(buffer, kind, count, offset)), requires_grad)


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor that shares the memory of another library's array, or of a capsule that one handed out.

    With `copy=True` it has memory of its own. Errors: those of `from_numpy`; BufferError where the other one will not
    hand it out, RuntimeError for what hands out nothing and for a capsule that was used. As `torch.from_dlpack`.
    """
    from .dlpack import array_of

    check_device(device)
    return wrap(_shared(array_of(ext_tensor, copy)))


def to_dlpack(tensor: Tensor) -> Any:
    """A capsule with the tensor's memory, for the `from_dlpack` of another library, which may take it once.

    Give the tensor itself to those that take one. Source: PyTorch's `torch.utils.dlpack.to_dlpack`.
    """
    from .dlpack import capsule_of

    return capsule_of(tensor._array)


def _new(make: Any) -> Any:
    def method_of(
        self: Tensor, *sizes: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False,
        **_: Any,
    ) -> Tensor:  # fmt: skip
        return make(*sizes, size=size, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)

    return method_of


method("new_empty_strided", lambda self, size, stride, *, dtype=None, **named: empty_strided(
    size, stride, dtype=dtype or self.dtype, **named))  # fmt: skip
for _make in (zeros, ones, empty):
    method(f"new_{_make.__name__}", _new(_make))
method("new_full", lambda self, size, fill_value, *, dtype=None, device=None, requires_grad=False: full(
    size, fill_value, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad))  # fmt: skip
method("new_tensor", lambda self, data, *, dtype=None, device=None, requires_grad=False: tensor(
    data, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad))  # fmt: skip
functions.update({name: globals()[name] for name in __all__})
