"""PyTorch's `nn.modules.container`. A door: it defines nothing."""

from ...network import Module as Module
from ...network import ModuleDict as ModuleDict
from ...network import ModuleList as ModuleList
from ...network import ParameterDict as ParameterDict
from ...network import ParameterList as ParameterList
from ...network import Sequential as Sequential
