"""PyTorch's `optim.asgd`. A door: it defines nothing."""

from ..optimizer import ASGD as ASGD
