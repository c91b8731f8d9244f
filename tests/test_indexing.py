"""Indexing against a slow model that takes one part of the index at a time: values, gradients and assignment.

NumPy is no model of its own: it counts an int among the arrays, which moves dimensions, and it lets a step be negative.
"""

from __future__ import annotations

import itertools
import math
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mini_torch
from mini_torch import Tensor
from mini_torch.ops.adjoint import combine_at

Array = np.ndarray[Any, Any]


# ---- the model -------------------------------------------------------------------------------------------------------
def dims_used(part: Any) -> int:
    return 0 if part is None or part is Ellipsis else part.ndim if is_mask(part) else 1


def is_mask(part: Any) -> bool:
    return isinstance(part, np.ndarray) and part.dtype.kind == "b"


def picked(x: Array, index: tuple[Any, ...]) -> Array:
    """x[index] as PyTorch has it: ints, slices and None from the left, then all arrays together, element by element."""
    used, axis, arrays = sum(map(dims_used, index)), 0, {}
    for part in index:
        if part is Ellipsis:
            axis += x.ndim - axis - (used - sum(map(dims_used, index[: _ellipsis_at(index)])))
        elif part is None:
            x = np.expand_dims(x, axis)
            axis += 1
        elif isinstance(part, slice):
            x = x[(slice(None),) * axis + (part,)]
            axis += 1
        elif isinstance(part, int):
            x = np.take(x, part, axis)
        elif is_mask(part):
            arrays.update({axis + k: at for k, at in enumerate(part.nonzero())})
            axis += part.ndim
        else:
            arrays[axis] = part
            axis += 1
    return each_picked(x, arrays) if arrays else x


def _ellipsis_at(index: tuple[Any, ...]) -> int:
    return next(i for i, part in enumerate(index) if part is Ellipsis)


def each_picked(x: Array, arrays: dict[int, Array]) -> Array:
    """What index arrays by axis pick: their dimensions stand where the arrays do, or in front if these are apart."""
    common = np.broadcast_shapes(*[a.shape for a in arrays.values()])
    wide = {axis: np.broadcast_to(a, common) for axis, a in arrays.items()}
    axes = sorted(wide)
    rest = [n for axis, n in enumerate(x.shape) if axis not in wide]
    out = np.empty((*common, *rest), x.dtype)
    for at in np.ndindex(*common):
        piece = x
        for axis in reversed(axes):
            piece = np.take(piece, wide[axis][at], axis)
        out[at] = piece
    together = axes == list(range(axes[0], axes[0] + len(axes)))
    front = list(range(len(common)))
    return np.moveaxis(out, front, [axes[0] + i for i in front]) if together else out


# ---- indices that hypothesis makes up --------------------------------------------------------------------------------
@st.composite
def cases(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[Any, ...]]:
    """A shape and an index into it: ints, slices, None, Ellipsis, masks of one or two dimensions, arrays of ints."""
    shape = tuple(draw(st.lists(st.integers(1, 4), max_size=4)))
    common = draw(st.sampled_from([(2,), (3,), (2, 3), (1, 2)]))
    parts: list[Any] = []
    axis = 0
    while axis < len(shape) and draw(st.integers(0, 7)):
        kind = draw(st.sampled_from(["int", "slice", "slice", "none", "array", "array", "mask", "mask2", "ellipsis"]))
        n = shape[axis]
        if kind == "ellipsis" and not any(part is Ellipsis for part in parts):
            parts.append(Ellipsis)
            axis += draw(st.integers(0, len(shape) - axis))
            continue
        parts.append(draw(one_part(kind, n, shape[axis : axis + 2], common)))
        axis += dims_used(parts[-1])
    return shape, tuple(parts)


def one_part(kind: str, n: int, sizes: tuple[int, ...], common: tuple[int, ...]) -> st.SearchStrategy[Any]:
    if kind == "int":
        return st.integers(-n, n - 1)
    if kind == "array":
        count = math.prod(common)
        many = st.lists(st.integers(-n, n - 1), min_size=count, max_size=count)
        return many.map(lambda v: np.array(v, np.int64).reshape(common))
    if kind in ("mask", "mask2"):
        size = sizes if kind == "mask2" else sizes[:1]
        count = math.prod(size)
        # as many hits as `common` has, so that it broadcasts with the arrays
        hits = st.permutations(range(count)).map(lambda p: sorted(p[: common[-1]]))
        return hits.map(lambda h: np.isin(np.arange(count), h).reshape(size))
    bound = st.none() | st.integers(-n - 1, n + 1)
    return st.builds(slice, bound, bound, st.none() | st.integers(1, 3)) if kind == "slice" else st.none()


def in_tensors(index: tuple[Any, ...], lists: bool) -> Any:
    """The index as a user writes it: tensors, or (where they are flat) lists and arrays."""
    if lists:
        parts = [p.tolist() if isinstance(p, np.ndarray) and p.ndim == 1 and p.dtype.kind == "i" else p for p in index]
    else:
        parts = [mini_torch.tensor(p) if isinstance(p, np.ndarray) else p for p in index]
    return parts[0] if len(parts) == 1 and not isinstance(parts[0], list) else tuple(parts)


def broadcastable(shape: tuple[int, ...], index: tuple[Any, ...]) -> bool:
    try:
        picked(np.zeros(shape), index)
    except ValueError:
        return False
    return True


@given(cases(), st.booleans(), st.booleans())
def test_get_and_its_gradient(case: Any, lists: bool, turned: bool) -> None:
    shape, index = case
    if not broadcastable(shape, index):
        return
    x = np.arange(math.prod(shape), dtype=np.float64).reshape(shape)
    leaf = mini_torch.tensor(x.T if turned else x, requires_grad=True)
    out = (leaf.permute(*range(len(shape) - 1, -1, -1)) if turned else leaf)[in_tensors(index, lists)]
    expected = picked(x, index)
    np.testing.assert_array_equal(out.detach().numpy(), expected)
    g = np.random.default_rng(0).uniform(1.0, 2.0, expected.shape)
    out.backward(mini_torch.tensor(g))
    total = np.zeros(x.size)
    np.add.at(total, expected.astype(np.int64).reshape(-1), g.reshape(-1))  # x's elements are their own positions
    got = leaf.grad.numpy()
    np.testing.assert_allclose(got.T if turned else got, total.reshape(shape))


@given(cases(), st.sampled_from(["number", "tensor", "row"]))
def test_set_and_its_gradients(case: Any, what: str) -> None:
    shape, index = case
    if not broadcastable(shape, index):
        return
    places = picked(np.arange(math.prod(shape)).reshape(shape), index)
    if len(np.unique(places)) != places.size:
        return  # which of several values stays is nobody's promise
    start = mini_torch.zeros(shape, dtype=mini_torch.float64, requires_grad=True)
    size = places.shape if what == "tensor" else places.shape[-1:] if what == "row" else ()
    value = mini_torch.full(size, 2.5, dtype=mini_torch.float64, requires_grad=True)
    x = start * 1
    x[in_tensors(index, False)] = 2.5 if what == "number" else value
    expected = np.zeros(math.prod(shape))
    expected[places.reshape(-1)] = 2.5
    np.testing.assert_array_equal(x.detach().numpy().reshape(-1), expected)
    g = np.random.default_rng(0).uniform(1.0, 2.0, shape)
    x.backward(mini_torch.tensor(g))
    kept = g.reshape(-1).copy()
    taken = kept[places]
    kept[places.reshape(-1)] = 0
    np.testing.assert_allclose(start.grad.numpy().reshape(-1), kept)
    if what != "number":
        lead = tuple(range(taken.ndim - len(size)))
        np.testing.assert_allclose(value.grad.numpy(), taken.sum(lead) if lead else taken)


def test_second_gradients() -> None:
    x = mini_torch.rand(3, 4, dtype=mini_torch.float64, requires_grad=True)
    value = mini_torch.rand(2, 4, dtype=mini_torch.float64, requires_grad=True)
    rows, mask = mini_torch.tensor([2, 0]), mini_torch.tensor([True, False, True])

    def written(x: Tensor, value: Tensor) -> Tensor:
        y = x * x
        y[rows] = value * value
        y[mask, 1] += value[:, 0]
        return y[[0, 0, 2]] ** 3

    assert mini_torch.autograd.gradcheck(written, (x, value))
    assert mini_torch.autograd.gradgradcheck(written, (x, value))


# ---- what both libraries refuse --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("index", "error", "words"),
    [
        ("slice(None, None, -1)", ValueError, "step must be greater than zero"),
        ("3", IndexError, "index 3 is out of bounds for dimension 0 with size 3"),
        ("(0, -5)", IndexError, "index -5 is out of bounds"),
        ("(0, 0, 0)", IndexError, "too many indices for tensor of dimension 2"),
        ("torch.tensor([0, 3])", IndexError, "index 3 is out of bounds for dimension 0 with size 3"),
        ("torch.tensor([0.5])", IndexError, "tensors used as indices must be long, int, byte or bool tensors"),
        ("1.5", IndexError, "only integers, slices"),
        ("slice(0.5)", TypeError, "slice indices must be integers"),
        ("torch.tensor([True, False])", IndexError, r"The shape of the mask \[2\] at index 0 does not match"),
        ("(torch.tensor([0, 1]), torch.tensor([0, 1, 2]))", IndexError, "could not be broadcast together"),
    ],
)
def test_refused_indices(torch: ModuleType, index: str, error: type[Exception], words: str) -> None:
    x = torch.zeros(3, 4)
    at = eval(index, {"torch": torch})
    with pytest.raises(error, match=words):
        x[at]
    with pytest.raises(error, match=words):
        x[at] = 1.0


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        ("'a'", TypeError, "can't assign a str to a torch.FloatTensor"),
        ("[1, 2]", TypeError, "can't assign a list to a torch.FloatTensor"),
        ("1j", RuntimeError, "value cannot be converted to type float without overflow"),
        ("torch.ones(3)", RuntimeError, "expanded size of the tensor"),
    ],
)
def test_refused_values(torch: ModuleType, value: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        torch.zeros(3, 4)[0] = eval(value, {"torch": torch})


def test_types_meet_in_a_slice_but_not_at_index_tensors(torch: ModuleType) -> None:
    x = torch.zeros(2, 3)
    x[0] = torch.tensor([1, 2, 3])
    assert x[0].tolist() == [1, 2, 3]
    x[x > 2] = torch.tensor(7)  # a single value at a mask is converted, too
    assert x[0].tolist() == [1, 2, 7]
    with pytest.raises(RuntimeError, match="source and destination dtypes match"):
        x[torch.tensor([0])] = torch.tensor([1, 2, 3])


def test_leading_ones_of_a_value_are_dropped(torch: ModuleType) -> None:
    x = torch.zeros(2, 3)
    x[0] = torch.ones(1, 1, 3)
    x[torch.tensor([1])] = torch.full((1, 1, 1, 3), 2.0)
    assert x.tolist() == [[1, 1, 1], [2, 2, 2]]


def test_true_and_false_are_masks(torch: ModuleType) -> None:
    x = torch.arange(3)
    assert x[True].shape == (1, 3)
    assert x[False].shape == (0, 3)
    x[False] = 5
    assert x.tolist() == [0, 1, 2]
    x[True] = 5
    assert x.tolist() == [5, 5, 5]


def test_index_put(torch: ModuleType) -> None:
    x = torch.zeros(2, 3)
    x.index_put_((torch.tensor([1, 0, 1]), torch.tensor([2, 2, 2])), torch.ones(3), accumulate=True)
    assert x.tolist() == [[0, 0, 1], [0, 0, 2]]
    x.index_put_((torch.tensor(1), torch.tensor([0, 1])), torch.tensor(9.0))
    assert x.tolist() == [[0, 0, 1], [9, 9, 2]]


def test_index_put_takes_none_for_a_whole_dimension() -> None:
    x = mini_torch.zeros(2, 3)
    x.index_put_((None, mini_torch.tensor([2, 2])), mini_torch.ones(2), accumulate=True)
    assert x.tolist() == [[0, 0, 2], [0, 0, 2]]


def test_a_list_of_more_than_numbers_is_a_tuple(torch: ModuleType) -> None:
    x = torch.arange(6).reshape(2, 3)
    with pytest.warns(UserWarning, match="non-tuple sequence"):
        assert x[[[0, 1], [2, 0]]].tolist() == [2, 3]


@pytest.mark.parametrize(("n", "width"), list(itertools.product([7, 1000], [1, 3, 300])))
def test_rows_add_up_by_every_route(n: int, width: int) -> None:
    """Few elements, many, in one dimension and by rows are accumulated by different means."""
    rows = np.random.default_rng(0).integers(-5, 5, n)
    source = np.random.default_rng(1).integers(-9, 9, (n, width))
    expected = np.zeros((5, width), np.int64)
    for row, at in zip(source, rows):
        expected[at] += row
    out = mini_torch.zeros(5, width, dtype=mini_torch.int64)
    out.index_put_((mini_torch.tensor(rows),), mini_torch.tensor(source), accumulate=True)
    np.testing.assert_array_equal(out.numpy(), expected)


@pytest.mark.parametrize("most", [1, 3, 300])
def test_rows_that_meet_are_added_in_order(most: int) -> None:
    """Long rows go by rounds, what is left in the end one by one: the same sums, to the last bit."""
    rng = np.random.default_rng(most)
    rows = np.concatenate([np.full(most, -1), rng.integers(0, 400, 200)])
    x = rng.standard_normal((len(rows), 96)).astype(np.float32)
    expected = np.zeros((400, 96), np.float32)
    np.add.at(expected, rows, x)
    assert np.array_equal(combine_at(np.add, np.zeros_like(expected), (rows,), x), expected)
