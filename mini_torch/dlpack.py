"""DLPack: memory handed to other libraries and taken from them, without a copy.

A library hands out a capsule with the address, shape, strides and number type of an array; another one takes the memory
out of it. NumPy does both for us. What it has not is bfloat16, which travels as the 16 bits that it is, under its own
name in the capsule; and it takes memory as read-only from those who speak the protocol's first version, although that
could not say so. Source: the DLPack specification, https://dmlc.github.io/dlpack/latest/.
"""

from __future__ import annotations

import ctypes
from enum import IntEnum
from typing import Any

import numpy as np

from .dtype import bfloat16

__all__ = ["DLDeviceType", "array_of", "capsule_of"]

Array = np.ndarray[Any, Any]


class DLDeviceType(IntEnum):
    """Where memory is, in DLPack's numbers. PyTorch's `torch.utils.dlpack.DLDeviceType`."""

    kDLCPU = 1
    kDLCUDA = 2
    kDLCUDAHost = 3
    kDLOpenCL = 4
    kDLVulkan = 7
    kDLMetal = 8
    kDLVPI = 9
    kDLROCM = 10
    kDLROCMHost = 11
    kDLExtDev = 12
    kDLCUDAManaged = 13
    kDLOneAPI = 14
    kDLWebGPU = 15
    kDLHexagon = 16
    kDLMAIA = 17


CPU = (DLDeviceType.kDLCPU, 0)
_HAS_VERSIONS = np.lib.NumpyVersion(np.__version__) >= "2.1.0"
_CODE = {b"dltensor": 20, b"dltensor_versioned": 52}  # where in the structure the byte lies for the kind of number
_UNSIGNED, _BRAIN = 1, 4


def capsule_of(
    array: Array, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
) -> Any:
    """A capsule with the memory of `array`. Errors: BufferError for another device; as PyTorch, AssertionError for a
    stream."""
    if stream not in (None, -1):
        raise AssertionError("stream should be None on cpu.")
    if dl_device is not None and tuple(dl_device) != CPU:
        raise BufferError(f"the memory is on the CPU, {tuple(CPU)}, and cannot be handed out on {dl_device}")
    options = {"max_version": max_version} if _HAS_VERSIONS and max_version is not None else {}
    array = array.copy() if copy else array
    if array.dtype.kind != "V":
        return array.__dlpack__(**options)
    capsule = array.view(np.uint16).__dlpack__(**options)
    _code_in(capsule).value = _BRAIN
    return capsule


def array_of(source: Any, copy: bool | None = None) -> Array:
    """The memory of a capsule, or of an object that hands one out. Errors: RuntimeError for anything else, and for a
    capsule whose memory was taken before."""
    capsule = _capsule_from(source) if hasattr(source, "__dlpack__") else source
    name = _name_of(capsule)
    if name not in _CODE:
        raise RuntimeError(
            "from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed only once, so you "
            f"might have already constructed a tensor from it once. (Given: {type(source).__name__}; from_dlpack takes "
            "what has __dlpack__, such as an array, or a capsule of it.)"
        )
    is_brain = _code_in(capsule).value == _BRAIN
    if is_brain:
        _code_in(capsule).value = _UNSIGNED
    array: Array = np.from_dlpack(_Handed(capsule))
    if name == b"dltensor" and not array.flags.writeable:
        array = np.asarray(_Writable(array))
    if is_brain:
        array = array.view(bfloat16.numpy)
    return array.copy() if copy else array


def _capsule_from(source: Any) -> Any:
    if _HAS_VERSIONS:
        try:
            return source.__dlpack__(max_version=(1, 0))
        except TypeError:  # from before there were versions
            pass
    return source.__dlpack__()


class _Handed:
    """What has a capsule, in the form in which NumPy asks for it."""

    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule

    def __dlpack__(self, **_: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return CPU


class _Writable:
    """The memory of a read-only array, for NumPy to make another one of that can be written."""

    def __init__(self, array: Array) -> None:
        self._owner = array
        self.__array_interface__ = {**array.__array_interface__, "data": (array.ctypes.data, False)}


# ---- the capsule itself ------------------------------------------------------------------------------------
_name = ctypes.pythonapi.PyCapsule_GetName
_name.restype, _name.argtypes = ctypes.c_char_p, [ctypes.py_object]
_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]


def _name_of(capsule: Any) -> bytes | None:
    """The name says the version, and whether the memory was taken; None for what is no capsule."""
    if type(capsule).__name__ != "PyCapsule":
        return None
    name: bytes | None = _name(capsule)
    return name


def _code_in(capsule: Any) -> Any:
    name = _name(capsule)
    return ctypes.c_uint8.from_address(_pointer(capsule, name) + _CODE[name])
