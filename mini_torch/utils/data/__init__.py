"""PyTorch's door `utils.data`."""

from ...data_loader import *  # noqa: F403
from ...data_loader import __all__ as __all__
from . import _utils as _utils
from . import dataloader as dataloader
from . import dataset as dataset
from . import distributed as distributed
from . import sampler as sampler
