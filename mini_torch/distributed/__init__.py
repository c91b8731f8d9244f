"""The door to `torch.distributed`."""

from ..process_group import *  # noqa: F403
from ..process_group import __all__ as __all__
