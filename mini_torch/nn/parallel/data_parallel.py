"""PyTorch's `nn.parallel.data_parallel`: a door."""

from ...layer.parallel import DataParallel as DataParallel
