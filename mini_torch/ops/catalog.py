"""Every public function of `ops` under PyTorch's name, for the rooms above. A door: it defines nothing."""

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
from .histograms import *  # noqa: F403
from .indexing import *  # noqa: F403
from .integrals import *  # noqa: F403
from .interpolation import *  # noqa: F403
from .into import *  # noqa: F403
from .join import *  # noqa: F403
from .likelihood import *  # noqa: F403
from .linalg.added import *  # noqa: F403
from .linalg.classic import *  # noqa: F403
from .linalg.contraction import *  # noqa: F403
from .linalg.distances import *  # noqa: F403
from .linalg.norms import norm as norm
from .linalg.powers import matrix_exp as matrix_exp
from .linalg.powers import matrix_power as matrix_power
from .linalg.products import *  # noqa: F403
from .linalg.products import linear as linear
from .linalg.statistics import *  # noqa: F403
from .linalg.vectors import *  # noqa: F403
from .linear_cross_entropy import *  # noqa: F403
from .loss import *  # noqa: F403
from .margin import *  # noqa: F403
from .multi_head import *  # noqa: F403
from .normalization import *  # noqa: F403
from .padding import *  # noqa: F403
from .pooling import *  # noqa: F403
from .quantiles import *  # noqa: F403
from .reduction import *  # noqa: F403
from .shape import *  # noqa: F403
from .short_dropout import native_dropout as native_dropout
from .shuffle import *  # noqa: F403
from .softmax import *  # noqa: F403
from .sorting import *  # noqa: F403
from .special.error import *  # noqa: F403
from .special.gamma import *  # noqa: F403
from .spectrogram import *  # noqa: F403
from .split import *  # noqa: F403
from .storage import *  # noqa: F403
from .thresholds import *  # noqa: F403
from .window import *  # noqa: F403
from .window_function import *  # noqa: F403
