"""PyTorch's `nn.modules.module`. A door: it defines nothing."""

from ...graph import RemovableHandle as RemovableHandle
from ...network import Module as Module
from ...network.global_hooks import *  # noqa: F403
from ...network.state import IncompatibleKeys as _IncompatibleKeys  # noqa: F401
