"""The main job for five seeds: loss and time, beside PyTorch where that is installed.

    python -m benchmarks.fit

Both train the same network on the same 4,000 points, on one thread, with Adam and cosine annealing, cut
their batches by index and look at the dev loss after each epoch. The loss is half the mean squared error
on 5,000 test points; asked for is at most 0.0002 for every seed, in at most 0.45 of PyTorch's time, and 0.30
with `Model.fit(..., compile=True)`. Seconds are processor time, so that other work on the machine counts for nobody.
"""
from __future__ import annotations

import argparse
import inspect
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from data_generator import points, training_points
from fit_func import SETTINGS, WIDTHS, fit, make_model, split
from mini_torch.model import Model

from . import timing

try:
    import torch
except ImportError:
    torch = None

Job = Callable[[dict[str, np.ndarray], dict[str, Any]], tuple[float, float]]


def ours(data: dict[str, np.ndarray], settings: dict[str, Any], **options: Any) -> tuple[float, float]:
    """Test loss and seconds of mini_torch; `options` go to `Model.fit`."""
    start = time.process_time()
    model = make_model(settings)
    fit(model, data, settings, progress=False, **options)
    seconds = time.process_time() - start
    return model.evaluate(split(data["test"])), seconds


def pytorchs(data: dict[str, np.ndarray], settings: dict[str, Any]) -> tuple[float, float]:
    """Test loss and seconds of the same job in PyTorch."""
    torch.set_num_threads(1)
    tensors = {name: [torch.from_numpy(part) for part in split(rows)] for name, rows in data.items()}
    x, y = tensors["train"]
    start = time.process_time()
    torch.manual_seed(settings["seed"])
    layers: list[Any] = []
    for inputs, outputs in pairwise(WIDTHS):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(network.parameters(), lr=settings["lr"])
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings["train_epoch_num"])
    for _ in range(settings["train_epoch_num"]):
        for rows in torch.randperm(len(x)).split(settings["train_batch_size"]):
            loss = 0.5 * torch.nn.functional.mse_loss(network(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()
        scheduler.step()
        _loss(network, *tensors["dev"])
    seconds = time.process_time() - start
    return _loss(network, *tensors["test"]), seconds


def _loss(network: Any, x: Any, y: Any) -> float:
    with torch.no_grad():
        return 0.5 * torch.nn.functional.mse_loss(network(x), y).item()


def jobs(alone: bool) -> dict[str, Job]:
    """Those to compare, PyTorch first where it is there."""
    found: dict[str, Job] = {} if torch is None or alone else {"PyTorch": pytorchs}
    found["mini_torch"] = ours
    if "compile" in inspect.signature(Model.fit).parameters:
        found["compiled"] = partial(ours, compile=True)
    return found


def line(seed: int, results: dict[str, tuple[float, float]]) -> list[str]:
    """A row of the table: of each its loss, its seconds, and their ratio to PyTorch's."""
    base = results.get("PyTorch", (0.0, 0.0))[1]
    cells = [str(seed)]
    for name, (loss, seconds) in results.items():
        cells += [f"{loss:.6f}", f"{seconds:.1f}"]
        cells += [f"{seconds / base:.2f}"] if base and name != "PyTorch" else []
    return cells


def head(names: Sequence[str]) -> list[str]:
    """The columns that `line` fills."""
    columns = ["seed"]
    for name in names:
        columns += [f"{name}: test loss", "seconds"]
        columns += ["ratio"] if "PyTorch" in names and name != "PyTorch" else []
    return columns


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=SETTINGS["train_epoch_num"])
    parser.add_argument("--alone", action="store_true", help="without PyTorch")
    options = parser.parse_args()
    contestants = jobs(options.alone)
    warm_up = {**SETTINGS, "train_epoch_num": 1}
    for job in contestants.values():
        job({**training_points(500, 0.8, 0.0, 0), "test": points(500, "test", 0)}, warm_up)
    lines = []
    for seed in range(options.seeds):
        data = {**training_points(5000, 0.8, 0.0, 0), "test": points(5000, "test", 0)}
        settings = {**SETTINGS, "seed": seed, "train_epoch_num": options.epochs}
        lines.append(line(seed, {name: job(data, settings) for name, job in contestants.items()}))
        print(*lines[-1], sep="  ", file=sys.stderr)
    print(timing.table(head(tuple(contestants)), lines))


if __name__ == "__main__":
    main()
