"""Declaring elementwise operations of one and of two tensors: `unary` and `binary`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtype import default_numpy_dtype
from ..tensor import Tensor, make, method
from .brain import by_float32
from .inplace import inplace, write_out
from .names import describe, enter_ufunc, publish, publish_inplace
from .table import Formula, Forward, Row
from .types import cast, operands, refused, shape_mismatch

__all__ = ["binary", "unary"]

_ndarray = np.ndarray


def unary(
    name: str, forward: Forward, rule: Formula | None = None, *, floats: bool = True, doc: str = "",
    methods: tuple[str, ...] = (), aliases: tuple[str, ...] = (), export: bool = True, method: bool = True,
    holomorphic: bool = True, inplace: bool | None = None, refuses: str = "", kernel: str = "", because: str = "",
) -> Callable[..., Tensor]:  # fmt: skip
    """Declares an elementwise operation of one tensor: function, method, in-place method, NumPy entry.

    With `floats`, integers are computed in the default floating type. `methods` are further method names; without
    `method` there is none. What has a gradient has an in-place method, unless `inplace` says otherwise. `refuses` has
    NumPy's letters for the kinds of types that it does not take (b, i, u, f, c), for which the error names `kernel` and
    says `because`.
    """
    new = Row(name, forward, {} if rule is None else {"x": rule}, holomorphic=holomorphic)
    takes = "".join([kind for kind in ("fc" if floats else "biufc") if kind not in refuses])

    def function(input: Tensor, *, out: Tensor | None = None) -> Tensor:
        if not isinstance(input, Tensor):
            if isinstance(input, _ndarray | np.generic):
                return forward(input)
            raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
        if input._array.dtype.kind not in takes:
            if input._array.dtype.kind == "V":
                return by_float32(function, input)
            if input._array.dtype.kind in refuses:
                raise refused(kernel or f"{name}_cpu", input._array.dtype, because)
            input = cast(input, default_numpy_dtype())
        return new.apply((input,)) if out is None else write_out(new.apply((input,)), out)

    describe(function, name, doc)
    publish(function, (name, *aliases), (name, *aliases, *methods) if method else (), export)
    if method and (rule is not None if inplace is None else inplace):
        publish_inplace(function, (name, *aliases))
    enter_ufunc(forward, function)
    return function


def binary(
    name: str, forward: Forward, *, x: Formula | None = None, y: Formula | None = None, floats: bool = False,
    result: type | None = None, operator: str | None = None, doc: str = "", aliases: tuple[str, ...] = (),
    export: bool = True, check: Callable[[Any, Any, Tensor, Tensor], None] | None = None, holomorphic: bool = True,
    refuses: str = "", kernel: str = "", numbers: str = "xy", method: bool = True, bilinear: bool = False,
) -> Callable[..., Tensor]:  # fmt: skip
    """Declares an elementwise operation of two operands, tensors or numbers, with broadcasting and promotion.

    `operator` names Python's operator (`"add"`: `__add__`, `__radd__`, `__iadd__`). With `floats`, integers are
    computed in the default floating type. `result=bool` is for comparisons. `refuses` has NumPy's letters for the kinds
    of common types that it does not take, for which the error names `kernel`. `numbers` says which of the two may be a
    number in the public function ("y": the second; "xy": one of the two). Without `method`, there is that function
    only. `bilinear` is for the product, see `plan.Plan`. `check(input, other, x, y)` sees the operands as given and
    brought to one type, unless both were of one floating type from the start.
    """
    new = Row(name, forward, {} if x is None and y is None else {"x": x, "y": y}, broadcasts=True,
              holomorphic=holomorphic, bilinear=bilinear)  # fmt: skip
    reject = functools.partial(_reject, refuses, kernel or f"{name}_cpu")
    slow = functools.partial(_binary_slow, new, floats, check, reject if refuses else None)
    # the kinds that need nothing done to them, if both operands have them
    ready = "".join([kind for kind in ("f" if check else "fc" if floats else "biufc") if kind not in refuses])
    plain, floating = len(ready) == 5, "f" in ready

    def function(input: Any, other: Any) -> Any:
        # Two tensors of one type need no promotion. A NumPy dtype is one object per type, so `is` will do.
        if isinstance(other, Tensor) and isinstance(input, Tensor):
            kind = input._array.dtype
            if kind is other._array.dtype and (plain or kind.kind in ready):
                try:
                    return new.apply((input, other))
                except ValueError as error:
                    raise shape_mismatch(input._array.shape, other._array.shape) from error
        elif (type(other) is float or type(other) is int) and other and isinstance(input, Tensor):
            kind = input._array.dtype
            if kind.kind == "f" and floating:  # a tensor and a number: the number as a tensor, made once
                constant = constants.get((other, kind))
                if constant is None:
                    constant = _constant(other, kind)
                return new.apply((input, constant))
        return slow(input, other)

    describe(function, name, doc)
    if operator:
        _install_operators(function, operator, None if result else inplace(function, _as_ufunc(forward)))

    def checked(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
        if not isinstance(other, Tensor) and "y" not in numbers:
            raise _not_a_tensor(name, "other", 2, other)
        if not isinstance(input, Tensor) and ("x" not in numbers or not isinstance(other, Tensor)):
            raise _not_a_tensor(name, "input", 1, input)
        result = function(input, other)
        if result is NotImplemented:
            raise _neither_takes(name, input, other)
        return result if out is None else write_out(result, out)

    def of_numpy(input: Any, other: Any) -> Tensor:
        result = function(input, other)
        if result is NotImplemented:
            raise _neither_takes(name, input, other)
        return result

    describe(checked, name, doc)
    if export:
        publish(checked, (name, *aliases), (name, *aliases) if method else (), True)
    if export and method:
        publish_inplace(function, (name, *aliases), _as_ufunc(forward))
    enter_ufunc(forward, of_numpy)
    return checked if export or not method else function


def _not_a_tensor(name: str, argument: str, position: int, given: Any) -> TypeError:
    return TypeError(
        f"{name}(): argument '{argument}' (position {position}) must be Tensor, not {type(given).__name__}"
    )


def _neither_takes(name: str, input: Any, other: Any) -> TypeError:
    at, bad = (2, other) if isinstance(input, Tensor) else (1, input)
    return _not_a_tensor(name, ("input", "other")[at - 1], at, bad)


constants: dict[tuple[float, np.dtype[Any]], Tensor] = {}


def _constant(number: float, kind: np.dtype[Any]) -> Tensor:
    """The number as a tensor of type `kind`, kept for the next time (making one costs as much as a small product)."""
    if len(constants) > 1000:
        constants.clear()
    if type(number) is int and not -(2**63) <= number < 2**64:
        raise OverflowError(f"int too big to convert: {number}")
    with np.errstate(over="ignore"):  # 1e300 is inf in float32
        array = np.array(number, kind)
        array.flags.writeable = False
        made = constants[number, kind] = make(Tensor, array)
    made._cell = [0, 0]  # it outlives an inference_mode that it may have been made in
    return made


def _reject(kinds: str, kernel: str, kind: np.dtype[Any]) -> None:
    if kind.kind in kinds:
        raise refused(kernel, kind)


def _binary_slow(new: Row, floats: bool, check: Any, reject: Any, input: Any, other: Any) -> Any:
    """A binary operation whose operands must be brought to one type first."""
    pair = operands(input, other, floats)
    if pair is None:
        return NotImplemented
    if pair[0]._array.dtype.kind == "V":
        return by_float32(functools.partial(_binary_slow, new, floats, check, reject), *pair)
    if reject:
        reject(pair[0]._array.dtype)
    if check:
        check(input, other, *pair)
    try:
        return new.apply(pair)
    except ValueError as error:
        raise shape_mismatch(pair[0]._array.shape, pair[1]._array.shape) from error


def _as_ufunc(forward: Forward) -> np.ufunc | None:
    """The forward, where that is NumPy's own and can be told where to write."""
    return forward if isinstance(forward, np.ufunc) else None


def _install_operators(function: Any, name: str, in_place: Any) -> None:
    method(f"__{name}__", function)
    if in_place:
        method(f"__r{name}__", _reflected(function, f"__r{name}__"))
        method(f"__i{name}__", in_place)


def _reflected(function: Any, name: str) -> Any:
    def reflected(self: Tensor, other: Any) -> Any:
        if not isinstance(self, Tensor):
            raise TypeError(f"descriptor '{name}' of Tensor doesn't apply to a '{type(self).__name__}' object")
        return function(other, self)

    return reflected
