"""What programs ask before they compute on the CPU, and the old names of tensors of one type."""

from __future__ import annotations

import numpy as np
import pytest

import mini_torch as torch


def test_there_is_no_accelerator() -> None:
    assert not torch.cuda.is_available()
    assert not torch.accelerator.is_available()
    assert not torch.backends.mps.is_available()
    assert torch.cuda.device_count() == 0
    torch.cuda.manual_seed_all(1)
    torch.backends.cudnn.deterministic = True
    torch.backends.cuda.matmul.allow_tf32 = True
    with pytest.raises(AssertionError, match="CUDA"):
        torch.cuda.current_device()


def test_what_is_left_of_devices_that_are_not_there() -> None:
    assert (torch.cuda.memory_allocated(), torch.cuda.memory_stats(), torch.cuda.get_rng_state_all()) == (0, {}, [])
    with torch.cuda.stream(None), torch.cuda.device(-1), torch.backends.cudnn.flags(enabled=False):
        torch.cuda.empty_cache()
    for context in (torch.cuda.device(0), torch.cuda.stream(1)):
        with pytest.raises(AssertionError, match="not compiled with CUDA"), context:
            pass
    for kind in (torch.cuda.Event, torch.cuda.Stream, torch.cuda.CUDAGraph):
        with pytest.raises(RuntimeError, match="computes on the CPU"):
            kind()
    with pytest.raises(AssertionError, match="XPU"):
        torch.xpu.synchronize()
    with pytest.raises(RuntimeError, match="MPS"):
        torch.mps.synchronize()
    with pytest.raises(RuntimeError, match="NVTX"):
        torch.cuda.nvtx.range_push("a")
    with pytest.raises(RuntimeError, match="accelerator"):
        torch.accelerator.synchronize()
    with pytest.raises(AssertionError, match="CUDA"):
        torch.backends.cuda.cufft_plan_cache.size  # noqa: B018
    assert issubclass(torch.OutOfMemoryError, RuntimeError)
    assert torch.cuda.OutOfMemoryError is torch.OutOfMemoryError


def test_the_cpu_is_a_device_too() -> None:
    assert torch.cpu.is_available()
    assert (torch.cpu.device_count(), torch.cpu.current_device(), torch.cpu.synchronize()) == (1, "cpu", None)
    assert torch.backends.cpu.get_cpu_capability() == "DEFAULT"
    with torch.cpu.amp.autocast():
        assert torch.is_autocast_enabled("cpu")
    assert torch.cpu.amp.GradScaler(enabled=False).get_scale() == 1.0


def test_switches_keep_what_they_are_told() -> None:
    torch.backends.cuda.enable_flash_sdp(False)
    torch.backends.mha.set_fastpath_enabled(False)
    assert not torch.backends.cuda.flash_sdp_enabled()
    assert not torch.backends.mha.get_fastpath_enabled()
    assert torch.backends.cuda.math_sdp_enabled()
    torch.backends.cuda.enable_flash_sdp(True)
    torch.backends.mha.set_fastpath_enabled(True)


def test_tensor_types_of_devices_that_are_not_there() -> None:
    x = torch.ones(2)
    assert not isinstance(x, torch.cuda.FloatTensor)
    assert repr(torch.cuda.FloatTensor) == "<class 'torch.cuda.FloatTensor'>"
    for call in (lambda: torch.cuda.FloatTensor(2), lambda: torch.set_default_tensor_type("torch.cuda.FloatTensor")):
        with pytest.raises(TypeError, match=r"type torch\.cuda\.FloatTensor not available"):
            call()
    for kind in (torch.cuda.FloatTensor, "torch.cuda.FloatTensor"):
        with pytest.raises(AssertionError, match="CUDA"):
            x.type(kind)
    with pytest.raises(ValueError, match="invalid type: 'Float'"):
        x.type("Float")


def test_old_tensor_types() -> None:
    x = torch.LongTensor([1, 2])
    assert isinstance(x, torch.LongTensor)
    assert not isinstance(x, torch.FloatTensor)
    assert torch.FloatTensor(2, 3).shape == (2, 3)
    assert x.type(torch.FloatTensor).dtype is torch.float32
    assert x.type("torch.DoubleTensor").dtype is torch.float64
    assert torch.ByteTensor(np.array([1.0])).dtype is torch.uint8
    assert repr(torch.HalfTensor) == "<class 'torch.HalfTensor'>"


def test_grad_scaler_leaves_out_a_step_that_overflows() -> None:
    p = torch.nn.Parameter(torch.tensor([1.0]))
    optimizer, scaler = torch.optim.SGD([p], lr=1.0), torch.amp.GradScaler("cpu", init_scale=4.0, growth_interval=1)
    scaler.scale(p * 0.5).backward()
    assert p.grad.item() == 2.0
    scaler.step(optimizer)
    scaler.update()
    assert (p.item(), scaler.get_scale()) == (0.5, 8.0)
    p.grad = torch.tensor([float("inf")])
    scaler.step(optimizer)
    scaler.update()
    assert (p.item(), scaler.get_scale()) == (0.5, 4.0)
    other = torch.amp.GradScaler("cpu")
    other.load_state_dict(scaler.state_dict())
    assert other.get_scale() == 4.0
    scaler.unscale_(optimizer)
    with pytest.raises(RuntimeError, match="already been called"):
        scaler.unscale_(optimizer)


def test_grad_scaler_for_what_is_not_there_does_nothing() -> None:
    with pytest.warns(UserWarning, match="Disabling"):
        scaler = torch.cuda.amp.GradScaler()
    p = torch.nn.Parameter(torch.tensor([1.0]))
    assert scaler.scale(p) is p
    assert (scaler.get_scale(), scaler.state_dict()) == (1.0, {})
