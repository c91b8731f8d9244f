"""A generative adversarial network learns a distribution that it is never told, only shown: eight islands on a ring.

Two networks play against each other (Goodfellow et al. 2014, "Generative adversarial nets"). The generator G makes
points of the plane out of noise z. The discriminator D looks at a point x and says, as a logit, how true it looks. D
learns to tell the points of the data from those of G, and G learns to make points that D takes for true:

    D makes small:  E[softplus(−D(x))] + E[softplus(D(G(z)))] + γ/2 · E[|∇D(x)|²]
    G makes small:  E[softplus(−D(G(z)))]

Softplus is log(1 + eˣ); of a logit it is the cross entropy. Without its last term the game would go round in circles
and never settle: D must not be steep where the data is (Mescheder, Geiger and Nowozin 2018, "Which training methods for
GANs do actually converge?"). That term holds D's gradient with respect to its input, and to learn from it one
differentiates a second time: `create_graph=True`. Both players learn without momentum, and ever more slowly.

What you will see: the points of G over the training, beside the truth. G is continuous and its noise is all one
island, so it cannot leave the sea between eight of them quite empty: some points always lie on threads that join them.
Below each picture is the energy distance to a sample of the truth, 2 E|x − y| − E|x − x′| − E|y − y′|. It is zero for
equal distributions only; a second sample of the truth, with its chance, has a little more. The last numbers say how
many islands are met (with at least half the points they should have) and how many points lie on one.
"""

from __future__ import annotations

import math
from typing import Any

import frame
from frame import torch

nn = torch.nn
softplus = nn.functional.softplus

ISLANDS, SPREAD = 8, 0.05
NOISE, WIDTH = 2, 64
SHOWN = 3000  # points that are drawn and measured


def truth(count: int) -> torch.Tensor:
    """Points of the data: an island by chance, and a normal distance from its middle. Shape: (count, 2)."""
    return middles()[torch.randint(ISLANDS, (count,))] + SPREAD * torch.randn(count, 2)


def middles() -> torch.Tensor:
    angle = 2 * math.pi / ISLANDS * torch.arange(ISLANDS)
    return torch.stack([angle.cos(), angle.sin()], dim=1)


def network(inputs: int, outputs: int) -> nn.Module:
    """Both players are built alike. Leaky ReLU's kinks let D be sharp at the shores: smooth layers blur the islands."""
    return nn.Sequential(
        nn.Linear(inputs, WIDTH), nn.LeakyReLU(0.2),
        nn.Linear(WIDTH, WIDTH), nn.LeakyReLU(0.2),
        nn.Linear(WIDTH, WIDTH), nn.LeakyReLU(0.2),
        nn.Linear(WIDTH, outputs),
    )  # fmt: skip


def steepness(logits: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The mean of |∇D(x)|², itself differentiable. The rows of x do not see each other, so one sum serves for all."""
    (slope,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    return slope.square().sum(dim=1).mean()


def energy_distance(x: torch.Tensor, y: torch.Tensor) -> float:
    """How far the samples x (n, 2) and y (m, 2) are from being of one distribution (Székely and Rizzo 2013)."""

    def apart(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.cdist(a, b).mean()

    return (2 * apart(x, y) - apart(x, x) - apart(y, y)).item()


def on_islands(points: torch.Tensor) -> torch.Tensor:
    """Per island, the part of all points that is within three standard deviations of its middle."""
    distance, nearest = torch.cdist(points, middles()).min(dim=1)
    return torch.bincount(nearest[distance < 3 * SPREAD], minlength=ISLANDS) / len(points)


def main() -> None:
    run = frame.Run(__doc__, steps=8000, batch=(256, "points per step"), penalty=(0.03, "γ: what D's steepness costs"))
    # Two players magnify the smallest difference. In float64, programs that round differently still play the same game.
    torch.set_default_dtype(torch.float64)
    generator, discriminator = network(NOISE, 2), network(2, 1)
    g_optimizer, d_optimizer = (
        torch.optim.Adam(player.parameters(), lr=0.001, betas=(0.0, 0.99)) for player in (generator, discriminator)
    )
    schedules = [torch.optim.lr_scheduler.LinearLR(o, 1, 0, run.args.steps) for o in (g_optimizer, d_optimizer)]
    noise = torch.randn(SHOWN, NOISE)
    moments = {int(run.args.steps * part) for part in (0, 1 / 40, 1 / 10, 1 / 4)}
    pictures = {}
    for step in run.steps():
        if step in moments:
            with torch.no_grad():
                pictures[f"after {step:,} steps" if step else "before"] = generator(noise)

        real = truth(run.args.batch).requires_grad_()
        fake = generator(torch.randn(run.args.batch, NOISE))
        looks_real = discriminator(real)
        d_loss = softplus(-looks_real).mean() + softplus(discriminator(fake.detach())).mean()
        d_loss = d_loss + run.args.penalty / 2 * steepness(looks_real, real)
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()

        g_loss = softplus(-discriminator(fake)).mean()
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()

        for schedule in schedules:
            schedule.step()
        run.loss((d_loss + g_loss).item())

    with torch.no_grad():
        points = pictures[f"after {run.args.steps:,} steps"] = generator(noise)
    data = truth(SHOWN)
    pictures["the truth"] = truth(SHOWN)
    distances = {title: energy_distance(shown, data) for title, shown in pictures.items()}
    shares = on_islands(points)
    run.result(f"islands met, of {ISLANDS}", (shares > 0.5 / ISLANDS).sum().item())
    run.result("points on an island", shares.sum().item())
    run.result("points of the truth on an island", on_islands(data).sum().item())
    run.result("energy distance to the truth", distances[f"after {run.args.steps:,} steps"])
    run.result("energy distance, truth to truth", distances["the truth"])
    run.end()
    run.draw(lambda figure: draw(figure, pictures, distances), 9, 2.1)


def draw(figure: Any, pictures: dict[str, torch.Tensor], distances: dict[str, float]) -> None:
    """1,500 points of each moment, and how far its distribution is from the truth."""
    from utils import BLUE, ORANGE

    for ax, (title, points) in zip(figure.subplots(1, len(pictures)), pictures.items()):
        colour = ORANGE if title == "the truth" else BLUE
        ax.scatter(*points[:1500].numpy().T, s=1.5, color=colour, alpha=0.5, linewidth=0)
        ax.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), aspect="equal", xticks=[], yticks=[])
        ax.set_title(title, fontsize=9)
        ax.set_xlabel(f"distance {distances[title]:.4f}", fontsize=9, color=colour)
        ax.spines[:].set_visible(True)


if __name__ == "__main__":
    main()
