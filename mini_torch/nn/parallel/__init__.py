"""PyTorch's `nn.parallel`: a door."""

from ...layer.parallel import DataParallel as DataParallel
from ...layer.parallel import DistributedDataParallel as DistributedDataParallel
from . import data_parallel as data_parallel
from . import distributed as distributed
