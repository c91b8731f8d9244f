"""The dip in [-2, 2]²: how well it is fitted with and without extra training rows there, over five seeds.

    python -m benchmarks.dip

The surface's lowest point in the middle of the domain, (-π/2, 0), lies in that square. Every seed draws
its own data and its own first weights. Prints a table and draws images/dip.png.
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import utils
from data_generator import INNER, points, training_points
from fit_func import SETTINGS, fit, make_model, split

RATIOS = (0.0, 0.2, 0.5)


def errors(extra_ratio: float, seed: int, epochs: int) -> tuple[float, float]:
    """Half the mean squared error in the square and in the whole domain."""
    settings = {**SETTINGS, "seed": seed, "train_epoch_num": epochs}
    model = make_model(settings)
    fit(model, training_points(5000, 0.8, extra_ratio, seed), settings, progress=False)
    inner, whole = points(5000, "test", seed, INNER), points(5000, "test", seed)
    return model.evaluate(split(inner)), model.evaluate(split(whole))


def plot_dip(path: Path, results: dict[float, np.ndarray]) -> None:
    """Both training sets, and the errors. Shape: results[ratio] (seeds, 2), in the square and everywhere."""
    with utils.picture(path, 9, 3.3) as figure:
        left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 0.95))
        for ax, ratio in ((left, 0.0), (middle, RATIOS[-1])):
            _draw_set(ax, ratio)
        _draw_errors(right, results)


def _draw_set(ax: Any, ratio: float) -> None:
    rows = training_points(5000, 0.8, ratio, 0)["train"]
    ax.scatter(*rows[:, :2].T, c=rows[:, 2], s=2.5, **utils.COLOURS)
    utils.pi_axes(ax)
    corners = INNER * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]])
    ax.plot(*corners.T, color=utils.ORANGE, linewidth=1.5)
    ax.set_title(f"extra_ratio {ratio:g}: {len(rows):,} points")


def _draw_errors(ax: Any, results: dict[float, np.ndarray]) -> None:
    for column, colour, words in ((1, utils.BLUE, "whole domain"), (0, utils.ORANGE, "in the square")):
        for x, values in enumerate(results.values()):
            shifts = np.linspace(-0.1, 0.1, len(values))
            label = words if x == 0 else None
            ax.scatter(x + shifts, values[:, column], s=20, color=colour, linewidths=0, label=label)
            ax.plot([x - 0.2, x + 0.2], [values[:, column].mean()] * 2, color=colour, linewidth=1.5)
    ax.set_xticks(range(len(results)), [f"{ratio:g}" for ratio in results])
    ax.set(yscale="log", xlabel="extra_ratio", ylabel="half mean squared error")
    ax.grid(axis="y")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.2), ncols=2, handletextpad=0.1, columnspacing=0.8)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=SETTINGS["train_epoch_num"])
    parser.add_argument("--image", type=Path, default=Path("images/dip.png"))
    options = parser.parse_args()
    results = {}
    print("| extra_ratio | error in [-2, 2]², mean | of each seed | error in the whole domain, mean |")
    print("| ---: | ---: | --- | ---: |")
    for ratio in RATIOS:
        values = np.array([errors(ratio, seed, options.epochs) for seed in range(options.seeds)])
        results[ratio] = values
        each = ", ".join(f"{value:.6f}" for value in values[:, 0])
        print(f"| {ratio:g} | {values[:, 0].mean():.6f} | {each} | {values[:, 1].mean():.6f} |", flush=True)
    plot_dip(options.image, results)


if __name__ == "__main__":
    main()
