"""mini_torch in PyTorch's place: in a program (`install_as_torch`), and for one (`python -m mini_torch`)."""

from .install import install_as_torch as install_as_torch

__all__ = ["install_as_torch"]
