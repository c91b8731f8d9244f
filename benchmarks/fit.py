"""The main job for five seeds: loss and time, beside PyTorch where that is installed.

    python -m benchmarks.fit

Both train the same network on the same 4,000 points, on one thread, with Adam and cosine annealing, cut
their batches by index and look at the dev loss after each epoch. The loss is half the mean squared error
on 5,000 test points; asked for is at most 0.0002 for every seed, in at most half of PyTorch's time.
Seconds are processor time, so that other work on the machine counts for neither.
"""
from __future__ import annotations

import argparse
import time
from itertools import pairwise
from typing import Any

import numpy as np

from data_generator import points, training_points
from fit_func import SETTINGS, WIDTHS, fit, make_model, split

try:
    import torch
except ImportError:
    torch = None


def ours(data: dict[str, np.ndarray], settings: dict[str, Any]) -> tuple[float, float]:
    """Test loss and seconds of mini_torch."""
    start = time.process_time()
    model = make_model(settings)
    fit(model, data, settings, progress=False)
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


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=SETTINGS["train_epoch_num"])
    parser.add_argument("--alone", action="store_true", help="without PyTorch")
    options = parser.parse_args()
    beside = torch is not None and not options.alone
    warm_up = {**SETTINGS, "train_epoch_num": 1}
    for job in (ours, pytorchs) if beside else (ours,):
        job({**training_points(500, 0.8, 0.0, 0), "test": points(500, "test", 0)}, warm_up)
    print("| seed | test loss | seconds |" + (" PyTorch's test loss | seconds | ratio |" if beside else ""))
    print("| ---: | ---: | ---: |" + (" ---: | ---: | ---: |" if beside else ""))
    for seed in range(options.seeds):
        data = {**training_points(5000, 0.8, 0.0, 0), "test": points(5000, "test", 0)}
        settings = {**SETTINGS, "seed": seed, "train_epoch_num": options.epochs}
        loss, seconds = ours(data, settings)
        line = f"| {seed} | {loss:.6f} | {seconds:.1f} |"
        if beside:
            their_loss, their_seconds = pytorchs(data, settings)
            line += f" {their_loss:.6f} | {their_seconds:.1f} | {seconds / their_seconds:.2f} |"
        print(line, flush=True)


if __name__ == "__main__":
    main()
