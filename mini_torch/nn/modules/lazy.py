"""PyTorch's `nn.modules.lazy`. A door: it defines nothing."""

from ...network import LazyModuleMixin as LazyModuleMixin
