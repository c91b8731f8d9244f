"""Mixed precision: `autocast`, and `GradScaler`, by which small float16 gradients do not vanish.

Source: Micikevicius et al., Mixed Precision Training (2018), and PyTorch's `torch.amp`.
"""

from __future__ import annotations

import functools
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from .dtype import bfloat16, device, float16
from .dtype import dtype as DType
from .tensor import Tensor, wrap
from .tree import map_leaves

__all__ = [
    "CpuAutocast", "CpuGradScaler", "CudaAutocast", "CudaGradScaler", "GradScaler", "autocast",
    "clear_autocast_cache", "cuda_custom_bwd", "cuda_custom_fwd", "custom_bwd", "custom_fwd", "get_autocast_cpu_dtype",
    "get_autocast_dtype", "get_autocast_gpu_dtype", "is_autocast_available", "is_autocast_cpu_enabled",
    "is_autocast_enabled",
]  # fmt: skip

_autocast = threading.local()  # .of: per device type the `autocast` that is in force


class autocast:
    """Where PyTorch computes products in a shorter type; here they stay in the type of their inputs.

    A context, or a decorator. In NumPy, float32 is the fastest type there is, and what is computed in it is more exact
    than what PyTorch's bfloat16 gives: losses agree with PyTorch's to about 1e-2, not to rounding. All else is
    PyTorch's: `is_autocast_enabled` says whether one is in force, and for a device that is not there ("cuda") it warns
    and does nothing. Errors: ValueError unless the device type is a string, RuntimeError for one that nobody knows.

    >>> with autocast("cpu"):
    ...     is_autocast_enabled("cpu"), get_autocast_dtype("cpu")
    (True, torch.bfloat16)
    """

    def __init__(
        self, device_type: str, dtype: DType | None = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        self.device = device(device_type).type
        self.fast_dtype = get_autocast_dtype(device_type) if dtype is None else dtype
        if enabled and self.device != "cpu":
            warnings.warn(f"{self.device.upper()} is not available. Disabling autocast.", stacklevel=2)
            enabled = False
        if enabled and self.fast_dtype not in (bfloat16, float16):
            warnings.warn(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\n"
                "CPU Autocast only supports dtypes of torch.bfloat16, torch.float16 currently.", stacklevel=2
            )  # fmt: skip
            enabled = False
        self._enabled, self._before = enabled, []  # type: tuple[bool, list[autocast | None]]

    def __enter__(self) -> autocast:
        in_force = _autocast.__dict__.setdefault("of", {})
        self._before.append(in_force.get(self.device))
        in_force[self.device] = self
        return self

    def __exit__(self, *_: object) -> None:
        _autocast.of[self.device] = self._before.pop()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return called


def _in_force(device_type: str) -> autocast | None:
    found: autocast | None = _autocast.__dict__.get("of", {}).get(device_type)
    return found


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether an `autocast` of that device is in force in this thread."""
    found = _in_force(device_type)
    return found is not None and found._enabled


def get_autocast_dtype(device_type: str) -> DType:
    """The type that `autocast` names for that device: bfloat16 for "cpu", unless another was asked for."""
    found = _in_force(device_type)
    return found.fast_dtype if found is not None else bfloat16 if device_type == "cpu" else float16


def is_autocast_cpu_enabled() -> bool:
    """The old name of `is_autocast_enabled("cpu")`."""
    return is_autocast_enabled("cpu")


def get_autocast_cpu_dtype() -> DType:
    """The old name of `get_autocast_dtype("cpu")`."""
    return get_autocast_dtype("cpu")


def get_autocast_gpu_dtype() -> DType:
    """The old name of `get_autocast_dtype("cuda")`."""
    return get_autocast_dtype("cuda")


def clear_autocast_cache() -> None:
    """There is none: weights are not turned into another type."""


def is_autocast_available(device_type: str) -> bool:
    """Whether `autocast` may be asked for that device; RuntimeError for a device that nobody knows."""
    return device(device_type).type in ("cpu", "cuda", "mps", "xpu")


def custom_fwd(
    fwd: Callable[..., Any] | None = None, *, device_type: str, cast_inputs: DType | None = None
) -> Callable[..., Any]:
    """A decorator for the `forward` of a `Function`, which changes nothing here. PyTorch's `torch.amp.custom_fwd`."""
    return fwd if fwd is not None else lambda function: function


def custom_bwd(bwd: Callable[..., Any] | None = None, *, device_type: str) -> Callable[..., Any]:
    """A decorator for the `backward` of a `Function`, which changes nothing here. PyTorch's `torch.amp.custom_bwd`."""
    return bwd if bwd is not None else lambda function: function


# PyTorch's `torch.cuda.amp.custom_fwd` and `custom_bwd`
cuda_custom_fwd = functools.partial(custom_fwd, device_type="cuda")
cuda_custom_bwd = functools.partial(custom_bwd, device_type="cuda")


class GradScaler:
    """Multiplies the loss by a factor, divides gradients by it again, leaves out steps whose gradients are not finite.

    After such a step the factor shrinks by `backoff_factor`; after `growth_interval` good ones it grows by
    `growth_factor`. For a device that is not there ("cuda", the default) it warns and changes nothing.

    >>> from mini_torch import nn, optim, ones
    >>> net = nn.Linear(2, 1)
    >>> optimizer, scaler = optim.SGD(net.parameters(), lr=0.1), GradScaler("cpu")
    >>> scaler.scale(net(ones(1, 2)).sum()).backward()
    >>> scaler.step(optimizer); scaler.update(); scaler.get_scale()
    65536.0
    """

    def __init__(
        self, device: str = "cuda", init_scale: float = 65536.0, growth_factor: float = 2.0,
        backoff_factor: float = 0.5, growth_interval: int = 2000, enabled: bool = True,
    ) -> None:  # fmt: skip
        if enabled and device != "cpu":
            warnings.warn(f"torch.{device}.amp.GradScaler is enabled, but {device.upper()} is not available.  "
                          "Disabling.", stacklevel=2)  # fmt: skip
            enabled = False
        if growth_factor <= 1 or not 0 < backoff_factor < 1:
            raise ValueError(
                f"growth_factor must be above 1 and backoff_factor between 0 and 1, got {growth_factor} and "
                f"{backoff_factor}"
            )
        self._enabled, self._scale = enabled, init_scale
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval, self._growth_tracker = growth_interval, 0
        self._found_inf: dict[int, bool] = {}  # per optimizer whose gradients are unscaled in this step

    def scale(self, outputs: Any) -> Any:
        """The loss, or a nested sequence of losses, times the factor."""
        if not self._enabled:
            return outputs
        return map_leaves(lambda x: x * wrap(np.array(self._scale, x._array.dtype)), outputs)

    def unscale_(self, optimizer: Any) -> None:
        """Divides the gradients of the optimizer's parameters by the factor, once between two updates."""
        if not self._enabled:
            return
        if id(optimizer) in self._found_inf:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        bad = False
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad._array[...] /= self._scale
                    bad |= not np.isfinite(p.grad._array).all()
        self._found_inf[id(optimizer)] = bad

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """`optimizer.step()`, unless a gradient is infinite or NaN."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if id(optimizer) not in self._found_inf:
            self.unscale_(optimizer)
        return None if self._found_inf[id(optimizer)] else optimizer.step(*args, **kwargs)

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Sets the factor for the next step."""
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        elif any(self._found_inf.values()):
            self._scale, self._growth_tracker = self._scale * self._backoff_factor, 0
        else:
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                self._scale, self._growth_tracker = self._scale * self._growth_factor, 0
        self._found_inf = {}

    def get_scale(self) -> float:
        """The factor; 1 where it is not enabled."""
        return self._scale if self._enabled else 1.0

    def is_enabled(self) -> bool:
        """Whether it does anything."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """The factor and how it changes; empty where it is not enabled."""
        if not self._enabled:
            return {}
        return {"scale": self._scale, "growth_factor": self._growth_factor, "backoff_factor": self._backoff_factor,
                "growth_interval": self._growth_interval, "_growth_tracker": self._growth_tracker}  # fmt: skip

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what `state_dict` gave."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError("The source state dict is empty, possibly because it was saved from a disabled instance")
        for name, value in state_dict.items():
            setattr(self, "_" + name.removeprefix("_"), value)


class CudaGradScaler(GradScaler):
    """`GradScaler` for a device that is not there: it changes nothing. PyTorch's `torch.cuda.amp.GradScaler`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("cuda", *args, **kwargs)


class CpuGradScaler(GradScaler):
    """`GradScaler` for the CPU. PyTorch's `torch.cpu.amp.GradScaler`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("cpu", *args, **kwargs)


class CpuAutocast(autocast):
    """`autocast` for the CPU. PyTorch's `torch.cpu.amp.autocast`."""

    def __init__(self, enabled: bool = True, dtype: DType = bfloat16, cache_enabled: bool = True) -> None:
        super().__init__("cpu", dtype, enabled, cache_enabled)


class CudaAutocast(autocast):
    """`autocast` for a device that is not there: it warns and does nothing. PyTorch's `torch.cuda.amp.autocast`."""

    def __init__(self, enabled: bool = True, dtype: DType = float16, cache_enabled: bool = True) -> None:
        super().__init__("cuda", dtype, enabled, cache_enabled)
