"""Records what PyTorch's optimizers and schedules do: `python tests/record_optim.py`, with PyTorch installed.

Writes tests/data/optim.json: parameters, state and text after some steps of each case in optim_cases.py, and
the rates of each schedule.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import torch

import optim_cases as cases


def rounded(values: object, digits: int = 8) -> object:
    """With no more digits than are compared."""
    if isinstance(values, float):
        return float(f"{values:.{digits}g}")
    return [rounded(value, digits) for value in values] if isinstance(values, list) else values


def main() -> None:
    warnings.simplefilter("ignore")
    runs = {}
    for code in cases.OPTIMIZERS:
        for frozen in cases.FROZEN:
            optimizer, params = cases.run_optimizer(torch, code, frozen)
            runs[f"{code} | {frozen}"] = {
                "params": rounded([p.reshape(-1).tolist() for p in params]),
                "state": rounded(cases.flat_state(optimizer)),
                "groups": cases.plain(optimizer.state_dict()["param_groups"]),
                "repr": repr(optimizer),
            }
    schedules = {}
    for code in cases.SCHEDULES:
        schedule, rates = cases.run_schedule(torch, code)
        schedules[code] = {"rates": rounded(rates, 14), "state": cases.plain(schedule.state_dict())}
    path = Path(__file__).parent / "data" / "optim.json"
    path.write_text(json.dumps({"optimizers": runs, "schedules": schedules}, separators=(",", ":")) + "\n")
    print(f"{path.name}: {len(runs)} runs, {len(schedules)} schedules, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
