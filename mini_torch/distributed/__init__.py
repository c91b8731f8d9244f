"""The door to `torch.distributed`."""

from typing import Any

from .. import late as _late
from ..process_group import *  # noqa: F403
from ..process_group import __all__ as __all__


def __getattr__(name: str) -> Any:
    """An error that says why."""
    return _late.find(name, globals())
