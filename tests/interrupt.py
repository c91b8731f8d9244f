"""Ctrl-C, for the tests of what a run that was interrupted leaves."""

from __future__ import annotations

import signal
from typing import Any

from mini_torch.model import Callback, Model


class Interrupt(Callback):
    """Ctrl-C during a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, model: Model, logs: dict[str, Any]) -> None:
        if logs["step"] == self.step:
            signal.raise_signal(signal.SIGINT)
