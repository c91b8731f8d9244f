"""PyTorch's door `optim.optimizer`."""

from ..optimizer.optimizer import Optimizer, required

__all__ = ["Optimizer", "required"]
