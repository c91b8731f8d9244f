"""PyTorch's `torch._inductor`, as far as programs set it up. A door: it defines nothing."""

from . import config as config
