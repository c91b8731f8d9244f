"""Records PyTorch's random numbers: `python tests/record_random.py`, with PyTorch installed.

Writes tests/data/random.json: of each call in random_cases.py, per seed, a checksum of all bits (or, where only the
values are compared, the first of them) and the number that comes next in the stream.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import torch

import random_cases as cases


def main() -> None:
    exact, close = {}, {}
    for code in cases.EXACT:
        drawn = [cases.draw(torch, code, seed) for seed in cases.SEEDS]
        values = drawn[0][0]
        exact[code] = [str(values.dtype), values.shape, *([zlib.crc32(v.tobytes()), after] for v, after in drawn)]
    for code in cases.CLOSE:
        drawn = [cases.draw(torch, code, seed) for seed in cases.SEEDS]
        values = drawn[0][0]
        first = [np.atleast_1d(v).ravel()[:10] for v, _ in drawn]
        parts = [v.view(v.real.dtype).astype(np.float64).tolist() for v in first]
        close[code] = [str(values.dtype), values.shape, *([v, after] for v, (_, after) in zip(parts, drawn))]
    path = Path(__file__).parent / "data" / "random.json"
    lines = [f'"{name}": {{\n' + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in group.items()) + "\n}"
             for name, group in {"exact": exact, "close": close}.items()]  # fmt: skip
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
