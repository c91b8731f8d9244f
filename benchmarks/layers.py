"""A layer's forward and backward beside PyTorch's: convolutions, norms, recurrent nets, attention.

    python -m benchmarks.layers [--rounds 9] [--only REGEX]

Float32, one thread, training mode, in one run; the rounds are interleaved and a ratio is the median of the rounds'
ratios of mini_torch's time to PyTorch's. A step is `layer(x).backward(g)`: gradients of the parameters and of x.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from . import timing

# name: (the layer in `nn`, the shape of its input, asked ratio)
LAYERS: dict[str, tuple[str, tuple[int, ...], float]] = {
    "LeNet, first": ("nn.Conv2d(1, 6, 5, padding=2)", (64, 1, 28, 28), 2.0),
    "LeNet, second": ("nn.Conv2d(6, 16, 5)", (64, 6, 14, 14), 2.0),
    "3x3, 16 channels": ("nn.Conv2d(16, 16, 3, padding=1)", (32, 16, 32, 32), 2.0),
    "3x3, 64 channels": ("nn.Conv2d(64, 64, 3, padding=1)", (8, 64, 16, 16), 2.0),
    "3x3, stride 2": ("nn.Conv2d(64, 128, 3, stride=2, padding=1)", (8, 64, 16, 16), 2.0),
    "1x1": ("nn.Conv2d(64, 64, 1)", (8, 64, 16, 16), 2.0),
    "1x1, from 256": ("nn.Conv2d(256, 64, 1)", (8, 256, 14, 14), 2.0),
    "depthwise, 64": ("nn.Conv2d(64, 64, 3, padding=1, groups=64)", (8, 64, 16, 16), 2.0),
    "depthwise, 256": ("nn.Conv2d(256, 256, 3, padding=1, groups=256)", (8, 256, 14, 14), 2.0),
    "depthwise, stride 2": ("nn.Conv2d(64, 64, 3, stride=2, padding=1, groups=64)", (8, 64, 32, 32), 2.0),
    "BatchNorm2d": ("nn.BatchNorm2d(64)", (16, 64, 32, 32), 1.5),
    "BatchNorm2d, small": ("nn.BatchNorm2d(16)", (32, 16, 14, 14), 1.5),
    "LayerNorm": ("nn.LayerNorm(128)", (12, 64, 128), 1.5),
    "LayerNorm, small": ("nn.LayerNorm(128)", (32, 128), 1.5),
    "LSTM": ("nn.LSTM(128, 128)", (32, 32, 128), 1.5),
    "MultiheadAttention": ("nn.MultiheadAttention(128, 4, batch_first=True)", (12, 64, 128), 1.2),
}


def called(layer: Any) -> Callable[[Any], Any]:
    """What to call with x alone for x's output alone: a recurrent net also returns its state, attention takes three."""
    kind = type(layer).__name__
    if kind == "MultiheadAttention":
        return lambda x: layer(x, x, x, need_weights=False)[0]
    return (lambda x: layer(x)[0]) if kind == "LSTM" else layer  # type: ignore[no-any-return]


def step(torch: Any, code: str, shape: tuple[int, ...]) -> Callable[[], object]:
    """Forward and backward of one layer; the same numbers for both libraries."""
    torch.manual_seed(0)
    layer = called(eval(code, {"nn": torch.nn}))
    x = torch.randn(shape, requires_grad=True)
    g = torch.randn(layer(x).shape)

    def both() -> None:
        x.grad = None
        layer(x).backward(g)

    return both


def measure(code: str, shape: tuple[int, ...], count: int) -> tuple[float, float]:
    """(milliseconds of mini_torch, ratio to PyTorch)."""
    import torch

    import mini_torch

    steps = {"ours": step(mini_torch, code, shape), "theirs": step(torch, code, shape)}
    times = max(2, round(0.03 / min(timing.seconds(f, 3) for f in steps.values())))
    results = timing.rounds(steps, times, count)
    return float(np.median(results["ours"])) * 1e3, timing.ratio(results["ours"], results["theirs"])


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", default="", help="a regular expression over the names and layers")
    arguments = parser.parse_args()
    if not timing.has_torch():
        raise SystemExit("benchmarks.layers compares with PyTorch: pip install torch")
    import torch

    torch.set_num_threads(1)
    rows = []
    for name, (code, shape, asked) in LAYERS.items():
        if re.search(arguments.only, f"{name} {code}"):
            time, ratio = measure(code, shape, arguments.rounds)
            layer, size = f"`{code.removeprefix('nn.')}`", "×".join(map(str, shape))
            rows.append([name, layer, size, f"{time:.2f} ms", f"{ratio:.2f}", f"≤ {asked}"])
            print(*rows[-1], sep="  ", flush=True)
    print("\n" + timing.table(["step of", "layer", "input", "mini_torch", "ratio to PyTorch", "asked"], rows))


if __name__ == "__main__":
    main()
