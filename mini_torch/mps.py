"""PyTorch's `torch.mps`. A door: it defines nothing."""

from .hardware import count as device_count  # noqa: F401
from .hardware import is_available as is_available
from .hardware import no_mps as current_allocated_memory  # noqa: F401
from .hardware import no_mps as driver_allocated_memory  # noqa: F401
from .hardware import no_mps as empty_cache  # noqa: F401
from .hardware import no_mps as get_rng_state  # noqa: F401
from .hardware import no_mps as recommended_max_memory  # noqa: F401
from .hardware import no_mps as seed  # noqa: F401
from .hardware import no_mps as set_per_process_memory_fraction  # noqa: F401
from .hardware import no_mps as set_rng_state  # noqa: F401
from .hardware import no_mps as synchronize  # noqa: F401
from .hardware import nothing as manual_seed  # noqa: F401
