"""Programs for several processes, devices and threads run in one, and say so where they cannot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import mini_torch as torch
from mini_torch import distributed, nn


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    distributed.init_process_group("gloo")
    yield
    if distributed.is_initialized():
        distributed.destroy_process_group()


@pytest.mark.usefixtures("started")
def test_one_process_is_a_group() -> None:
    assert distributed.is_available()
    assert (distributed.get_rank(), distributed.get_world_size(), distributed.get_backend()) == (0, 1, "gloo")
    x = torch.tensor([1.0, 2.0])
    for act in (distributed.all_reduce, distributed.broadcast, distributed.reduce):
        assert act(x) is None
        assert x.tolist() == [1, 2]
    work = distributed.all_reduce(x, op=distributed.ReduceOp.AVG, async_op=True)
    assert work is not None
    assert work.wait()
    gathered = [torch.zeros(2)]
    distributed.all_gather(gathered, x)
    assert gathered[0].tolist() == [1, 2]
    distributed.barrier()
    with pytest.raises(ValueError, match="twice"):
        distributed.init_process_group("gloo")
    with pytest.raises(RuntimeError, match="invalid root rank: 1"):
        distributed.broadcast(x, 1)
    distributed.destroy_process_group()
    assert not distributed.is_initialized()


def test_more_processes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotImplementedError, match="world_size is 2"):
        distributed.init_process_group("gloo", world_size=2, rank=0)
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(NotImplementedError, match="world_size is 4"):
        distributed.init_process_group("nccl")
    with pytest.raises(ValueError, match="Unknown backend 'carrier pigeon'"):
        distributed.init_process_group("carrier pigeon", world_size=1)
    assert not distributed.is_initialized()
    for question in (distributed.get_rank, distributed.get_world_size, distributed.barrier):
        with pytest.raises(ValueError, match="has not been initialized"):
            question()
    with pytest.raises(AssertionError, match="cannot be None"):
        distributed.destroy_process_group()


@pytest.mark.usefixtures("started")
def test_wrapped_modules_train_and_prefix_their_names() -> None:
    linear = nn.Linear(3, 2)
    x = torch.randn(4, 3)
    for wrapped in (nn.parallel.DistributedDataParallel(linear), nn.DataParallel(linear)):
        assert list(wrapped.state_dict()) == ["module.weight", "module.bias"]
        assert wrapped.module is linear
        assert torch.equal(wrapped(x), linear(x))
        wrapped.eval()
        assert not linear.training
        linear.zero_grad()
        wrapped(x).sum().backward()
        assert linear.bias.grad is not None
        assert linear.bias.grad.tolist() == [4, 4]
    ddp = nn.parallel.DistributedDataParallel(linear, device_ids=None, find_unused_parameters=True)
    with ddp.no_sync():
        assert not ddp.require_backward_grad_sync
    assert ddp.require_backward_grad_sync
    with pytest.raises(RuntimeError, match="is not needed when a module"):
        nn.parallel.DistributedDataParallel(nn.ReLU())


def test_wrapping_needs_a_group() -> None:
    with pytest.raises(ValueError, match="has not been initialized"):
        nn.parallel.DistributedDataParallel(nn.Linear(1, 1))


def test_switches_keep_what_they_are_told() -> None:
    threads = torch.get_num_threads()
    assert threads >= 1
    torch.set_num_threads(3)
    assert torch.get_num_threads() == 3
    torch.set_num_threads(threads)
    with pytest.raises(RuntimeError, match="positive integer"):
        torch.set_num_threads(0)
    torch.use_deterministic_algorithms(True, warn_only=True)
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.is_deterministic_algorithms_warn_only_enabled()
    torch.set_deterministic_debug_mode("error")
    assert torch.get_deterministic_debug_mode() == 2
    torch.use_deterministic_algorithms(False)
    assert not torch.are_deterministic_algorithms_enabled()
    with pytest.raises(RuntimeError, match="invalid value of debug_mode"):
        torch.set_deterministic_debug_mode("loud")
    torch.set_float32_matmul_precision("high")
    assert torch.get_float32_matmul_precision() == "high"
    torch.set_float32_matmul_precision("highest")
    with pytest.raises(ValueError, match="precision is one of"):
        torch.set_float32_matmul_precision("low")
    assert torch.get_default_device() == torch.device("cpu")
    assert torch.version.cuda is None


def test_safe_globals_are_kept_and_given_back() -> None:
    torch.serialization.add_safe_globals([complex])
    with torch.serialization.safe_globals([set, complex]):
        assert torch.serialization.get_safe_globals() == [complex, set]
    assert torch.serialization.get_safe_globals() == [complex]
    torch.serialization.clear_safe_globals()
    assert torch.serialization.get_safe_globals() == []
