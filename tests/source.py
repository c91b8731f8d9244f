"""Writes into both READMEs what `compile` makes of the main job's training step: `python tests/source.py`.

`test_source.py` fails when it is not what stands there.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import mini_torch as torch
from mini_torch import nn

ROOT = Path(__file__).parents[1]
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
PLACE = re.compile(r"(?<=<!-- source: made by tests/source.py -->\n\n```py\n).*?(?=```)", re.DOTALL)
SIZES = (2, 200, 100, 100, 80, 50, 30, 1)


def source() -> str:
    """The program of one step: batch 64, mean squared error, Adam."""
    torch.manual_seed(0)
    layers = [layer for a, b in pairwise(SIZES) for layer in (nn.Linear(a, b), nn.ReLU())]
    network, loss = nn.Sequential(*layers[:-1]), nn.MSELoss()
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-4)

    @torch.compile
    def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        optimizer.zero_grad()
        error = loss(network(x), y)
        error.backward()
        optimizer.step()
        return error

    step(torch.rand(64, 2), torch.rand(64, 1))
    return "\n".join(line.rstrip() for line in step.source.splitlines()) + "\n"


def main() -> None:
    for readme in READMES:
        text = readme.read_text(encoding="utf-8")
        readme.write_text(PLACE.sub(lambda _: source(), text, count=1), encoding="utf-8")


if __name__ == "__main__":
    main()
