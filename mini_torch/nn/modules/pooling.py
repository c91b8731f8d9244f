"""PyTorch's `nn.modules.pooling`. A door: it defines nothing."""

from ...layer import AdaptiveAvgPool1d as AdaptiveAvgPool1d
from ...layer import AdaptiveAvgPool2d as AdaptiveAvgPool2d
from ...layer import AdaptiveAvgPool3d as AdaptiveAvgPool3d
from ...layer import AdaptiveMaxPool1d as AdaptiveMaxPool1d
from ...layer import AdaptiveMaxPool2d as AdaptiveMaxPool2d
from ...layer import AdaptiveMaxPool3d as AdaptiveMaxPool3d
from ...layer import AvgPool1d as AvgPool1d
from ...layer import AvgPool2d as AvgPool2d
from ...layer import AvgPool3d as AvgPool3d
from ...layer import FractionalMaxPool2d as FractionalMaxPool2d
from ...layer import FractionalMaxPool3d as FractionalMaxPool3d
from ...layer import LPPool1d as LPPool1d
from ...layer import LPPool2d as LPPool2d
from ...layer import LPPool3d as LPPool3d
from ...layer import MaxPool1d as MaxPool1d
from ...layer import MaxPool2d as MaxPool2d
from ...layer import MaxPool3d as MaxPool3d
from ...layer import MaxUnpool1d as MaxUnpool1d
from ...layer import MaxUnpool2d as MaxUnpool2d
from ...layer import MaxUnpool3d as MaxUnpool3d
from ...layer.pooling import _AdaptiveAvgPoolNd as _AdaptiveAvgPoolNd
from ...layer.pooling import _AdaptiveMaxPoolNd as _AdaptiveMaxPoolNd
from ...layer.pooling import _AvgPoolNd as _AvgPoolNd
from ...layer.pooling import _LPPoolNd as _LPPoolNd
from ...layer.pooling import _MaxPoolNd as _MaxPoolNd
from ...layer.pooling import _MaxUnpoolNd as _MaxUnpoolNd
