"""PyTorch's `nn.utils.parametrizations`. A door: it defines nothing."""

from ...layer.orthogonal import orthogonal as orthogonal
from ...layer.weight_norm import parametrized_spectral_norm as spectral_norm
from ...layer.weight_norm import parametrized_weight_norm as weight_norm

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]
