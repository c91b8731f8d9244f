"""Layers that only change the shape, or nothing: `Flatten`, `Unflatten`, `Identity`."""

from __future__ import annotations

from typing import Any

from ..network import Module
from ..tensor import Tensor

__all__ = ["Flatten", "Identity", "Unflatten"]


class Identity(Module):
    """Gives its input back, whatever arguments it was made with. PyTorch's `nn.Identity`.

    >>> Identity(54, unused=1)("x")
    'x'
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input


class Flatten(Module):
    """Makes one dimension of those from start_dim to end_dim.

    Shape: (N, d1, d2, …) → (N, d1 · d2 · …) by default. Source: PyTorch's `nn.Flatten`.

    >>> Flatten()(mini_torch.zeros(2, 3, 4)).shape
    torch.Size([2, 12])
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Makes several dimensions of one, of the sizes given; one of them may be -1. PyTorch's `nn.Unflatten`.

    >>> Unflatten(1, (3, 4))(mini_torch.zeros(2, 12)).shape
    torch.Size([2, 3, 4])
    """

    def __init__(self, dim: int, unflattened_size: tuple[int, ...]) -> None:
        super().__init__()
        if not isinstance(dim, int):
            raise TypeError("invalid argument type for dim parameter")
        if not isinstance(unflattened_size, tuple | list):
            found = type(unflattened_size).__name__
            raise TypeError(f"unflattened_size must be a tuple of ints, but found type {found}")
        for i, n in enumerate(unflattened_size):
            if not isinstance(n, int):
                found = type(n).__name__
                raise TypeError(f"unflattened_size must be tuple of ints, but found element of type {found} at pos {i}")
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
