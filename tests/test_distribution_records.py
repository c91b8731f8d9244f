"""Draws, densities, moments, divergences and transforms are PyTorch's, with their gradients: distributions.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import distribution_cases as cases
import distribution_programs as programs
import mini_torch

RECORD = json.loads((Path(__file__).parent / "data" / "distributions.json").read_text())
# PyTorch takes the slopes of gamma and beta numbers from approximations, here they are exact
LOOSE = {"rsample": 2e-3}


def same(given: Any, wanted: Any, rtol: float) -> None:
    if not isinstance(wanted, list):
        assert given == wanted
    elif wanted and isinstance(wanted[0], list) and all(isinstance(x, int) for x in wanted[0]) and len(wanted) == 2:
        assert given[0] == wanted[0]
        np.testing.assert_allclose(given[1], wanted[1], rtol=rtol, atol=1e-8)
    else:
        assert len(given) == len(wanted)
        for one, other in zip(given, wanted):
            if other is None or one is None:  # a gradient that is not there is as good as zeros
                assert not any((one or other or [0, []])[1])
            else:
                same(one, other, rtol)


@pytest.mark.parametrize("code", RECORD["facts"])
def test_facts(code: str) -> None:
    given, wanted = cases.facts(mini_torch, code), RECORD["facts"][code]
    assert set(wanted) <= set(given)
    # errors in PyTorch: the gradient of Wishart.rsample, and GeneralizedPareto.log_prob in double precision
    assert set(given) - set(wanted) <= {"rsample", "log_prob", "cdf"}
    for name, value in wanted.items():
        same(given[name], value, LOOSE.get(name, 1e-6))


def test_all_families_are_recorded() -> None:
    made = {type(cases.made(mini_torch, code)[0]).__name__ for code in cases.FAMILIES.values()}
    assert made == set(cases.FAMILIES)


@pytest.mark.parametrize("p", cases.FAMILIES)
def test_divergences(p: str) -> None:
    for q in cases.FAMILIES:
        given, wanted = cases.divergence(mini_torch, p, q), RECORD["divergences"].get(f"{p} {q}", "NotImplementedError")
        same(given, wanted, 1e-6)


@pytest.mark.parametrize("code", cases.TRANSFORMS)
def test_transforms(code: str) -> None:
    same(cases.turned(mini_torch, code), RECORD["transforms"][code], 1e-6)


@pytest.mark.parametrize("program", programs.PROGRAMS, ids=lambda program: program.__name__)
def test_programs(program: Any) -> None:
    assert program(mini_torch) == pytest.approx(RECORD["programs"][program.__name__], rel=1e-4, abs=1e-6)
