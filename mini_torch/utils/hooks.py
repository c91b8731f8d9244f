"""PyTorch's `utils.hooks`. A door: it defines nothing."""

from ..graph import RemovableHandle as RemovableHandle
