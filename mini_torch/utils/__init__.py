"""PyTorch's door `utils`."""

from . import data

__all__ = ["data"]
