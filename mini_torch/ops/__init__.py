"""All calculus, a file a family. Every public function is handed on from here under PyTorch's name."""

from .activation import *  # noqa: F403
from .attention import *  # noqa: F403
from .batch_norm import *  # noqa: F403
from .comparison import *  # noqa: F403
from .complex_view import *  # noqa: F403
from .conversion import *  # noqa: F403
from .convolution import *  # noqa: F403
from .copies import *  # noqa: F403
from .cross_entropy import *  # noqa: F403
from .ctc import *  # noqa: F403
from .diagonal import *  # noqa: F403
from .diff import *  # noqa: F403
from .distance import *  # noqa: F403
from .dropout import *  # noqa: F403
from .elementwise import *  # noqa: F403
from .embedding import *  # noqa: F403
from .embedding_bag import *  # noqa: F403
from .extremes import *  # noqa: F403
from .grid import *  # noqa: F403
from .indexing import *  # noqa: F403
from .into import *  # noqa: F403
from .interpolation import *  # noqa: F403
from .join import *  # noqa: F403
from .likelihood import *  # noqa: F403
from .linalg import *  # noqa: F403
from .linalg import linear as linear
from .linear_cross_entropy import *  # noqa: F403
from .loss import *  # noqa: F403
from .margin import *  # noqa: F403
from .multi_head import *  # noqa: F403
from .normalization import *  # noqa: F403
from .padding import *  # noqa: F403
from .pooling import *  # noqa: F403
from .reduction import *  # noqa: F403
from .shape import *  # noqa: F403
from .short_dropout import native_dropout as native_dropout
from .softmax import *  # noqa: F403
from .shuffle import *  # noqa: F403
from .sorting import *  # noqa: F403
from .special import *  # noqa: F403
from .spectrogram import *  # noqa: F403
from .split import *  # noqa: F403
from .window import *  # noqa: F403
from .window_function import *  # noqa: F403
