"""PyTorch's `nn.utils.convert_parameters`. A door: it defines nothing."""

from ...network.clipping import parameters_to_vector as parameters_to_vector
from ...network.clipping import vector_to_parameters as vector_to_parameters
