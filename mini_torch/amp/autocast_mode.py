"""PyTorch's `amp.autocast_mode`. A door: it defines nothing."""

from ..mixed_precision import autocast as autocast
from ..mixed_precision import custom_bwd as custom_bwd
from ..mixed_precision import custom_fwd as custom_fwd
from ..mixed_precision import is_autocast_available as is_autocast_available
