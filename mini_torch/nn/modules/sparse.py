"""PyTorch's `nn.modules.sparse`. A door: it defines nothing."""

from ...layer import Embedding as Embedding
from ...layer import EmbeddingBag as EmbeddingBag
