"""PyTorch's `nn.utils.parametrize`. A door: it defines nothing."""

from ...network.parametrization import ParametrizationList as ParametrizationList
from ...network.parametrization import cached as cached
from ...network.parametrization import is_parametrized as is_parametrized
from ...network.parametrization import register_parametrization as register_parametrization
from ...network.parametrization import remove_parametrizations as remove_parametrizations
from ...network.parametrization import transfer_parametrizations_and_params as transfer_parametrizations_and_params
from ...network.parametrization import type_before_parametrizations as type_before_parametrizations
