"""The door to `torch.cuda`: it defines nothing, and there is nothing behind it."""

from ..hardware import CudaError as CudaError
from ..hardware import DeviceContext as device  # noqa: F401
from ..hardware import DeviceContext as device_of  # noqa: F401
from ..hardware import Event as Event
from ..hardware import Graph as CUDAGraph  # noqa: F401
from ..hardware import OutOfMemoryError as OutOfMemoryError
from ..hardware import Stream as Stream
from ..hardware import StreamContext as StreamContext
from ..hardware import StreamContext as stream  # noqa: F401
from ..hardware import count as device_count  # noqa: F401
from ..hardware import is_available as is_available
from ..hardware import is_available as is_bf16_supported  # noqa: F401
from ..hardware import is_available as is_current_stream_capturing  # noqa: F401
from ..hardware import is_available as is_initialized  # noqa: F401
from ..hardware import is_available as is_tf32_supported  # noqa: F401
from ..hardware import no_states as get_arch_list  # noqa: F401
from ..hardware import no_states as get_rng_state_all  # noqa: F401
from ..hardware import no_statistics as memory_stats  # noqa: F401
from ..hardware import nothing as empty_cache  # noqa: F401
from ..hardware import nothing as manual_seed  # noqa: F401
from ..hardware import nothing as manual_seed_all  # noqa: F401
from ..hardware import nothing as reset_accumulated_memory_stats  # noqa: F401
from ..hardware import nothing as reset_max_memory_allocated  # noqa: F401
from ..hardware import nothing as reset_max_memory_cached  # noqa: F401
from ..hardware import nothing as reset_peak_memory_stats  # noqa: F401
from ..hardware import nothing as seed  # noqa: F401
from ..hardware import nothing as seed_all  # noqa: F401
from ..hardware import nothing as set_rng_state  # noqa: F401
from ..hardware import nothing as set_rng_state_all  # noqa: F401
from ..hardware import nothing as set_stream  # noqa: F401
from ..hardware import nothing_used as max_memory_allocated  # noqa: F401
from ..hardware import nothing_used as max_memory_cached  # noqa: F401
from ..hardware import nothing_used as max_memory_reserved  # noqa: F401
from ..hardware import nothing_used as memory_allocated  # noqa: F401
from ..hardware import nothing_used as memory_cached  # noqa: F401
from ..hardware import nothing_used as memory_reserved  # noqa: F401
from ..hardware import refused as can_device_access_peer  # noqa: F401
from ..hardware import refused as cudart  # noqa: F401
from ..hardware import refused as current_device  # noqa: F401
from ..hardware import refused as current_stream  # noqa: F401
from ..hardware import refused as default_stream  # noqa: F401
from ..hardware import refused as get_device_capability  # noqa: F401
from ..hardware import refused as get_device_name  # noqa: F401
from ..hardware import refused as get_device_properties  # noqa: F401
from ..hardware import refused as get_rng_state  # noqa: F401
from ..hardware import refused as get_sync_debug_mode  # noqa: F401
from ..hardware import refused as init  # noqa: F401
from ..hardware import refused as initial_seed  # noqa: F401
from ..hardware import refused as ipc_collect  # noqa: F401
from ..hardware import refused as mem_get_info  # noqa: F401
from ..hardware import refused as memory_snapshot  # noqa: F401
from ..hardware import refused as memory_summary  # noqa: F401
from ..hardware import refused as set_device  # noqa: F401
from ..hardware import refused as set_per_process_memory_fraction  # noqa: F401
from ..hardware import refused as set_sync_debug_mode  # noqa: F401
from ..hardware import refused as synchronize  # noqa: F401
from ..hardware import refused as temperature  # noqa: F401
from ..hardware import refused as utilization  # noqa: F401
from ..typed import CudaBFloat16Tensor as BFloat16Tensor  # noqa: F401
from ..typed import CudaBoolTensor as BoolTensor  # noqa: F401
from ..typed import CudaByteTensor as ByteTensor  # noqa: F401
from ..typed import CudaCharTensor as CharTensor  # noqa: F401
from ..typed import CudaDoubleTensor as DoubleTensor  # noqa: F401
from ..typed import CudaFloatTensor as FloatTensor  # noqa: F401
from ..typed import CudaHalfTensor as HalfTensor  # noqa: F401
from ..typed import CudaIntTensor as IntTensor  # noqa: F401
from ..typed import CudaLongTensor as LongTensor  # noqa: F401
from ..typed import CudaShortTensor as ShortTensor  # noqa: F401
from . import amp as amp
from . import memory as memory
from . import nvtx as nvtx
from . import random as random

default_generators: tuple[()] = ()
has_half = True
has_magma = False
