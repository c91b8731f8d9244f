"""Every operation of PyTorch's own database of operations, against what PyTorch gave: see records.py.

A case is an operation; what is known to fall short is in known_missing.txt, a line each, and `python
tests/known_missing.py` writes that file anew. A line that has become true fails the suite.
"""

from __future__ import annotations

import builtins
import functools
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import mini_torch
import records
from records import Allowed, Array

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # PyTorch's own, of what is deprecated

FLOAT64, SECOND = 1e-7, 1e-6
ROUGH = {  # where PyTorch's float64 is further from the truth (SciPy's) than we are from that
    "special.bessel_j0": 1e-6,
    "special.bessel_y1": 1e-5,
}
OTHERWISE = {  # types in which PyTorch's numbers overflow or lose more on the way than ours
    "bucketize": ["uint8"],  # boundaries that are in order no longer
    "histc": ["float16"],
    "matrix_exp": ["float16"],
    "native_batch_norm": ["float16"],
    "native_layer_norm": ["float16"],
    "native_group_norm": ["float16"],
    "nn.functional.cosine_embedding_loss": ["uint8"],
    "nn.functional.margin_ranking_loss": ["uint8"],
    "nn.functional.poisson_nll_loss": ["uint8"],
    "nn.functional.soft_margin_loss": ["float16"],
    "searchsorted": ["uint8"],
}
DIFFERS = {  # on purpose, with the reason
    "test_errors __rdiv__": "PyTorch's AttributeError is about a method of its own",
    "test_errors aminmax": "out= of a wider type is fine for us, as it is for most of PyTorch",
    "test_errors arange": "a step of 1/2 cannot go into integers, whether or not it is made 0 first",
    "test_errors complex": "out= of a shorter type is fine for us, as it is for most of PyTorch",
    "test_errors gather": "out= of a wider type is fine for us, as it is for most of PyTorch",
    "test_errors igamma": "refuses the integers before the number that is no tensor",
    "test_errors igammac": "refuses the integers before the number that is no tensor",
    "test_errors kthvalue": "out= may be an input: it is written to when all is read",
    "test_errors narrow_copy": "IndexError for a dimension that is out of range, as everywhere",
    "test_gradients as_strided_scatter": "PyTorch's gradient also reaches the numbers that were replaced",
    "test_gradients nn.functional.linear_cross_entropy.chunked": "PyTorch's second gradient leaves out a part",
    "test_strided as_strided_scatter": "PyTorch's gradient also reaches the numbers that were replaced",
}
KNOWN_MISSING = set((Path(__file__).parent / "known_missing.txt").read_text().splitlines())


class Entry(NamedTuple):
    """An operation's records, and the arrays that they speak of."""

    name: str
    record: dict[str, Any]
    arrays: list[Array]

    def __repr__(self) -> str:  # pytest shows it with every failure
        return self.name

    def samples(self) -> Iterator[tuple[str, dict[str, Any], list[Array]]]:
        """(type, sample, its inputs)."""
        for dtype, samples in self.record["samples"].items():
            for sample in filter(is_possible, samples):
                yield dtype, sample, self.inputs(sample)

    def inputs(self, sample: dict[str, Any]) -> list[Array]:
        return [self.arrays[k] for k in sample["inputs"]]

    def check(
        self, sample: dict[str, Any], found: Any, inputs: list[Array], where: str = "out", relative: float = FLOAT64
    ) -> None:
        allowed = Allowed(max(relative, ROUGH.get(self.name, 0)), self.record.get("values", True))
        first = inputs[0] if inputs else np.zeros(0)
        records.check_result(mini_torch, sample, found, self.arrays, allowed, first, where)

    def check_gradients(self, expected: list[int | None], found: list[Any], relative: float, where: str) -> None:
        for k, (index, g) in enumerate(zip(expected, found)):
            if index is not None and g is not None:
                short = 5 * records.SHORT.get(str(self.arrays[index].dtype), 0)
                records.check(mini_torch, {"a": index}, g, self.arrays, Allowed(max(relative, short)), f"{where} {k}")
            else:  # none is as good as zeros
                some = self.arrays[index] if index is not None else np.zeros(0) if g is None else records.to_array(g)
                assert not some.any(), f"{where} {k} is {'missing' if g is None else 'too much'}"


HAS_BFLOAT16 = importlib.util.find_spec("ml_dtypes") is not None


def is_possible(sample: dict[str, Any]) -> bool:
    return HAS_BFLOAT16 or "bfloat16" not in str(sample)


@functools.cache
def all_entries() -> list[tuple[str, Entry]]:
    files = [records.read(path) for path in sorted(records.DATA.glob("*.npz"))]
    return [(name, Entry(name, record, file.arrays)) for file in files for name, record in file.entries.items()]


CHECKS: dict[str, Callable[[Entry], None]] = {}


def each(check: Callable[[Entry], None]) -> Callable[..., None]:
    """A test of every operation; where it is known to fail, that it still does."""
    CHECKS[check.__name__] = check

    @functools.wraps(check)  # `__wrapped__` is the check itself
    def test(entry: Entry) -> None:
        line = f"{check.__name__} {entry.name}"
        if line not in KNOWN_MISSING | DIFFERS.keys():
            check(entry)
            return
        try:
            check(entry)
        except (Exception, pytest.fail.Exception) as error:
            pytest.xfail(str(error)[:100])  # not the mark: pytest takes longer to write down why than all tests take
        pytest.fail(f"{line!r} is in known_missing.txt or DIFFERS, but it passes")

    cases = [pytest.param(entry, id=name) for name, entry in all_entries()]
    return pytest.mark.parametrize("entry", cases)(test)


@each
def test_values(entry: Entry) -> None:
    """Values, types, shapes and structure of results; inputs are left alone."""
    for _, sample, arrays in entry.samples():
        outcome = records.play(mini_torch, sample, arrays)
        entry.check(sample, outcome.out, arrays)
        for k, (x, array) in enumerate(zip(outcome.inputs, arrays, strict=True)):
            same = np.array_equal(records.to_array(x), array, equal_nan=array.dtype.kind in "fc")
            assert same == (k not in sample.get("writes", [])), f"input {k} written to: {not same}"


@each
def test_gradients(entry: Entry) -> None:
    """Of both orders, of the inputs and of what is sent in."""
    for dtype, sample, arrays in entry.samples():
        if "first" in sample:
            outcome = records.play(mini_torch, sample, arrays, 2 if "second" in sample else 1)
            allowed = max(FLOAT64, sample.get("error", 0))
            entry.check_gradients(sample["first"], outcome.first, allowed, f"{dtype} gradient")
            if "second" in sample:
                entry.check_gradients(sample["second"], outcome.second, SECOND, f"{dtype} second gradient")


@each
def test_other_types(entry: Entry) -> None:
    """The same samples in the types of other sizes; gradients of float32 are of float32."""
    for _, sample, arrays in entry.samples():
        for dtype, variant in sample["variants"].items():
            if dtype in OTHERWISE.get(entry.name, []):
                continue
            single = dtype in ("float32", "complex64") and "first" in sample
            inputs = records.cast(sample, arrays, dtype)
            outcome = records.play(mini_torch, sample, inputs, int(single))
            relative = max(FLOAT64, variant.get("error", 0))
            if "out" in variant:
                entry.check(sample | {"out": variant["out"]}, outcome.out, inputs, dtype, relative)
            else:
                check_like(entry, sample, outcome.out, inputs, variant["dtypes"], relative)
            for k, g in zip(sample["wanted"], outcome.first) if single else []:
                assert g is None or g.dtype == outcome.inputs[k].dtype, f"gradient of {dtype} is of {g.dtype}"


def check_like(
    entry: Entry, sample: Any, result: Any, inputs: list[Array], dtypes: list[str], relative: float
) -> None:
    """Of these types, and otherwise as in the record."""
    tensors = list(records.leaves(mini_torch, result))
    assert [str(t.dtype).removeprefix("torch.") for t in tensors] == dtypes
    if not entry.record.get("values", True) or records.decomposition(sample):
        return
    found = [records.to_array(t) for t in tensors]
    with np.errstate(all="ignore"):
        theirs = [entry.arrays[k].astype(a.dtype) for k, a in zip(records.arrays_of(sample["out"]), found, strict=True)]
    for x, y in zip(records.as_ours(sample, inputs[0], theirs, found), found):
        records.check_array(x, y, max(relative, records.SHORT.get(str(y.dtype), 0)), f"of {inputs[0].dtype}")


@each
def test_views(entry: Entry) -> None:
    """A result lies in the memory of an input where PyTorch's does, and only there."""
    for _, sample, arrays in entry.samples():
        outcome = records.play(mini_torch, sample, arrays)
        outs = list(records.leaves(mini_torch, outcome.out))
        if "channels_last" in str(sample["steps"]):
            continue  # another order in memory, which we do not keep
        for k, (out, shared) in enumerate(zip(outs, sample.get("shares", [False] * len(outs)))):
            if out.numel():
                ours = any(np.shares_memory(out.detach().numpy(), x.detach().numpy()) for x in outcome.inputs)
                assert ours == shared, f"out {k} shares memory: {ours}, in PyTorch: {shared}; {sample['steps']}"


@each
def test_strided(entry: Entry) -> None:
    """Inputs with gaps and turned axes give the same values and gradients."""
    for _, sample, arrays in entry.samples():
        if not sample.get("strided"):
            continue
        outcome = records.play(mini_torch, sample, arrays, int("first" in sample), records.turned)
        entry.check(sample, outcome.out, arrays)
        allowed = max(FLOAT64, sample.get("error", 0))
        entry.check_gradients(sample.get("first", []), outcome.first, allowed, "gradient")


@each
def test_forms(entry: Entry) -> None:
    """Methods, in-place methods, aliases and `out=` give the same, and return what they were to write to."""
    for _, sample, arrays in entry.samples():
        for form, expected in sample.get("forms", {}).items():
            if expected == "same":
                found, same = records.call_form(mini_torch, sample, arrays, form)
                entry.check(sample, found, arrays, form)
                assert same, f"{form} returned another tensor"
            else:
                with pytest.raises(error_type(expected)):
                    records.call_form(mini_torch, sample, arrays, form)


@each
def test_errors(entry: Entry) -> None:
    """What PyTorch refuses is refused with an exception of its type."""
    for sample in filter(is_possible, entry.record["errors"]):
        with pytest.raises(error_type(sample["error"])):
            records.play(mini_torch, sample, entry.inputs(sample))


def error_type(name: str) -> type[BaseException]:
    return mini_torch.linalg.LinAlgError if "LinAlg" in name else getattr(builtins, name)


# ---- that a fault is found -------------------------------------------------------------------------------------------
def entry_of(name: str) -> Entry:
    return dict(all_entries())[name]


def fails(check: Callable[[Entry], None], name: str) -> bool:
    try:
        check.__wrapped__(entry_of(name))  # type: ignore[attr-defined]
    except (AssertionError, pytest.fail.Exception):
        return True
    return False


PLANTED = {  # a small fault each: of values, gradients, types, memory, results written to, refusals
    "values": (test_values, lambda x: x.exp() * (1 + 1e-6)),
    "shape": (test_values, lambda x: x.exp().unsqueeze(0)),
    "gradient": (test_gradients, lambda x: x.exp() + 1e-5 * (x - x.detach())),
    "second gradient": (test_gradients, lambda x: x.exp() * (1 + 1e-4 * (x - x.detach()) ** 2)),
    "type": (test_other_types, lambda x: x.exp().double()),
    "memory": (test_views, lambda x: x.detach() if not x.requires_grad else x),
    "strides": (test_strided, lambda x: x.exp() if x.is_contiguous() else x.exp().clone() * 2),
    "form": (test_forms, lambda x, out=None: x.exp()),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_fault_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check, wrong = PLANTED[fault]
    assert not fails(check, "exp")
    monkeypatch.setattr(mini_torch, "exp", wrong)
    assert fails(check, "exp")


def test_a_missing_refusal_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not fails(test_errors, "linalg.cross")
    monkeypatch.setattr(mini_torch.linalg, "cross", lambda *args, **kwargs: None)
    assert fails(test_errors, "linalg.cross")
