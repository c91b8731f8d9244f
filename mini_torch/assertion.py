"""Comparing tensors in tests: `assert_close`, and `make_tensor` for inputs. Source: PyTorch's `torch.testing`."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .dtype import check_device, promote_numpy, to_numpy_dtype
from .op import cast
from .tensor import Tensor, wrap

__all__ = ["assert_close", "make_tensor"]

# (relative, absolute) per type; for others a difference is a difference
_TOLERANCES = {"float16": (1e-3, 1e-5), "bfloat16": (1.6e-2, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7),
               "complex64": (1.3e-6, 1e-5), "complex128": (1e-7, 1e-7)}  # fmt: skip
Message = str | Callable[[str], str] | None


def _assert(condition: Any, message: str) -> None:
    """AssertionError with this message unless the condition, a tensor of one element perhaps, holds."""
    if not condition:
        raise AssertionError(message)


class _Check:
    """The options of one comparison, and how each kind of value is compared."""

    def __init__(self, rtol: float | None, atol: float | None, equal_nan: bool, checks: dict[str, bool]) -> None:
        self.rtol, self.atol, self.equal_nan, self.checks = rtol, atol, equal_nan, checks

    def compare(self, actual: Any, expected: Any, place: str = "") -> None:
        """Raises AssertionError where the two differ; TypeError for what cannot be compared."""
        if isinstance(actual, Mapping) and isinstance(expected, Mapping):
            self._mappings(actual, expected, place)
        elif _is_sequence(actual) and _is_sequence(expected):
            if len(actual) != len(expected):
                _fail(f"The length of the sequences mismatch: {len(actual)} != {len(expected)}", place)
            for i, (a, b) in enumerate(zip(actual, expected)):
                self.compare(a, b, f"{place}[{i}]")
        elif actual is None or expected is None:
            if actual is not expected:
                _fail(f"None mismatch: {actual} is not {expected}", place)
        elif isinstance(actual, bool | np.bool_) and isinstance(expected, bool | np.bool_):
            if bool(actual) is not bool(expected):
                _fail(f"Booleans mismatch: {actual} is not {expected}", place)
        elif isinstance(actual, int | float | complex) and isinstance(expected, int | float | complex):
            self._numbers(actual, expected, place)
        elif (isinstance(actual, Tensor) and isinstance(expected, Tensor)) or (
            isinstance(actual, np.ndarray) and isinstance(expected, np.ndarray)
        ):
            self._tensors(_tensor(actual), _tensor(expected), place)
        else:
            raise TypeError(
                f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}."
            )

    def _mappings(self, actual: Mapping[Any, Any], expected: Mapping[Any, Any], place: str) -> None:
        if actual.keys() != expected.keys():
            missing, extra = expected.keys() - actual.keys(), actual.keys() - expected.keys()
            _fail(
                f"The keys of the mappings do not match:\nMissing keys in the actual mapping: {sorted(missing)}\n"
                f"Additional keys in the actual mapping: {sorted(extra)}", place,
            )  # fmt: skip
        for key in actual:
            self.compare(actual[key], expected[key], f"{place}[{key!r}]")

    def _tolerances(self, *names: str) -> tuple[float, float]:
        if self.rtol is not None and self.atol is not None:
            return self.rtol, self.atol
        pairs = [_TOLERANCES.get(name, (0.0, 0.0)) for name in names]
        return max(p[0] for p in pairs), max(p[1] for p in pairs)

    def _numbers(self, actual: complex, expected: complex, place: str) -> None:
        if self.checks["dtype"] and type(actual) is not type(expected):
            _fail(f"The (d)types do not match: {type(actual)} != {type(expected)}.", place)
        names = {int: "int64", float: "float64", complex: "complex128"}
        rtol, atol = self._tolerances(*[names.get(type(x), "bool") for x in (actual, expected)])
        difference = abs(actual - expected)
        both_nan = self.equal_nan and cmath.isnan(actual) and cmath.isnan(expected)
        if actual == expected or both_nan or difference <= atol + rtol * abs(expected) < math.inf:
            return
        relative = difference / abs(expected) if expected else math.inf
        _fail(_scalar_message(actual, expected, difference, relative, rtol, atol), place)

    def _tensors(self, actual: Tensor, expected: Tensor, place: str) -> None:
        for name, wanted in (("shape", True), ("dtype", self.checks["dtype"])):
            a, b = getattr(actual, name), getattr(expected, name)
            if wanted and a != b:
                _fail(f"The values for attribute '{name}' do not match: {a} != {b}.", place)
        if self.checks["stride"] and actual.stride() != expected.stride():
            _fail(f"The values for attribute 'stride()' do not match: {actual.stride()} != {expected.stride()}.", place)
        rtol, atol = self._tolerances(actual.dtype.name, expected.dtype.name)
        kind = promote_numpy(actual._array.dtype, expected._array.dtype)
        a, b = cast(actual.detach(), kind)._array, cast(expected.detach(), kind)._array
        if kind.kind in "bu":
            a, b = a.astype(np.int64), b.astype(np.int64)
        with np.errstate(all="ignore"):
            wide = a if kind.kind in "bui" else a.astype(np.promote_types(kind, np.float64))
            near = np.abs(wide - b) <= atol + rtol * np.abs(b.astype(wide.dtype))
            near = (a == b) | (near & np.isfinite(b) & np.isfinite(a))
            if self.equal_nan:
                near |= np.isnan(a) & np.isnan(b)
            if not near.all():
                _fail(_tensor_message(a, b, near, rtol, atol), place)


def _fail(message: str, place: str) -> None:
    raise AssertionError(message + (f"\n\nThe failure occurred for item {place}" if place else ""))


def _is_sequence(x: Any) -> bool:
    return isinstance(x, Sequence) and not isinstance(x, str)


def _tensor(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) else wrap(x)


def _allowed(tolerance: float, equal: bool) -> str:
    return "" if equal else f" (up to {tolerance} allowed)"


def _scalar_message(a: Any, b: Any, difference: Any, relative: Any, rtol: float, atol: float) -> str:
    equal = rtol == atol == 0
    return (
        f"Scalars are not {'equal' if equal else 'close'}!\n\nExpected {b} but got {a}.\n"
        f"Absolute difference: {difference}{_allowed(atol, equal)}\n"
        f"Relative difference: {relative}{_allowed(rtol, equal)}"
    )


def _tensor_message(a: Any, b: Any, near: Any, rtol: float, atol: float) -> str:
    absolute = np.where(near, 0, np.abs(a - b))
    floating = np.abs(b) if b.dtype.kind == "f" or b.dtype.kind == "c" else np.abs(b).astype(np.float32)
    relative = np.where(near, 0, absolute.astype(floating.dtype) / floating)
    if not a.ndim:
        return _scalar_message(a.item(), b.item(), absolute.item(), relative.item(), rtol, atol)
    equal = rtol == atol == 0
    count = near.size - int(near.sum())
    lines = [f"Tensor-likes are not {'equal' if equal else 'close'}!", "",
             f"Mismatched elements: {count} / {near.size} ({count / near.size:.1%})"]  # fmt: skip
    for name, values, tolerance in (("absolute", absolute, atol), ("relative", relative, rtol)):
        at = tuple(int(i) for i in np.unravel_index(np.argmax(values), values.shape))
        lines.append(f"Greatest {name} difference: {values[at].item()} at index {at}{_allowed(tolerance, equal)}")
    return "\n".join(lines)


def assert_close(
    actual: Any, expected: Any, *, allow_subclasses: bool = True, rtol: float | None = None, atol: float | None = None,
    equal_nan: bool = False, check_device: bool = True, check_dtype: bool = True, check_layout: bool = True,
    check_stride: bool = False, msg: Message = None,
) -> None:  # fmt: skip
    """AssertionError unless |actual − expected| ≤ atol + rtol · |expected|, with the same shapes and types.

    For tensors, numbers, arrays, and nested sequences and mappings of them. The tolerances follow from the types where
    they are not given (both or none). `msg` replaces the message, or is called with it. Errors: TypeError for what
    cannot be compared, ValueError for one tolerance alone. Source: PyTorch's `torch.testing.assert_close`.

    >>> from mini_torch import tensor
    >>> assert_close(tensor([1., 2.]), tensor([1., 2. + 1e-6]))
    """
    if (rtol is None) != (atol is None):
        missing = "rtol" if rtol is None else "atol"
        raise ValueError(f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}.")
    if not allow_subclasses and type(actual) is not type(expected):
        raise TypeError(f"If allow_subclasses=False, the types must be the same: {type(actual)} and {type(expected)}")
    try:
        _Check(rtol, atol, equal_nan, {"dtype": check_dtype, "stride": check_stride}).compare(actual, expected)
    except AssertionError as error:
        if msg is None:
            raise
        raise AssertionError(msg(str(error)) if callable(msg) else msg) from None


def make_tensor(
    *shape: Any, dtype: Any, device: Any = "cpu", low: float | None = None, high: float | None = None,
    requires_grad: bool = False, noncontiguous: bool = False, exclude_zero: bool = False, memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """Random numbers for a test, uniform in [low, high): by default in ±9 for floats, 0 to 9 or −9 to 9 for integers.

    With `noncontiguous`, elements have gaps between them. The numbers are NumPy's, not PyTorch's. Source: PyTorch's
    `torch.testing.make_tensor`.
    """
    check_device(device)
    kind = to_numpy_dtype(dtype)
    size = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape
    low, high = _bounds(kind, low, high)
    if noncontiguous and size:
        array = np.repeat(_drawn(kind, size, low, high), 2, axis=-1)[..., ::2]
    else:
        array = _drawn(kind, size, low, high)
    if exclude_zero:
        array = np.where(array == 0, np.ones((), kind), array)
    return wrap(array, requires_grad)


def _bounds(kind: np.dtype[Any], low: float | None, high: float | None) -> tuple[float, float]:
    default = {"b": (0, 2), "u": (0, 10), "i": (-9, 10)}.get(kind.kind, (-9, 9))
    low, high = default[0] if low is None else low, default[1] if high is None else high
    if low > high:
        raise ValueError(f"make_tensor: low must be at most high, got {low} and {high}")
    return low, high


def _drawn(kind: np.dtype[Any], size: tuple[int, ...], low: float, high: float) -> np.ndarray[Any, Any]:
    draw = np.random.default_rng()
    if kind.kind in "bui":
        return np.asarray(draw.integers(math.ceil(low), max(math.ceil(high), math.ceil(low) + 1), size)).astype(kind)
    parts = np.asarray(draw.uniform(low, high, (2, *size)))
    return np.asarray(parts[0] + 1j * parts[1] if kind.kind == "c" else parts[0]).astype(kind)
