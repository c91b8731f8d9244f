"""Makes tests/data/safetensors/: small files written by `safetensors.torch`, and the numbers in them.

Needs PyTorch and safetensors: `python tests/record_safetensors.py`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file, save_model

FOLDER = Path(__file__).parent / "data" / "safetensors"
PLAIN = ("bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "float16", "float32",
         "float64", "complex64")  # fmt: skip
NARROW = ("bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    torch.manual_seed(0)
    plain = {name: (torch.arange(6).reshape(2, 3) * 1.5).to(getattr(torch, name)) for name in PLAIN}
    plain |= {"scalar": torch.tensor(-2.5), "empty": torch.zeros(0, 3), "nan": torch.tensor([torch.nan, torch.inf])}
    save_file(plain, FOLDER / "plain.safetensors", {"made by": "PyTorch"})
    np.savez(FOLDER / "plain.npz", **{name: x.numpy() for name, x in plain.items()})

    every_byte = torch.arange(256, dtype=torch.uint8)
    narrow = {name: every_byte.clone().view(getattr(torch, name)) for name in NARROW if name != "bfloat16"}
    narrow["bfloat16"] = torch.arange(0, 1 << 16, 37, dtype=torch.int32).to(torch.uint16).view(torch.bfloat16)
    save_file(narrow, FOLDER / "narrow.safetensors")
    np.savez_compressed(FOLDER / "narrow.npz", **{name: x.float().numpy() for name, x in narrow.items()})

    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
    model[1].bias = torch.nn.Parameter(torch.zeros(3))
    model.add_module("tied", torch.nn.Linear(3, 4))
    model.tied.weight = model[0].weight
    save_model(model, str(FOLDER / "tied.safetensors"))
    np.savez(FOLDER / "tied.npz", **{name: x.numpy() for name, x in model.state_dict().items()})


if __name__ == "__main__":
    main()
