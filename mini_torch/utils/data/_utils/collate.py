"""PyTorch's `utils.data._utils.collate`. A door: it defines nothing."""

from ....data_loader.collate import *  # noqa: F403
