"""PyTorch's `nn.modules.dropout`. A door: it defines nothing."""

from ...layer import AlphaDropout as AlphaDropout
from ...layer import Dropout as Dropout
from ...layer import Dropout1d as Dropout1d
from ...layer import Dropout2d as Dropout2d
from ...layer import Dropout3d as Dropout3d
from ...layer import FeatureAlphaDropout as FeatureAlphaDropout
from ...layer.dropout import _Dropout as _DropoutNd  # noqa: F401
