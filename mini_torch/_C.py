"""PyTorch's `torch._C`, of which libraries call one thing. A door: it defines nothing."""

from typing import Any

from . import late as _late
from .hardware import nothing as _log_api_usage_once  # noqa: F401


def __getattr__(name: str) -> Any:
    """An error that says why."""
    return _late.find(name, globals())
