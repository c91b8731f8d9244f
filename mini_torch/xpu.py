"""PyTorch's `torch.xpu`. A door: it defines nothing."""

from .hardware import count as device_count  # noqa: F401
from .hardware import is_available as is_available
from .hardware import is_available as is_bf16_supported  # noqa: F401
from .hardware import is_available as is_initialized  # noqa: F401
from .hardware import no_states as get_rng_state_all  # noqa: F401
from .hardware import no_xpu as current_device  # noqa: F401
from .hardware import no_xpu as current_stream  # noqa: F401
from .hardware import no_xpu as get_device_name  # noqa: F401
from .hardware import no_xpu as get_device_properties  # noqa: F401
from .hardware import no_xpu as set_device  # noqa: F401
from .hardware import no_xpu as synchronize  # noqa: F401
from .hardware import nothing as empty_cache  # noqa: F401
from .hardware import nothing as manual_seed  # noqa: F401
from .hardware import nothing as manual_seed_all  # noqa: F401
from .hardware import nothing as set_rng_state_all  # noqa: F401
from .hardware import nothing_used as max_memory_allocated  # noqa: F401
from .hardware import nothing_used as max_memory_reserved  # noqa: F401
from .hardware import nothing_used as memory_allocated  # noqa: F401
from .hardware import nothing_used as memory_reserved  # noqa: F401
