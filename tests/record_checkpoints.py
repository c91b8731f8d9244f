"""Records what PyTorch writes: `python tests/record_checkpoints.py`, once with each version of PyTorch that is wanted.

Writes tests/data/checkpoints/VERSION/NAME.pt, and in `expected.json` beside them what is in each. Of PyTorch 1.6 and
newer NAME_legacy.pt is in the format before 1.6. The rest of the files is PyTorch 2.13's: what mini_torch refuses.
"""

from __future__ import annotations

import inspect
import io
import json
import warnings
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch

import checkpoint_cases as cases

VERSION = ".".join(torch.__version__.split(".")[:2])
NEWEST = VERSION == "2.13"
FOLDER = Path(__file__).parent / "data" / "checkpoints" / VERSION
LEGACY = ("plain", "views", "parameters", "module") if NEWEST else ("views",) if VERSION == "1.6" else ()


def possible(name: str) -> bool:
    """Whether this version has what the case needs."""
    if name in ("attributes", "buffers"):
        return hasattr(torch.nn, "Buffer")
    return name != "plain" or NEWEST


def record(name: str) -> Any:
    """Writes one file; returns what is in it."""
    obj = cases.CASES[name](torch)
    described = cases.Describer(torch)(obj)
    with mock.patch.multiple(inspect, getsource=no_source, getsourcelines=no_source, getsourcefile=no_source):
        torch.save(obj, FOLDER / f"{name}.pt")
        if name in LEGACY:
            torch.save(obj, FOLDER / f"{name}_legacy.pt", _use_new_zipfile_serialization=False)
    return described


def record_refused() -> None:
    """What PyTorch loads and mini_torch has not got, and what neither loads without being told."""
    x = torch.eye(2)
    torch.save(x.to_sparse(), FOLDER / "sparse.pt")
    torch.save(torch.quantize_per_tensor(x, 0.5, 0, torch.qint8), FOLDER / "quantized.pt")
    torch.save(x.to("meta"), FOLDER / "meta.pt")
    torch.save({"loss": np.float64(0.5), "array": np.arange(3)}, FOLDER / "numpy.pt")
    torch.save(torch.tensor([1.0, -0.5, 448.0]).to(torch.float8_e4m3fn), FOLDER / "float8.pt")
    torch.jit.script(torch.nn.Linear(1, 1)).save(str(FOLDER / "script.pt"))


def no_source(*_: Any) -> Any:
    """In the place of what finds the source of a module's class, which the old format would put into the file."""
    raise OSError


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    torch.save(1, io.BytesIO())  # imports what looks at the source of its own
    expected = {name: record(name) for name in cases.CASES if possible(name)}
    if NEWEST:
        record_refused()
    lines = [f"{json.dumps(name)}: {json.dumps(each)}" for name, each in expected.items()]
    (FOLDER / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
