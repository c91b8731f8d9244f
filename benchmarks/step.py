"""One training step of the network 2-200-100-100-80-50-30-1: mini_torch, PyTorch (where installed), NumPy by hand.

    python -m benchmarks.step [--rounds 15] [--steps 100] [--batch 64]

Batch 64, float32, one thread; forward, mean squared error, backward, optimizer. The rounds are interleaved and
a ratio is the median of the rounds' ratios. "NumPy by hand" is what a person writes for just this network:
buffers allocated once, all parameters in one flat vector.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from . import timing
from .networks import LR, SIZES, mlp

ASKED = {"Adam": 0.50, "SGD": 0.65}

Step = Callable[[], object]


class ByHand:
    """The same step in NumPy: every array is there before the first step, weights and gradients lie flat."""

    def __init__(self, optimizer: str, x: Any, y: Any) -> None:
        rng, rows = np.random.default_rng(0), len(x)
        pairs = list(pairwise(SIZES))
        count = sum(a * b + b for a, b in pairs)
        self.p, self.g, self.m, self.v, self.work = (np.zeros(count, np.float32) for _ in range(5))
        self.weights, self.grads = self.parts(self.p, pairs), self.parts(self.g, pairs)
        for w, _ in self.weights:
            w[...] = rng.uniform(-1, 1, w.shape) / math.sqrt(w.shape[1])
        self.outputs = [np.empty((rows, b), np.float32) for _, b in pairs]
        self.errors = [np.empty((rows, b), np.float32) for _, b in pairs]
        self.masks = [np.empty((rows, b), bool) for _, b in pairs]
        self.x, self.y, self.t = x, y, 0
        self.update = self.adam if optimizer == "Adam" else self.sgd

    @staticmethod
    def parts(flat: Any, pairs: list[tuple[int, int]]) -> list[tuple[Any, Any]]:
        """(weight, bias) of each layer as views of `flat`."""
        views, start = [], 0
        for a, b in pairs:
            middle, end = start + a * b, start + a * b + b
            views.append((flat[start:middle].reshape(b, a), flat[middle:end]))
            start = end
        return views

    def step(self) -> None:
        """Forward, backward, update."""
        inputs, last = [self.x, *self.outputs[:-1]], len(self.weights) - 1
        for i, (w, b) in enumerate(self.weights):
            out = np.matmul(inputs[i], w.T, out=self.outputs[i])
            np.add(out, b, out=out)
            if i < last:
                np.maximum(out, 0, out=out)
        error = np.subtract(self.outputs[last], self.y, out=self.errors[last])
        self.loss = float(np.vdot(error, error)) / error.size
        np.multiply(error, np.float32(2 / error.size), out=error)
        for i in range(last, -1, -1):
            error = self.errors[i]
            np.matmul(error.T, inputs[i], out=self.grads[i][0])
            np.add.reduce(error, axis=0, out=self.grads[i][1])
            if i:
                before = np.matmul(error, self.weights[i][0], out=self.errors[i - 1])
                np.greater(inputs[i], 0, out=self.masks[i - 1])
                np.multiply(before, self.masks[i - 1], out=before)
        self.update()

    def sgd(self) -> None:
        """p -= lr · g."""
        np.multiply(self.g, np.float32(LR), out=self.g)
        np.subtract(self.p, self.g, out=self.p)

    def adam(self) -> None:
        """Adam with its default options."""
        self.t += 1
        g, m, v, work, f = self.g, self.m, self.v, self.work, np.float32
        np.multiply(m, f(0.9), out=m)
        np.multiply(g, f(0.1), out=work)
        np.add(m, work, out=m)
        np.multiply(v, f(0.999), out=v)
        np.multiply(g, g, out=g)
        np.multiply(g, f(0.001), out=g)
        np.add(v, g, out=v)
        correction = math.sqrt(1 - 0.999**self.t)
        np.sqrt(v, out=work)
        np.add(work, f(1e-8 * correction), out=work)
        np.divide(m, work, out=work)
        np.multiply(work, f(LR * correction / (1 - 0.9**self.t)), out=work)
        np.subtract(self.p, work, out=self.p)


def contestants(optimizer: str, batch: int) -> dict[str, Step]:
    """The steps to compare, by name."""
    import mini_torch

    work = mlp(mini_torch, optimizer, batch)
    steps: dict[str, Step] = {"mini_torch": partial(work.call, *work.inputs)}
    if timing.has_torch():
        import torch

        torch.set_num_threads(1)
        theirs = mlp(torch, optimizer, batch)
        steps["PyTorch"] = partial(theirs.call, *theirs.inputs)
    x, y = (part.numpy() for part in work.inputs)
    steps["NumPy by hand"] = ByHand(optimizer, x, y).step
    return steps


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=100, help="steps in each round")
    parser.add_argument("--batch", type=int, default=64)
    options = parser.parse_args()
    rows = []
    for optimizer, asked in ASKED.items():
        times = timing.rounds(contestants(optimizer, options.batch), options.steps, options.rounds)
        row = [optimizer, *(f"{statistics.median(times[name]) * 1e6:.0f} µs" for name in times)]
        if "PyTorch" in times:
            own, hand = (timing.ratio(times[name], times["PyTorch"]) for name in ("mini_torch", "NumPy by hand"))
            row += [f"{own:.2f}", f"≤ {asked:.2f}", f"{hand:.2f}"]
        else:
            row += [f"{timing.ratio(times['mini_torch'], times['NumPy by hand']):.2f}"]
        rows.append(row)
    ratios = ["ratio to PyTorch", "asked", "NumPy's ratio"] if timing.has_torch() else ["ratio to NumPy"]
    print(timing.table(["step with", *times, *ratios], rows))


if __name__ == "__main__":
    main()
