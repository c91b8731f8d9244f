"""The door to `torch.cuda`: it defines nothing, and there is nothing behind it."""

from ..hardware import count as device_count  # noqa: F401
from ..hardware import is_available as is_available
from ..hardware import is_available as is_bf16_supported  # noqa: F401
from ..hardware import is_available as is_initialized  # noqa: F401
from ..hardware import nothing as empty_cache  # noqa: F401
from ..hardware import nothing as ipc_collect  # noqa: F401
from ..hardware import nothing as manual_seed  # noqa: F401
from ..hardware import nothing as manual_seed_all  # noqa: F401
from ..hardware import nothing_used as max_memory_allocated  # noqa: F401
from ..hardware import nothing_used as max_memory_reserved  # noqa: F401
from ..hardware import nothing_used as memory_allocated  # noqa: F401
from ..hardware import nothing_used as memory_reserved  # noqa: F401
from ..hardware import refused as current_device  # noqa: F401
from ..hardware import refused as get_device_capability  # noqa: F401
from ..hardware import refused as get_device_name  # noqa: F401
from ..hardware import refused as get_device_properties  # noqa: F401
from ..hardware import refused as set_device  # noqa: F401
from ..hardware import refused as synchronize  # noqa: F401
from . import amp as amp
