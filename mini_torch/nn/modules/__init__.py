"""PyTorch's `nn.modules`: the same classes under the names of its files. A door: it defines nothing."""

from ...activation import *  # noqa: F403
from ...layer import *  # noqa: F403
from ...loss import *  # noqa: F403
from ...network import *  # noqa: F403
from . import activation as activation
from . import adaptive as adaptive
from . import batchnorm as batchnorm
from . import channelshuffle as channelshuffle
from . import container as container
from . import conv as conv
from . import distance as distance
from . import dropout as dropout
from . import flatten as flatten
from . import fold as fold
from . import instancenorm as instancenorm
from . import lazy as lazy
from . import linear as linear
from . import linear_cross_entropy_options as linear_cross_entropy_options
from . import loss as loss
from . import module as module
from . import normalization as normalization
from . import padding as padding
from . import pixelshuffle as pixelshuffle
from . import pooling as pooling
from . import rnn as rnn
from . import sparse as sparse
from . import transformer as transformer
from . import upsampling as upsampling
from . import utils as utils
