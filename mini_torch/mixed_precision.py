"""`GradScaler`: a loss made larger before backward, so that small float16 gradients do not vanish.

Source: Micikevicius et al., Mixed Precision Training (2018), and PyTorch's `torch.amp.GradScaler`.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .tensor import Tensor, wrap
from .tree import map_leaves

__all__ = ["CudaGradScaler", "GradScaler"]


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
