"""To files and back: PyTorch's `torch.serialization`."""

from .checkpoint import load as load
from .checkpoint import save as save
from .npz import load_npz as load_npz
from .npz import save_npz as save_npz
from .safe_globals import add_safe_globals as add_safe_globals
from .safe_globals import clear_safe_globals as clear_safe_globals
from .safe_globals import get_safe_globals as get_safe_globals
from .safe_globals import safe_globals as safe_globals

__all__ = [
    "add_safe_globals", "clear_safe_globals", "get_safe_globals", "load", "load_npz", "safe_globals", "save",
    "save_npz",
]  # fmt: skip
