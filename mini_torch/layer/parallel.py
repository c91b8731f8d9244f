"""Wrappers for several devices or processes: here there is one of each, and they call what they wrap."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..network import Module
from ..process_group import get_world_size

__all__ = ["DataParallel", "DistributedDataParallel"]


class _Wrapper(Module):
    """Calls `module`, whose parameters have names that begin with "module." here."""

    module: Module

    def __init__(self, module: Module, device_ids: Any, output_device: Any, dim: int) -> None:
        super().__init__()
        self.device_ids, self.output_device, self.dim = device_ids, output_device, dim
        self.module = module

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)


class DataParallel(_Wrapper):
    """`module` on all devices, each with a part of the batch: on the CPU, all of it. PyTorch's `nn.DataParallel`.

    >>> from .linear import Linear
    >>> list(DataParallel(Linear(2, 1)).state_dict())
    ['module.weight', 'module.bias']
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__(module, [], output_device, dim)


class DistributedDataParallel(_Wrapper):
    """`module` in all processes, which average its gradients: in one process they are their own average.

    Only `module` counts here; the other arguments choose how PyTorch's processes talk to each other. Errors: ValueError
    before `torch.distributed.init_process_group`, RuntimeError for a module without a parameter that requires a
    gradient. PyTorch's `nn.parallel.DistributedDataParallel`.
    """

    def __init__(
        self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0,
        broadcast_buffers: bool = True, init_sync: bool = True, process_group: Any = None, bucket_cap_mb: Any = None,
        find_unused_parameters: bool = False, check_reduction: bool = False, gradient_as_bucket_view: bool = False,
        static_graph: bool = False, **options: Any,
    ) -> None:  # fmt: skip
        get_world_size(process_group)
        if not any(p.requires_grad for p in module.parameters()):
            raise RuntimeError(
                "DistributedDataParallel is not needed when a module doesn't have any parameter that requires a "
                "gradient."
            )
        super().__init__(module, device_ids, output_device, dim)
        self.process_group, self.static_graph = process_group, static_graph
        self.find_unused_parameters = find_unused_parameters
        self.require_backward_grad_sync = True

    @contextmanager
    def no_sync(self) -> Iterator[None]:
        """Gradients are not averaged within."""
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before
