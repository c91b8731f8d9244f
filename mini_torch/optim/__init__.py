"""PyTorch's door `optim`: the optimizers, the schedules in `optim.lr_scheduler`, averages in `optim.swa_utils`."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING
from typing import Any as _Any

from ..optimizer import (
    ASGD,
    LBFGS,
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Muon,
    NAdam,
    Optimizer,
    RAdam,
    RMSprop,
    Rprop,
    SparseAdam,
    swap_in_optimizer_params_and_state,
)
from . import lr_scheduler

if TYPE_CHECKING:
    from . import swa_utils as swa_utils

__all__ = [
    "ASGD", "LBFGS", "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Muon", "NAdam", "Optimizer",
    "RAdam", "RMSprop", "Rprop", "SparseAdam", "lr_scheduler", "swap_in_optimizer_params_and_state",
]  # fmt: skip


def __getattr__(name: str) -> _Any:
    """Opens `swa_utils` when it is asked for: few programs do, and it needs the layers."""
    if name == "swa_utils":
        return _import_module(".swa_utils", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
