"""PyTorch's `torch.accelerator`. A door: it defines nothing."""

from .hardware import count as device_count  # noqa: F401
from .hardware import is_available as is_available
from .hardware import no_accelerator as current_device_idx  # noqa: F401
from .hardware import no_accelerator as current_device_index  # noqa: F401
from .hardware import no_accelerator as current_stream  # noqa: F401
from .hardware import no_accelerator as empty_cache  # noqa: F401
from .hardware import no_accelerator as max_memory_allocated  # noqa: F401
from .hardware import no_accelerator as max_memory_reserved  # noqa: F401
from .hardware import no_accelerator as memory_allocated  # noqa: F401
from .hardware import no_accelerator as memory_reserved  # noqa: F401
from .hardware import no_accelerator as memory_stats  # noqa: F401
from .hardware import no_accelerator as reset_peak_memory_stats  # noqa: F401
from .hardware import no_accelerator as set_device_idx  # noqa: F401
from .hardware import no_accelerator as set_device_index  # noqa: F401
from .hardware import no_accelerator as set_stream  # noqa: F401
from .hardware import no_accelerator as synchronize  # noqa: F401
from .hardware import nothing as current_accelerator  # noqa: F401
