"""gather, scatter and their kin against loops that say what they do; derivatives, also where elements meet at zero."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mini_torch
from mini_torch import Tensor

Array = np.ndarray[Any, Any]
REDUCTIONS = {"sum": sum, "prod": math.prod, "mean": lambda v: sum(v) / len(v), "amax": max, "amin": min}


def met(x: Array, index: Array, src: Array, axis: int) -> dict[tuple[int, ...], list[float]]:
    """What arrives at each element of x."""
    out: dict[tuple[int, ...], list[float]] = {at: [] for at in np.ndindex(*x.shape)}
    for at in np.ndindex(*index.shape):
        target = list(at)
        target[axis] = index[at]
        out[tuple(target)].append(float(src[at]))
    return out


@st.composite
def scatters(draw: st.DrawFn) -> tuple[Array, Array, Array, int]:
    """(x, index, src, axis): the index may be smaller than x off the axis, and than src everywhere."""
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    axis = draw(st.integers(0, len(shape) - 1))
    size = [draw(st.integers(1, n + 2 if i == axis else n)) for i, n in enumerate(shape)]
    more = [n + draw(st.integers(0, 1)) for n in size]
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return (rng.integers(-3, 4, shape).astype(float), rng.integers(0, shape[axis], size),
            rng.integers(-3, 4, more).astype(float), axis)  # fmt: skip


@given(scatters(), st.sampled_from(sorted(REDUCTIONS)), st.booleans())
def test_scatter_reduce(case: tuple[Array, Array, Array, int], reduce: str, include_self: bool) -> None:
    x, index, src, axis = case
    expected = x.copy()
    for at, values in met(x, index, src, axis).items():
        if values:
            expected[at] = REDUCTIONS[reduce]([x[at], *values] if include_self else values)
    a, i, b = (mini_torch.tensor(v) for v in case[:3])
    out = a.scatter_reduce(axis, i, b, reduce, include_self=include_self)
    np.testing.assert_allclose(out.numpy(), expected)
    assert a.clone().scatter_reduce_(axis, i, b, reduce, include_self=include_self).equal(out)


@given(scatters())
def test_scatter_and_gather_are_adjoint(case: tuple[Array, Array, Array, int]) -> None:
    """⟨scatter_add(0, index, src), x⟩ = ⟨src, gather(x, index)⟩, and gather undoes a scatter where nothing met."""
    x, index, src, axis = (mini_torch.tensor(v) if isinstance(v, np.ndarray) else v for v in case)
    part = src[tuple(slice(n) for n in index.shape)]
    added = mini_torch.zeros_like(x).scatter_add(axis, index, src)
    assert (added * x).sum() == (part * x.gather(axis, index)).sum()
    written = mini_torch.full_like(x, 9).scatter(axis, index, src)
    arrived = met(*case)
    for at, values in arrived.items():
        assert written[at].item() in (values or [9])
    assert mini_torch.full_like(x, 9).scatter(axis, index, 5.0).gather(axis, index).unique().tolist() == [5]


@pytest.mark.parametrize("reduce", sorted(REDUCTIONS))
@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("function", ["scatter_reduce", "index_reduce"])
def test_derivatives(reduce: str, include_self: bool, function: str) -> None:
    if (function, reduce) == ("index_reduce", "sum"):
        return
    x = mini_torch.rand(4, 3, dtype=mini_torch.float64, requires_grad=True)
    src = mini_torch.rand(5, 3, dtype=mini_torch.float64, requires_grad=True)
    rows = mini_torch.tensor([0, 2, 2, 0, 2])
    index = rows if function == "index_reduce" else rows.view(-1, 1).expand(5, 3)

    def run(x: Tensor, src: Tensor) -> Tensor:
        return getattr(x, function)(0, index, src, reduce, include_self=include_self) ** 2

    assert mini_torch.autograd.gradcheck(run, (x, src))
    assert mini_torch.autograd.gradgradcheck(run, (x, src))


@pytest.mark.parametrize("zeros", [(), (1,), (1, 2), (0, 1, 2)])
def test_products_with_zeros(torch: ModuleType, zeros: tuple[int, ...]) -> None:
    """The gradient of each factor is the product of the others, not the result divided by the factor."""
    values = [2.0, 3.0, 5.0]
    for i in zeros:
        values[i] = 0.0
    x = torch.tensor([7.0], requires_grad=True)
    src = torch.tensor(values, requires_grad=True)
    x.scatter_reduce(0, torch.zeros(3, dtype=torch.int64), src, "prod").sum().backward()
    assert src.grad.tolist() == [7 * math.prod(values[:i] + values[i + 1 :]) for i in range(3)]
    assert x.grad.tolist() == [math.prod(values)]


def test_equal_extremes_share(torch: ModuleType) -> None:
    x = torch.tensor([2.0, 0.0], requires_grad=True)
    src = torch.tensor([2.0, 2.0, 1.0], requires_grad=True)
    out = x.scatter_reduce(0, torch.tensor([0, 0, 1]), src, "amax")
    out.backward(torch.tensor([3.0, 1.0]))
    assert x.grad.tolist() == [1, 0]
    assert src.grad.tolist() == [1, 1, 1]
    assert x.scatter_reduce(0, torch.tensor([0, 0, 1]), src, "max").equal(out)


@given(st.integers(0, 2), st.integers(0, 99), st.sampled_from(["index_add", "index_copy", "index_fill"]))
def test_slices_by_index(axis: int, seed: int, name: str) -> None:
    rng = np.random.default_rng(seed)
    x, rows = rng.integers(-5, 5, (3, 4, 2)), rng.permutation((3, 4, 2)[axis])[:2]
    if name == "index_add":
        rows[-1] = rows[0]  # these may meet
    shape = [3, 4, 2]
    shape[axis] = 2
    source, expected = rng.integers(-5, 5, shape), x.copy()
    for k, row in enumerate(rows):
        target = np.moveaxis(expected, axis, 0)
        slice_ = np.moveaxis(source, axis, 0)[k]
        target[row] = {"index_add": target[row] + 3 * slice_, "index_copy": slice_, "index_fill": 7}[name]
    a, i, b = mini_torch.tensor(x), mini_torch.tensor(rows), mini_torch.tensor(source)
    out = {"index_add": lambda: a.index_add(axis, i, b, alpha=3), "index_copy": lambda: a.index_copy(axis, i, b),
           "index_fill": lambda: a.index_fill(axis, i, 7)}[name]()  # fmt: skip
    np.testing.assert_array_equal(out.numpy(), expected)


def test_take_and_put(torch: ModuleType) -> None:
    x = torch.arange(6.0, dtype=torch.float64).view(2, 3).requires_grad_()
    at = torch.tensor([[-1, 0], [0, 4]])
    assert x.take(at).tolist() == [[5, 0], [0, 4]]
    x.take(at).sum().backward()
    assert x.grad.tolist() == [[2, 0, 0], [0, 1, 1]]
    source = torch.ones(2, 2, dtype=torch.float64, requires_grad=True)
    out = x.put(at, source, accumulate=True)
    assert out.tolist() == [[2, 1, 2], [3, 5, 6]]
    (out * out).sum().backward()
    assert source.grad.tolist() == [[12, 4], [4, 10]]


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        ("x.gather(0, torch.tensor([[3]]))", RuntimeError, "index 3 is out of bounds for dimension 0 with size 3"),
        ("x.gather(0, torch.tensor([[-1]]))", RuntimeError, "index -1 is out of bounds"),
        ("x.gather(0, torch.tensor([0]))", RuntimeError, "Index tensor must have the same number of dimensions as"),
        ("x.gather(0, torch.tensor([[0.0]]))", RuntimeError, "gather\\(\\): Expected dtype int32/int64 for index"),
        ("x.gather(0, torch.zeros(1, 9).long())", RuntimeError, "Size does not match at dimension 1"),
        ("x.scatter(0, torch.zeros(1, 4).long(), torch.ones(1, 3))", RuntimeError, "Expected index \\[1, 4\\] to be"),
        ("x.scatter(0, i, torch.ones(1, 1).double())", RuntimeError, "Expected self.dtype to be equal to src.dtype"),
        ("x.scatter(0, i, 1.0, reduce='mean')", RuntimeError, "reduce argument must be either add or multiply"),
        ("x.scatter_reduce(0, i, x, 'add')", RuntimeError, "must be either sum, prod, mean, amax or amin, got add"),
        ("x.index_select(0, torch.tensor([3]))", IndexError, "index out of range in self"),
        ("x.index_add(0, torch.tensor([0, 1]), x)", RuntimeError, "Number of indices \\(2\\) should be equal to"),
        ("x.index_copy(0, torch.tensor([0]), x[:1, :2])", RuntimeError, "must have same slice shapes"),
        ("x.index_fill(0, torch.tensor([5]), 1.0)", IndexError, "index 5 is out of bounds"),
        ("x.index_reduce(0, torch.tensor([0]), x[:1], 'sum')", RuntimeError, "one of prod, mean, amax or amin but got"),
        ("x.take(torch.tensor([12]))", IndexError, "tried to access index 12 on a tensor of 12 elements"),
        ("x.put(torch.tensor([0, 1]), torch.ones(3))", IndexError, "the same number of elements"),
        ("x.masked_fill(x, 1.0)", RuntimeError, "only supports boolean masks"),
        ("x.masked_select(x)", RuntimeError, "expected BoolTensor for mask"),
        ("torch.take_along_dim(x, torch.tensor([0]), 0)", RuntimeError, "should have the same number of dimensions"),
    ],
)
def test_refused(torch: ModuleType, code: str, error: type[Exception], words: str) -> None:
    x, i = torch.zeros(3, 4), torch.tensor([[0]])
    with pytest.raises(error, match=words):
        eval(code, {"torch": torch, "x": x, "i": i})


def test_nonzero_static(torch: ModuleType) -> None:
    x = torch.tensor([[0, 1], [2, 0]])
    assert torch.nonzero_static(x, size=3).tolist() == [[0, 1], [1, 0], [-1, -1]]
    assert torch.nonzero_static(x, size=1).tolist() == [[0, 1]]
