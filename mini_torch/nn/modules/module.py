"""PyTorch's `nn.modules.module`. A door: it defines nothing."""

from ...network import Module as Module
