"""PyTorch's `nn.utils.spectral_norm`. A door: it defines nothing."""

from ...layer.weight_norm import _SpectralNormHook as SpectralNorm  # noqa: F401
from ...layer.weight_norm import remove_spectral_norm as remove_spectral_norm
from ...layer.weight_norm import spectral_norm as spectral_norm
