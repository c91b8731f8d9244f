"""PyTorch's `utils.data.distributed`. A door: it defines nothing."""

from ...data_loader.sampler import DistributedSampler as DistributedSampler
