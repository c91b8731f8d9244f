"""PyTorch's `optim.sparse_adam`. A door: it defines nothing."""

from ..optimizer import SparseAdam as SparseAdam
