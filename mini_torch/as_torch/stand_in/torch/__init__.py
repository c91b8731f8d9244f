"""`import torch` in a process that was started by one where mini_torch stands in for PyTorch: here, too, it does."""

import sys
from pathlib import Path

try:
    from mini_torch.as_torch import install_as_torch
except ModuleNotFoundError:  # the other process had it from its working folder, which is not this one's
    sys.path.append(str(Path(__file__).parents[4]))
    from mini_torch.as_torch import install_as_torch

if __name__ == "torch":
    install_as_torch()
