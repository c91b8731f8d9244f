"""PyTorch's door `utils.data`."""

from ...data_loader import *  # noqa: F403
