"""PyTorch's `optim.rprop`. A door: it defines nothing."""

from ..optimizer import Rprop as Rprop
