"""PyTorch's `nn`: layers, losses, containers. A door: it defines nothing."""

from ..activation import *  # noqa: F403
from ..layer import *  # noqa: F403
from ..loss import *  # noqa: F403
from ..network import *  # noqa: F403
from ..ops.linear_cross_entropy import LinearCrossEntropyOptions as LinearCrossEntropyOptions
from . import functional as functional
from . import init as init
from . import modules as modules
from . import parallel as parallel
from . import parameter as parameter
from . import utils as utils
