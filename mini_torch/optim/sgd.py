"""PyTorch's `optim.sgd`. A door: it defines nothing."""

from ..optimizer import SGD as SGD
