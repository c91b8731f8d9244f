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
