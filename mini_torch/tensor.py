"""`Tensor`: a NumPy array that remembers how it was computed.

What is here: storage, views and versions, Python's protocols (`len`, `bool`, `format`, iteration, copying, pickling),
NumPy's protocols (`__array__`, `__array_ufunc__`, `__array_function__`, `__dlpack__`) and hooks. The calculus (`+`,
`exp`, `sum`, indexing …) is in `ops/`, and `backward` in `backward.py`; each is made a method there, through `method`.

The module is callable: `mini_torch.tensor([1., 2.])` makes a tensor as `torch.tensor` does, while
`from mini_torch.tensor import Tensor` finds the class.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from .absent import ABSENT
from .dtype import (
    Size,
    check_device,
    check_dim,
    contiguous_strides,
    cpu,
    default_numpy_dtype,
    device,
    from_numpy_dtype,
    to_numpy_dtype,
)  # fmt: skip
from .dtype import dtype as _dtype
from .formatting import format_scalar, format_tensor
from .graph import InferenceCell, Node, RemovableHandle, mode
from .memory import is_in_format, offset_of, strides_of
from .sequence import from_sequence
from .view import View

if TYPE_CHECKING:  # the methods that ops/ adds, for type checkers and editors; made by tests/stubs.py
    from .methods import Methods
else:
    Methods = object

__all__ = ["Tensor", "tensor", "wrap"]

Array = np.ndarray[Any, Any]
_ndarray = np.ndarray


class Tensor(Methods):
    """A multi-dimensional array of one number type, with PyTorch's API.

    `Tensor(2, 3)` is uninitialised, `Tensor([1, 2])` holds the data in the default floating type; use
    `mini_torch.tensor(data)` to keep the data's own type.

    >>> x = tensor([1., 2.], requires_grad=True)
    >>> y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([2., 4.])
    """

    # _cell is the version counter that a tensor shares with its views: [writes so far, histories so far].
    __slots__ = ("__dict__", "__weakref__", "_array", "_cell", "_grad", "_node", "_requires_grad", "_view")

    _array: Array
    _cell: Any
    _grad: Tensor | None
    _node: Any
    _requires_grad: bool
    _view: View | None
    _retains_grad = False
    _hooks: dict[int, Any] | None = None
    _post_hooks: dict[int, Any] | None = None
    __array_priority__ = 1000  # an array on the left leaves the operator to us

    def __new__(cls, *size: Any, device: Any = None) -> Any:
        check_device(device)
        kind = default_numpy_dtype()
        if len(size) == 1 and not isinstance(size[0], int | Size):
            data = size[0]
            array = data._array.astype(kind) if isinstance(data, Tensor) else np.array(data, dtype=kind)
        else:
            array = np.empty(size[0] if size and isinstance(size[0], Size) else (size or (0,)), dtype=kind)
        return make(cls, array)

    # ---- what it is --------------------------------------------------------------------------------------------------
    @property
    def shape(self) -> Size:
        """The sizes of the dimensions."""
        return Size(self._array.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or one dimension's size."""
        return Size(self._array.shape) if dim is None else self._array.shape[check_dim(dim, self._array.ndim)]

    @property
    def dtype(self) -> _dtype:
        """The number type."""
        return from_numpy_dtype(self._array.dtype)

    @property
    def device(self) -> device:
        """Always `device(type='cpu')`."""
        return cpu

    @property
    def ndim(self) -> int:
        """How many dimensions."""
        return self._array.ndim

    def dim(self) -> int:
        """How many dimensions."""
        return self._array.ndim

    ndimension = dim

    def numel(self) -> int:
        """How many elements."""
        return self._array.size

    nelement = numel

    def element_size(self) -> int:
        """Bytes per element."""
        return self._array.itemsize

    itemsize = property(element_size, doc="Bytes per element.")

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self._array.nbytes

    def stride(self, dim: int | None = None) -> Any:
        """Steps, in elements, from one index to the next along each dimension (or along `dim`)."""
        array = self._array
        strides = strides_of(array) if array.size else contiguous_strides(array.shape)
        return strides if dim is None else strides[check_dim(dim, array.ndim)]

    def storage_offset(self) -> int:
        """Elements between the start of the whole block of memory and the first one of this tensor."""
        return offset_of(self._array)

    def data_ptr(self) -> int:
        """The address of the first element."""
        return self._array.ctypes.data

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """Whether the elements lie in memory in order (or in the order of a memory format), without gaps."""
        return self._array.flags.c_contiguous if memory_format is None else is_in_format(self._array, memory_format)

    def is_floating_point(self) -> bool:
        """Whether the type is float16, bfloat16, float32 or float64."""
        return self._array.dtype.kind in "fV"

    def is_complex(self) -> bool:
        """Whether the type is complex."""
        return self._array.dtype.kind == "c"

    def is_signed(self) -> bool:
        """Whether the type holds negative numbers."""
        return self._array.dtype.kind in "ifcV"

    is_cpu = True
    is_cuda = is_sparse = is_quantized = is_mps = is_xpu = is_meta = is_nested = False

    def is_inference(self) -> bool:
        """Whether it was made in `inference_mode`."""
        return isinstance(self._cell, InferenceCell)

    # ---- place in the graph ------------------------------------------------------------------------------------------
    @property
    def grad_fn(self) -> Node | None:
        """The node that made this tensor; None for a leaf."""
        self._refresh()
        return self._node

    @property
    def is_leaf(self) -> bool:
        """Whether it was made by the user and not by a recorded operation."""
        return self.grad_fn is None

    @property
    def requires_grad(self) -> bool:
        """Whether backward computes a gradient for it."""
        self._refresh()
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if not wanted and self._node is not None:
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in "
                "a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            )
        if wanted and self._array.dtype.kind not in "fcV":
            raise RuntimeError("only Tensors of floating point and complex dtype can require gradients")
        if wanted and self.is_inference() and not mode.inference:
            raise RuntimeError("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.")
        self._requires_grad = bool(wanted)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Sets `requires_grad`, in place."""
        self.requires_grad = requires_grad
        return self

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward` has added up here, or None."""
        return self._grad

    @grad.setter
    def grad(self, grad: Tensor | None) -> None:
        if grad is not None:
            if not isinstance(grad, Tensor):
                raise TypeError(
                    f"assigned grad expected to be a Tensor or None but got grad of type '{type(grad).__name__}'"
                )
            if grad._array.shape != self._array.shape:
                raise RuntimeError(
                    f"attempting to assign a gradient of size '{list(grad.shape)}' to a tensor of size "
                    f"'{list(self.shape)}'. Please ensure that the gradient and the tensor are the same size"
                )
            if grad._array.dtype != self._array.dtype:
                raise RuntimeError(
                    f"assigned grad has data of a different type: expected {self.dtype}, got {grad.dtype}"
                )
        self._grad = grad

    @property
    def data(self) -> Tensor:
        """The same memory outside the graph; changes of it are not seen by autograd. Can be replaced."""
        return make(Tensor, self._array)

    @data.setter
    def data(self, data: Tensor) -> None:
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        if self._requires_grad and data._array.dtype.kind not in "fcV":
            raise RuntimeError("data set to a tensor that requires gradients must be floating point or complex dtype")
        self._array = data._array

    def detach(self) -> Tensor:
        """The same memory outside the graph; writing into it is noticed by those that saved this tensor."""
        out = make(Tensor, self._array)
        out._cell = self._cell
        return out

    def detach_(self) -> Tensor:
        """Cuts this tensor off from its history, in place."""
        if self._view is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        self._node, self._requires_grad = None, False
        return self

    def _refresh(self) -> None:
        if self._view is not None and self._view.generation != self._cell[1]:
            self._view.refresh(self)

    def _bump(self) -> None:
        """Counts a write into the memory."""
        if type(self._cell) is list:
            self._cell[0] += 1

    @property
    def _version(self) -> int:
        return self._cell[0]

    @property
    def _base(self) -> Tensor | None:
        return self._view.base if self._view is not None else None

    # ---- backward and hooks ------------------------------------------------------------------------------------------
    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """`hook(grad)` is called with this tensor's gradient in backward and may return another to go on with."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self._node is not None:
            hooks = self._node.note("prehooks")
        else:
            self._hooks = hooks = {} if self._hooks is None else self._hooks
        return RemovableHandle(hooks, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """`hook(tensor)` is called after a leaf's `grad` was added to."""
        if self._node is not None or not self._requires_grad:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        self._post_hooks = {} if self._post_hooks is None else self._post_hooks
        return RemovableHandle(self._post_hooks, hook)

    def retain_grad(self) -> None:
        """Makes backward keep the gradient of this computed tensor in `grad`, too."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self._node is None or self._retains_grad:
            return
        self._retains_grad = True
        keep = _weak_keeper(self)
        self.register_hook(keep)

    @property
    def retains_grad(self) -> bool:
        """Whether a computed tensor keeps its gradient."""
        return self._retains_grad

    # ---- values out --------------------------------------------------------------------------------------------------
    def item(self) -> Any:
        """The single element as a Python number; RuntimeError for more than one."""
        if self._array.size != 1:
            raise RuntimeError(f"a Tensor with {self._array.size} elements cannot be converted to Scalar")
        return self._array.item()

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers; a number for a 0-d tensor."""
        return self._array.tolist()

    def numpy(self, *, force: bool = False) -> Array:
        """The array that this tensor holds: shared memory, no copy. `force=True` also for one that requires grad."""
        if self.requires_grad and not force:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        return self._numbers("numpy")

    def _numbers(self, what: str) -> Array:
        """The array, for somebody who wants to see numbers: that is noted, where a program is recorded."""
        array = self._array
        return array if mode.recorder is None else mode.recorder.seen(array, what)

    def __len__(self) -> int:
        if not self._array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return len(self._array)

    def __iter__(self) -> Iterator[Tensor]:
        if not self._array.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __bool__(self) -> bool:
        if self._array.size != 1:
            what = "no values" if not self._array.size else "more than one value"
            raise RuntimeError(f"Boolean value of Tensor with {what} is ambiguous")
        return bool(self._array.item())

    def __float__(self) -> float:
        return float(self._single())

    def __int__(self) -> int:
        return int(self._single())

    def _single(self) -> Any:
        if self._array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return self._array.item()

    def __complex__(self) -> complex:
        return complex(self.item())

    def __index__(self) -> int:
        if self._array.dtype.kind not in "iub" or self._array.size != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self._array.item())

    def __contains__(self, element: Any) -> bool:
        value = element._array if isinstance(element, Tensor) else element
        if not isinstance(value, _ndarray | int | float | complex | np.generic):
            raise RuntimeError(
                f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}."
            )
        return bool((self._array == value).any())

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        node = self.grad_fn
        name = node.name() if node else None
        return format_tensor(self._numbers("repr"), requires_grad=self._requires_grad, grad_fn=name)

    def __format__(self, spec: str) -> str:
        if not self._array.ndim and not self._is_parameter():
            return format_scalar(self._numbers("format"), spec)
        return object.__format__(self, spec)

    def _is_parameter(self) -> bool:
        return False

    __hash__ = object.__hash__  # by identity: `==` compares elements

    def __dir__(self) -> list[str]:
        return sorted(name for name in {*object.__dir__(self)} if f"Tensor.{name}" not in ABSENT)

    # ---- copying -----------------------------------------------------------------------------------------------------
    def __copy__(self) -> Tensor:
        out = make(type(self), self._array)
        out._cell, out._requires_grad = self._cell, self.requires_grad
        out.__dict__.update({k: v for k, v in self.__dict__.items() if k[0] != "_"})
        return out

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if id(self) in memo:
            return memo[id(self)]
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the "
                "moment. Use .detach().clone() for a copy of the values."
            )
        out = make(type(self), self._array.copy())
        memo[id(self)] = out
        out._requires_grad = self._requires_grad
        if self._grad is not None:
            out._grad = self._grad.detach().__deepcopy__(memo)
        if self.__dict__:
            import copy  # who calls this has it already; a plain import of ours need not wait for it

            out.__dict__.update(copy.deepcopy({k: v for k, v in self.__dict__.items() if k[0] != "_"}, memo))
        return out

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        extra = {k: v for k, v in self.__dict__.items() if k[0] != "_"}
        return _rebuild, (type(self), np.asarray(self._array), self.requires_grad, extra)

    # ---- NumPy's protocols -------------------------------------------------------------------------------------------
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if self.requires_grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        array = self._numbers("np.asarray")
        if copy is False and dtype is not None and dtype != array.dtype:
            raise ValueError("Unable to avoid copy while creating an array as requested.")
        return np.array(array, dtype=dtype) if copy else np.asarray(array, dtype=dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if kwargs.pop("out", None) is not None:
            raise TypeError(
                f"np.{ufunc.__name__}(…, out=…) cannot write into a tensor: use the result, or the in-place method"
            )
        key = ufunc if method == "__call__" else (ufunc, method)
        entry = numpy_entries.get(key) or _late_entry(key, f"{ufunc.__name__}.{method}".removesuffix(".__call__"))
        return entry(*inputs, **kwargs)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        return (numpy_entries.get(function) or _late_entry(function, function.__name__))(*args, **kwargs)

    def __dlpack__(
        self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
    ) -> Any:
        if self.requires_grad:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        from .dlpack import capsule_of  # few programs need it

        return capsule_of(self._array, stream, max_version, dl_device, copy)

    def __dlpack_device__(self) -> tuple[int, int]:
        from .dlpack import CPU

        return CPU

    # ---- for programs that move tensors about ------------------------------------------------------------------------
    def cpu(self, memory_format: Any = None) -> Tensor:
        """This tensor: everything is on the CPU."""
        return self

    pin_memory = cpu

    def cuda(self, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Tensor:
        """AssertionError: there is no GPU here."""
        check_device("cuda")
        return self

    def share_memory_(self) -> Tensor:
        """This tensor; memory is per process here."""
        return self


# ---- making tensors --------------------------------------------------------------------------------------------------
_blank = object.__new__
_inference_cell: Any = InferenceCell()


def make(cls: type, array: Array) -> Any:
    """A leaf tensor of class `cls` around `array`."""
    out: Any = _blank(cls)
    out._array = array
    out._cell = [0, 0] if not mode.inference else _inference_cell
    out._requires_grad = False
    out._node = out._grad = out._view = None
    return out


def wrap(array: Any, requires_grad: bool = False) -> Tensor:
    """A leaf tensor around `array`: no copy (a NumPy scalar becomes a 0-d array)."""
    out: Tensor = make(Tensor, array if type(array) is _ndarray else _plain(array))
    if requires_grad:
        if out._array.dtype.kind not in "fcV":
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        out.requires_grad = True
    return out


def _plain(array: Any) -> Any:
    """A scalar or an array of another class as an array; what stands for one in a recording stays that."""
    if mode.recorder is not None and mode.recorder.holds(array):
        return array
    return np.asarray(array)


def alias(x: Tensor) -> Tensor:
    """A second tensor object for the same memory, history and version counter, for an in-place operation to record."""
    x._refresh()
    out: Tensor = make(Tensor, x._array)
    out._cell, out._requires_grad = x._cell, x._requires_grad
    out._node = x if x._node is None and x._requires_grad else x._node  # a leaf's gradient goes to the leaf itself
    return out


def _rebuild(cls: type, array: Array, requires_grad: bool, extra: dict[str, Any]) -> Any:
    out = make(cls, array.view(array.dtype.type))  # pickle makes a dtype of its own, and `is` would take slow paths
    out._requires_grad = requires_grad
    out.__dict__.update(extra)
    return out


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A tensor with a copy of `data`: numbers, nested sequences, an array, or another tensor's values.

    Python floats take the default floating type, ints int64, bools bool; an array keeps its type. Errors: ValueError
    where nested sequences differ in length, TypeError for what is no number. PyTorch's `torch.tensor`.

    >>> tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    check_device(device)
    array = np.array(as_array(data, dtype))
    return wrap(array, requires_grad)


def as_array(data: Any, dtype: Any = None) -> Array:
    """`data` as an array of one of our types; not copied where it need not be."""
    if isinstance(data, Tensor):
        array = data._array
    elif isinstance(data, _ndarray | np.generic):
        array = np.asarray(data)
        from_numpy_dtype(array.dtype)
    elif hasattr(data, "__array__") and not isinstance(data, list | tuple):
        array = np.asarray(data)
    else:
        array = from_sequence(data, dtype)
    if array.dtype.byteorder not in "=|":
        array = array.astype(array.dtype.newbyteorder("="))
    return array if dtype is None else array.astype(to_numpy_dtype(dtype), copy=False)


# ---- what ops/ fills -------------------------------------------------------------------------------------------------
numpy_entries: dict[Any, Callable[..., Any]] = {}  # NumPy's function, or (ufunc, "reduce") -> what does it for tensors


def method(name: str, function: Any) -> None:
    """Makes `function` (or a property) a member of Tensor. The one place where the class grows; called by `op.py`."""
    setattr(Tensor, name, function)


openers: list[Callable[[], None]] = []  # what opens the rooms of `ops` that are not open yet, see `late.py`


def _late_entry(key: Any, name: str) -> Callable[..., Any]:
    """The entry from a room that is not open yet; TypeError if none has one."""
    for open_all in openers:
        open_all()
    if key in numpy_entries:
        return numpy_entries[key]
    raise TypeError(
        f"np.{name} has no counterpart for tensors here; compute on x.detach().numpy() outside the graph, or use the "
        f"mini_torch function. (Inside a derivative formula, use a NumPy function that has one.)"
    )


# ---- hooks -----------------------------------------------------------------------------------------------------------
def _weak_keeper(x: Tensor) -> Callable[[Tensor], None]:
    """A hook that stores gradients in `x.grad` without holding `x` (which holds the node that holds the hook)."""
    target = weakref.ref(x)

    def keep(g: Tensor) -> None:
        kept = target()
        if kept is not None:
            kept._grad = g if g._requires_grad else wrap(g._array.copy())

    return keep


# ---- the callable module ---------------------------------------------------------------------------------------------
class _CallableModule(ModuleType):
    """`mini_torch.tensor` is this module and PyTorch's function at once."""

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        return tensor(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableModule
