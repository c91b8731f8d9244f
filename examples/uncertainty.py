"""A deep ensemble says how sure it is: bands that are narrow where there were data and wide where there were none.

The data are 4,000 points of y = sin x1 - cos x2, less those near the middle of the plane and in its corners: a ring
is left. They carry noise, little on the left (σ = 0.05), more on the right (σ = 0.25). A network that says only "y is
0.7 here" hides two different doubts:

* the noise, which no amount of data takes away. So a network gives two numbers at every place, the mean μ(x) and the
  variance σ²(x), and its loss is the negative logarithm of the normal density of what was seen:

      -log p(y | x) = ½ log 2πσ²(x) + (y - μ(x))² / 2σ²(x)

* not having seen enough. So there are several networks, alike but for their random beginnings and the order of their
  data. Where there were data they agree, where there were none each goes its own way, and how far they are apart says
  how little is known: a deep ensemble (Lakshminarayanan, Pritzel and Blundell, "Simple and scalable predictive
  uncertainty estimation using deep ensembles", NeurIPS 2017). Together, with M networks,

      μ* = mean of μ_m        σ*² = mean of σ²_m (the noise) + variance of the μ_m (their disagreement)

If they know what they don't know, 95 % of new points lie within μ* ± 1.96 σ*. On the ring they do, as with one network
alone. In the hole one network is far too sure of itself, and the ensemble is not. In the corners the ensemble is too
sure as well, though less than its members: it doubts what data of its kind could have shown it, not everything.

What you will see: the bands on the diagonal of the plane, and over the whole plane how far the networks are apart.
"""

from __future__ import annotations

from typing import Any

import frame
import numpy as np
from frame import torch

from data_generator import DOMAIN, surface
from utils import BLUE, ERROR, GREY, INK, ORANGE, PI_TICKS, grid, pi_axes

nn = torch.nn
Tensor = torch.Tensor
INSIDE, OUTSIDE = DOMAIN / 2, DOMAIN  # the radii of the ring that the data are in
BAND = 1.96  # so many σ to either side hold 95 % of a normal distribution


def in_ring(x: np.ndarray) -> np.ndarray:
    """Whether points lie where there are data. Shape: (n, 2) → (n,)."""
    radius = np.hypot(*x.T)
    return (radius > INSIDE) & (radius < OUTSIDE)


def noise(x: np.ndarray) -> np.ndarray:
    """σ of the noise, from 0.05 on the left to 0.25 on the right. Shape: (n, 2) → (n, 1)."""
    return 0.15 + 0.1 * x[:, :1] / DOMAIN


def noisy_points(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Points all over the plane, and noisy values there. Shape: (count, 2), (count, 1)."""
    x = rng.uniform(-DOMAIN, DOMAIN, (count, 2)).astype(np.float32)
    y = surface(x) + noise(x) * rng.standard_normal((count, 1))
    return x, y.astype(np.float32)


class Member(nn.Module):
    """One network of the ensemble: mean and variance of y at every x. Shape: (n, 2) → (n, 1), (n, 1)."""

    def __init__(self, width: int = 50) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(2, width), nn.SiLU(),
            nn.Linear(width, width), nn.SiLU(),
            nn.Linear(width, width), nn.SiLU(),
            nn.Linear(width, 2),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, scale = self.net(x).split(1, dim=1)
        return mean, nn.functional.softplus(scale) + 1e-4  # a variance is positive


def predicted(ensemble: nn.ModuleList, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, variance of the noise and variance between the members. Shape: (n, 2) → three times (n, 1)."""
    with torch.no_grad():
        means, variances = zip(*(member(torch.from_numpy(x)) for member in ensemble), strict=True)
    means, variances = torch.stack(means).numpy(), torch.stack(variances).numpy()
    return means.mean(0), variances.mean(0), means.var(0)


def held(y: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Which values lie inside the 95 % band. Shape: (n, 1) each → (n,)."""
    return (np.abs(y - mean) < BAND * np.sqrt(variance))[:, 0]


def main() -> None:
    run = frame.Run(__doc__, steps=8000, members=(10, "networks in the ensemble"))
    rng = np.random.default_rng(run.args.seed)
    x, y = noisy_points(4000, rng)
    x, y = x[in_ring(x)], y[in_ring(x)]
    inputs, targets = torch.from_numpy(x), torch.from_numpy(y)
    ensemble = nn.ModuleList(Member() for _ in range(run.args.members))
    optimizer = torch.optim.Adam(ensemble.parameters(), lr=0.003)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=run.args.steps)
    negative_log_likelihood = nn.GaussianNLLLoss(full=True)

    for _ in run.steps():
        losses = []
        for member in ensemble:
            batch = torch.randint(len(inputs), (64,))
            mean, variance = member(inputs[batch])
            losses.append(negative_log_likelihood(mean, targets[batch], variance))
        loss = torch.stack(losses).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        run.loss(loss.item() / len(losses))

    x_test, y_test = noisy_points(20_000, rng)
    radius = np.hypot(*x_test.T)
    mean, noisy, apart = predicted(ensemble, x_test)
    together = held(y_test, mean, noisy + apart)
    alone = np.mean([held(y_test, *predicted([member], x_test)[:2]) for member in ensemble], axis=0)
    places = {"ring": in_ring(x_test), "hole": radius < INSIDE, "corners": radius > OUTSIDE}
    for place, there in places.items():
        run.result(f"inside the 95 % band, {place}", together[there].mean())
        run.result(f"inside the band of one network, {place}", alone[there].mean())
    run.draw(lambda figure: draw(figure, ensemble, x, y))
    run.end()


def draw(figure: Any, ensemble: nn.ModuleList, x: np.ndarray, y: np.ndarray) -> None:
    """The bands along the diagonal x1 = x2, and how far the networks are apart over the plane."""
    cut, plane = figure.subplots(1, 2, width_ratios=(1.6, 1))
    line = np.linspace(-DOMAIN, DOMAIN, 400, dtype=np.float32)
    diagonal = np.stack([line, line], axis=1)
    mean, noisy, apart = (column[:, 0] for column in predicted(ensemble, diagonal))
    reach = BAND * np.sqrt(noisy + apart)
    cut.fill_between(line, mean - reach, mean + reach, color=BLUE, alpha=0.25, linewidth=0, label="95 % band")
    for member in ensemble:
        cut.plot(line, predicted([member], diagonal)[0], color=BLUE, linewidth=0.7, alpha=0.7)
    cut.plot([], [], color=BLUE, linewidth=0.7, label="every network's mean")
    cut.plot(line, surface(diagonal), color=ORANGE, linewidth=2, linestyle="--", label="the truth")
    near = np.abs(x[:, 0] - x[:, 1]) < 0.4
    cut.scatter(x[near].mean(axis=1), y[near], color=INK, s=5, linewidth=0, label="data near the diagonal", zorder=3)
    cut.set(title="On the diagonal", xlabel="$x_1 = x_2$", ylabel="$y$", xlim=(-DOMAIN, DOMAIN), ylim=(-3.5, 4.2))
    cut.set_xticks(**PI_TICKS)
    cut.legend(loc="upper center", ncols=2, fontsize=9)

    side = 121
    points = grid(side)
    _, _, apart = predicted(ensemble, points)
    x1, x2, doubt = (column.reshape(side, side) for column in (*points.T, np.sqrt(apart)))
    colours = plane.contourf(x1, x2, doubt, levels=np.linspace(0, 1, 11), cmap=ERROR, extend="max")
    plane.contour(x1, x2, np.hypot(x1, x2), levels=(INSIDE, OUTSIDE), colors="white", linewidths=0.8, linestyles="--")
    plane.plot(line, line, color=GREY, linewidth=0.8, linestyle=":")
    pi_axes(plane)
    plane.set_title("How far the networks are apart")
    figure.colorbar(colours, ax=plane, shrink=0.75, ticks=(0, 0.5, 1)).outline.set_visible(False)


if __name__ == "__main__":
    main()
