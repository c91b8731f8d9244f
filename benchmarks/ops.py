"""The sixty most used operations beside PyTorch's, forward and backward, on few numbers and on many.

    python -m benchmarks.ops [--rounds 7] [--only REGEX]

Float32, one thread, in one run; the rounds are interleaved and a ratio is the median of the rounds' ratios of
mini_torch's time to PyTorch's. "10" and "1,000,000" are the numbers of elements of the (first) input. Backward
is timed with forward, as `f(x).backward(g)`; forward alone runs under `no_grad`.
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from . import timing

# name: (expression in `t` (the library), `F` and the inputs, whether there is a backward)
# x, y, p: a square of the wanted size (p positive); v, w, b: a vector, a weight, a bias; i, labels: indices; m: a mask
OPERATIONS = {
    "x + y": True, "x - y": True, "x * y": True, "x / p": True, "-x": True, "x + 1": True, "x * 2.5": True,
    "x ** 2": True, "p ** 0.5": True, "p ** y": True, "t.exp(x)": True, "t.log(p)": True, "t.sqrt(p)": True,
    "t.sin(x)": True, "t.cos(x)": True, "t.tanh(x)": True, "t.sigmoid(x)": True, "t.relu(x)": True, "F.gelu(x)": True,
    "F.softplus(x)": True, "F.silu(x)": True, "F.leaky_relu(x)": True, "t.abs(x)": True, "t.square(x)": True,
    "x.clamp(-1, 1)": True, "t.maximum(x, y)": True, "t.where(m, x, y)": True, "x.masked_fill(m, 0)": True,
    "x.sum()": True, "x.sum(0)": True, "x.sum(1)": True, "x.mean()": True, "x.mean(1)": True, "x.var(1)": True,
    "x.max()": True, "x.max(1)[0]": True, "x.argmax(1)": False, "x.cumsum(1)": True, "x.norm()": True,
    "x.prod(1)": True, "x.sort(1)[0]": True, "x.topk(3, 1)[0]": True, "F.softmax(x, 1)": True,
    "F.log_softmax(x, 1)": True, "F.cross_entropy(x, labels)": True, "F.mse_loss(x, y)": True,
    "F.layer_norm(x, x.shape[1:])": True, "F.linear(x, w, b)": True, "x @ y.T": True, "x[:, 1:]": True, "x[i]": True,
    "x.gather(1, cols)": True, "x.index_select(0, i)": True, "x.reshape(-1)": True, "x.T.contiguous()": True,
    "x.expand(2, *x.shape)": True, "t.cat([x, y])": True, "t.stack([x, y])": True, "x > y": False, "x.clone()": True,
    "x.permute(1, 0)": True, "x.unsqueeze(0)": True, "F.dropout(x, 0.5)": True, "F.embedding(i, x)": True,
}  # fmt: skip


def inputs_of(torch: Any, size: int) -> dict[str, Any]:
    """The inputs by name, the same numbers for both libraries."""
    rows, columns = (2, 5) if size == 10 else (math.isqrt(size), math.isqrt(size))
    rng = np.random.default_rng(0)

    def leaf(*shape: int, positive: bool = False) -> Any:
        values = rng.uniform(0.5, 2, shape) if positive else rng.standard_normal(shape)
        return torch.from_numpy(values.astype(np.float32)).requires_grad_()

    names = {"x": leaf(rows, columns), "y": leaf(rows, columns), "p": leaf(rows, columns, positive=True)}
    names |= {"w": leaf(columns, columns), "b": leaf(columns)}
    names |= {
        "i": torch.from_numpy(rng.integers(0, rows, rows)),
        "cols": torch.from_numpy(rng.integers(0, columns, (rows, columns))),
        "labels": torch.from_numpy(rng.integers(0, columns, rows)),
        "m": torch.from_numpy(rng.random((rows, columns)) < 0.5),
    }
    return {**names, "t": torch, "F": torch.nn.functional}


def calls(torch: Any, code: str, size: int, backward: bool) -> Callable[[], object]:
    """One call of the operation, with backward if wanted."""
    names = inputs_of(torch, size)
    forward = eval(f"lambda: {code}", names)
    if not backward:
        return torch.no_grad()(forward)  # type: ignore[no-any-return]
    leaves = [names[n] for n in "xypwb" if re.search(rf"\b{n}\b", code)]
    g = torch.from_numpy(np.random.default_rng(1).standard_normal(forward().shape).astype(np.float32))

    def both() -> None:
        for leaf in leaves:
            leaf.grad = None
        forward().backward(g)

    return both


def measure(code: str, size: int, backward: bool, count: int) -> tuple[float, float]:
    """(microseconds of mini_torch, ratio to PyTorch) of one operation."""
    import torch

    import mini_torch

    both = {"ours": calls(mini_torch, code, size, backward), "theirs": calls(torch, code, size, backward)}
    once = max(min(timing.seconds(f, 3) for f in both.values()), 1e-7)
    times = max(2, min(2000, round((0.004 if size == 10 else 0.02) / once)))
    results = timing.rounds(both, times, count)
    return min(results["ours"]) * 1e6, timing.ratio(results["ours"], results["theirs"])


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="a regular expression over the operations")
    arguments = parser.parse_args()
    if not timing.has_torch():
        raise SystemExit("benchmarks.ops compares with PyTorch: pip install torch")
    import torch

    torch.set_num_threads(1)
    columns = [(size, backward) for size in (10, 1_000_000) for backward in (False, True)]
    rows, ratios = [], []
    for code, differentiable in OPERATIONS.items():
        if not re.search(arguments.only, code):
            continue
        cells = [f"`{code}`"]
        for size, backward in columns:
            if backward and not differentiable:
                cells.append("")
                continue
            microseconds, ratio = measure(code, size, backward, arguments.rounds)
            ratios.append((ratio, code, size, backward))
            time = f"{microseconds:,.1f} µs" if size == 10 else f"{microseconds / 1e3:,.2f} ms"
            cells.append(f"{ratio:.2f} ({time})")
        rows.append(cells)
        print(*cells, sep="  ", flush=True)
    head = ["operation", *(f"{size:,} {'and backward' if b else 'forward'}" for size, b in columns)]
    print("\n" + timing.table(head, rows))
    mean = math.exp(sum(math.log(r) for r, *_ in ratios) / len(ratios))
    print(f"\ngeometric mean of {len(ratios)} ratios: {mean:.2f} (asked: at most 1.0); the largest:")
    for ratio, code, size, backward in sorted(ratios, reverse=True)[:12]:
        print(f"  {ratio:5.2f}  {code}, {size:,}, {'backward' if backward else 'forward'}")


if __name__ == "__main__":
    main()
