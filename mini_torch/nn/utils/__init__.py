"""PyTorch's `nn.utils`. A door: it defines nothing."""

from ...layer.weight_norm import remove_spectral_norm as remove_spectral_norm
from ...layer.weight_norm import remove_weight_norm as remove_weight_norm
from ...layer.weight_norm import spectral_norm as spectral_norm
from ...layer.weight_norm import weight_norm as weight_norm
from ...network.clipping import clip_grad_norm_ as clip_grad_norm_
from ...network.clipping import clip_grad_value_ as clip_grad_value_
from ...network.clipping import clip_grads_with_norm_ as clip_grads_with_norm_
from ...network.clipping import get_total_norm as get_total_norm
from ...network.clipping import parameters_to_vector as parameters_to_vector
from ...network.clipping import vector_to_parameters as vector_to_parameters
from . import parametrizations as parametrizations
from . import parametrize as parametrize
from . import rnn as rnn
