"""PyTorch's `torch.backends.cuda`: switches that programs set. They turn nothing."""

from types import SimpleNamespace

from ..hardware import is_available as is_built  # noqa: F401

matmul = SimpleNamespace(allow_tf32=False, allow_fp16_reduced_precision_reduction=True)
