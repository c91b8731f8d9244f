"""Records a few samples of every operation in PyTorch's own database: `python tests/record_database.py`.

Needs PyTorch 2.13 and what its database imports: see requirements-torch.txt. Writes tests/data/database/<group>.npz;
names of groups as arguments make those alone. records.py says how a record looks.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

import database
import records
from records import Array

# What is recorded of each type: how many samples, and up to which order the gradients.
PLAN = {"float64": (7, 2), "complex128": (3, 2), "int64": (3, 0), "bool": (2, 0)}
VARIANTS = {
    "float64": ["float32", "float16"],
    "complex128": ["complex64"],
    "int64": ["int32", "int16", "int8", "uint8"],
}
FEW_NUMBERS, MOST_NUMBERS = 200, 700  # in a sample's inputs; the latter where an entry has few that small
TOO_MANY_NUMBERS = 50_000  # for the live run
OUT_DIGITS = 34  # binary digits of a float64 result: 6e-11
REFUSALS = (RuntimeError, IndexError, ValueError, TypeError, NotImplementedError)


class Store:
    """The arrays of a file, each once."""

    def __init__(self) -> None:
        self.arrays: list[Array] = []
        self.known: dict[Any, int] = {}

    def keep(self, array: Array) -> int:
        array = np.asarray(array)
        if array.dtype in (np.float64, np.complex128):
            array = database.cut(array, OUT_DIGITS)
        key = (str(array.dtype), array.shape, array.tobytes())
        if key not in self.known:
            self.known[key] = len(self.arrays)
            self.arrays.append(array)
        return self.known[key]

    def term(self, out: Any) -> Any:
        """The term of a result."""
        if isinstance(out, torch.Tensor):
            kind = "bfloat16" if out.dtype is torch.bfloat16 else "a"
            return {kind: self.keep(records.to_array(out))}
        if isinstance(out, torch.Size):
            return {"size": list(out)}
        fields = getattr(out, "_fields", None) or getattr(type(out), "__match_args__", None)
        if isinstance(out, tuple) and fields:
            return {"named": [[name, self.term(part)] for name, part in zip(fields, out)]}
        if isinstance(out, tuple):
            return {"tuple": [self.term(part) for part in out]}
        if isinstance(out, list):
            return [self.term(part) for part in out]
        if isinstance(out, dict):
            return {"dict": [[key, self.term(part)] for key, part in out.items()]}
        return database.encode_plain(out)


# ---- one sample ------------------------------------------------------------------------------------------------------
def record(entry: Any, sample: Any, order: int, store: Store) -> tuple[dict[str, Any], list[Array]]:
    """A sample's steps, inputs, result and gradients; and the inputs' arrays."""
    said, arrays = database.spoken(entry, sample)
    outcome, order = play(said, arrays, order)
    said["inputs"] = [store.keep(array) for array in arrays]
    said["out"] = store.term(outcome.out)
    if order and outcome.first:
        said["first"] = [None if g is None else store.keep(records.to_array(g)) for g in outcome.first]
        if error := own_error(said, arrays, outcome.first):
            said["error"] = error
        if outcome.second and not any(g is not None and g.dtype is torch.bfloat16 for g in outcome.second):
            said["second"] = [None if g is None else store.keep(records.to_array(g)) for g in outcome.second]
    else:
        said.pop("graded", None)
        said.pop("wanted", None)
    shared = shares(outcome)
    if any(shared):
        said["shares"] = shared
    after = [records.to_array(x) for x in outcome.inputs]
    if written := [k for k, (x, a) in enumerate(zip(after, arrays)) if records.difference(a, x) > 1e-6]:
        said["writes"] = written
    elif entry.name not in database.SEEDED and strided_too(said, arrays, store):
        said["strided"] = True
    if len(said["steps"]) == 1 and said["result"] == {"r": [0]}:
        ways = [form for form in forms(entry) if "Tensor" not in form or of_a_tensor(said)]
        said["forms"] = {form: how for form in ways if (how := record_form(said, arrays, form, store))}
    return said, arrays


def strided_too(said: dict[str, Any], arrays: list[Array], store: Store) -> bool:
    """Whether PyTorch gives the same for inputs that lie otherwise in memory."""
    try:
        found = records.play(torch, said, arrays, int("first" in said), records.turned)
    except REFUSALS:
        return False
    expected = records.play(torch, said, arrays)
    return difference(*(list(records.leaves(torch, o.out)) for o in (expected, found))) < 1e-9


def of_a_tensor(said: dict[str, Any]) -> bool:
    """Whether the first argument is a tensor, which may be a method's owner."""
    first = said["steps"][0][1][:1]
    return bool(first) and isinstance(first[0], dict) and "x" in first[0]


def record_form(said: dict[str, Any], arrays: list[Array], form: str, store: Store) -> str:
    """`same` as the function, or the error's name; empty where PyTorch gives something else."""
    try:
        result, same = records.call_form(torch, said, arrays, form)
        if records.writes(form) and [x.shape for x in records.leaves(torch, result)] != [arrays[0].shape]:
            return ""  # PyTorch's `addbmm_` and its like make the tensor larger
        return "same" if same and store.term(result) == said["out"] else ""
    except Exception as error:  # whatever PyTorch raises
        return type(error).__name__ if records.writes(form) else ""


def forms(entry: Any) -> list[str]:
    """The other ways to call it: `out`, names of methods, in-place methods and aliases."""
    ways = ["out"] if entry.supports_out else []
    for one in (entry, *entry.aliases):
        for function in (one.method_variant, one.inplace_variant, None if one is entry else one.op):
            name = database.name_of(function) if function else ""
            ways += [name] if name else []
    return ways


def own_error(said: dict[str, Any], arrays: list[Array], first: list[Any]) -> float:
    """Four times how far PyTorch's gradients in float32 are from those in float64."""
    wide = {"float32": "float64", "complex64": "complex128"}
    if not any(str(a.dtype) in wide for a in arrays):
        return 0.0
    exact = records.play(torch, said, [a.astype(wide.get(str(a.dtype), a.dtype)) for a in arrays], 1).first
    pairs = [(x, g) for x, g in zip(exact, first) if x is not None and g is not None]
    return 4 * difference(*([x for x, _ in pairs], [g for _, g in pairs]))


def play(said: dict[str, Any], arrays: list[Array], order: int) -> tuple[records.Outcome, int]:
    """What PyTorch gives, with gradients up to the order that it has."""
    for less in range(order, 0, -1):
        with contextlib.suppress(RuntimeError, NotImplementedError):
            return records.play(torch, said, arrays, less), less
    return records.play(torch, said, arrays, 0), 0


def shares(outcome: records.Outcome) -> list[bool]:
    """Which results lie in the memory of an input."""
    memory = {x.untyped_storage().data_ptr() for x in outcome.inputs if x.numel()}
    outs = records.leaves(torch, outcome.out)
    return [out.untyped_storage().data_ptr() in memory and not out.is_conj() for out in outs]


# ---- the same sample in other types ----------------------------------------------------------------------------------
def variant(entry: Any, said: dict[str, Any], arrays: list[Array], sample: Any, dtype: str, store: Store) -> Any:
    """How the result looks for the inputs that the database has in another type in this sample of that type.

    Where it is the recorded one but for the type, only `types` is kept; else `out`, or by how much it may differ.
    """
    other, others = database.spoken(entry, sample)
    if other["steps"] != said["steps"] or [a.shape for a in others] != [a.shape for a in arrays]:
        return None
    types = [str(b.dtype) if a.dtype != b.dtype else None for a, b in zip(arrays, others)]
    if not any(types):
        return None
    made: dict[str, Any] = {"types": types}
    try:
        found = records.play(torch, said, records.cast({"variants": {dtype: made}}, arrays, dtype), 0)
    except REFUSALS:
        return None
    base = records.play(torch, said, arrays, 0)
    expected, result = (list(records.leaves(torch, o.out)) for o in (base, found))
    made["dtypes"] = [str(t.dtype).removeprefix("torch.") for t in result]
    if not result or any(t.dtype is torch.bfloat16 for t in result):
        return None
    error = difference(expected, result)
    short = max(records.SHORT.get(t, 1e-9) for t in made["dtypes"])
    if error > (1e-2 if dtype in records.SHORT else short):
        made["out"] = store.term(found.out)
    elif error > short / 4:
        made["error"] = float(f"{4 * error:.0e}")
    return made


def difference(expected: list[torch.Tensor], found: list[torch.Tensor]) -> float:
    """The largest, as records.difference."""
    worst = 0.0
    for a, b in zip(expected, found, strict=True):
        x, y = records.to_array(a), records.to_array(b)
        with np.errstate(all="ignore"):
            worst = max(worst, records.difference(x.astype(y.dtype), y))
    return worst


# ---- choosing --------------------------------------------------------------------------------------------------------
def features(sample: Any) -> tuple[set[str], int]:
    """What is special about a sample's arguments, and how many numbers are in them."""
    found, size = set(), 0

    def visit(value: Any, name: str) -> None:
        nonlocal size
        if isinstance(value, torch.Tensor):
            size += value.numel()
            found.add(f"{name}: {value.dim()}-d {'empty' if not value.numel() else ''}")
        elif isinstance(value, tuple | list):
            found.add(f"{name}: {len(value)}")
            for k, part in enumerate(value):
                visit(part, f"{name}{k}")
        elif isinstance(value, dict):
            for key, part in value.items():
                found.add(f"has {key}")
                visit(part, key)
        else:
            found.add(f"{name}: {value!r}")

    visit((sample.input, *sample.args), "argument")
    visit(sample.kwargs, "keyword")
    return found, size


def spread(samples: list[Any], most: int | None) -> list[int]:
    """At most so many samples, evenly, all for None; but none that takes minutes."""
    possible = [k for k, sample in enumerate(samples) if features(sample)[1] <= TOO_MANY_NUMBERS]
    count = len(possible)
    return possible if most is None or count <= most else [possible[k * count // most] for k in range(most)]


def chosen(samples: list[Any], most: int) -> list[int]:
    """The small samples that together have the most different arguments, the smallest of equals."""
    described = [features(sample) for sample in samples]
    by_size = sorted(range(len(samples)), key=lambda k: described[k][1])
    sizes = [described[k][1] for k in by_size]
    enough = max(1, sum(n <= FEW_NUMBERS for n in sizes), min(2 * most, sum(n <= MOST_NUMBERS for n in sizes)))
    small = by_size[:enough]
    picked: list[int] = []
    covered: set[str] = set()
    while small and len(picked) < most:
        best = max(small, key=lambda k: (len(described[k][0] - covered), -abs(described[k][1] - 30)))
        if picked and not described[best][0] - covered:
            break
        picked.append(best)
        small.remove(best)
        covered |= described[best][0]
    return picked


# ---- one entry -------------------------------------------------------------------------------------------------------
def all_samples(entry: Any, dtype: str, wants_gradient: bool = False) -> list[Any]:
    kind = getattr(torch, dtype)
    if kind not in entry.dtypes:
        return []
    try:
        return database.samples(entry, kind, wants_gradient and kind in entry.backward_dtypes)
    except REFUSALS:
        return []


def record_samples(
    entry: Any, dtype: str, most: int | None, order: int, store: Store, choose: Any
) -> Iterator[dict[str, Any]]:
    order = min(order, entry.supports_autograd * (1 + entry.supports_gradgrad))
    samples = all_samples(entry, dtype, wants_gradient=order > 0)
    picked = choose(samples, most)
    others = {name: all_samples(entry, name) for name in VARIANTS.get(dtype, []) if picked}
    for k in picked:
        try:
            said, arrays = record(entry, samples[k], order, store)
        except (database.CannotSay, *REFUSALS) as error:
            left_out.append(f"{entry.name} ({dtype}): {type(error).__name__}: {str(error)[:80]}")
            continue
        said["variants"] = {}
        for name, same in others.items():
            if len(same) == len(samples):
                with contextlib.suppress(database.CannotSay, *REFUSALS):
                    if made := variant(entry, said, arrays, same[k], name, store):
                        said["variants"][name] = made
        yield said


def record_errors(entry: Any, store: Store) -> Iterator[dict[str, Any]]:
    for wrong in database.errors(entry):
        script = database.Script()
        try:
            database.perform(entry, wrong.sample_input, script)
        except database.CannotSay:
            continue
        except Exception as error:  # whatever PyTorch raises
            if sum(a.size for a in script.arrays) <= 2000:
                said = {"steps": script.steps, "result": None, "error": type(error).__name__}
                with contextlib.suppress(type(error)):
                    records.play(torch, said, script.arrays)
                    continue  # it was about the memory under its arguments
                yield said | {"inputs": [store.keep(a) for a in script.arrays]}


def record_entry(entry: Any, store: Store, plan: Any = PLAN, choose: Any = chosen) -> dict[str, Any]:
    """All that is recorded of an operation; `choose(samples, most)` says which samples."""
    made: dict[str, Any] = {}
    if entry.name in database.NO_VALUES:
        made["values"] = False
    made["samples"] = {
        dtype: found
        for dtype, (most, order) in plan.items()
        if (found := list(record_samples(entry, dtype, most, order, store, choose)))
    }
    made["errors"] = list(record_errors(entry, store))
    return made


left_out: list[str] = []


def main(wanted: list[str]) -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    groups: dict[str, dict[str, Any]] = {}
    for name, entry in database.entries().items():
        groups.setdefault(database.group_of(entry), {})[name] = entry
    records.DATA.mkdir(exist_ok=True)
    for group, entries in groups.items():
        if wanted and group not in wanted:
            continue
        store = Store()
        made = {}
        for name, entry in entries.items():
            made[name] = record_entry(entry, store)
            if not made[name]["samples"] and not made[name]["errors"]:
                left_out.append(f"{name}: nothing")
                del made[name]
        path = records.DATA / f"{group}.npz"
        records.write(path, made, store.arrays)
        print(f"{path.name}: {len(made)} entries, {path.stat().st_size:,} bytes", flush=True)
    print("left out:", *left_out, sep="\n  ")


if __name__ == "__main__":
    main(sys.argv[1:])
