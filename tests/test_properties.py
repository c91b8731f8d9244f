"""What holds for every shape, index, type and order of writes, tried on many that hypothesis makes up."""

from __future__ import annotations

import functools
import itertools
import json
import math
from operator import attrgetter
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import mini_torch
import promotion
from mini_torch import Tensor, errors

HERE = Path(__file__).parent
Array = np.ndarray[Any, Any]
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


def numbers(shape: tuple[int, ...], seed: int = 0) -> Array:
    return np.random.default_rng(seed).uniform(0.5, 2.0, shape)


def leaf(array: Array) -> Tensor:
    return mini_torch.tensor(array, requires_grad=True)


# ---- broadcasting ------------------------------------------------------------------------------------------
def summed_back(g: Array, shape: tuple[int, ...]) -> Array:
    """The sum of `g` over all places to which an element of an array of `shape` was broadcast."""
    total = np.zeros(shape)
    places = np.broadcast_to(np.arange(math.prod(shape)).reshape(shape), g.shape)
    np.add.at(total.reshape(-1), places.reshape(-1), g.reshape(-1))
    return total


@given(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, min_side=0, max_side=3))
def test_broadcasting_of_two(shapes: hnp.BroadcastableShapes) -> None:
    """The result is NumPy's; each gradient has its operand's shape, summed over the repetitions."""
    one, other = shapes.input_shapes
    x, y = numbers(one, 1), numbers(other, 2)
    a, b = leaf(x), leaf(y)
    out = a * b
    g = numbers(shapes.result_shape, 3)
    out.backward(mini_torch.tensor(g))
    np.testing.assert_array_equal(out.detach().numpy(), x * y)
    assert (tuple(a.grad.shape), tuple(b.grad.shape)) == (one, other)
    np.testing.assert_allclose(a.grad.numpy(), summed_back(g * y, one))
    np.testing.assert_allclose(b.grad.numpy(), summed_back(g * x, other))


@given(hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, min_side=0, max_side=3))
def test_broadcasting_of_three(shapes: hnp.BroadcastableShapes) -> None:
    masks, ones, others = shapes.input_shapes
    mask, x, y = numbers(masks) > 1.2, numbers(ones, 1), numbers(others, 2)
    a, b = leaf(x), leaf(y)
    out = mini_torch.where(mini_torch.tensor(mask), a, b)
    g = numbers(shapes.result_shape, 3)
    out.backward(mini_torch.tensor(g))
    np.testing.assert_array_equal(out.detach().numpy(), np.where(mask, x, y))
    np.testing.assert_allclose(a.grad.numpy(), summed_back(np.where(mask, g, 0), ones))
    np.testing.assert_allclose(b.grad.numpy(), summed_back(np.where(mask, 0, g), others))


@given(SHAPES, SHAPES)
def test_shapes_that_do_not_broadcast_are_refused(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    try:
        np.broadcast_shapes(one, other)
    except ValueError:
        with pytest.raises(RuntimeError, match="The size of tensor a") as caught:
            leaf(numbers(one)) + leaf(numbers(other))
        at, a, b = clash(one, other)
        assert f"tensor a ({a}) must match the size of tensor b ({b})" in str(caught.value)
        assert f"dimension {at}" in str(caught.value)
    else:
        assert (leaf(numbers(one)) + leaf(numbers(other))).shape == np.broadcast_shapes(one, other)


def clash(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, int, int]:
    """(dimension, size, size) of the last dimension in which two shapes disagree."""
    n = max(len(one), len(other))
    pairs = zip((1,) * (n - len(one)) + one, (1,) * (n - len(other)) + other, strict=True)
    return [(at, a, b) for at, (a, b) in enumerate(pairs) if a != b and 1 not in (a, b)][-1]


@given(hnp.mutually_broadcastable_shapes(signature="(n?,k),(k,m?)->(n?,m?)", max_dims=3, max_side=3))
def test_matmul_broadcasts_as_numpy(shapes: hnp.BroadcastableShapes) -> None:
    x, y = (numbers(shape, k) for k, shape in enumerate(shapes.input_shapes))
    a, b = leaf(x), leaf(y)
    out = a @ b
    np.testing.assert_allclose(out.detach().numpy(), x @ y)
    out.sum().backward()
    step = 1e-3 * numbers(x.shape, 5)  # the product is linear in each operand
    assert (a.grad.numpy() * step).sum() == pytest.approx(((x + step) @ y - x @ y).sum(), abs=1e-9)
    step = 1e-3 * numbers(y.shape, 6)
    assert (b.grad.numpy() * step).sum() == pytest.approx((x @ (y + step) - x @ y).sum(), abs=1e-9)


@given(st.data())
def test_reductions_over_any_dimensions(data: st.DataObject) -> None:
    shape = data.draw(hnp.array_shapes(max_dims=4, max_side=4))
    dims = data.draw(st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True))
    dims = [d - len(shape) if data.draw(st.booleans()) else d for d in dims]
    keepdim = data.draw(st.booleans())
    x = numbers(shape)
    for name, reference in (("sum", np.sum), ("mean", np.mean), ("amax", np.max)):
        a = leaf(x)
        out = getattr(a, name)(tuple(dims), keepdim=keepdim)
        np.testing.assert_allclose(out.detach().numpy(), reference(x, axis=tuple(dims), keepdims=keepdim))
        out.sum().backward()
        assert a.grad.shape == shape
        assert a.grad.sum().item() == pytest.approx(x.size if name == "sum" else out.numel())


# ---- indexing ----------------------------------------------------------------------------------------------
@st.composite
def index_of_one(draw: st.DrawFn, n: int, advanced: bool, span: int) -> Any:
    """An index of one dimension of size n > 0; lists and masks of `span` elements if `advanced`."""
    kind = draw(st.sampled_from(["slice", "int", *(["list", "mask"] if advanced else [])]))
    if kind == "int":
        return draw(st.integers(-n, n - 1))
    if kind == "list":
        return np.array(draw(st.lists(st.integers(-n, n - 1), min_size=span, max_size=span)))
    if kind == "mask":
        return np.isin(np.arange(n), draw(st.permutations(range(n)))[:span])
    start, stop = (draw(st.none() | st.integers(-n - 1, n + 1)) for _ in range(2))
    return slice(start, stop, draw(st.none() | st.integers(1, 3)))


@st.composite
def indexed(draw: st.DrawFn, advanced: bool) -> tuple[tuple[int, ...], tuple[Any, ...]]:
    """A shape and an index that fits: integers, slices, None, an ellipsis; if `advanced` lists and masks."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4))
    span = draw(st.sampled_from([1, 2, 3]))
    front = draw(st.integers(0, len(shape)))
    back = draw(st.integers(front, len(shape)))
    parts = [draw(index_of_one(n, advanced, span)) for n in shape[:front]]
    if back < len(shape) or draw(st.booleans()):
        parts += [Ellipsis, *(draw(index_of_one(n, advanced, span)) for n in shape[back:])]
    for _ in range(draw(st.integers(0, 2))):
        parts.insert(draw(st.integers(0, len(parts))), None)
    index = tuple(parts)
    try:
        places(shape, index)
    except IndexError:  # lists of different lengths
        assume(False)
    return shape, index


def places(shape: tuple[int, ...], index: tuple[Any, ...]) -> Array:
    """The flat place of every element that PyTorch's `x[index]` has.

    It takes integers first, one dimension at a time; unlike in NumPy they never count as lists of one.
    """
    flat = np.arange(math.prod(shape)).reshape(shape)
    dim, rest = 0, []
    for part in index:
        if isinstance(part, int):
            flat = flat.take(part, axis=dim)
            continue
        rest.append(part)
        taken = sum(i is not None and i is not Ellipsis for i in index)
        dim += len(shape) - taken if part is Ellipsis else part is not None
    return flat[tuple(rest)]


def as_tensors(index: tuple[Any, ...]) -> Any:
    parts = tuple(mini_torch.tensor(i) if isinstance(i, np.ndarray) else i for i in index)
    return parts[0] if len(parts) == 1 else parts


@given(indexed(advanced=True))
@example(((2, 3, 4), (0, slice(None), np.array([1, 1]))))
@example(((2, 3, 4), (np.array([0, 1]), slice(None), np.array([3, 3]))))
@example(((3, 3), (np.array([1, 1, 1]),)))
def test_indexing(case: tuple[tuple[int, ...], tuple[Any, ...]]) -> None:
    """Reads the right elements; the gradient adds up where an element is read more than once."""
    shape, index = case
    x = leaf(numbers(shape))
    out = x[as_tensors(index)]
    where = places(shape, index)
    np.testing.assert_array_equal(out.detach().numpy(), numbers(shape).reshape(-1)[where])
    g = numbers(where.shape, 3)
    out.backward(mini_torch.tensor(g))
    expected = np.zeros(math.prod(shape))
    np.add.at(expected, where, g)
    np.testing.assert_allclose(x.grad.numpy(), expected.reshape(shape))


@given(indexed(advanced=True))
def test_assignment(case: tuple[tuple[int, ...], tuple[Any, ...]]) -> None:
    """Writes the right elements, and the written ones no longer depend on what was there before."""
    shape, index = case
    where = places(shape, index)
    assume(np.unique(where).size == where.size)
    x, value = leaf(numbers(shape)), leaf(numbers(where.shape, 4))
    y = x * 2
    y[as_tensors(index)] = value * 3
    expected = 2 * numbers(shape)
    expected.reshape(-1)[where] = 3 * numbers(where.shape, 4)
    np.testing.assert_array_equal(y.detach().numpy(), expected)
    g = numbers(shape, 5)
    y.backward(mini_torch.tensor(g))
    kept = np.ones(shape)
    kept.reshape(-1)[where] = 0
    np.testing.assert_allclose(x.grad.numpy(), 2 * g * kept)
    np.testing.assert_allclose(value.grad.numpy(), 3 * g.reshape(-1)[where])


@given(indexed(advanced=False))
def test_basic_indexing_shares_memory(case: tuple[tuple[int, ...], tuple[Any, ...]]) -> None:
    shape, index = case
    x = mini_torch.tensor(numbers(shape))
    view = x[as_tensors(index)]
    view.zero_()
    expected = numbers(shape)
    expected.reshape(-1)[places(shape, index)] = 0
    np.testing.assert_array_equal(x.numpy(), expected)


@given(indexed(advanced=True))
def test_indexing_with_lists_copies(case: tuple[tuple[int, ...], tuple[Any, ...]]) -> None:
    shape, index = case
    assume(any(isinstance(i, np.ndarray) for i in index))
    x = mini_torch.tensor(numbers(shape))
    assert not np.shares_memory(x[as_tensors(index)].numpy(), x.numpy())


# ---- promotion ---------------------------------------------------------------------------------------------
PROMOTED_OTHERWISE = {  # (operation, PyTorch, here)
    ("pow 0-d True", "bool", "NotImplementedError"),
    ("pow 1-d True", "bool", "NotImplementedError"),
    ("pow_", "bool", "NotImplementedError"),
    ("ldexp 0-d 1-d", "complex128", "complex64"),
}


def as_promoted(ours: str, theirs: str) -> bool:
    """Refused where PyTorch refuses the types, but not where it only has no kernel; nothing here is complex32."""
    if theirs == "NotImplementedError" or (ours, theirs) == ("NotImplementedError", "RuntimeError"):
        return True
    return ours == theirs.replace("complex32", "complex64")


def test_promotion_is_pytorchs() -> None:
    """Result types as recorded: of all pairs of types, 0-d or not, and of a tensor and a number, in every operation of
    two, also in place; and of every type in operations of one."""
    data = json.loads((HERE / "data" / "promotion.json").read_text())
    found, wrong = promotion.table(mini_torch), []
    for name, letters in data["types"].items():
        for case, (ours, letter) in enumerate(zip(found[name], letters, strict=True)):
            theirs = data["letters"][letter]
            if not as_promoted(ours, theirs) and (name, theirs, ours) not in PROMOTED_OTHERWISE:
                wrong.append(f"{name}, case {case}: {ours}, PyTorch {theirs}")
    assert wrong == []


@pytest.mark.parametrize(("a", "b"), list(itertools.combinations_with_replacement(promotion.TYPES, 2)))
def test_promotion_is_symmetric(a: str, b: str) -> None:
    one, other = getattr(mini_torch, a), getattr(mini_torch, b)
    both = mini_torch.promote_types(one, other)
    assert both is mini_torch.promote_types(other, one)
    assert mini_torch.can_cast(one, both)
    assert mini_torch.result_type(mini_torch.ones(1, dtype=one), mini_torch.ones(1, dtype=other)) is both


@functools.cache
def promoted() -> dict[tuple[str, int, int, str, str], str]:
    """(operation, dimensions of both, types of both) -> the result's type in PyTorch, or its error."""
    data = json.loads((HERE / "data" / "promotion.json").read_text())
    pairs = list(itertools.product(promotion.TYPES, repeat=2))
    return {
        (name, a, b, *pair): data["letters"][letter]
        for name, a, b in itertools.product(promotion.BINARY, (0, 1), (0, 1))
        for pair, letter in zip(pairs, data["types"][f"{name} {a}-d {b}-d"], strict=True)
    }


@given(
    st.sampled_from(promotion.BINARY), st.sampled_from(promotion.TYPES), st.sampled_from(promotion.TYPES),
    hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3),
)  # fmt: skip
@settings(max_examples=300)
def test_any_shapes_of_any_types(name: str, a: str, b: str, shapes: hnp.BroadcastableShapes) -> None:
    """An operation of two gives the broadcast shape, the recorded type, and what it gives of the operands written out;
    or the recorded error."""
    function = attrgetter(name)(mini_torch)
    arrays = [(2 * numbers(shape, k)).astype(t) for k, (shape, t) in enumerate(zip(shapes.input_shapes, (a, b)))]
    x, y = map(mini_torch.tensor, arrays)
    theirs = promoted()[name, min(x.ndim, 1), min(y.ndim, 1), a, b]
    ours = promotion.result_type(function, x, y)
    assert as_promoted(ours, theirs) or any(name in odd and theirs == given for odd, given, _ in PROMOTED_OTHERWISE)
    if ours.endswith("Error"):
        return
    out = function(x, y)
    assert out.shape == shapes.result_shape
    if x.ndim and y.ndim:
        wide = function(*(mini_torch.tensor(np.broadcast_to(array, out.shape)) for array in arrays))
        np.testing.assert_array_equal(out.numpy(), wide.numpy())


SAFE = ["int16", "int32", "int64", "float32", "float64"]


@given(
    st.sampled_from(SAFE), st.sampled_from(SAFE), st.sampled_from(["add", "mul", "sub", "maximum"]), SHAPES
)
def test_mixed_types_compute_in_the_common_one(a: str, b: str, op: str, shape: tuple[int, ...]) -> None:
    x = (10 * numbers(shape, 1)).astype(a)
    y = (10 * numbers(shape, 2)).astype(b)
    out = getattr(mini_torch, op)(mini_torch.tensor(x), mini_torch.tensor(y))
    common = out.numpy().dtype
    reference = {"add": np.add, "mul": np.multiply, "sub": np.subtract, "maximum": np.maximum}[op]
    np.testing.assert_array_equal(out.numpy(), reference(x.astype(common), y.astype(common)))
    assert out.dtype is mini_torch.promote_types(getattr(mini_torch, a), getattr(mini_torch, b))


@given(st.integers(-(2**40), 2**40), st.sampled_from(["int64", "float64"]))
def test_python_numbers_lose_nothing(n: int, kind: str) -> None:
    x = mini_torch.zeros(2, dtype=getattr(mini_torch, kind))
    assert (x + n).tolist() == [n, n]
    assert (x + n).dtype is x.dtype


# ---- writes in any order: the right gradient, or an error, never a wrong number ----------------------------
STEPS = st.lists(
    st.tuples(
        st.sampled_from([
            "scale", "square", "mix", "view", "strided", "reshape", "write", "write_product", "assign",
            "fill", "overwrite", "clone", "sum_in",
        ]),
        st.integers(0, 7), st.integers(0, 7),
    ),
    min_size=2, max_size=9,
)  # fmt: skip


def program(steps: list[tuple[str, int, int]], x: Any) -> Any:
    """A number computed from `x` through copies, views and writes into them, as `steps` say.

    `pool` holds the tensors so far: the two numbers of a step choose from it.
    """
    pool = [x * 1.0]
    for name, i, j in steps:
        a, b = pool[i % len(pool)], pool[j % len(pool)]
        fits = a.shape == b.shape
        if name == "scale":
            pool.append(a * 1.5)
        elif name == "square":
            pool.append(a * a)
        elif name == "mix":
            pool.append(a * b if fits else a * b.mean())
        elif name == "view":
            pool.append(a[1:])
        elif name == "strided":
            pool.append(a[::2])
        elif name == "reshape":
            pool.append(a.reshape(-1))
        elif name == "write":
            a.mul_(0.5 + j)
        elif name == "write_product":
            a.mul_(b if fits else b.mean())
        elif name == "assign":
            a[: 1 + j % 2] = b.sum()
        elif name == "fill":
            a[:1].fill_(0.25)
        elif name == "overwrite":
            a.copy_(b if fits else b.mean().expand(a.shape))
        elif name == "clone":
            pool.append(a.clone())
        else:
            a.add_(b.sum())
    return sum(((1 + k) * (t * t).sum() for k, t in enumerate(pool)), 0.0)


@settings(max_examples=300)
@given(STEPS)
@example([("view", 0, 0), ("write", 1, 1), ("square", 0, 0)])
@example([("square", 0, 0), ("write", 0, 1)])
@example([("view", 0, 0), ("view", 1, 0), ("write_product", 2, 0), ("assign", 0, 1), ("mix", 2, 2)])
@example([("reshape", 0, 0), ("strided", 1, 0), ("overwrite", 2, 1), ("write", 0, 1)])
def test_writes_give_the_right_gradient_or_an_error(steps: list[tuple[str, int, int]]) -> None:
    start = np.array([0.9, -1.1, 0.7, 1.3])
    x = leaf(start)
    with mini_torch.no_grad():
        value = program(steps, mini_torch.tensor(start)).item()
    assume(abs(value) < 1e8)
    loss = program(steps, x)
    assert loss.item() == pytest.approx(value)
    try:
        loss.backward()
    except errors.StaleTensorError:
        return
    assert x.grad is not None
    np.testing.assert_allclose(
        x.grad.numpy(), numeric_gradient(steps, start), rtol=2e-3, atol=2e-4 * (1 + abs(value))
    )


def numeric_gradient(steps: list[tuple[str, int, int]], start: Array) -> Array:
    gradient = np.zeros_like(start)
    for k in range(start.size):
        step = np.zeros_like(start)
        step[k] = 1e-5
        with mini_torch.no_grad():
            up = program(steps, mini_torch.tensor(start + step)).item()
            down = program(steps, mini_torch.tensor(start - step)).item()
        gradient[k] = (up - down) / 2e-5
    return gradient
