"""PyTorch's `optim.rmsprop`. A door: it defines nothing."""

from ..optimizer import RMSprop as RMSprop
