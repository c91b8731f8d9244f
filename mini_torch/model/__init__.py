"""`Model`: a network, a loss and an optimizer that learn together."""

from .fit import Callback
from .history import History, Position
from .model import Model

__all__ = ["Callback", "History", "Model", "Position"]
