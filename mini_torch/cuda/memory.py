"""PyTorch's `torch.cuda.memory`. A door: it defines nothing."""

from ..hardware import nothing as empty_cache  # noqa: F401
from ..hardware import nothing as reset_peak_memory_stats  # noqa: F401
from ..hardware import nothing_used as max_memory_allocated  # noqa: F401
from ..hardware import nothing_used as max_memory_reserved  # noqa: F401
from ..hardware import nothing_used as memory_allocated  # noqa: F401
from ..hardware import nothing_used as memory_reserved  # noqa: F401
from ..hardware import refused as mem_get_info  # noqa: F401
from ..hardware import refused as memory_stats  # noqa: F401
from ..hardware import refused as memory_summary  # noqa: F401
