"""PyTorch's `torch.backends.cpu`. A door: it defines nothing."""

from ..hardware import name_of_cpu as get_cpu_capability  # noqa: F401
