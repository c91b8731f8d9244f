"""The progress bar of `Model.fit`, and Ctrl-C that waits for the end of a step."""

from __future__ import annotations

import signal
import threading
from time import perf_counter
from types import FrameType
from typing import Any

from ..errors import MissingExtraError

__all__ = ["Bar", "Interruption"]

REFRESH = 0.1  # seconds; a bar that is drawn at every step would cost more than the step


class Bar:
    """A tqdm bar that counts steps and shows epoch, loss and dev loss; nothing at all where it is not wanted.

    `wanted=None` shows it where tqdm is installed, `True` raises `MissingExtraError` where it is not.
    """

    def __init__(self, wanted: bool | None, epochs: int, total_steps: int | None, steps: int) -> None:
        self.epochs, self.shown, self.next_time = epochs, steps, 0.0
        self.dev_loss: float | None = None
        self.bar = _tqdm(wanted, total=total_steps, initial=steps, unit="step", dynamic_ncols=True, leave=True)

    def step(self, position: Any) -> None:
        """Draws the bar again, but at most every 0.1 s."""
        if self.bar is not None and perf_counter() >= self.next_time:
            self.draw(position)

    def draw(self, position: Any, epoch: int | None = None) -> None:
        """Draws the bar now, for `epoch` (or the one at work)."""
        if self.bar is None:
            return
        dev = "" if self.dev_loss is None else f", dev loss {self.dev_loss:.3g}"
        epoch = min(position.epoch + 1, self.epochs) if epoch is None else epoch
        self.bar.set_description_str(f"epoch {epoch}/{self.epochs}", refresh=False)
        self.bar.set_postfix_str(f"loss {position.loss:.3g}{dev}", refresh=False)
        self.bar.update(position.steps - self.shown)
        self.shown = position.steps
        self.next_time = perf_counter() + REFRESH

    def close(self) -> None:
        """Leaves the bar as it is and goes on below it."""
        if self.bar is not None:
            self.bar.close()


def _tqdm(wanted: bool | None, **options: Any) -> Any:
    if wanted is False:
        return None
    try:
        from tqdm import tqdm
    except ImportError:
        if wanted:
            raise MissingExtraError("tqdm", "progress", "a progress bar") from None
        return None
    return tqdm(**options)


class Interruption:
    """Within it the first Ctrl-C only sets `asked`, the second one interrupts at once.

    A step that is cut in half leaves some parameters updated and others not; so a run stops between two steps.
    Where SIGINT has a handler already, or outside the main thread, nothing is changed.
    """

    def __init__(self) -> None:
        self.asked = False
        self._mine = False

    def __enter__(self) -> Interruption:
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._note)
            self._mine = True
        return self

    def __exit__(self, *_: object) -> None:
        if self._mine:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._mine = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
