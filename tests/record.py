"""Records what PyTorch does, for the tests to compare with: `python tests/record.py`, with PyTorch installed.

Writes tests/data/ops.npz (values, gradients and second gradients of every line in samples.py) and
tests/data/promotion.json (result types, and which names are functions and methods).
"""

from __future__ import annotations

import contextlib
import json
import string
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

import promotion
import samples

DATA = Path(__file__).parent / "data"


def tensor_list(outputs: Any) -> list[torch.Tensor]:
    return [out.resolve_conj() for out in samples.flat(outputs)]


def record_sample(code: str, variant: str, differentiable: bool) -> dict[str, torch.Tensor]:
    inputs = {
        name: torch.from_numpy(array).requires_grad_(differentiable)
        for name, array in samples.inputs_of(code, variant).items()
    }  # fmt: skip
    outputs = tensor_list(samples.run(torch, code, inputs))
    results = {f"out {k}": out for k, out in enumerate(outputs)}
    if not differentiable:
        return results
    floating = [out for out in outputs if out.requires_grad]
    sent = [torch.tensor(g) for g in samples.cotangents(code, [tuple(out.shape) for out in floating])]
    sent = [g.to(out.dtype) for g, out in zip(sent, floating, strict=True)]
    leaves = list(inputs.values())
    grads = torch.autograd.grad(floating, leaves, sent, create_graph=True, allow_unused=True)
    results |= {f"grad {name}": g for name, g in zip(inputs, grads, strict=True) if g is not None}
    pairs = [g * torch.sin(g.detach() + 1) for g in grads if g is not None and g.requires_grad]
    if pairs:
        with contextlib.suppress(RuntimeError):  # PyTorch has no second derivative of a few
            second = torch.autograd.grad(sum(p.sum() for p in pairs), leaves, allow_unused=True)
            results |= {f"second {name}": g for name, g in zip(inputs, second, strict=True) if g is not None}
    return results


def record_samples() -> None:
    index: dict[str, Any] = {}
    numbers: list[np.ndarray[Any, Any]] = []
    cases = [(code, variant, True) for code in samples.SAMPLES for variant in samples.VARIANTS]
    cases += [(code, variant, False) for code in samples.VALUE_SAMPLES for variant in ("", "0-d", "empty")]
    for code, variant, differentiable in cases:
        try:
            with warnings.catch_warnings(record=True) as heard:
                warnings.simplefilter("always")
                results = record_sample(code, variant, differentiable)
            if any("deprecated" in str(warning.message) for warning in heard):
                continue
        except (RuntimeError, IndexError, ValueError, TypeError, AssertionError) as error:
            if not variant:
                raise
            index[f"{code} | {variant}"] = type(error).__name__
            continue
        if variant == "strided":
            continue
        entries = []
        for label, value in results.items():
            array = value.detach().numpy(force=True)
            entries.append([label, str(array.dtype), list(array.shape)])
            numbers.append(array.astype(np.float64).ravel())
        index[f"{code} | {variant}"] = entries
    np.savez_compressed(DATA / "ops.npz", index=np.array(json.dumps(index)), numbers=np.concatenate(numbers))
    print(f"ops.npz: {len(index)} results, {sum(map(len, numbers))} numbers")


def record_promotion() -> None:
    """Each list as one word, a letter a result, so that the file stays small."""
    table = promotion.table(torch)
    results = sorted({result for column in table.values() for result in column})
    letters = dict(zip(results, string.ascii_letters, strict=False))
    public = [name for name in dir(torch) if not name.startswith("_") and callable(getattr(torch, name))]
    data = {
        "letters": {letter: result for result, letter in letters.items()},
        "types": {name: "".join(letters[result] for result in column) for name, column in table.items()},
        "methods": [name for name in public if hasattr(torch.Tensor, name)],
        "functions only": [name for name in public if not hasattr(torch.Tensor, name)],
    }
    (DATA / "promotion.json").write_text(json.dumps(data, indent=0) + "\n")
    print(f"promotion.json: {sum(map(len, table.values()))} result types")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    DATA.mkdir(exist_ok=True)
    record_promotion()
    record_samples()
