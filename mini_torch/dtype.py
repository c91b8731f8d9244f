"""Number types, PyTorch's promotion rules, and the small value types `Size` and `device`.

A tensor's data is a NumPy array, so a `dtype` here is a name for one of NumPy's. What differs is promotion: PyTorch
lets a tensor with dimensions decide over a 0-d tensor, and a 0-d tensor over a Python number, unless the weaker one is
of a higher *category* (bool < integer < floating < complex); and an integer never makes a float wider.
Source: PyTorch's page "Tensor Attributes", section "torch.dtype".
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from functools import cache, lru_cache
from types import SimpleNamespace
from typing import Any, SupportsIndex

import numpy as np

from .errors import MissingExtraError
from .hardware import no_accelerator, not_compiled

__all__ = [
    "Size", "bfloat16", "bool", "can_cast", "cdouble", "cfloat", "channels_last", "channels_last_3d", "complex128",
    "complex64", "contiguous_format", "device", "double", "dtype", "finfo", "float", "float16", "float32",
    "float64", "get_default_dtype", "half", "iinfo", "int", "int16", "int32", "int64", "int8", "layout", "long",
    "memory_format", "preserve_format", "promote_types", "set_default_dtype", "short", "strided", "uint16",
    "uint32", "uint64", "uint8",
]  # fmt: skip


class dtype:
    """A number type. `dtype.numpy` is NumPy's name for the same.

    >>> float32
    torch.float32
    >>> float32.is_floating_point, float32.itemsize
    (True, 4)
    """

    __slots__ = ("is_complex", "is_floating_point", "is_signed", "itemsize", "name", "numpy")

    def __init__(self, name: str) -> None:
        self.name = name
        self.numpy = np.dtype(name)
        self._describe(self.numpy.kind, self.numpy.itemsize)

    def _describe(self, kind: str, itemsize: builtins.int) -> None:
        self.is_floating_point = kind == "f"
        self.is_complex = kind == "c"
        self.is_signed = kind in "ifc"
        self.itemsize = itemsize

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _named, (self.name,)

    def to_complex(self) -> dtype:
        """The complex type whose real part has this type's precision."""
        if not (self.is_floating_point or self.is_complex):
            raise RuntimeError(f"Unknown Complex ScalarType for {self.name}")
        return complex128 if self is float64 or self is complex128 else complex64

    def to_real(self) -> dtype:
        """The type of this type's real part."""
        return {"complex64": float32, "complex128": float64}.get(self.name, self)


class _BrainFloat(dtype):
    """bfloat16: float32 without its last 16 bits. NumPy has it from the package ml_dtypes, which is asked for when the
    type is first used. It is there to hold numbers: arithmetic is float32's, rounded."""

    __slots__ = ()

    def __init__(self) -> None:
        self.name = "bfloat16"
        self._describe("f", 2)

    @property
    def numpy(self) -> np.dtype[Any]:  # type: ignore[override]
        """ml_dtypes' type. Errors: MissingExtraError where the package is not installed."""
        try:
            import ml_dtypes  # type: ignore[import-not-found,unused-ignore]
        except ImportError:
            raise MissingExtraError("ml_dtypes", "bfloat16", "torch.bfloat16") from None
        kind = np.dtype(ml_dtypes.bfloat16)
        _BY_NUMPY[kind] = self
        return kind


_ALL = {name: dtype(name) for name in (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64", "complex128",
    "uint16", "uint32", "uint64",
)}  # fmt: skip
_BY_NUMPY = {t.numpy: t for t in _ALL.values()}

bool = _ALL["bool"]
uint8, int8, int16, int32, int64 = (_ALL[n] for n in ("uint8", "int8", "int16", "int32", "int64"))
float16, float32, float64 = _ALL["float16"], _ALL["float32"], _ALL["float64"]
complex64, complex128 = _ALL["complex64"], _ALL["complex128"]
uint16, uint32, uint64 = _ALL["uint16"], _ALL["uint32"], _ALL["uint64"]  # for data: few operations know them
bfloat16 = _ALL["bfloat16"] = _BrainFloat()
half, float, double = float16, float32, float64
short, int, long = int16, int32, int64
cfloat, cdouble = complex64, complex128

_default = float32.numpy


def _named(name: str) -> dtype:
    return _ALL[name]


def from_numpy_dtype(numpy_dtype: Any) -> dtype:
    """Our dtype for one of NumPy's; TypeError for a type that tensors cannot hold (strings, objects, dates …)."""
    try:
        return _BY_NUMPY[numpy_dtype]
    except (KeyError, TypeError):
        pass
    plain = np.dtype(numpy_dtype).newbyteorder("=")
    found = _BY_NUMPY.get(plain)
    if found is None and plain.name == "bfloat16" and plain == bfloat16.numpy:
        return bfloat16
    if found is None:
        raise TypeError(
            f"can't convert np.ndarray of type {np.dtype(numpy_dtype)}. The only supported types are: float64, "
            "float32, float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, uint16, uint8, and "
            "bool."
        )
    return found


def to_numpy_dtype(given: Any) -> np.dtype[Any]:
    """NumPy's dtype for what a person may pass as `dtype=`: ours, NumPy's, or bool, int, float, complex."""
    if isinstance(given, dtype):
        return given.numpy
    if isinstance(given, type) and given in (builtins.bool, builtins.int, builtins.float, complex):
        return np.dtype(given)  # Python's own: float is float64, whatever the default is
    try:
        return from_numpy_dtype(np.dtype(given)).numpy
    except TypeError:
        raise TypeError(f"dtype must be a torch.dtype, not {type(given).__name__} {given!r}") from None


def get_default_dtype() -> dtype:
    """The floating type that Python floats and `zeros`, `rand` … take; float32 unless set."""
    return _BY_NUMPY[_default]


def set_default_dtype(d: dtype) -> None:
    """Sets the floating type of `get_default_dtype`.

    Raises TypeError for a type that is not floating.
    """
    global _default
    if not isinstance(d, dtype) or not d.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, got {d!r}")
    _default = d.numpy


def default_numpy_dtype() -> np.dtype[Any]:
    return _default


# ---- promotion -------------------------------------------------------------------------------------------------------
_CATEGORY = {"b": 0, "i": 1, "u": 1, "f": 2, "V": 2, "c": 3}  # V: bfloat16


def scalar_dtype(value: Any) -> np.dtype[Any]:
    """The type that a Python number has before anything promotes it."""
    if isinstance(value, builtins.bool | np.bool_):
        return bool.numpy
    if isinstance(value, builtins.int | np.integer):
        return int64.numpy
    if isinstance(value, builtins.float | np.floating):
        return _default
    return get_default_dtype().to_complex().numpy


def _is_wide_unsigned(kind: np.dtype[Any]) -> builtins.bool:
    return kind.kind == "u" and kind.itemsize > 1


@cache
def promote_numpy(a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any]:
    """PyTorch's `promote_types` on NumPy's dtypes: as NumPy's, but an integer adds nothing to a float."""
    if _CATEGORY[a.kind] < 2 <= _CATEGORY[b.kind]:
        return b
    if _CATEGORY[b.kind] < 2 <= _CATEGORY[a.kind]:
        return a
    if "c" in (a.kind, b.kind) and 2 in (a.itemsize, b.itemsize):  # float16 with a complex
        return a if a.kind == "c" else b
    if {a.kind, b.kind} == {"f", "V"}:
        wide = a if a.kind == "f" else b
        return wide if wide.itemsize > 2 else float32.numpy
    if a != b and (_is_wide_unsigned(a) or _is_wide_unsigned(b)):
        raise RuntimeError(
            f"Promotion for uint16, uint32, uint64 types is not supported, attempted to promote {a.name} and {b.name}"
        )
    return np.promote_types(a, b)


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The smallest type that holds both, by PyTorch's rule.

    >>> promote_types(int64, float16), promote_types(uint8, int8)
    (torch.float16, torch.int16)
    """
    return _BY_NUMPY[promote_numpy(type1.numpy, type2.numpy)]


def can_cast(from_: dtype, to: dtype) -> builtins.bool:
    """Whether a result of type `from_` may be written into a tensor of type `to`.

    >>> can_cast(float32, int64), can_cast(float64, float32)
    (False, True)
    """
    a, b = _CATEGORY[from_.numpy.kind], _CATEGORY[to.numpy.kind]
    return a <= b


def _combine(higher: np.dtype[Any] | None, lower: np.dtype[Any] | None) -> np.dtype[Any] | None:
    """What a stronger operand group (with dimensions) makes of a weaker one (0-d tensors, then numbers)."""
    if higher is None or lower is None:
        return higher or lower
    high, low = _CATEGORY[higher.kind], _CATEGORY[lower.kind]
    if high == 2 and low == 3:
        return _BY_NUMPY[higher].to_complex().numpy
    if high >= 2 or (high == 1 and low <= 1):
        return higher
    return promote_numpy(higher, lower)


@lru_cache(maxsize=4096)
def promote_operands(
    kinds: tuple[tuple[np.dtype[Any], builtins.int], ...], default: np.dtype[Any]
) -> np.dtype[Any]:
    """The common type of operands, each (type, strength): strength 2 with dimensions, 1 a 0-d tensor, 0 a number.

    `default` (the default floating type) is there for the cache: numbers' types depend on it.
    """
    groups: list[np.dtype[Any] | None] = [None, None, None]
    for kind, strength in kinds:
        seen = groups[strength]
        groups[strength] = kind if seen is None else promote_numpy(seen, kind)
    result = _combine(groups[2], _combine(groups[1], groups[0]))
    assert result is not None
    return result


# ---- limits ----------------------------------------------------------------------------------------------------------
class finfo:
    """Limits of a floating type.

    >>> finfo(float32).eps
    1.1920928955078125e-07
    """

    def __init__(self, type: dtype | None = None) -> None:
        type = get_default_dtype() if type is None else type
        if not isinstance(type, dtype):
            raise TypeError(f"finfo(): argument 'type' (position 1) must be torch.dtype, not {type!r}")
        if not (type.is_floating_point or type.is_complex):
            raise TypeError(f"torch.finfo() requires a floating point input type. Use torch.iinfo to handle '{type!r}'")
        limits: Any = np.finfo(type.numpy) if type is not bfloat16 else _BRAIN_LIMITS
        self.bits = limits.bits
        self.min, self.max = builtins.float(limits.min), builtins.float(limits.max)
        self.eps = builtins.float(limits.eps)
        self.tiny = self.smallest_normal = builtins.float(limits.tiny)
        self.resolution = 10.0**-limits.precision
        self.dtype = type.to_real().name

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


_BRAIN_LIMITS = SimpleNamespace(bits=16, min=-(2 - 2**-7) * 2.0**127, max=(2 - 2**-7) * 2.0**127, eps=2.0**-7,
                                tiny=2.0**-126, precision=2)  # fmt: skip


class iinfo:
    """Limits of an integer type.

    >>> iinfo(int8)
    iinfo(min=-128, max=127, dtype=int8)
    """

    def __init__(self, type: dtype) -> None:
        if not isinstance(type, dtype):
            raise TypeError(f"iinfo(): argument 'type' (position 1) must be torch.dtype, not {type!r}")
        if type.is_floating_point or type.is_complex:
            raise TypeError(f"torch.iinfo() requires an integer input type. Use torch.finfo to handle '{type!r}'")
        if type is bool:
            raise TypeError("torch.bool is not supported by torch.iinfo")
        limits = np.iinfo(type.numpy)
        self.min, self.max = builtins.int(limits.min), builtins.int(limits.max)
        self.bits, self.dtype = limits.bits, type.name

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"


# ---- Size and device -------------------------------------------------------------------------------------------------
class Size(tuple[builtins.int, ...]):
    """A tensor's shape: a tuple of ints that prints as PyTorch's.

    >>> Size([2, 3]), Size([2, 3]).numel(), Size([2, 3, 4])[1:]
    (torch.Size([2, 3]), 6, torch.Size([3, 4]))
    """

    __slots__ = ()

    def numel(self) -> builtins.int:
        """How many elements a tensor of this shape has."""
        count = 1
        for n in self:
            count *= n
        return count

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    def __getitem__(self, key: SupportsIndex | slice) -> Any:
        part: Any = tuple.__getitem__(self, key)
        return Size(part) if isinstance(key, slice) else part

    def __add__(self, other: Iterable[builtins.int]) -> Size:  # type: ignore[override]
        return Size(tuple.__add__(self, tuple(other)))

    def __reduce__(self) -> tuple[Any, ...]:
        return Size, (tuple(self),)


def check_dim(dim: builtins.int, ndim: builtins.int) -> builtins.int:
    """`dim` counted from the front; IndexError where there is no such dimension."""
    span = ndim or 1
    if not -span <= dim < span:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-span}, {span - 1}], but got {dim})")
    return dim + span if dim < 0 else dim


def contiguous_strides(shape: tuple[builtins.int, ...]) -> tuple[builtins.int, ...]:
    """A shape's strides, in elements, when its elements lie in order without gaps."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= max(n, 1)
    return tuple(reversed(strides))


_DEVICES = (
    "cpu", "cuda", "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga", "maia", "xla", "lazy",
    "vulkan", "mps", "meta", "hpu", "mtia", "privateuseone",
)  # fmt: skip


class device:
    """Where a tensor lives. Here that is always the CPU; other names can be spelled but hold nothing.

    >>> device("cpu"), device("cuda:0").index
    (device(type='cpu'), 0)
    """

    __slots__ = ("index", "type")
    type: str
    index: builtins.int | None

    def __init__(self, type: str | builtins.int | device = "cpu", index: builtins.int | None = None) -> None:
        if isinstance(type, device):
            index = type.index
            type = type.type
        if isinstance(type, builtins.int):  # the number of an accelerator
            no_accelerator()
        name, _, number = type.partition(":")
        if name not in _DEVICES:
            raise RuntimeError(f"Expected one of {', '.join(_DEVICES)} device type at start of device string: {name}")
        if number and not number.isdigit():
            raise RuntimeError(f"Invalid device string: '{type}'")
        self.type, self.index = name, builtins.int(number) if number else index

    def __repr__(self) -> str:
        return (
            f"device(type='{self.type}')" if self.index is None else f"device(type='{self.type}', index={self.index})"
        )

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> builtins.bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> builtins.int:
        return hash((self.type, self.index))

    def __reduce__(self) -> tuple[Any, ...]:
        return device, (self.type, self.index)

    def __enter__(self) -> device:
        """`with torch.device("cpu"):` makes tensors on the CPU, as ever. Another is the error of `check_device`."""
        check_device(self)
        return self

    def __exit__(self, *_: object) -> None:
        pass


cpu = device("cpu")


def check_device(given: str | builtins.int | device | None) -> None:
    """An error, of the type that a CPU build of PyTorch raises, unless `given` is the CPU (or nothing)."""
    if given is not None and (kind := device(given).type) != "cpu":
        if kind in ("cuda", "xpu"):
            raise AssertionError(not_compiled(kind))
        raise RuntimeError(f"mini_torch computes on the CPU: device={str(given)!r} is not available; use device='cpu'")


# ---- layouts ---------------------------------------------------------------------------------------------------------
class memory_format:
    """A name for the order of elements in memory. See `memory.in_format`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"


class layout:
    """How a tensor keeps its elements; `strided` is the only way here."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"


contiguous_format, preserve_format = memory_format("contiguous_format"), memory_format("preserve_format")
channels_last, channels_last_3d = memory_format("channels_last"), memory_format("channels_last_3d")
strided = layout("strided")
