"""What a worker knows of itself, for datasets that ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["WorkerInfo", "get_worker_info", "set_worker_info"]


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """Which worker this is, of how many, its seed, and its own copy of the dataset.

    Source: PyTorch's `utils.data._utils.worker.WorkerInfo`.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any
    rng: Any = None
    worker_method: str | None = "multiprocessing"


_worker_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """In a worker of a DataLoader its `id`, `num_workers`, `seed` and copy of the `dataset`; elsewhere None.

    A dataset takes its part of the data by it, or a `worker_init_fn` tells the dataset to.
    Source: PyTorch's `utils.data.get_worker_info`.

    >>> get_worker_info() is None
    True
    """
    return _worker_info


def set_worker_info(info: WorkerInfo) -> None:
    """Tells this process that it is a worker."""
    global _worker_info
    _worker_info = info
