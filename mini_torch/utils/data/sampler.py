"""PyTorch's `utils.data.sampler`. A door: it defines nothing."""

from ...data_loader.sampler import *  # noqa: F403
