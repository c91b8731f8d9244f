"""A tensor prints as PyTorch's."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import mini_torch
import repr_cases as cases
from mini_torch.formatting import format_tensor, get_printoptions, printoptions

RECORDED = json.loads((Path(__file__).parent / "data" / "reprs.json").read_text())
KINDS = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64", "complex128"]


@pytest.fixture(params=["mini_torch", "torch"])
def torch(request: pytest.FixtureRequest) -> ModuleType:
    return pytest.importorskip(request.param)


def test_all_cases_are_recorded() -> None:
    assert [(code, options) for code, options, _ in RECORDED] == cases.CASES


@pytest.mark.parametrize(("code", "options", "expected"), RECORDED)
def test_repr(code: str, options: dict[str, Any], expected: str) -> None:
    assert cases.text(mini_torch, code, options) == expected


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize("kind", KINDS)
def test_repr_of_anything(kind: str, rng: np.random.Generator) -> None:
    """Random shapes, values and options, beside PyTorch."""
    torch = pytest.importorskip("torch")
    try:
        for _ in range(60):
            options = random_options(rng)
            torch.set_printoptions(**options)
            mini_torch.set_printoptions(**options)
            shape = tuple(rng.integers(0 if rng.random() < 0.1 else 1, [60, 60, 12, 6][ndim := rng.integers(4)], ndim))
            array = np.asarray(random_array(kind, shape, rng))
            expected = repr(torch.from_numpy(array.copy()))
            assert format_tensor(array) == expected, options
    finally:
        torch.set_printoptions(profile="default")
        mini_torch.set_printoptions(profile="default")


def random_options(rng: np.random.Generator) -> dict[str, Any]:
    if rng.random() < 0.4:
        return {"profile": "default"}
    return {
        "precision": int(rng.integers(0, 8)),
        "threshold": int(rng.choice([0, 5, 20, 1000])),
        "edgeitems": int(rng.integers(0, 4)),
        "linewidth": int(rng.choice([20, 40, 80, 120])),
        "sci_mode": [None, True, False][rng.integers(3)],
    }


def random_array(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    if kind == "bool":
        return rng.random(shape) < 0.5
    if "int" in kind:
        limits, size = np.iinfo(kind), 10 ** int(rng.integers(1, 19))
        return rng.integers(max(limits.min, -size), min(limits.max, size), shape).astype(kind)
    if "complex" in kind:
        return (random_floats(shape, rng) + 1j * np.nan_to_num(random_floats(shape, rng))).astype(kind)
    return random_floats(shape, rng).astype(kind)


def random_floats(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    x = rng.standard_normal(shape) * 10.0 ** rng.integers(-6, 6)
    odd = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0], shape)
    return [
        x,
        np.round(x),
        np.abs(x),
        x * 10.0 ** rng.integers(-8, 9, shape),
        np.where(rng.random(shape) < 0.3, odd, x),
        np.where(rng.random(shape) < 0.3, odd, np.round(x)),
        np.full(shape, rng.choice([0.0, -0.0, np.nan, np.inf, 1e-40, 1e9, 1e-4, 1000.0])),
    ][rng.integers(7)]


def test_the_default_type_is_not_named(torch: ModuleType) -> None:
    torch.set_default_dtype(torch.float64)
    try:
        assert repr(torch.tensor([0.5])) == "tensor([0.5000])"
        assert repr(torch.tensor([0.5], dtype=torch.float32)) == "tensor([0.5000], dtype=torch.float32)"
        assert repr(torch.tensor([1j])) == "tensor([0.+1.j])"
    finally:
        torch.set_default_dtype(torch.float32)


def test_class_name() -> None:
    array = np.arange(40)
    assert format_tensor(array[:2], class_name="Mine") == "Mine([0, 1])"
    assert format_tensor(array, class_name="Mine").splitlines()[1].startswith(" " * len("Mine([") + "18")


@pytest.mark.parametrize(("number", "spec"), [(2.5, ".3f"), (2.5, ""), (7, "05d"), (True, ""), (1j, ".1f")])
def test_a_0d_tensor_formats_as_its_number(torch: ModuleType, number: Any, spec: str) -> None:
    assert format(torch.tensor(number), spec) == format(number, spec)


def test_other_tensors_take_no_format(torch: ModuleType) -> None:
    with pytest.raises(TypeError, match="unsupported format string"):
        format(torch.ones(1), ".2f")
    assert f"{torch.ones(1)}" == "tensor([1.])"


def test_printoptions_come_back() -> None:
    before = get_printoptions()
    with pytest.raises(KeyError), printoptions(precision=1, sci_mode=True):
        raise KeyError(repr(mini_torch.tensor(0.25)))
    assert get_printoptions() == before
    with printoptions(precision=1):
        assert repr(mini_torch.tensor(0.25)) == "tensor(0.2)"
    mini_torch.set_printoptions(precision=6)
    mini_torch.set_printoptions(profile="default")
    assert get_printoptions() == before
