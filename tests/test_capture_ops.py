"""Compiled operations and modules against the same as they are, with other numbers at every call.

A part of them, another in each group, is in the suite; `python tests/test_capture_ops.py` runs all, with every line's
strided, 0-d and empty inputs and PyTorch's database, and says which are planned, which not and why, and which differ.
"""

from __future__ import annotations

import collections
import functools
import re
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

import capture_cases
import capture_modules
import mini_torch as torch
import samples

GROUPS, PART = 12, 6  # every sixth line
UNDEFINED = "torch.lstm(m, grid[1]"  # sizes of batches that rise are no sizes of batches
BY_VALUES = (  # what cannot be planned: results whose shapes depend on values, numbers for Python, places in memory
    "nonzero", "argwhere", "masked_select", "unique", "as_strided", "bincount", "where(mask)", "item()", "tolist",
    "allclose", "from_dlpack", "resize_as_", "embedding_bag", "ctc_loss", "masked_scatter", "numpy()", "is_nonzero",
    "storage", "embedding_renorm", "x[mask", "[mask]", "gather(x, 0, picks).item",
)  # fmt: skip


def lines() -> list[str]:
    return [code for code in samples.SAMPLES + samples.VALUE_SAMPLES if not code.startswith(UNDEFINED)]


def runs(function: Any, make: Any) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return capture_cases.seen(function, make())[1] is None


def check_line(code: str, variant: str) -> list[capture_cases.Verdict]:
    """With gradients asked for outside of the program, and inside."""
    function, calls = capture_cases.sample_line(code, variant)
    if not runs(function, calls[0]):
        return []
    return [
        capture_cases.compare(function, calls, capture_cases.gradients_after),
        capture_cases.compare(capture_cases.with_gradients(function), calls),
    ]


@pytest.mark.no_cover  # its lines are reached elsewhere too, and counting them would double its time
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("group", range(GROUPS))
def test_lines(group: int) -> None:
    for i, code in enumerate(lines()[group::GROUPS]):
        if i % PART == group % PART:
            for verdict in check_line(code, samples.VARIANTS[(i // PART) % 3 and (i // PART) % 4]):
                known = any(word in code for word in BY_VALUES)
                assert verdict.kind == "planned" or known, f"{code}: {verdict.reason}"


# ---- modules ---------------------------------------------------------------------------------------------------------
NOT_PLANNED = ("momentum=None", "AdaptiveLogSoftmax", "CTCLoss", "inplace=True")


def check_module(line: str, training: bool, inside: bool) -> capture_cases.Verdict:
    """The module in a compiled step, or itself compiled, in four calls; its state, too."""
    plain, text = capture_modules.module_case(line, training)
    other, _ = capture_modules.module_case(line, training)
    if inside:
        function, again = capture_modules.training_step(plain), torch.compile(capture_modules.training_step(other))
        compiled = again
    else:
        module = torch.compile(other)
        function, again = capture_modules.module_called(plain, plain), capture_modules.module_called(other, module)
        compiled = module._compiled
    reasons: list[str] = []
    for k in range(4):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            expected = capture_cases.observe(function, capture_modules.inputs_of(text, k), None)
            found = capture_cases.observe(again, capture_modules.inputs_of(text, k), None)
        reasons += [str(w.message) for w in caught if str(w.message).startswith("compile: ")]
        capture_cases.check_same(expected, found, f"{line}, call {k}")
        states = [capture_cases.arrays_in(m.state_dict()) for m in (plain, other)]
        capture_cases.check_same(*states, f"{line}, state {k}")
    plans = sum(map(len, compiled.plans.values()))
    return capture_cases.Verdict("planned" if plans == 1 else "given up", (reasons or [f"{plans} plans"])[0])


@pytest.mark.parametrize("inside", [False, True], ids=["called", "in a step"])
@pytest.mark.parametrize("group", range(6))
def test_modules(group: int, inside: bool) -> None:
    for i, line in enumerate(capture_modules.LINES[group::6]):
        for training in (True,) if i % 2 == inside else (False,):
            verdict = check_module(line, training, inside)
            assert verdict.kind == "planned" or any(word in line for word in NOT_PLANNED), f"{line}: {verdict.reason}"


# ---- all of it -------------------------------------------------------------------------------------------------------
def everything(pattern: str) -> Iterator[tuple[str, Any]]:
    """Names of cases, and what checks them."""
    for code in lines():
        for variant in samples.VARIANTS:
            yield f"{code} | {variant}", functools.partial(check_line, code, variant)
    for line in capture_modules.LINES:
        for training in (True, False):
            for inside in (True, False):
                yield f"{line} {training} {inside}", functools.partial(check_module, line, training, inside)
    import test_database

    for name, entry in test_database.all_entries():
        if entry.record.get("values", True) and re.search(pattern, name):
            for dtype, sample, arrays in entry.samples():
                yield f"{name} {dtype} {sample['steps']}", functools.partial(check_sample, sample, arrays)


def check_sample(sample: dict[str, Any], arrays: list[Any]) -> list[capture_cases.Verdict]:
    """A recorded sample of PyTorch's database."""
    function, calls = capture_cases.database_sample(sample, arrays)
    return [
        capture_cases.compare(function, calls, capture_cases.gradients_after),
        capture_cases.compare(capture_cases.with_gradients(function), calls),
    ]


def main(pattern: str) -> None:
    """Prints how many cases are planned, the reasons of those that are not, and what differs."""
    warnings.simplefilter("ignore")
    counts: collections.Counter[str] = collections.Counter()
    for name, check in everything(pattern):
        if not re.search(pattern, name):
            continue
        try:
            verdicts = check()
            for kind, reason in verdicts if isinstance(verdicts, list) else [verdicts]:
                counts[kind if kind == "planned" else f"given up: {re.split(', in line|: ', reason)[0]}"] += 1
        except AssertionError as error:
            counts["different"] += 1
            print(f"{name[:150]}\n    {str(error)[:300]}")
    for words, count in counts.most_common():
        print(f"{count:6} {words}")


if __name__ == "__main__":
    main(*(sys.argv[1:] or [""]))
