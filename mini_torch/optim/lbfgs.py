"""PyTorch's `optim.lbfgs`. A door: it defines nothing."""

from ..optimizer import LBFGS as LBFGS
