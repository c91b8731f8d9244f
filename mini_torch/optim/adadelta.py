"""PyTorch's `optim.adadelta`. A door: it defines nothing."""

from ..optimizer import Adadelta as Adadelta
