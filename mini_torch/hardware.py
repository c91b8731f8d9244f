"""What PyTorch programs ask of accelerators: here there are none, and each question has the answer of a CPU build.

So `device = "cuda" if torch.cuda.is_available() else "cpu"` and the like take their CPU path. What only makes sense on
a device that is not there (its name, waiting for it) is an error, of the type that a CPU build of PyTorch raises.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NoReturn

__all__ = [
    "CudaError", "DeviceContext", "Event", "Graph", "OutOfMemoryError", "Stream", "StreamContext", "always", "count",
    "cpu_device", "cufft_plan_cache", "for_a_while", "is_available", "is_available_for", "name_of_cpu",
    "no_accelerator", "no_mps", "no_nvtx", "no_states", "no_statistics", "no_xpu", "not_compiled", "nothing",
    "nothing_used", "one", "refused", "switch",
]  # fmt: skip


# ---- what can be answered ----------------------------------------------------------------------------------
def is_available() -> bool:
    """False: there is no such device."""
    return False


def is_available_for(*_: Any, **__: Any) -> bool:
    """False, whatever it is for."""
    return False


def always() -> bool:
    """True."""
    return True


def count() -> int:
    """0: there is no such device."""
    return 0


def one() -> int:
    """1: the CPU."""
    return 1


def nothing(*_: Any, **__: Any) -> None:
    """None: there is nothing to do, or to tell."""


def nothing_used(device: Any = None) -> int:
    """0 bytes."""
    return 0


def no_states() -> list[Any]:
    """[]: of each device its generator's state, or whatever else was asked for."""
    return []


def no_statistics(device: Any = None) -> OrderedDict[str, int]:
    """Empty: of each kind of memory how much is in use."""
    return OrderedDict()


def cpu_device() -> str:
    """ "cpu": the device that computes."""
    return "cpu"


def name_of_cpu() -> str:
    """ "DEFAULT": nothing here is chosen by what the processor can do; NumPy and its BLAS look for themselves."""
    return "DEFAULT"


def for_a_while(*_: Any, **__: Any) -> AbstractContextManager[None]:
    """A context in which settings of a device would be others; it changes nothing."""
    return nullcontext()


def switch(on: bool) -> tuple[Callable[[], bool], Callable[[bool], None]]:
    """What asks for a setting, and what makes it. It turns nothing.

    >>> enabled, enable = switch(True)
    >>> enable(False)
    >>> enabled()
    False
    """
    kept = [on]

    def enabled() -> bool:
        return kept[0]

    def enable(enabled: bool) -> None:
        kept[0] = bool(enabled)

    return enabled, enable


# ---- what cannot ---------------------------------------------------------------------------------------------
def not_compiled(device: str) -> str:
    """What a CPU build of PyTorch says, and what to do."""
    return (
        f"Torch not compiled with {device.upper()} enabled: mini_torch computes on the CPU; "
        f"use device='cpu', or ask torch.{device.lower()}.is_available() first"
    )


def refused(*_: Any, **__: Any) -> NoReturn:
    """AssertionError, as in a build of PyTorch for the CPU."""
    raise AssertionError(not_compiled("cuda"))


def no_xpu(*_: Any, **__: Any) -> NoReturn:
    """AssertionError, as in a build of PyTorch for the CPU."""
    raise AssertionError(not_compiled("xpu"))


def no_mps(*_: Any, **__: Any) -> NoReturn:
    """RuntimeError, as in a build of PyTorch for the CPU."""
    raise RuntimeError(
        "There is no MPS backend: mini_torch computes on the CPU; ask torch.backends.mps.is_available() first"
    )


def no_accelerator(*_: Any, **__: Any) -> NoReturn:
    """RuntimeError, as in a build of PyTorch for the CPU."""
    raise RuntimeError(
        "Cannot access accelerator device when none is available: mini_torch computes on the CPU; "
        "ask torch.accelerator.is_available() first"
    )


def no_nvtx(*_: Any, **__: Any) -> NoReturn:
    """RuntimeError, as in a build of PyTorch for the CPU."""
    raise RuntimeError("NVTX functions not installed: mini_torch computes on the CPU; see torch.cuda.is_available()")


class _Missing:
    """A class to ask `isinstance` about: no device, no object. Errors: RuntimeError for the attempt to make one."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise RuntimeError(f"Tried to make a {type(self).__name__} of a device: mini_torch computes on the CPU")


class Event(_Missing):
    """A moment in a device's queue. Measure time on the CPU with `time.perf_counter`."""


class Stream(_Missing):
    """A device's queue."""


class Graph(_Missing):
    """A recording of a device's work; `torch.compile` records on the CPU."""


class OutOfMemoryError(RuntimeError):
    """A device's memory is full; on the CPU Python raises MemoryError."""


class CudaError(RuntimeError):
    """What a device's driver reports."""


class StreamContext:
    """`with torch.cuda.stream(s)`: of None it changes nothing, and there is no other stream."""

    def __init__(self, stream: Any = None) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        if self.stream is not None:
            refused()

    def __exit__(self, *_: Any) -> None:
        pass


class DeviceContext:
    """`with torch.cuda.device(i)`: of -1 or None it changes nothing; AssertionError for a device."""

    def __init__(self, device: Any) -> None:
        self.idx = -1 if device is None or (isinstance(device, int) and device < 0) else device

    def __enter__(self) -> None:
        if self.idx != -1:
            refused()

    def __exit__(self, *_: Any) -> None:
        pass


class _PlanCache:
    """`torch.backends.cuda.cufft_plan_cache`: of a device that is not there. Errors: AssertionError."""

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        refused()


cufft_plan_cache = _PlanCache()
