"""PyTorch's `torch.backends.cudnn`: switches that programs set. They turn nothing."""

from types import SimpleNamespace

from ..hardware import for_a_while as flags  # noqa: F401
from ..hardware import is_available as is_available
from ..hardware import nothing as set_flags  # noqa: F401
from ..hardware import nothing as version  # noqa: F401
from ..hardware import refused as is_acceptable  # noqa: F401

enabled = True
benchmark = deterministic = False
allow_tf32 = True
benchmark_limit = None
fp32_precision = "none"
conv, rnn = SimpleNamespace(fp32_precision="tf32"), SimpleNamespace(fp32_precision="tf32")
