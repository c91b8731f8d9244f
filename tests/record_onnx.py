"""Writes data/not_in_onnx.txt, the lines of `samples.py` that cannot be exported: `python tests/record_onnx.py`."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import samples
from mini_torch.errors import OnnxExporterError
from mini_torch.onnx import export

if __name__ == "__main__":
    (Path(__file__).parent / "data" / "not_in_onnx.txt").touch()
    from test_onnx import function_of, given_for

    warnings.simplefilter("ignore")
    without = []
    for line in samples.SAMPLES + samples.VALUE_SAMPLES:
        given = given_for(line)
        if given:
            try:
                export(function_of([line], [*given]), tuple(given.values()))
            except OnnxExporterError:
                without.append(line)
    (Path(__file__).parent / "data" / "not_in_onnx.txt").write_text("".join(f"{line}\n" for line in without))
