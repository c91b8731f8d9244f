"""What every test gets: one seed, clean grad mode and default dtype, and hypothesis without a clock."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

import mini_torch

settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,
    max_examples=60,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("suite")


@pytest.fixture(autouse=True)
def known_state(request: pytest.FixtureRequest) -> Iterator[None]:
    """Seed the default generator; fail a test that leaves grad mode or default dtype changed."""
    mini_torch.manual_seed(0)
    yield
    left = mini_torch.is_grad_enabled(), mini_torch.get_default_dtype()
    mini_torch.set_grad_enabled(True)
    mini_torch.set_default_dtype(mini_torch.float32)
    assert left == (True, mini_torch.float32), f"{request.node.name} left (grad mode, default dtype) = {left}"


@pytest.fixture(params=[name for name in ("mini_torch", "torch") if importlib.util.find_spec(name)])
def torch(request: pytest.FixtureRequest) -> ModuleType:
    """mini_torch and, where it is installed, PyTorch: the test says what both do."""
    return importlib.import_module(request.param)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
