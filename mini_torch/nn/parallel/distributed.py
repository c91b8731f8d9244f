"""PyTorch's `nn.parallel.distributed`: a door."""

from ...layer.parallel import DistributedDataParallel as DistributedDataParallel
