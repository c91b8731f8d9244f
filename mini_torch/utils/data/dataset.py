"""PyTorch's `utils.data.dataset`. A door: it defines nothing."""

from ...data_loader.dataset import *  # noqa: F403
