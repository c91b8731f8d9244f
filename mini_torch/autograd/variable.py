"""PyTorch's `autograd.variable`. A door: it defines nothing."""

from ..typed import Variable as Variable
