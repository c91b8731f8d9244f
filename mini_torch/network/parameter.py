"""`Parameter` and `Buffer`: the tensors that a module keeps, also before their shape is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NoReturn

import numpy as np

from ..dtype import check_device, default_numpy_dtype, from_numpy_dtype, to_numpy_dtype
from ..dtype import dtype as _dtype
from ..tensor import Tensor, make

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "is_lazy"]


def _as_class(cls: type, data: Tensor | None, requires_grad: bool) -> Any:
    """A leaf of class `cls` on the memory, and with the version counter, of `data`."""
    if data is None:
        data = make(Tensor, np.empty(0, default_numpy_dtype()))
    if not isinstance(data, Tensor):
        raise TypeError(f"{cls.__name__} holds a Tensor, got {type(data).__name__}: wrap it, mini_torch.tensor(data)")
    if requires_grad and not (data.is_floating_point() or data.is_complex()):
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
    out = make(cls, data._array)
    out._cell = data._cell
    out._requires_grad = requires_grad
    return out


class Parameter(Tensor):
    """A tensor that a module trains: assigned to an attribute of a module, it is found by `parameters()`.

    It shares memory with `data` and requires grad unless told otherwise. Errors: TypeError where `data` is no tensor,
    RuntimeError where an integer tensor should require grad. PyTorch's `nn.Parameter`.

    >>> Parameter(mini_torch.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Any:
        return _as_class(cls, data, requires_grad)

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:  # without its gradient, as in PyTorch
            memo[id(self)] = type(self)(make(Tensor, self._array.copy()), self.requires_grad)
        return memo[id(self)]

    def _is_parameter(self) -> bool:
        return True


class Buffer(Tensor):
    """A tensor that is part of a module's state but is not trained; `persistent` ones are in `state_dict()`.

    PyTorch's `nn.Buffer`.

    >>> module = nn.Module()
    >>> module.count = Buffer(mini_torch.zeros(1))
    >>> list(module.state_dict())
    ['count']
    """

    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Any:
        out = _as_class(cls, data, data is not None and data.requires_grad)
        out.persistent = persistent
        return out


class _Uninitialized:
    """What has a number type and no shape yet. Its memory is an empty array that nobody may compute with."""

    cls_to_become: ClassVar[type]
    requires_grad: bool
    __slots__ = ()

    def materialize(self, shape: Sequence[int], device: Any = None, dtype: Any = None) -> None:
        """Takes the shape (and number type): this same object becomes an ordinary, unfilled tensor."""
        check_device(device)
        kind = _own_array(self).dtype if dtype is None else to_numpy_dtype(dtype)
        self.__class__ = self.cls_to_become
        self._array = np.empty(tuple(shape), kind)

    @property
    def _array(self) -> NoReturn:
        raise ValueError(
            "Attempted to use an uninitialized parameter. This error happens when you are using a layer that infers "
            f"its sizes, or a {type(self).__name__} of your own: call the module with a batch first, then use its "
            "parameters."
        )

    @_array.setter
    def _array(self, array: np.ndarray[Any, Any]) -> None:
        Tensor._array.__set__(self, array)  # type: ignore[attr-defined]

    @property
    def shape(self) -> NoReturn:
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
            "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` "
            "to initialize the parameters before accessing their attributes."
        )

    @property
    def dtype(self) -> _dtype:
        return from_numpy_dtype(_own_array(self).dtype)

    def is_floating_point(self) -> bool:
        return _own_array(self).dtype.kind == "f"

    def is_complex(self) -> bool:
        return _own_array(self).dtype.kind == "c"

    def to(self, *args: Any, **kwargs: Any) -> Tensor:
        """An empty tensor of the number type asked for, for `Module.to` to take over."""
        return make(Tensor, _own_array(self)).to(*args, **kwargs)

    def detach(self) -> Any:
        return self

    def share_memory_(self) -> NoReturn:
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the parameters "
            "before calling `module.share_memory()`."
        )

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return f"<{type(self).__name__}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = _without_shape(type(self), self.requires_grad, None, self.dtype)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return type(self), (self.requires_grad, None, self.dtype)


def _own_array(lazy: Any) -> np.ndarray[Any, Any]:
    array: np.ndarray[Any, Any] = Tensor._array.__get__(lazy)  # type: ignore[attr-defined]
    return array


def _without_shape(cls: type, requires_grad: bool, device: Any, dtype: Any) -> Any:
    check_device(device)
    out = make(cls, np.empty(0, default_numpy_dtype() if dtype is None else to_numpy_dtype(dtype)))
    out._requires_grad = requires_grad
    return out


class UninitializedParameter(_Uninitialized, Parameter):  # type: ignore[misc]
    """A parameter whose shape is not known yet; `materialize(shape)` makes an ordinary one of it.

    Errors: ValueError for computing with it, RuntimeError for asking its shape. PyTorch's `UninitializedParameter`.

    >>> p = UninitializedParameter()
    >>> p.materialize((2, 3))
    >>> type(p).__name__, p.shape
    ('Parameter', torch.Size([2, 3]))
    """

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        return _without_shape(cls, requires_grad, device, dtype)


class UninitializedBuffer(_Uninitialized, Tensor):  # type: ignore[misc]
    """A buffer whose shape is not known yet. PyTorch's `UninitializedBuffer`.

    >>> b = UninitializedBuffer()
    >>> b.materialize((2,))
    >>> b.shape
    torch.Size([2])
    """

    cls_to_become = Tensor

    def __new__(cls, requires_grad: bool = False, device: Any = None, dtype: Any = None) -> Any:
        return _without_shape(cls, requires_grad, device, dtype)


def is_lazy(param: Any) -> bool:
    """Whether `param` is a parameter or buffer without a shape yet."""
    return isinstance(param, _Uninitialized)
