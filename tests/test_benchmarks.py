"""The benchmarks' networks take a step in mini_torch, and what prints the tables counts right."""

from __future__ import annotations

import pytest

import mini_torch
from benchmarks import networks, scaling, workloads
from benchmarks.contest import check, first_results, mode, prepared, ratios


@pytest.mark.parametrize("name", workloads.ROWS)
def test_every_workload_takes_a_step(name: str) -> None:
    row = workloads.ROWS[name]
    work, call = prepared(row.make, "eager")
    with mode(row.grad, ["eager"]):
        results = first_results(work, call, steps=1)
    assert all(bool(mini_torch.isfinite(mini_torch.from_numpy(x)).all()) for x in results)


@pytest.mark.parametrize("make", [networks.lstm, networks.lenet, networks.residual], ids=lambda make: make.__name__)
def test_a_step_updates_the_network(make: workloads.Make) -> None:
    """The loss on the same batch goes down: there is nothing that a step leaves out."""
    work, call = prepared(make, "eager")
    losses = first_results(work, call, steps=4)
    assert losses[-1] < losses[0]


def test_the_same_seed_gives_the_same_work() -> None:
    first, second = (first_results(*prepared(networks.mlp, "eager"), steps=2) for _ in range(2))
    check("eager", second, first)
    with pytest.raises(AssertionError, match="eager did other work"):
        check("eager", second[::-1], first)


@pytest.mark.parametrize("table", scaling.TABLES)
def test_the_smallest_and_a_larger_size_of_each_scaling_table(table: str) -> None:
    for make in list(scaling.TABLES[table].values())[:3]:
        work, call = prepared(make, "eager")
        assert len(first_results(work, call, steps=1)) == 1


def test_ratios_are_medians_of_the_rounds() -> None:
    times = {"PyTorch": [1.0, 2.0, 4.0], "eager": [1.0, 1.0, 1.0]}
    assert ratios(times) == {"eager": 0.5}
    assert ratios({"eager": [1.0]}) == {}
    row = workloads.ROWS["MLP, SGD"]
    assert workloads.step_line("MLP, SGD", row, times)[3:] == ["0.50", "–", "≤ 0.60, ≤ 0.45", "met, –"]


def test_bare_products_are_those_of_the_network() -> None:
    workloads.bare_products(batch=4)()
    assert workloads.verdict(1.604, 1.6) == "met"
    assert workloads.verdict(1.61, 1.6) == "missed"
    assert workloads.beside_lines({"PyTorch": [2.0], "compiled": [1.5], "bare BLAS": [1.0]}) == [
        ["bare BLAS", "1,000,000 µs", "0.50", "1.50", "≤ 1.60", "met"]
    ]
