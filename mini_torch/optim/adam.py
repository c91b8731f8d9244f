"""PyTorch's `optim.adam`. A door: it defines nothing."""

from ..optimizer import Adam as Adam
