"""Weights of convolutions in another order in memory. Source: PyTorch's `nn.utils.memory_format`."""

from __future__ import annotations

from typing import Any, TypeVar

from ..network import Module
from .conv import Conv2d, Conv3d, ConvTranspose2d, ConvTranspose3d

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]

M = TypeVar("M", bound=Module)


def _convert(module: M, kinds: tuple[type, ...], memory_format: Any) -> M:
    for layer in module.modules():
        if isinstance(layer, kinds):
            weight: Any = layer.weight
            weight.data = weight.detach().clone(memory_format=memory_format)
    return module


def convert_conv2d_weight_memory_format(module: M, memory_format: Any) -> M:
    """The weights of all 2d convolutions of `module`, transposed too, laid out by `memory_format`; returns `module`.

    PyTorch's `nn.utils.convert_conv2d_weight_memory_format`.
    """
    return _convert(module, (Conv2d, ConvTranspose2d), memory_format)


def convert_conv3d_weight_memory_format(module: M, memory_format: Any) -> M:
    """The weights of all 3d convolutions of `module`, transposed too, laid out by `memory_format`; returns `module`.

    PyTorch's `nn.utils.convert_conv3d_weight_memory_format`.
    """
    return _convert(module, (Conv3d, ConvTranspose3d), memory_format)
