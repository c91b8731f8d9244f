"""`optimizer.step()` beside PyTorch's: a small network's parameters, and a million in a hundred tensors.

    python -m benchmarks.optimizers [--rounds 15] [REGEX of optimizers]

The small network is 2-200-100-100-80-50-30-1. float32, one thread, every optimizer with its default options. The
rounds are interleaved and a ratio is the median of the rounds' ratios. Below them `clip_grad_norm_` and `zero_grad`,
the other things that a loop does to all parameters.
"""

from __future__ import annotations

import argparse
import re
import statistics
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from . import timing

SIZES = (2, 200, 100, 100, 80, 50, 30, 1)
SHAPES: dict[str, list[tuple[int, ...]]] = {
    "small network": [shape for a, b in pairwise(SIZES) for shape in ((b, a), (b,))],
    "1,000,000 in 100": [(100, 100)] * 100,
}
OPTIONS: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 1e-3}, "SGD, momentum": {"lr": 1e-3, "momentum": 0.9}, "Adam": {}, "AdamW": {}, "Adamax": {},
    "NAdam": {}, "RAdam": {}, "RMSprop": {}, "Adagrad": {}, "Adadelta": {}, "ASGD": {}, "Rprop": {},
}  # fmt: skip
ASKED = {("Adam", "1,000,000 in 100"): 0.8}

Calls = dict[str, Callable[[], object]]


def parameters(torch: Any, shapes: list[tuple[int, ...]]) -> list[Any]:
    """Parameters of these shapes with gradients, the same ones for both libraries."""
    rng = np.random.default_rng(0)
    params = []
    for shape in shapes:
        param = torch.nn.Parameter(torch.from_numpy(rng.standard_normal(shape).astype(np.float32)))
        param.grad = torch.from_numpy((rng.standard_normal(shape) / 100).astype(np.float32))
        params.append(param)
    return params


def step(torch: Any, name: str, shapes: list[tuple[int, ...]]) -> Callable[[], object]:
    """The optimizer's step, as often as wanted, with the same gradients."""
    optimizer: Any = getattr(torch.optim, name.partition(",")[0])(parameters(torch, shapes), **OPTIONS[name])
    call: Callable[[], object] = optimizer.step
    return call


def clip(torch: Any, shapes: list[tuple[int, ...]]) -> Callable[[], object]:
    """`clip_grad_norm_` to a norm above theirs, so that it leaves them as they are."""
    params = parameters(torch, shapes)
    return lambda: torch.nn.utils.clip_grad_norm_(params, 1e9)


def zero(torch: Any, shapes: list[tuple[int, ...]], to_none: bool) -> Callable[[], object]:
    """`zero_grad`, where setting to None sets the gradients again first."""
    params = parameters(torch, shapes)
    optimizer, grads = torch.optim.SGD(params), [param.grad for param in params]

    def call() -> None:
        if to_none:
            for param, grad in zip(params, grads):
                param.grad = grad
        optimizer.zero_grad(set_to_none=to_none)

    return call


def libraries() -> dict[str, Any]:
    """mini_torch, and PyTorch where it is installed."""
    import mini_torch

    found: dict[str, Any] = {"mini_torch": mini_torch}
    if timing.has_torch():
        import torch

        torch.set_num_threads(1)
        found["PyTorch"] = torch
    return found


def contests(pattern: str) -> dict[tuple[str, str], Calls]:
    """What is compared: (name, which parameters) → one call for each library."""
    makers: dict[str, Callable[[Any, list[tuple[int, ...]]], Callable[[], object]]] = {
        **{name: lambda torch, shapes, name=name: step(torch, name, shapes) for name in OPTIONS},  # type: ignore[misc]
        "clip_grad_norm_": clip,
        "zero_grad()": lambda torch, shapes: zero(torch, shapes, True),
        "zero_grad(set_to_none=False)": lambda torch, shapes: zero(torch, shapes, False),
    }
    return {
        (name, size): {library: make(torch, shapes) for library, torch in libraries().items()}
        for name, make in makers.items() if re.search(pattern, name)
        for size, shapes in SHAPES.items()
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pattern", nargs="?", default="", help="which rows: a regular expression")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    rows, names = [], list(libraries())
    for (name, size), calls in contests(options.pattern).items():
        times = timing.rounds(calls, 100 if size == "small network" else 10, options.rounds)
        row = [name, size, *(f"{statistics.median(times[library]) * 1e6:.0f} µs" for library in names)]
        if "PyTorch" in times:
            row.append(f"{timing.ratio(times['mini_torch'], times['PyTorch']):.2f}")
            row.append(f"≤ {ASKED.get((name, size), 1.0):.1f}")
        rows.append(row)
    head = ["step of", "parameters", *names, *(["ratio to PyTorch", "asked"] if "PyTorch" in names else [])]
    print(timing.table(head, rows))


if __name__ == "__main__":
    main()
