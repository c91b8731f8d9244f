"""PyTorch's `optim.nadam`. A door: it defines nothing."""

from ..optimizer import NAdam as NAdam
