"""How a compiled function is compared with the same function as it is: several calls, each with other numbers.

What `compile` could get wrong in silence is a number that was computed once, when the program was recorded, and never
again. So each call gets inputs of the same shapes and types with other values, and everything that can be seen is
compared: results, gradients, what was written to the inputs, the errors, and where the random stream has got to.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import mini_torch as torch
import records
import samples
from mini_torch.tree import map_leaves

Array = np.ndarray[Any, Any]
ROUNDING = {
    "float64": 1e-11, "complex128": 1e-11, "float32": 1e-5, "complex64": 1e-5, "float16": 1e-3, "bfloat16": 1e-2,
}  # fmt: skip


class Verdict(NamedTuple):
    """`kind` is "planned" or "given up", with the reason; what differs is an AssertionError."""

    kind: str
    reason: str = ""


# ---- other numbers ---------------------------------------------------------------------------------------------------
def rolled(array: Array, k: int) -> Array:
    """The same numbers at other places; those of one call are never where another call has them."""
    return np.roll(array.reshape(-1), k).reshape(array.shape).copy() if k else array.copy()


def scaled(array: Array, k: int) -> Array:
    """Numbers a little larger, where places matter (a symmetric matrix, an order)."""
    return (array * (1 + k / 8)).astype(array.dtype) if array.dtype.kind in "fc" else array.copy()


def laid_out(array: Array, like: Array) -> Array:
    """The numbers in memory as those of `like` lie."""
    return samples.strided(array) if not like.flags.c_contiguous and not like.flags.f_contiguous else array


# ---- comparing -------------------------------------------------------------------------------------------------------
def seen(run: Callable[..., Any], inputs: Sequence[Any]) -> tuple[Any, ...]:
    """What can be seen of a call: its result as arrays, or its error, the inputs after it, the random stream."""
    torch.default_generator.manual_seed(3)
    error, out = None, None
    try:
        out = run(*inputs)
    except Exception as raised:
        error = raised
    return out, error, [records.to_array(x) for x in inputs], hash(torch.default_generator.place().tobytes())


def arrays_in(tree: Any) -> list[Any]:
    """The tensors of a result as arrays, with everything else as it is."""
    if isinstance(tree, torch.Tensor):
        return [records.to_array(tree), str(tree.dtype), tree.requires_grad]
    if isinstance(tree, dict):
        tree = [*tree.items()]
    if isinstance(tree, tuple | list):
        return [type(tree).__name__, len(tree), *[part for each in tree for part in arrays_in(each)]]
    return [tree]


def check_same(expected: Any, found: Any, where: str) -> None:
    """AssertionError unless two such lists say the same."""
    assert len(expected) == len(found), f"{where}: {found} is not {expected}"
    for a, b in zip(expected, found):
        if not isinstance(a, np.ndarray):
            same = a == b or (isinstance(a, float) and np.isclose(a, b, rtol=1e-11, equal_nan=True))
            assert same, f"{where}: {b!r} is not {a!r}"
            continue
        assert isinstance(b, np.ndarray), f"{where}: {b!r} is not {a}"
        assert (a.shape, a.dtype) == (b.shape, b.dtype), f"{where}: {b} is not {a}"
        if a.dtype.kind in "fc":
            rounding = ROUNDING.get(str(a.dtype), 0.0)
            np.testing.assert_allclose(b, a, rtol=rounding, atol=rounding, err_msg=where)
        else:
            np.testing.assert_array_equal(b, a, err_msg=where)


def compare(function: Callable[..., Any], calls: Sequence[Callable[[], list[Any]]], after: Any = None) -> Verdict:
    """Calls `function` and its compiled form with inputs made by each of `calls`; AssertionError where they differ.

    `after(inputs, result)` goes on with the result outside of the program: backward, say. Its result is compared, too.
    """
    compiled = torch.compile(function)
    reasons: list[str] = []
    for k, make in enumerate(calls):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = observe(function, make(), after)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = observe(compiled, make(), after)
        reasons += [str(w.message) for w in caught if str(w.message).startswith("compile: ")]
        check_same(expected, found, f"call {k}")
    if reasons:
        return Verdict("given up", reasons[0].partition("without a plan: ")[2])
    if not compiled.plans or not any(compiled.plans.values()):
        return Verdict("given up", "no plan, no warning")
    return Verdict("planned")


def observe(function: Callable[..., Any], inputs: list[Any], after: Any) -> list[Any]:
    """What is seen of a call, in a flat list."""
    out, error, left, place = seen(function, inputs)
    assert type(error).__name__ != "LeavesProgram", error
    if error is not None:
        return [type(error).__name__, str(error)]
    found = [*arrays_in(out), *left, place]
    if after is not None:
        out, error, _, _ = seen(lambda *inputs: after(inputs, out), inputs)
        found += arrays_in(out) if error is None else [type(error).__name__]
    return found


# ---- gradients -------------------------------------------------------------------------------------------------------
def gradients_after(inputs: list[Any], out: Any) -> Any:
    """The inputs' gradients, asked for outside of the program."""
    outs = [x for x in records.leaves(torch, out) if x.requires_grad]
    wanted = [x for x in inputs if x.requires_grad]
    if not outs or not wanted:
        return []
    sent = [records.cotangent(torch, x, 1) for x in outs]
    return torch.autograd.grad(outs, wanted, sent, allow_unused=True)


def with_gradients(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that also returns its inputs' gradients, asked for inside of the program."""

    def both(*inputs: Any) -> Any:
        out = function(*inputs)
        outs = [x for x in records.leaves(torch, out) if x.requires_grad]
        wanted = [x for x in inputs if x.requires_grad]
        if not outs or not wanted:
            return out, ()
        sent = [records.cotangent(torch, x, 1) for x in outs]
        grads = torch.autograd.grad(outs, wanted, sent, allow_unused=True)
        return map_leaves(detached, out), grads

    return both


def detached(x: Any) -> Any:
    """x without its history, which has been walked."""
    return x.detach() if isinstance(x, torch.Tensor) else x


# ---- the lines of samples.py -----------------------------------------------------------------------------------------
def sample_line(code: str, variant: str, dtype: str = "float64") -> tuple[Callable[..., Any], list[Callable[[], Any]]]:
    """A line as a function of its inputs, and three makers of these; constants of the line are inputs, too."""
    arrays = samples.inputs_of(code, variant)
    constants = {name: samples.CONSTANTS[name] for name in sorted(samples.names_in(code) & samples.CONSTANTS.keys())}
    names = [*arrays, *constants]

    def function(*inputs: Any) -> Any:
        return eval(compiled_code, {"torch": torch, "F": torch.nn.functional, **dict(zip(names, inputs))})

    compiled_code = compile(code, "<line>", "eval")

    def maker(k: int) -> Callable[[], list[Any]]:
        def make() -> list[Any]:
            floats = [torch.from_numpy(laid_out(rolled(x, k).astype(dtype), x)) for x in arrays.values()]
            fixed = [
                torch.from_numpy(rolled(x, k).astype(dtype if x.dtype.kind == "f" else x.dtype))
                for x in constants.values()
            ]
            return [x.requires_grad_(code in samples.SAMPLES) for x in floats] + fixed

        return make

    return function, [maker(k) for k in (0, 1, 2)]


# ---- the database ----------------------------------------------------------------------------------------------------
def database_sample(sample: dict[str, Any], arrays: list[Array]) -> tuple[Callable[..., Any], list[Callable[[], Any]]]:
    """A recorded sample's steps as a function of its inputs, and three makers of these."""
    wanted = sample.get("wanted", [])

    def function(*inputs: Any) -> Any:
        results = records.run(torch, sample, [*inputs])
        return records.decode(torch, sample["result"], [*inputs], results)

    def inputs(change: Callable[[Array, int], Array], k: int) -> list[Any]:
        return [records.to_tensor(torch, change(x, k), i in wanted) for i, x in enumerate(arrays)]

    def maker(k: int) -> Callable[[], list[Any]]:
        change = rolled
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if k and seen(function, inputs(rolled, k))[1] is not None:
                change = scaled
        return lambda: inputs(change, k)

    return function, [maker(k) for k in (0, 1, 2)]
