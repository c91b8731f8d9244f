"""An LSTM learns a chaotic series from its past and continues it.

The series is how many blood cells a body has when it makes new ones by how many it had 17 days ago (Mackey and Glass
1977, "Oscillation and chaos in physiological control systems"):

    dx/dt = 0.2 x(t - 17) / (1 + x(t - 17)^10) - 0.1 x(t)

Nothing is random in it, and yet no cycle is like another: a small error doubles about every 140 days. So there is
something to learn, and a limit to what can be known, which makes it a fair test of forecasting.

An LSTM (Hochreiter and Schmidhuber 1997, "Long short-term memory") reads one value after the other and carries two
states along, what it says, h, and what it remembers, c. Gates between 0 and 1 decide what is forgotten, what is
written and what is shown:

    i, f, o = sigmoid(W x + U h + b)      c ← f c + i tanh(V x + R h + d)      h ← o tanh(c)

It learns to say the next value. To look further ahead it is given its own answers.

What you will see: the true series and the forecast, which goes on alone for three years; and how wrong forecasts are by
how far they look, beside two simple ones: "as it is now", and the best weighted sum of the last sixteen values. An
error of 1 is that of always saying the mean.
"""

from __future__ import annotations

from typing import Any

import frame
import numpy as np
from frame import torch

nn = torch.nn
F = nn.functional
DAYS = 6  # between two values
KNOWN, UNSEEN = 3000, 1000  # values to learn from, and those after them
WINDOW, BATCH, WIDTH = 48, 32, 48  # values that it reads, passages in a step, units of the LSTM
LAGS = 16  # values that the weighted sum sees, and that the LSTM may read before it is asked
AHEAD, SHOWN = 14, 180  # values: 84 days, as is usual for this series; three years


def mackey_glass(count: int, parts: int = 10) -> torch.Tensor:
    """`count` values, DAYS apart, by the method of Heun in steps of a tenth of a day, without the first thousand."""
    delay, skipped = 17 * parts, 1000
    x = np.full((count + skipped) * DAYS * parts + delay + 1, 1.2)

    def slope(now: float, past: float) -> float:
        return 0.2 * past / (1 + past**10) - 0.1 * now

    for k in range(delay, len(x) - 1):
        first = slope(x[k], x[k - delay])
        second = slope(x[k] + first / parts, x[k - delay + 1])
        x[k + 1] = x[k] + (first + second) / (2 * parts)
    values = x[delay :: DAYS * parts][skipped : skipped + count]
    return torch.from_numpy((values - values.mean()) / values.std()).float()


class Forecaster(nn.Module):
    """Says how far it is from each value to the next: (N, T) → (N, T)."""

    def __init__(self) -> None:
        super().__init__()
        self.memory = nn.LSTM(1, WIDTH, batch_first=True)
        self.out = nn.Linear(WIDTH, 1)

    def forward(self, x: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, Any]:
        h, state = self.memory(x.unsqueeze(-1), state)
        return x + self.out(h).squeeze(-1), state

    def go_on(self, x: torch.Tensor, count: int) -> torch.Tensor:
        """Reads x, then continues it alone: (N, T) → (N, count)."""
        said, state = self(x)
        values = [said[:, -1:]]
        for _ in range(count - 1):
            said, state = self(values[-1], state)
            values.append(said)
        return torch.cat(values, dim=1)


def windows(series: torch.Tensor, starts: torch.Tensor, length: int) -> torch.Tensor:
    """The passages of the series that begin at `starts`: (len(starts), length)."""
    return series[starts[:, None] + torch.arange(length)]


def weighted_sum(known: torch.Tensor, x: torch.Tensor, count: int) -> torch.Tensor:
    """Continues x by the weights of the last LAGS values that suit the known series best: (N, T) → (N, count)."""
    passages = windows(known, torch.arange(len(known) - LAGS), LAGS + 1)
    weights = torch.linalg.lstsq(passages[:, :-1], passages[:, -1:]).solution
    for _ in range(count):
        x = torch.cat([x, x[:, -LAGS:] @ weights], dim=1)
    return x[:, -count:]


def main() -> None:
    run = frame.Run(__doc__, steps=4000)
    series = mackey_glass(KNOWN + UNSEEN)
    known, unseen = series[:KNOWN], series[KNOWN:]

    network = Forecaster()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, run.args.steps)
    for _ in run.steps():
        passages = windows(known, torch.randint(KNOWN - WINDOW, (BATCH,)), WINDOW + 1)
        said, _ = network(passages[:, :-1])
        loss = F.mse_loss(said[:, LAGS:], passages[:, LAGS + 1 :])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        run.loss(loss.item())

    passages = windows(unseen, torch.arange(0, UNSEEN - WINDOW - SHOWN, 4), WINDOW + SHOWN)
    past, future = passages[:, :WINDOW], passages[:, WINDOW:]
    with torch.no_grad():
        forecasts = {
            "LSTM": network.go_on(past, SHOWN),
            "weighted sum": weighted_sum(known, past, SHOWN),
            "as it is now": past[:, -1:].expand(-1, SHOWN),
        }
    errors = {name: (said - future).square().mean(0).sqrt() for name, said in forecasts.items()}
    for name, error in errors.items():
        run.result(f"error {AHEAD * DAYS} days ahead, {name}", error[AHEAD - 1].item())
    run.draw(lambda figure: draw(figure, passages[0], forecasts["LSTM"][0], errors), height=5.4)
    run.end()


def draw(figure: Any, truth: torch.Tensor, forecast: torch.Tensor, errors: dict[str, torch.Tensor]) -> None:
    """The series and its forecast above, the errors by how far the forecasts look below."""
    from utils import BLUE, GREY, INK, ORANGE

    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1.1))
    days = DAYS * np.arange(1 - WINDOW, SHOWN + 1)
    above.plot(days, truth.numpy(), color=INK, linewidth=1.2, label="truth")
    above.plot(days[WINDOW:], forecast.numpy(), color=ORANGE, linewidth=1.6, label="forecast of the LSTM")
    above.axvspan(days[0], 0, color=GREY, alpha=0.15, linewidth=0)
    above.text(days[0] / 2, 2.4, "what it reads", ha="center", va="bottom")
    above.set(ylabel="blood cells\n(standardised)", ylim=(-3.2, 3.4))
    above.legend(loc="upper right", ncols=2)
    for (name, error), colour in zip(errors.items(), (ORANGE, BLUE, GREY), strict=True):
        below.plot(days[WINDOW:], error.numpy(), color=colour, label=name)
    below.set(yscale="log", xlim=(days[0], days[-1]), xlabel="days from the last value that was read", ylabel="error")
    below.grid(axis="y")
    below.legend(loc="lower right")


if __name__ == "__main__":
    main()
