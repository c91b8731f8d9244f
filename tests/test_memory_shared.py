"""Memory shared with NumPy, buffers and other libraries: written here it is seen there, and the other way round."""

from __future__ import annotations

import array
import gc
import weakref
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import mini_torch

KINDS = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64",
         "complex128", "uint16", "uint32", "uint64")  # fmt: skip
NUMPY_WRITES = np.lib.NumpyVersion(np.__version__) >= "2.1.0"  # before, np.from_dlpack gave read-only arrays


class Speaks:
    """Another library's array: it has a newer or an older form of the protocol, and counts what it is asked."""

    def __init__(self, x: Any, *, versions: bool = True) -> None:
        self.x, self.versions, self.asked = x, versions, []

    def __dlpack__(self, *, stream: Any = None, **options: Any) -> Any:
        if options and not self.versions:
            raise TypeError("__dlpack__() got an unexpected keyword argument")
        self.asked.append(options)
        return self.x.__dlpack__(stream=stream, **options)

    def __dlpack_device__(self) -> Any:
        return self.x.__dlpack_device__()


def assert_shared(x: Any, other: Any) -> None:
    """Both have the same numbers, also after writing into either."""
    for written, seen in ((x, other), (other, x)):
        first = (0,) * written.ndim
        for value in (1, 0, 1):
            written[first] = value
            assert seen[first] == value


# ---- NumPy -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_numpy_both_ways(torch: ModuleType, kind: str, shape: tuple[int, ...]) -> None:
    numbers = np.ones(shape, kind)
    for take in (torch.from_numpy, torch.as_tensor, torch.asarray, torch.from_dlpack):
        x = take(numbers)
        assert (x.dtype, x.shape) == (getattr(torch, kind), shape)
        if shape or take is not torch.asarray:  # PyTorch's copies an array without dimensions
            assert_shared(x, numbers)
    x = torch.from_numpy(numbers.copy())
    assert_shared(x, x.numpy())
    assert_shared(x, np.asarray(x))
    seen = np.from_dlpack(x)
    assert (seen.dtype, seen.shape) == (np.dtype(kind), shape)
    assert_shared(x, seen) if NUMPY_WRITES else assert_same_memory(x, seen)


def assert_same_memory(x: Any, seen: Any) -> None:
    assert np.shares_memory(x.numpy(), seen)


@pytest.mark.parametrize("part", [np.s_[:, ::2], np.s_[1:, 1:], np.s_[::2], np.s_[:, 1], np.s_[1], np.s_[:0]])
def test_strides(torch: ModuleType, part: Any) -> None:
    numbers = np.arange(12.0).reshape(3, 4)[part]
    for take in (torch.from_numpy, torch.from_dlpack):
        x = take(numbers)
        np.testing.assert_array_equal(x.numpy(), numbers)
        if numbers.size:
            assert x.stride() == tuple(s // 8 for s in numbers.strides)
            assert_shared(x, numbers)
    x = torch.arange(12.0).reshape(3, 4)
    seen = np.from_dlpack(x.t()[:2])
    assert (seen.shape, seen.strides) == ((2, 3), (4, 16))
    np.testing.assert_array_equal(seen, x.numpy().T[:2])
    assert np.from_dlpack(torch.ones(1).expand(3)).strides == (0,)


def test_arrays_that_no_tensor_can_be(torch: ModuleType) -> None:
    backwards, swapped = np.arange(3.0)[::-1], np.arange(3, dtype=">f4")
    packed = np.zeros(3, [("a", "i1"), ("b", "f4")])["b"]
    for take in (torch.from_numpy, torch.as_tensor, torch.asarray):
        with pytest.raises(ValueError, match="stride in the given numpy array is negative"):
            take(backwards)
        with pytest.raises(ValueError, match="byte order different from the native"):
            take(swapped)
        with pytest.raises(ValueError, match="not a multiple of the element byte size"):
            take(packed)
    with pytest.raises(TypeError, match=r"can't convert np\.ndarray of type"):
        torch.from_numpy(np.array(["text"]))
    for wrong, name in (([1], "list"), (np.float64(3), "numpy.float64")):
        with pytest.raises(TypeError, match=rf"expected np.ndarray \(got {name}\)"):
            torch.from_numpy(wrong)


def test_backwards_by_dlpack() -> None:
    """PyTorch ends the process here."""
    with pytest.raises(ValueError, match="negative"):
        mini_torch.from_dlpack(np.arange(3.0)[::-1])


def test_a_tensor_that_requires_grad_keeps_its_memory(torch: ModuleType) -> None:
    x = torch.ones(2, requires_grad=True)
    for take in (np.asarray, torch.Tensor.numpy):
        with pytest.raises(RuntimeError, match="requires grad"):
            take(x)
    for give in (np.from_dlpack, torch.from_dlpack, torch.Tensor.__dlpack__):
        with pytest.raises(BufferError, match=r"require gradient, use tensor\.detach"):
            give(x)
    assert np.from_dlpack(x.detach()).tolist() == [1, 1]
    assert x.numpy(force=True).tolist() == [1, 1]


def test_what_is_read_only_stays_so() -> None:
    """PyTorch warns, and writes."""
    numbers = np.arange(3.0)
    numbers.flags.writeable = False
    takers = [mini_torch.from_numpy, mini_torch.as_tensor] + [mini_torch.from_dlpack] * NUMPY_WRITES
    for take in takers:
        x = take(numbers)
        with pytest.raises(RuntimeError, match="read-only"):
            x[0] = 7
    assert numbers[0] == 0
    assert mini_torch.asarray(numbers, copy=True).fill_(7).tolist() == [7, 7, 7]


def test_arguments_of_asarray(torch: ModuleType) -> None:
    numbers = np.arange(3.0)
    x = torch.asarray(numbers)
    assert torch.asarray(x) is x
    assert_shared(torch.asarray(numbers, copy=False), numbers)
    copied = torch.asarray(numbers, copy=True)
    copied[0] = 9
    assert numbers[0] != 9
    assert torch.asarray(numbers, dtype=torch.float32).dtype == torch.float32
    assert torch.asarray([1, 2]).tolist() == [1, 2]
    assert torch.asarray(numbers, requires_grad=True).requires_grad
    with pytest.raises(ValueError, match="can't alias arbitrary sequence"):
        torch.asarray([1, 2], copy=False)
    with pytest.raises(ValueError, match="can't alias tensor with dtype"):
        torch.asarray(numbers, dtype=torch.float32, copy=False)


@pytest.mark.skipif(np.__version__ < "2", reason="NumPy has no copy=False before")
def test_aswatchedof_numpy_without_a_copy() -> None:
    x = mini_torch.ones(2)
    assert np.shares_memory(np.asarray(x, copy=False), x.numpy())
    assert not np.shares_memory(np.array(x, copy=True), x.numpy())
    with pytest.raises(ValueError, match="Unable to avoid copy"):
        np.asarray(x, dtype=np.float64, copy=False)


# ---- buffers ---------------------------------------------------------------------------------------------------------
def test_buffers_both_ways(torch: ModuleType) -> None:
    for buffer, kind in ((array.array("f", [5, 6, 7]), "float32"), (bytearray(6), "uint8"),
                         (array.array("q", [1, 2, 3]), "int64"), (memoryview(bytearray(16)), "float64")):  # fmt: skip
        for take in (torch.frombuffer, torch.asarray):
            x = take(buffer, dtype=getattr(torch, kind))
            assert_shared(x, np.frombuffer(buffer, kind))
    numbers = array.array("f", [5, 6, 7])
    assert torch.asarray(numbers).dtype == torch.float32


def test_parts_of_a_buffer(torch: ModuleType) -> None:
    numbers = array.array("f", [5, 6, 7])
    take = torch.frombuffer
    assert take(numbers, dtype=torch.float32, count=2).tolist() == [5, 6]
    assert take(numbers, dtype=torch.float32, offset=4).tolist() == [6, 7]
    assert take(numbers, dtype=torch.float32, count=1, offset=4).tolist() == [6]
    assert take(numbers, dtype=torch.float32, requires_grad=True).requires_grad
    assert take(bytearray(b"\0\1"), dtype=torch.bool).tolist() == [False, True]
    for options, message in (
        ({"offset": 12}, r"offset \(12 bytes\) must be non-negative and no greater than buffer length \(12 bytes\)"),
        ({"offset": -1}, r"offset \(-1 bytes\) must be non-negative"),
        ({"offset": 2}, r"buffer length \(10 bytes\) after offset \(2 bytes\) must be a multiple of element size"),
        ({"count": 4}, r"requested buffer length \(4 \* 4 bytes\) after offset \(0 bytes\) must not be greater than"),
        ({"count": 0}, r"both buffer length \(12\) and count \(0\) must not be 0"),
    ):
        with pytest.raises(ValueError, match=message):
            take(numbers, dtype=torch.float32, **options)
    with pytest.raises(ValueError, match="both buffer length"):
        take(bytearray(), dtype=torch.float32)
    with pytest.raises(ValueError, match="does not implement Python buffer protocol"):
        take([1.0], dtype=torch.float32)
    with pytest.raises(TypeError, match="dtype"):
        take(numbers)
    with pytest.raises(TypeError):
        memoryview(torch.ones(2))


# ---- DLPack ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("versions", [True, False])
def test_other_libraries(torch: ModuleType, versions: bool) -> None:
    """Newer ones are asked for a capsule with a version; what comes without one can be written all the same."""
    versions = versions and NUMPY_WRITES
    for take in (torch.from_dlpack, torch.as_tensor, torch.asarray):
        numbers = np.arange(6.0).reshape(2, 3)
        other = Speaks(numbers, versions=versions)
        assert_shared(take(other), numbers)
        assert other.asked == ([{"max_version": (1, 0)}] if versions else [{}])


def test_arguments_of_the_protocol(torch: ModuleType) -> None:
    x = torch.arange(3.0)

    def of(**options: Any) -> Any:
        return torch.from_dlpack(x.__dlpack__(**options))

    for options in ({}, {"stream": None}, {"stream": -1}, {"dl_device": (1, 0)}, {"copy": False}, {"copy": None},
                    {"max_version": (0, 8)}, {"max_version": None}):  # fmt: skip
        assert_shared(of(**options), x)
    if NUMPY_WRITES:
        assert "dltensor_versioned" in repr(x.__dlpack__(max_version=(1, 0)))
        assert_shared(of(max_version=(1, 0)), x)
    copied = of(copy=True)
    copied[0] = 9
    assert x[0] != 9
    with pytest.raises(AssertionError, match="stream should be None on cpu"):
        x.__dlpack__(stream=1)
    with pytest.raises((BufferError, NotImplementedError)):
        x.__dlpack__(dl_device=(2, 0))
    assert x.__dlpack_device__() == (torch.utils.dlpack.DLDeviceType.kDLCPU, 0) == (1, 0)


def test_arguments_of_from_dlpack(torch: ModuleType) -> None:
    numbers = np.arange(3.0)
    assert_shared(torch.from_dlpack(numbers, device="cpu"), numbers)
    assert_shared(torch.from_dlpack(numbers, copy=False), numbers)
    copied = torch.from_dlpack(numbers, copy=True)
    copied[0] = 9
    assert numbers[0] != 9


def test_capsules(torch: ModuleType) -> None:
    dlpack = import_module(f"{torch.__name__}.utils.dlpack")
    x = torch.arange(3.0)
    assert_shared(dlpack.from_dlpack(dlpack.to_dlpack(x)), x)
    capsule = dlpack.to_dlpack(x)
    dlpack.from_dlpack(capsule)
    for used in (capsule, [1, 2], None, "capsule"):
        with pytest.raises(RuntimeError, match="received an invalid capsule"):
            torch.from_dlpack(used)


def test_memory_lives_as_long_as_somebody_has_it() -> None:
    """And not longer: a capsule that nobody takes lets go, too."""
    numbers = np.arange(1000.0)
    x = mini_torch.from_dlpack(Speaks(numbers, versions=False))
    del numbers
    gc.collect()
    assert x.sum() == 499500
    seen = np.from_dlpack(x)
    del x
    gc.collect()
    assert seen.sum() == 499500
    watched = np.arange(3.0).view(type("Watched", (np.ndarray,), {}))
    watch = weakref.ref(watched)
    mini_torch.from_dlpack(watched)
    mini_torch.from_dlpack(watched.__dlpack__())
    mini_torch.from_numpy(watched).__dlpack__()
    del watched
    gc.collect()
    assert watch() is None


def test_bfloat16() -> None:
    pytest.importorskip("ml_dtypes")
    for options in ({}, {"max_version": (1, 0)}):
        x = mini_torch.tensor([1.0, -2.5, 3.0]).to(mini_torch.bfloat16)
        y = mini_torch.from_dlpack(x.__dlpack__(**options))
        assert (y.dtype, y.tolist()) == (mini_torch.bfloat16, [1, -2.5, 3])
        assert_shared(x, y)
    with pytest.raises((RuntimeError, BufferError), match="dtype"):
        np.from_dlpack(x)


def test_pytorch_both_ways() -> None:
    real = pytest.importorskip("torch")
    for kind in (*KINDS, "bfloat16"):
        for shape in ((), (3,), (2, 3), (0, 3)):
            ours = mini_torch.ones(shape).to(getattr(mini_torch, kind))
            theirs = real.from_dlpack(ours)
            assert (str(theirs.dtype), theirs.shape) == (str(ours.dtype), shape)
            back = mini_torch.from_dlpack(theirs)
            assert (back.dtype, back.shape) == (ours.dtype, shape)
            fresh = mini_torch.from_dlpack(real.ones(shape).to(getattr(real, kind)))
            assert fresh.dtype == ours.dtype
            if ours.numel():
                assert_shared(ours, theirs)
                assert_shared(ours, back)
                assert_shared(theirs, back)
    x = real.arange(12.0).reshape(3, 4)
    for part in (x.t(), x[1:, ::2], x[:, 1], x.expand(2, 3, 4)):
        got = mini_torch.from_dlpack(part)
        assert (got.shape, got.stride()) == (part.shape, part.stride())
        assert got.tolist() == part.tolist()
        assert real.from_dlpack(got).stride() == part.stride()
    for grad in (mini_torch.from_dlpack, real.from_dlpack):
        for library in (mini_torch, real):
            with pytest.raises(BufferError, match="detach"):
                grad(library.ones(2, requires_grad=True))
