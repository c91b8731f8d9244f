"""PyTorch's `torch.utils.checkpoint`. A door: it defines nothing."""

from ..recompute import RecomputeError as CheckpointError  # noqa: F401
from ..recompute import checkpoint as checkpoint
from ..recompute import checkpoint_sequential as checkpoint_sequential
