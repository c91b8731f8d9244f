"""PyTorch's `optim.adagrad`. A door: it defines nothing."""

from ..optimizer import Adagrad as Adagrad
