"""PyTorch's `optim.adamax`. A door: it defines nothing."""

from ..optimizer import Adamax as Adamax
