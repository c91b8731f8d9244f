"""PyTorch's `torch.multiprocessing`: Python's own, and `spawn`. A door: it defines nothing."""

from multiprocessing import *  # noqa: F403

from .processes import *  # noqa: F403
