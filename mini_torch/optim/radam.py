"""PyTorch's `optim.radam`. A door: it defines nothing."""

from ..optimizer import RAdam as RAdam
