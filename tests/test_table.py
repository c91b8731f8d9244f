"""Every operation in the table, every way it can be used, against what PyTorch was recorded to do.

The lines come from `samples.py`; nothing here names an operation. An operation, or one input's formula, that neither
a line nor PyTorch's own database (`test_database.py`) reaches fails `test_every_formula_has_a_sample`.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mini_torch
import records
import samples
import test_database
from mini_torch import Tensor, op

DATA = Path(__file__).parent / "data"
# Lines that finite differences in float64 say nothing about: they go through float32, have ties, leave something out.
UNFIT = ("float()", "ties", "padding_idx", "detach", "bernoulli", "poisson(", "binomial", "torch.normal")
NOT_SMOOTH = {code for code in samples.SAMPLES if any(word in code for word in UNFIT)}
ROWS = list(op.rows.values())  # as declared; `cat` and `stack` add one for every number of inputs they meet
REFUSALS = (RuntimeError, IndexError, ValueError, TypeError, AssertionError)
# Where PyTorch stops at a limit of its own and we need not.
WIDER = {
    "F.bilinear(m, square, cube.mT) | empty",
    "F.linear_cross_entropy(m, w, target, linear_bias=bias, reduction='none', "
    "options=torch.nn.LinearCrossEntropyOptions()) | empty",
    "torch.fft.irfft(torch.fft.fft(x), 6) | empty",
    "torch.fft.hfft(torch.fft.ihfft(x, 5, norm='ortho'), norm='forward') | empty",
    # its second gradients of view_as_real ask for strides that a tensor without elements does not have
    *[f"{code} | empty" for code in samples.SAMPLES if code.startswith("torch.view_as_real(torch.")],
}
ALLOWED = {"rtol": 1e-7, "atol": 1e-9}
ROUGHLY = {"rtol": 2e-3, "atol": 2e-4}


@functools.cache
def recorded() -> dict[str, Any]:
    """Per line and variant what PyTorch gave: {label: array}, or the name of the exception."""
    with np.load(DATA / "ops.npz") as file:
        index, numbers = json.loads(str(file["index"])), file["numbers"]
    at, results = 0, {}
    for key, entries in index.items():
        if isinstance(entries, str):
            results[key] = entries
            continue
        results[key] = {}
        for label, dtype, shape in entries:
            size = int(np.prod(shape))
            results[key][label] = numbers[at : at + size].reshape(shape).astype(dtype)
            at += size
    return results


def leaves(code: str, variant: str = "", dtype: str = "float64") -> dict[str, Tensor]:
    inputs = samples.inputs_of(code, variant)
    if dtype != "float64":
        inputs = {name: array.astype(dtype) for name, array in inputs.items()}
    return {name: mini_torch.from_numpy(array).requires_grad_() for name, array in inputs.items()}


def sent_in(code: str, outputs: list[Tensor]) -> list[Tensor]:
    arrays = samples.cotangents(code, [tuple(out.shape) for out in outputs])
    return [mini_torch.tensor(g).to(out.dtype) for g, out in zip(arrays, outputs, strict=True)]


def differentiate(code: str, inputs: dict[str, Tensor], second: bool, seed: str = "") -> dict[str, Any]:
    """Outputs, gradients and second gradients, labelled as in the record; `seed` chooses what is sent in."""
    outputs = samples.flat(samples.run(mini_torch, code, inputs))
    results: dict[str, Any] = {f"out {k}": out for k, out in enumerate(outputs)}
    floating = [out for out in outputs if out.requires_grad]
    tensors = list(inputs.values())
    grads = mini_torch.autograd.grad(
        floating, tensors, sent_in(seed or code, floating), create_graph=True, allow_unused=True
    )
    results |= {f"grad {name}": g for name, g in zip(inputs, grads, strict=True)}
    pairs = [(g * mini_torch.sin(g.detach() + 1)).sum() for g in grads if g is not None and g.requires_grad]
    if pairs and second:
        total = functools.reduce(lambda a, b: a + b, pairs)
        results |= {
            f"second {name}": g
            for name, g in zip(
                inputs, mini_torch.autograd.grad(total, tensors, allow_unused=True), strict=True
            )
        }
    return {label: None if value is None else value.detach().numpy() for label, value in results.items()}


def compare(found: dict[str, Any], expected: dict[str, Any]) -> None:
    for label, array in expected.items():
        value = found.get(label)
        if value is None:  # no gradient is as good as one of zeros
            assert "out" not in label, f"{label} is missing"
            assert not array.any(), f"{label} is missing"
            continue
        np.testing.assert_allclose(value, array, **ALLOWED, err_msg=label)
        assert (value.dtype, value.shape) == (array.dtype, array.shape), label
    for label, value in found.items():
        assert label in expected or value is None or not value.any(), f"{label} should not be there"


CASES = [
    (code, variant)
    for code in samples.SAMPLES
    for variant in samples.VARIANTS
    if variant == "strided" or f"{code} | {variant}" in recorded().keys() - WIDER
    if not (variant == "empty" and "view_as_real" in code)  # PyTorch does not take an empty complex tensor apart
]


@pytest.mark.parametrize(("code", "variant"), CASES)
def test_values_and_gradients(code: str, variant: str) -> None:
    """As PyTorch's, of both orders, for plain, strided, 0-d and empty inputs; refused where it refuses."""
    expected = recorded().get(f"{code} | {variant}", recorded()[f"{code} | "])
    inputs = leaves(code, variant)
    before = {name: t.detach().numpy().copy() for name, t in inputs.items()}
    if isinstance(expected, str):
        with pytest.raises(REFUSALS):
            differentiate(code, inputs, second=True)
    else:
        second = any(label.startswith("second") for label in expected)
        compare(differentiate(code, inputs, second), expected)
    for name, array in before.items():
        np.testing.assert_array_equal(inputs[name].detach().numpy(), array, err_msg=f"{name} was written to")


@pytest.mark.parametrize("variant", ["", "0-d", "empty"])
@pytest.mark.parametrize("code", samples.VALUE_SAMPLES)
def test_values(code: str, variant: str) -> None:
    expected = recorded()[f"{code} | {variant}"]
    inputs = {name: mini_torch.from_numpy(array) for name, array in samples.inputs_of(code, variant).items()}
    if isinstance(expected, str):
        with pytest.raises(REFUSALS):
            samples.run(mini_torch, code, inputs)
        return
    outputs = samples.flat(samples.run(mini_torch, code, inputs))
    compare({f"out {k}": out.numpy() for k, out in enumerate(outputs)}, expected)


@pytest.mark.no_cover  # its lines are reached elsewhere too, and counting them would double its time
@pytest.mark.parametrize("code", [code for code in samples.SAMPLES if code not in NOT_SMOOTH])
def test_gradcheck(code: str) -> None:
    """The formulas against finite differences, and the gradient's own gradient likewise."""
    inputs = leaves(code)

    def outputs(*tensors: Tensor) -> Any:
        out = samples.flat(samples.run(mini_torch, code, dict(zip(inputs, tensors, strict=True))))
        return tuple(o for o in out if o.is_floating_point())

    assert mini_torch.autograd.gradcheck(outputs, tuple(inputs.values()))
    assert mini_torch.autograd.gradgradcheck(outputs, tuple(inputs.values()))


SINGLE = [
    (code, variant)
    for code, variant in CASES
    if variant in ("", "0-d") and not any(w in code for w in ("float64", "double", "float_power"))
    if not isinstance(recorded()[f"{code} | {variant}"], str)
]


@pytest.mark.parametrize(("code", "variant"), SINGLE)
def test_float32_is_kept(code: str, variant: str) -> None:
    """In the result and in every gradient, which are about those of float64; NumPy 1 likes to widen 0-d arrays."""
    inputs = leaves(code, variant, dtype="float32")
    outputs = samples.flat(samples.run(mini_torch, code, inputs, "float32"))
    floating = [out for out in outputs if out.requires_grad]
    assert {out.dtype for out in floating} <= {mini_torch.float32}
    mini_torch.autograd.backward(floating, sent_in(code, floating))
    expected = recorded()[f"{code} | {variant}"]
    for k, out in enumerate(outputs):
        np.testing.assert_allclose(out.detach().numpy(), expected[f"out {k}"], **ROUGHLY)
    for name, t in inputs.items():
        if t.grad is None:
            continue
        assert t.grad.dtype is mini_torch.float32
        assert t.grad.shape == t.shape
        np.testing.assert_allclose(t.grad.numpy(), expected.get(f"grad {name}", 0.0), **ROUGHLY)


@pytest.mark.parametrize("code", samples.SAMPLES)
def test_a_gradient_sent_in_is_not_written_to(code: str) -> None:
    """Not by a formula, nor by a second backward that adds up; and what arrives is nobody else's memory."""
    inputs = leaves(code)
    outputs = [out for out in samples.flat(samples.run(mini_torch, code, inputs)) if out.requires_grad]
    sent = sent_in(code, outputs)
    copies = [g.numpy().copy() for g in sent]
    for g in sent:
        g.numpy().flags.writeable = False
    for _ in range(2):
        mini_torch.autograd.backward(outputs, sent, retain_graph=True)
    grads = [t.grad for t in inputs.values() if t.grad is not None]
    for g, copy in zip(sent, copies, strict=True):
        np.testing.assert_array_equal(g.numpy(), copy)
        assert not any(np.shares_memory(g.numpy(), grad.numpy()) for grad in grads)
    for name, t in inputs.items():
        if t.grad is not None:
            once = recorded()[f"{code} | "].get(f"grad {name}", 0.0)
            np.testing.assert_allclose(t.grad.numpy(), 2 * once, **ALLOWED)


# ---- in-place forms ----------------------------------------------------------------------------------------
def in_place_form(code: str) -> str | None:
    """`torch.exp(x)` or `x.exp()` as `(x * 1).exp_()`, if there is such a method and it keeps the shape."""
    call = ast.parse(code, mode="eval").body
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    owner, method = call.func.value, call.func.attr + "_"
    arguments = [ast.unparse(a) for a in call.args] + [ast.unparse(k) for k in call.keywords]
    if isinstance(owner, ast.Name) and owner.id in ("torch", "F"):
        first, *arguments = arguments
    else:
        first = ast.unparse(owner)
    if first not in samples.SHAPES or not hasattr(Tensor, method):
        return None
    result = recorded().get(f"{code} | ", {}).get("out 0", np.empty(0))
    same = result.shape == samples.SHAPES[first] and result.dtype.kind == "f"
    return f"({first} * 1).{method}({', '.join(arguments)})" if same else None


IN_PLACE = {code: form for code in samples.SAMPLES if (form := in_place_form(code))}


@pytest.mark.parametrize("code", IN_PLACE)
def test_in_place_form(code: str) -> None:
    """The method with an underscore gives the same values and gradients."""
    form = IN_PLACE[code]
    expected = {k: v for k, v in recorded()[f"{code} | "].items() if not k.startswith("second")}
    compare(differentiate(form, leaves(form), second=False, seed=code), expected)


# ---- elementwise operations: broadcasting ------------------------------------------------------------------
SHAPE_PAIRS = [
    ((3, 4), (4,)),
    ((3, 1), (1, 4)),
    ((), (3,)),
    ((2, 3, 4), (3, 1)),
    ((0, 1), (1, 3)),
    ((1,), (0,)),
]


def is_formula(rule: op.Formula | None) -> bool:
    """Whether a gradient can flow: a rule may also say that there is none, or refuse."""
    return rule is not None and getattr(rule, "__name__", "") != "refuse"  # see `no_formula`


def is_elementwise(name: str, row: op.Row) -> bool:
    """Whether a public operation of two, numbers that a gradient can flow to, broadcasts them to one shape."""
    if not row.broadcasts or len(row.inputs) != 2 or not all(map(is_formula, row.rules.values())):
        return False
    if name not in op.functions or ".random" in op.functions[name].__module__:
        return False
    try:
        return op.functions[name](mini_torch.ones(1, 2), mini_torch.ones(3, 1)).shape == (3, 2)
    except (RuntimeError, TypeError):
        return False


TWO_OPERANDS = sorted(name for name, row in op.rows.items() if is_elementwise(name, row))


@pytest.mark.parametrize("shapes", SHAPE_PAIRS, ids=str)
@pytest.mark.parametrize("name", TWO_OPERANDS)
def test_broadcasting(name: str, shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    """Operands of different shapes give what they give written out; gradients are summed back."""
    function = op.functions[name]
    a, b = (
        mini_torch.tensor(samples.make(n, s), requires_grad=True) for n, s in zip("pq", shapes, strict=True)
    )
    wide_a, wide_b = (
        mini_torch.tensor(t, requires_grad=True) for t in np.broadcast_arrays(a.detach().numpy(), b.detach().numpy())
    )
    out, wide = function(a, b), function(wide_a, wide_b)
    np.testing.assert_array_equal(out.detach().numpy(), wide.detach().numpy())
    g = sent_in(name, [out])[0]
    out.backward(g)
    wide.backward(g)
    for narrow, written_out in ((a, wide_a), (b, wide_b)):
        assert narrow.grad is not None
        assert narrow.grad.shape == narrow.shape
        full = written_out.grad.numpy()
        lead = tuple(range(full.ndim - narrow.ndim))
        kept = tuple(i for i, n in enumerate(narrow.shape, len(lead)) if n == 1)
        expected = full.sum(lead + kept).reshape(narrow.shape)
        np.testing.assert_allclose(narrow.grad.numpy(), expected, **ALLOWED)


# ---- NumPy's functions on tensors --------------------------------------------------------------------------
def numpy_calls() -> Iterator[tuple[str, Any, Any]]:
    for code in samples.SAMPLES:
        call = ast.parse(code, mode="eval").body
        named = isinstance(call, ast.Call) and re.fullmatch(r"torch\.\w+", ast.unparse(call.func))
        if named and not call.keywords and not samples.names_in(code) & samples.CONSTANTS.keys():
            numpy_function = getattr(np, call.func.attr, None)  # type: ignore[attr-defined]
            if isinstance(numpy_function, np.ufunc) and call.func.attr in op.functions:  # type: ignore[attr-defined]
                yield code, numpy_function, code.replace("torch.", "np.", 1)


@pytest.mark.parametrize(("code", "ufunc", "as_numpy"), list(numpy_calls()))
def test_numpy_function_on_tensors(code: str, ufunc: Any, as_numpy: str) -> None:
    """`np.exp(tensor)` is `torch.exp(tensor)`, recorded."""
    inputs = leaves(code)
    out = eval(as_numpy, {"np": np, "torch": mini_torch, **inputs})
    assert isinstance(out, Tensor)
    assert out.requires_grad
    np.testing.assert_allclose(out.detach().numpy(), recorded()[f"{code} | "]["out 0"], **ALLOWED)


# ---- nothing is left out -----------------------------------------------------------------------------------
def differentiate_thrice(code: str, variant: str) -> None:
    """With respect to the inputs and to all gradients sent in so far, so that adjoints' formulas run too."""
    wanted = list(leaves(code, variant).values())
    inputs = dict(zip(samples.inputs_of(code, variant), wanted, strict=True))
    outputs = [out for out in samples.flat(samples.run(mini_torch, code, inputs)) if out.requires_grad]
    for _ in range(3):
        sent = [mini_torch.ones_like(out, requires_grad=True) for out in outputs]
        grads = mini_torch.autograd.grad(outputs, wanted, sent, create_graph=True, allow_unused=True)
        wanted += sent
        outputs = [g for g in grads if g is not None and g.requires_grad]


@pytest.fixture(scope="module")
def reached() -> set[tuple[str, str]]:
    """(row, input) for every formula that some line runs: rows keep a plan per set of inputs that want a gradient."""
    for row in ROWS:
        row.plans.clear()
    for code, variant in CASES:
        if variant != "strided" and not isinstance(recorded()[f"{code} | {variant}"], str):
            differentiate_thrice(code, variant)
    for _, entry in test_database.all_entries():
        for _, sample, arrays in entry.samples():
            if "first" in sample:
                with contextlib.suppress(Exception):  # test_database.py says what fails
                    records.play(mini_torch, sample, arrays, 2)
    x = mini_torch.full((2,), 0.5, requires_grad=True)  # what test_random.py tests
    mini_torch.poisson(x), mini_torch.binomial(x, x)
    return {
        (row.name, name)
        for row in ROWS
        for key in row.plans
        for bit, name in enumerate(row.inputs)
        if key >> bit & 1
    }


def test_every_formula_has_a_sample(reached: set[tuple[str, str]]) -> None:
    formulas = {(row.name, name) for row in ROWS for name, rule in row.rules.items() if is_formula(rule)}
    assert sorted(formulas - reached) == []


def names_used() -> set[str]:
    trees = [ast.parse(code) for code in [*samples.SAMPLES, *samples.VALUE_SAMPLES, *IN_PLACE.values()]]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)} | names_in_the_database()


def names_in_the_database() -> set[str]:
    every = [sample for _, entry in test_database.all_entries() for _, sample, _ in entry.samples()]
    called = {name for sample in every for name, _, _ in sample["steps"]}
    called |= {form for sample in every for form in sample.get("forms", {})}
    return {name.rsplit(".", 1)[-1] for name in called}


def test_every_public_function_has_a_sample() -> None:
    drawn = {name for name, function in op.functions.items() if ".random" in function.__module__}
    deprecated = {"range"}  # PyTorch warns of it, and record.py leaves such lines out
    assert sorted(op.functions.keys() - names_used() - drawn - deprecated) == []  # what draws is in test_random.py


def test_a_record_for_every_line() -> None:
    """And no record of lines that are gone: `python tests/record.py` makes them anew."""
    lines = {key.rsplit(" | ", 1)[0] for key in recorded()}
    assert lines == {*samples.SAMPLES, *samples.VALUE_SAMPLES}
    assert len(lines) == len(samples.SAMPLES) + len(samples.VALUE_SAMPLES)


@functools.cache
def names_in_pytorch() -> dict[str, set[str]]:
    data = json.loads((DATA / "promotion.json").read_text())
    return {kind: set(data[kind]) for kind in ("methods", "functions only")}


def test_methods_and_functions_are_where_pytorch_has_them() -> None:
    """What PyTorch has both as function and as method is both here."""
    both = names_in_pytorch()["methods"]
    ours = {name for name in dir(mini_torch) if callable(getattr(mini_torch, name))}
    assert sorted(name for name in ours & both if not hasattr(Tensor, name)) == []
    methods = {name for name in dir(mini_torch.ones(1)) if not name.startswith("_")}
    assert sorted(methods & both - ours) == []
    assert sorted(methods & names_in_pytorch()["functions only"]) == []
