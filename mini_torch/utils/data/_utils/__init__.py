"""PyTorch's `utils.data._utils`, which programs know for its `collate` and `worker`. A door: it defines nothing."""

from . import collate, worker

__all__ = ["collate", "worker"]
