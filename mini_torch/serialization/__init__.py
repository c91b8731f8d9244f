"""To files and back: PyTorch's `torch.serialization`."""

from ..errors import CheckpointError as CheckpointError
from ..errors import UnpicklingError as UnpicklingError
from .legacy import MAGIC_NUMBER as MAGIC_NUMBER
from .legacy import PROTOCOL_VERSION as PROTOCOL_VERSION
from .loading import get_unsafe_globals_in_checkpoint as get_unsafe_globals_in_checkpoint
from .loading import load as load
from .location import default_restore_location as default_restore_location
from .npz import load_npz as load_npz
from .npz import save_npz as save_npz
from .safe_globals import add_safe_globals as add_safe_globals
from .safe_globals import clear_safe_globals as clear_safe_globals
from .safe_globals import get_safe_globals as get_safe_globals
from .safe_globals import safe_globals as safe_globals
from .saving import DEFAULT_PROTOCOL as DEFAULT_PROTOCOL
from .saving import save as save
from .settings import LoadEndianness as LoadEndianness
from .settings import get_crc32_options as get_crc32_options
from .settings import get_default_load_endianness as get_default_load_endianness
from .settings import set_crc32_options as set_crc32_options
from .settings import set_default_load_endianness as set_default_load_endianness
from .settings import skip_data as skip_data

__all__ = [
    "CheckpointError", "DEFAULT_PROTOCOL", "LoadEndianness", "MAGIC_NUMBER", "PROTOCOL_VERSION", "UnpicklingError",
    "add_safe_globals",
    "clear_safe_globals", "default_restore_location", "get_crc32_options", "get_default_load_endianness",
    "get_safe_globals", "get_unsafe_globals_in_checkpoint", "load", "load_npz", "safe_globals", "save", "save_npz",
    "set_crc32_options", "set_default_load_endianness", "skip_data",
]  # fmt: skip
