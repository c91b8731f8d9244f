"""PyTorch's `nn.modules.transformer`. A door: it defines nothing."""

from ...layer import Transformer as Transformer
from ...layer import TransformerDecoder as TransformerDecoder
from ...layer import TransformerDecoderLayer as TransformerDecoderLayer
from ...layer import TransformerEncoder as TransformerEncoder
from ...layer import TransformerEncoderLayer as TransformerEncoderLayer
from ...layer.transformer import _activation as _get_activation_fn  # noqa: F401
from ...layer.transformer import _copies as _get_clones  # noqa: F401
