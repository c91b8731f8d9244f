"""A physics-informed network solves Burgers' equation: a wave that steepens until it all but breaks.

How does u(t, x), the speed of a fluid at time t and place x, go on from u(0, x) = -sin πx? Burgers' equation
says it: the fluid carries itself along (u u_x), and friction ν smooths it (ν u_xx). With

    f = u_t + u u_x - ν u_xx        on 0 ≤ t ≤ 1, -1 ≤ x ≤ 1, with u(t, -1) = u(t, 1) = 0

the solution has f = 0 everywhere. A physics-informed network (Raissi, Perdikaris and Karniadakis, "Physics-informed
neural networks", J. Comput. Phys. 378, 2019) is a network for u whose loss is the mean of f² at random points. No
solution is shown to it: the equation is the teacher. That takes derivatives of the network by its input, two of them
for u_xx, and then the derivative of all that by the weights: `autograd.grad(…, create_graph=True)`.

What is known at the borders can be built in (Lagaris, Likas and Fotiadis 1998): u = -sin πx + t (1 - x²) net(t, x) is
right at t = 0 and at x = ±1 whatever the network says, so the loss is f² alone.

What you will see: the left half of the wave runs right and the right half runs left, until they meet at x = 0 in a
steep front. Burgers' equation is one of the few of its kind with an exact solution (Cole 1951, Hopf 1950), so the
error is known. The friction is three times that of the paper, whose front is steeper and takes more than a minute.
"""

from __future__ import annotations

from typing import Any

import frame
import numpy as np
from frame import torch

from utils import BLUE, ERROR, GREY, INK

nn = torch.nn
Tensor = torch.Tensor
TIMES = (0.0, 0.25, 0.5, 1.0)  # where the picture shows u over x


class Solution(nn.Module):
    """u(t, x) of the network, right at the start and at both ends. Shape: t, x (n, 1) → (n, 1)."""

    def __init__(self, width: int = 20) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(2, width), nn.Tanh(),
            nn.Linear(width, width), nn.Tanh(),
            nn.Linear(width, width), nn.Tanh(),
            nn.Linear(width, 1),
        )

    def forward(self, t: Tensor, x: Tensor) -> Tensor:
        start = -torch.sin(torch.pi * x)
        return start + t * (1 - x**2) * self.net(torch.cat([2 * t - 1, x], dim=1))


def derivative(u: Tensor, x: Tensor) -> Tensor:
    """∂u/∂x at every point, as a tensor that can be differentiated again."""
    return torch.autograd.grad(u.sum(), x, create_graph=True)[0]  # a point's u depends on its own x alone


def burgers(solution: nn.Module, t: Tensor, x: Tensor, nu: float) -> Tensor:
    """f = u_t + u u_x - ν u_xx at every point: how far the network is from obeying the equation."""
    t.requires_grad_()
    x.requires_grad_()
    u = solution(t, x)
    u_t, u_x = derivative(u, t), derivative(u, x)
    return u_t + u * u_x - nu * derivative(u_x, x)


def exact(t: np.ndarray, x: np.ndarray, nu: float) -> np.ndarray:
    """The solution by Cole and Hopf: a mean of -sin πy over y = x - 2√(νt) z, with weights exp(-z²) exp(-cos πy / 2πν).

    The integrals over z are sums over the points of Gauss and Hermite.
    """
    z, weight = np.polynomial.hermite.hermgauss(128)
    y = x[..., None] - 2 * np.sqrt(nu * t[..., None]) * z
    weight = weight * np.exp(-(1 + np.cos(np.pi * y)) / (2 * np.pi * nu))  # 1 + : at most 1, no overflow
    return -(weight * np.sin(np.pi * y)).sum(-1) / weight.sum(-1)


def predicted(solution: nn.Module, t: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The network's u at points in arrays of any shape."""
    with torch.no_grad():
        columns = [torch.tensor(a.reshape(-1, 1), dtype=torch.float32) for a in (t, x)]
        return solution(*columns).numpy().reshape(x.shape)


def main() -> None:
    points = (256, "random points a step at which the equation is asked for")
    friction = (0.03 / np.pi, "ν; the paper's is 0.01/π = 0.00318")
    run = frame.Run(__doc__, steps=12_000, points=points, friction=friction)
    nu, count = run.args.friction, run.args.points
    solution = Solution()
    optimizer = torch.optim.Adam(solution.parameters(), lr=0.01)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=run.args.steps)

    for _ in run.steps():
        t = torch.rand(count, 1)
        x = 2 * torch.rand(count, 1) - 1
        loss = burgers(solution, t, x, nu).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        run.loss(loss.item())

    t, x = np.meshgrid(np.linspace(0, 1, 101), np.linspace(-1, 1, 201), indexing="ij")
    u, true = predicted(solution, t, x), exact(t, x, nu)
    run.result("relative L2 error of the solution", np.linalg.norm(u - true) / np.linalg.norm(true))
    run.draw(lambda figure: draw(figure, t, x, u, true), height=5.6)
    run.end()


def draw(figure: Any, t: np.ndarray, x: np.ndarray, u: np.ndarray, true: np.ndarray) -> None:
    """Above the network's u and its error over t and x, below u over x at four times."""
    above, below = figure.subfigures(2, 1, height_ratios=(1, 0.85))
    left, right = above.subplots(1, 2, sharey=True)
    waves = left.contourf(t, x, u, levels=np.linspace(-1.05, 1.05, 22), cmap="RdBu_r")
    error = right.contourf(t, x, np.abs(u - true), levels=12, cmap=ERROR)
    above.colorbar(waves, ax=left, ticks=(-1, 0, 1)).outline.set_visible(False)
    above.colorbar(error, ax=right).outline.set_visible(False)
    left.set(title="u(t, x), as the network found it", xlabel="time t", ylabel="place x", yticks=(-1, 0, 1))
    right.set(title="Distance from the exact solution", xlabel="time t")
    for moment in TIMES[1:-1]:
        left.axvline(moment, color=INK, linewidth=0.8, linestyle=":")
    slices = below.subplots(1, len(TIMES), sharey=True)
    for ax, moment in zip(slices, TIMES, strict=True):
        row = np.abs(t[:, 0] - moment).argmin()
        ax.plot(x[row], true[row], color=GREY, linewidth=4, alpha=0.5, label="exact")
        ax.plot(x[row], u[row], color=BLUE, linewidth=1.5, label="network")
        ax.set(title=f"t = {moment:g}", xlabel="place x", xticks=(-1, 0, 1), yticks=(-1, 0, 1), ylim=(-1.15, 1.15))
    slices[0].set_ylabel("u")
    slices[-1].legend(loc="lower left", handlelength=1.2)


if __name__ == "__main__":
    main()
