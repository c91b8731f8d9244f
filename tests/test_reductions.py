"""Reductions, order, quantiles, histograms, integrals, creation and number types."""

from __future__ import annotations

import math
import pickle
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch import Tensor
from mini_torch.autograd import gradcheck, gradgradcheck
from mini_torch.errors import MissingExtraError


def doubles(data: Any) -> Tensor:
    return torch.tensor(data, dtype=torch.float64, requires_grad=True)


# ---- types -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64])
def test_whole_numbers_add_up_in_int64(dtype: torch.dtype) -> None:
    x = torch.ones(300, dtype=dtype)
    for out in (x.sum(), x.prod(), x.cumsum(0), x.cumprod(0), x.nansum()):
        assert out.dtype is torch.int64
    assert x.sum().item() == 300
    assert x.sum(dtype=torch.int8).item() == 300 - 256
    with pytest.raises(RuntimeError, match="could not infer output dtype"):
        x.mean()
    assert x.mean(dtype=torch.float32).item() == 1.0


def test_types_of_bools_and_bytes() -> None:
    x = torch.tensor([[1, 0]], dtype=torch.uint8)
    assert x.all().dtype is torch.uint8
    assert x.bool().all().dtype is torch.bool
    assert torch.prod(x, 1, dtype=torch.bool).tolist() == [False]
    assert x.all(dim=()).shape == (1, 2)  # here, and only here, () is no dimension


def test_float16_adds_up_in_float32() -> None:
    x = torch.full((4096, 2), 1.0, dtype=torch.float16)
    assert x.sum(0).tolist() == [4096.0, 4096.0]
    assert x.mean(0).tolist() == [1.0, 1.0]
    assert x.cumsum(0)[-1].tolist() == [4096.0, 4096.0]


def test_running_sums_in_place_keep_their_type() -> None:
    x = torch.tensor([100, 100], dtype=torch.int8)
    assert x.cumsum_(0).tolist() == [100, -56]
    assert x.dtype is torch.int8


# ---- nothing, and NaN ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda x: x.max(), RuntimeError), (lambda x: x.amax(), RuntimeError), (lambda x: x.argmax(), IndexError),
        (lambda x: x.max(0), IndexError), (lambda x: x.amin(0), IndexError), (lambda x: x.mode(0), IndexError),
        (lambda x: x.median(0), IndexError), (lambda x: x.quantile(0.5), RuntimeError),
        (lambda x: x.kthvalue(1, 0), IndexError), (lambda x: x.sum((0, 0)), RuntimeError),
    ],
)  # fmt: skip
def test_errors_of_empty_tensors(call: Callable[[Tensor], Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=r"dim|non-empty"):
        call(torch.empty(0, 3))


def test_reductions_of_nothing() -> None:
    x = torch.empty(0, 3)
    assert x.sum(0).tolist() == [0.0] * 3
    assert x.prod(0).tolist() == [1.0] * 3
    assert all(math.isnan(v) for v in x.mean(0).tolist())
    assert x.logsumexp(0).tolist() == [-math.inf] * 3
    assert math.isnan(torch.median(torch.empty(0)).item())


def test_nan_wins_unless_told_otherwise() -> None:
    x = torch.tensor([1.0, math.nan, 3.0])
    for out in (x.max(), x.max(0).values, x.amin(), x.median(), x.quantile(0.5), x.cummax(0).values[2]):
        assert math.isnan(out.item())
    assert x.argmax().item() == 1
    assert x.nansum().item() == 4.0
    assert x.nanmean().item() == 2.0
    assert x.nanmedian().item() == 1.0
    assert x.nanquantile(0.5).item() == 2.0
    assert x.sort().indices.tolist() == [0, 2, 1]
    assert x.sort(descending=True).indices.tolist() == [1, 2, 0]


# ---- gradients -------------------------------------------------------------------------------------------------------
def test_ties_share_or_one_takes_all() -> None:
    def slope(function: Callable[[Tensor], Tensor]) -> list[float]:
        x = doubles([2.0, 3.0, 3.0, 1.0])
        (g,) = torch.autograd.grad(function(x), x)
        return g.tolist()

    assert slope(lambda x: x.amax()) == slope(lambda x: x.max()) == [0, 0.5, 0.5, 0]
    assert slope(lambda x: x.max(0).values) == [0, 1, 0, 0]
    assert slope(lambda x: x[1:3].median()) == [0, 0.5, 0.5, 0]
    assert slope(lambda x: x.std() * 0 + x.prod()) == [9, 6, 6, 18]


@pytest.mark.parametrize("row", [[2.0, 3.0, -1.0], [2.0, 0.0, -1.0], [0.0, 3.0, 0.0], [0.0, 0.0, 0.0]])
@pytest.mark.parametrize("code", ["x.prod()", "x.prod(0)", "x.cumprod(0)"])
def test_products_with_zeros(row: list[float], code: str) -> None:
    x = doubles(row)

    def line(x: Tensor) -> Tensor:
        return eval(code, {"x": x})

    assert gradcheck(line, x)
    assert gradgradcheck(line, x)


@pytest.mark.parametrize(
    "code",
    ["torch.logcumsumexp(x, 1)", "torch.quantile(x, q, dim=1)", "torch.nanquantile(x, 0.4, 0)", "torch.mode(x, 1)[0]",
     "torch.trapezoid(x, x * x)", "torch.cumulative_trapezoid(x, dim=0)", "torch.gradient(x, spacing=2.0)",
     "torch.gradient(x, spacing=(q.cumsum(0) * 9, q.exp()), edge_order=1)", "torch.logsumexp(x, (0, 1))",
     "torch.var_mean(x, 1, correction=0)", "torch.topk(x, 2).values", "torch.kthvalue(x, 2).values"],
)  # fmt: skip
def test_gradients(code: str) -> None:
    x, q = doubles([[0.3, -1.2, 2.0], [1.5, 0.1, -0.7], [0.9, 2.2, 0.4]]), doubles([0.15, 0.4, 0.8])

    def line(x: Tensor, q: Tensor) -> Any:
        return eval(code, {"torch": torch, "x": x, "q": q})

    assert gradcheck(line, (x, q))
    assert gradgradcheck(line, (x, q))


# ---- order -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("n", [5, 100, 1000])
@pytest.mark.parametrize("largest", [True, False])
def test_topk_is_the_head_of_sort(n: int, largest: bool) -> None:
    x = torch.from_numpy(np.random.default_rng(n).standard_normal((4, n)))
    values, indices = x.topk(3, 1, largest)
    assert torch.equal(values, x.sort(1, descending=largest).values[:, :3])
    assert torch.equal(x.gather(1, indices), values)
    assert torch.equal(x.kthvalue(2, 1).values, x.sort(1).values[:, 1])
    assert torch.equal(x.median(1).values, x.sort(1).values[:, (n - 1) // 2])


SPECIAL = [0.0, -0.0, np.inf, -np.inf, 1.5, -1.5]


@pytest.mark.parametrize("nans", [0, 3, 1900])
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_the_order_of_many_is_stable(kind: Any, descending: bool, nans: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(-5, 5, (2, 2000)).astype(kind)
    if kind is np.float32:
        x[0] = rng.standard_normal(2000)
        x[:, 5:600] = rng.choice(SPECIAL, 595)
        x[:, rng.permutation(2000)[:nans]] = np.nan
    values, indices = torch.from_numpy(x).sort(1, descending=descending)
    ranks = np.unique(x, return_inverse=True, equal_nan=True)[1].reshape(x.shape)  # whole numbers, NaN the largest
    expected = np.argsort(-ranks if descending else ranks, 1, kind="stable")
    np.testing.assert_array_equal(indices, expected)
    np.testing.assert_array_equal(values, np.take_along_axis(x, expected, 1))
    for row, order in zip(x, expected):
        largest = torch.from_numpy(row).topk(30, largest=descending)
        np.testing.assert_array_equal(largest.values, row[order[:30]])
        np.testing.assert_array_equal(row[largest.indices.numpy()], row[order[:30]])


@pytest.mark.parametrize(("shifts", "dims"), [(2, 1), (-9, 0), (0, 1), ((1, 2), (0, 1)), (7, None)])
def test_roll_is_numpys(shifts: Any, dims: Any) -> None:
    for shape in [(3, 5), (0, 5), (1, 1)]:
        x = np.arange(math.prod(shape)).reshape(shape)
        np.testing.assert_array_equal(torch.from_numpy(x).roll(shifts, dims), np.roll(x, shifts, dims))


def test_quantiles_are_numpys() -> None:
    x = np.random.default_rng(0).standard_normal((4, 7))
    q = [0.0, 0.1, 0.5, 0.77, 1.0]
    t = torch.from_numpy(x)
    for method in ("linear", "lower", "higher", "midpoint", "nearest"):
        got = torch.quantile(t, torch.tensor(q, dtype=torch.float64), 1, True, interpolation=method)
        np.testing.assert_allclose(got.numpy(), np.quantile(x, q, axis=1, keepdims=True, method=method), rtol=1e-14)
    assert torch.quantile(t, 0.3).shape == ()
    assert torch.quantile(t, 0.3, keepdim=True).shape == (1, 1)
    with pytest.raises(RuntimeError, match=r"range \[0, 1\]"):
        torch.quantile(t, 1.5)


def test_the_most_frequent_and_runs() -> None:
    assert torch.mode(torch.tensor([[3, 1, 3, 1], [2, 2, 2, 5]])).values.tolist() == [1, 2]
    values, inverse, counts = torch.unique_consecutive(torch.tensor([1, 1, 2, 1]), True, True)
    assert (values.tolist(), inverse.tolist(), counts.tolist()) == ([1, 2, 1], [0, 0, 1, 2], [2, 1, 1])
    rows = torch.tensor([[1, 2], [1, 2], [0, 1]])
    assert torch.unique_consecutive(rows, dim=0).tolist() == [[1, 2], [0, 1]]
    assert torch.unique(rows, dim=0).tolist() == [[0, 1], [1, 2]]
    assert len(torch.unique(torch.tensor([math.nan, math.nan]))) == 2


def test_places_in_an_order() -> None:
    edges = torch.tensor([1.0, 3.0, 5.0])
    assert torch.bucketize(torch.tensor([0, 3, 9]), edges).tolist() == [0, 1, 3]
    assert torch.searchsorted(edges, 3.0, right=True).item() == 2
    rows = torch.tensor([[1, 3], [2, 4]])
    assert torch.searchsorted(rows, torch.tensor([[3], [3]]), out_int32=True).tolist() == [[1], [1]]
    for call in (lambda: torch.searchsorted(edges, torch.tensor([1])), lambda: torch.searchsorted(rows, 1),
                 lambda: torch.searchsorted(edges, 1.0, right=True, side="left"),
                 lambda: torch.bucketize(1.0, rows)):  # fmt: skip
        with pytest.raises(RuntimeError, match=r"dtype|scalar|opposites|1 dimension"):
            call()


# ---- counting and areas ----------------------------------------------------------------------------------------------
def test_histograms() -> None:
    x = np.random.default_rng(0).standard_normal(500)
    t = torch.from_numpy(x)
    hist, edges = torch.histogram(t, 7, range=(-2.0, 2.0))
    np.testing.assert_array_equal(hist.numpy(), np.histogram(x, 7, (-2, 2))[0])
    np.testing.assert_allclose(edges.numpy(), np.linspace(-2, 2, 8))
    assert torch.histc(t, 7, -2, 2).tolist() == hist.tolist()
    assert torch.histogram(t, 5, density=True).hist.sum().item() > 0
    points = x.reshape(-1, 2)
    got = torch.histogramdd(torch.from_numpy(points), [3, 4])
    want = np.histogramdd(points, [3, 4])
    np.testing.assert_array_equal(got.hist.numpy(), want[0])
    assert [len(e) for e in got.bin_edges] == [4, 5]
    assert torch.histc(torch.tensor([2.0, 2.0]), 2).tolist() == [0.0, 2.0]


def test_areas_and_slopes() -> None:
    x = np.array([0.0, 1.0, 3.0, 4.0])
    y = torch.from_numpy(x**2)
    assert torch.trapezoid(y, torch.from_numpy(x)).item() == np.trapezoid(x**2, x) if hasattr(np, "trapezoid") else 24.0
    assert torch.cumulative_trapezoid(torch.tensor([1, 2, 3])).tolist() == [1.5, 4.0]
    (slope,) = torch.gradient(y, spacing=(torch.from_numpy(x),), edge_order=2)
    np.testing.assert_allclose(slope.numpy(), 2 * x)
    with pytest.raises(RuntimeError, match="edge_order"):
        torch.gradient(torch.ones(1))


# ---- creation --------------------------------------------------------------------------------------------------------
def test_ranges_in_whole_numbers() -> None:
    assert torch.arange(1, 5, 0.3, dtype=torch.uint8).tolist() == [1] * 14  # the step is cut, the count is not
    assert torch.linspace(-10, 10, 5, dtype=torch.uint8).tolist() == [246, 187, 128, 69, 10]
    assert torch.logspace(1.2, 2, 2, dtype=torch.int64).tolist() == [10, 100]
    assert torch.range(0, 3).tolist() == [0, 1, 2, 3]
    for call in (lambda: torch.arange(0, 10, -1), lambda: torch.arange(0, math.inf), lambda: torch.linspace(0, 1, -1)):
        with pytest.raises(RuntimeError, match=r"step sign|unsupported range|non-negative"):
            call()


def test_full_takes_the_type_of_its_number() -> None:
    kinds = [torch.full((1,), v).dtype for v in (True, 2, 2.5, 1j)]
    assert kinds == [torch.bool, torch.int64, torch.float32, torch.complex64]
    for value in ("a", torch.ones(2)):
        with pytest.raises(TypeError, match="must be Number"):
            torch.full((2,), value)


def test_like_keeps_the_order_in_memory() -> None:
    x = torch.ones(2, 3).T
    assert torch.zeros_like(x).stride() == (1, 3)
    assert torch.zeros_like(x, memory_format=torch.contiguous_format).stride() == (2, 1)


# ---- number types ----------------------------------------------------------------------------------------------------
def test_limits() -> None:
    assert repr(torch.finfo(torch.float16)) == (
        "finfo(resolution=0.001, min=-65504, max=65504, eps=0.000976562, smallest_normal=6.10352e-05, "
        "tiny=6.10352e-05, dtype=float16)"
    )
    assert torch.finfo(torch.bfloat16).max == 3.3895313892515355e38
    assert repr(torch.iinfo(torch.int64)) == "iinfo(min=-9.22337e+18, max=9.22337e+18, dtype=int64)"
    assert torch.iinfo(torch.uint16).bits == 16


def test_the_default_type_decides_complex_numbers_too() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        assert torch.tensor(1j).dtype is torch.complex128
        assert (torch.arange(2) / 2).dtype is torch.float64
    finally:
        torch.set_default_tensor_type("torch.FloatTensor")
    assert torch.tensor(1.0).dtype is torch.float32


def test_wide_unsigned_types_promote_only_to_floats() -> None:
    assert torch.promote_types(torch.uint16, torch.float32) is torch.float32
    with pytest.raises(RuntimeError, match="Promotion for uint16"):
        torch.promote_types(torch.uint16, torch.int32)
    assert torch.from_numpy(np.arange(3, dtype=np.uint32)).float().tolist() == [0, 1, 2]


def test_bfloat16_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    assert repr(torch.bfloat16) == "torch.bfloat16"
    assert torch.bfloat16.itemsize == 2
    assert pickle.loads(pickle.dumps(torch.bfloat16)) is torch.bfloat16
    with pytest.raises(MissingExtraError, match=r"ml_dtypes.*mini-torch\[bfloat16\]"):
        torch.ones(2).bfloat16()


def test_bfloat16_holds_numbers() -> None:
    pytest.importorskip("ml_dtypes")
    x = torch.tensor([1.0, 3.3], requires_grad=True)
    y = x.bfloat16()
    assert repr(y.detach()) == "tensor([1.0000, 3.2969], dtype=torch.bfloat16)"
    assert (y + 1.7).dtype is torch.bfloat16
    assert (y * x).dtype is torch.float32
    assert (y > 2).tolist() == [False, True]
    (y * 2).exp().sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [14.75, 1464.0]
    assert torch.promote_types(torch.bfloat16, torch.float16) is torch.float32


def test_running_sums_of_long_rows_are_those_of_short_ones() -> None:
    """Long rows are summed in blocks; what is infinite or NaN spreads as in a plain loop."""
    x = np.random.default_rng(0).standard_normal((3, 40_000)).astype(np.float32)
    np.testing.assert_allclose(torch.cumsum(torch.tensor(x), 1).numpy(), x.cumsum(1, np.float64), rtol=1e-3, atol=1e-3)
    x[1, 20_000], x[2, 5] = np.inf, np.nan
    found = torch.cumsum(torch.tensor(x), 1).numpy()
    assert np.isfinite(found[1, :20_000]).all()
    assert np.isposinf(found[1, 20_000:]).all()
    assert np.isfinite(found[2, :5]).all()
    assert np.isnan(found[2, 5:]).all()


def test_topk_of_none() -> None:
    values, indices = torch.topk(torch.zeros(100), 0)
    assert (values.shape, indices.shape) == ((0,), (0,))
