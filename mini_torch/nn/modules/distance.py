"""PyTorch's `nn.modules.distance`. A door: it defines nothing."""

from ...layer import CosineSimilarity as CosineSimilarity
from ...layer import PairwiseDistance as PairwiseDistance
