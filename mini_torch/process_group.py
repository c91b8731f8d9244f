"""One process as a process group: what a program that can run on several asks of the others, answered by itself.

Programs for many processes then run unchanged in one: sums over all are the process's own, broadcasts change nothing.
More than one is an error that says so.
"""

from __future__ import annotations

import os
from datetime import timedelta
from enum import Enum
from typing import Any

from .graph import no_grad
from .tensor import Tensor

__all__ = [
    "ProcessGroup", "ReduceOp", "Work",
    "all_gather", "all_gather_object", "all_reduce", "barrier", "broadcast", "broadcast_object_list",
    "destroy_process_group", "gather", "get_backend", "get_rank", "get_world_size", "group", "init_process_group",
    "is_available", "is_gloo_available", "is_initialized", "is_mpi_available", "is_nccl_available",
    "is_torchelastic_launched", "new_group", "reduce", "scatter",
]  # fmt: skip

_BACKENDS = ("gloo", "nccl", "mpi", "ucc", "xccl")


class ReduceOp(Enum):
    """How `all_reduce` puts the processes' values together; of one process they all give its value."""

    SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR = range(8)


class ProcessGroup:
    """The group of this one process."""

    def __init__(self, backend: str) -> None:
        self.backend = backend

    def rank(self) -> int:
        """0."""
        return 0

    def size(self) -> int:
        """1."""
        return 1


class Work:
    """What `async_op=True` gives: already done."""

    def wait(self, timeout: timedelta | None = None) -> bool:
        """True, at once."""
        return True

    def is_completed(self) -> bool:
        """True."""
        return True


class group:
    """`group.WORLD`: the group of all processes, None before `init_process_group`."""

    WORLD: ProcessGroup | None = None


# ---- the group ---------------------------------------------------------------------------------------------
def is_available() -> bool:
    """True: groups of one process are."""
    return True


def is_initialized() -> bool:
    """Whether `init_process_group` was called."""
    return group.WORLD is not None


def init_process_group(
    backend: str | None = None, init_method: str | None = None, timeout: timedelta | None = None, world_size: int = -1,
    rank: int = -1, store: Any = None, group_name: str = "", pg_options: Any = None, device_id: Any = None,
) -> None:  # fmt: skip
    """Starts the group of this process. `world_size` and `rank` come from WORLD_SIZE and RANK, else they are 1 and 0.

    Errors: ValueError for a second call, an unknown backend, a rank other than 0; NotImplementedError for more than one
    process. PyTorch's `torch.distributed.init_process_group`.
    """
    if is_initialized():
        raise ValueError("trying to initialize the default process group twice!")
    names = [part.rpartition(":")[2] for part in (backend or "gloo").lower().split(",")]
    if not all(name in _BACKENDS for name in names):
        raise ValueError(f"Unknown backend {backend!r}: choose one of {', '.join(_BACKENDS)}")
    size = int(os.environ.get("WORLD_SIZE", 1)) if world_size == -1 else world_size
    place = int(os.environ.get("RANK", 0)) if rank == -1 else rank
    if size != 1:
        raise NotImplementedError(
            f"init_process_group: world_size is {size}, but mini_torch runs in one process; start one (WORLD_SIZE=1), "
            "or use PyTorch for several"
        )
    if place != 0:
        raise ValueError(f"init_process_group: rank {place} in a group of one process, whose rank is 0")
    group.WORLD = ProcessGroup(names[0])


def destroy_process_group(group: ProcessGroup | None = None) -> None:
    """Ends the group. Errors: AssertionError where there is none."""
    if _world_class.WORLD is None:
        raise AssertionError("Process group cannot be None: call init_process_group first")
    if group is None or group is _world_class.WORLD:
        _world_class.WORLD = None


_world_class = group  # parameters below are named `group`, as PyTorch's are


def new_group(ranks: Any = None, timeout: Any = None, backend: str | None = None, **options: Any) -> ProcessGroup:
    """Another group of this process. Errors: ValueError for ranks other than 0."""
    world = _started()
    if ranks is not None and list(ranks) != [0]:
        raise ValueError(f"the new group's rank should be within the world_size 1, got {list(ranks)}")
    return ProcessGroup(backend or world.backend)


def get_rank(group: ProcessGroup | None = None) -> int:
    """0. Errors: ValueError before `init_process_group`."""
    return _started().rank()


def get_world_size(group: ProcessGroup | None = None) -> int:
    """1. Errors: ValueError before `init_process_group`."""
    return _started().size()


def get_backend(group: ProcessGroup | None = None) -> str:
    """The backend's name that was given."""
    return (group or _started()).backend


def _started() -> ProcessGroup:
    world = _world_class.WORLD
    if world is None:
        raise ValueError("Default process group has not been initialized, please make sure to call init_process_group.")
    return world


def _done(async_op: bool, root: int = 0) -> Work | None:
    _started()
    if root != 0:
        raise RuntimeError(f"invalid root rank: {root}, in a group of one process, whose rank is 0")
    return Work() if async_op else None


# ---- what the processes of a group do together -------------------------------------------------------------
def barrier(group: Any = None, async_op: bool = False, device_ids: Any = None) -> Work | None:
    """Waits for all processes: for nobody."""
    return _done(async_op)


def all_reduce(tensor: Tensor, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Work | None:
    """The sum over all processes, in place: `tensor` as it is."""
    return _done(async_op)


def reduce(
    tensor: Tensor, dst: int = 0, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Work | None:  # fmt: skip
    """The sum over all processes at `dst`: `tensor` as it is."""
    return _done(async_op, dst)


def broadcast(tensor: Tensor, src: int = 0, group: Any = None, async_op: bool = False) -> Work | None:
    """The value of process `src` for all: `tensor` as it is."""
    return _done(async_op, src)


def all_gather(tensor_list: list[Tensor], tensor: Tensor, group: Any = None, async_op: bool = False) -> Work | None:
    """Copies every process's tensor into the list's: into its only one."""
    return _copy(tensor_list, tensor, "tensor_list", async_op)


def gather(
    tensor: Tensor, gather_list: list[Tensor] | None = None, dst: int = 0, group: Any = None, async_op: bool = False
) -> Work | None:  # fmt: skip
    """Copies every process's tensor into the list's at `dst`."""
    _done(False, dst)
    return _copy(gather_list or [], tensor, "gather_list", async_op)


def scatter(
    tensor: Tensor, scatter_list: list[Tensor] | None = None, src: int = 0, group: Any = None, async_op: bool = False
) -> Work | None:  # fmt: skip
    """Copies the list's tensor for each process into its `tensor`."""
    _done(False, src)
    (given,) = scatter_list or [tensor]
    return _copy([tensor], given, "scatter_list", async_op)


def _copy(targets: list[Tensor], tensor: Tensor, name: str, async_op: bool) -> Work | None:
    work = _done(async_op)
    if len(targets) != 1:
        raise ValueError(f"{name} must hold one tensor for each process, 1, but holds {len(targets)}")
    with no_grad():
        targets[0].copy_(tensor)
    return work


def all_gather_object(object_list: list[Any], obj: Any, group: Any = None) -> None:
    """Puts every process's object into the list."""
    _done(False)
    object_list[0] = obj


def broadcast_object_list(object_list: list[Any], src: int = 0, group: Any = None, device: Any = None) -> None:
    """The objects of process `src` for all: the list as it is."""
    _done(False, src)


# ---- what there is not -------------------------------------------------------------------------------------
def is_gloo_available() -> bool:
    """True: the name that stands for the CPU."""
    return True


def is_nccl_available() -> bool:
    """False: there is no such library here."""
    return False


is_mpi_available = is_nccl_available


def is_torchelastic_launched() -> bool:
    """Whether torchelastic started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ
