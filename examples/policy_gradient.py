"""Policy gradient: a network learns to balance a pole on a cart, from nothing but how long the pole stood.

A cart runs on a rail; a pole stands on it, free to fall. Fifty times a second the cart is pushed to the left or to the
right, always with the same force. Nobody says which push is right: all that the network ever hears is a 1 for every
step that the pole stands. Learning from that is called reinforcement learning.

The network gives π(push | state), the probability of a push. It plays, drawing its pushes at random, and afterwards
makes each push more probable if what followed was better than expected, and less if it was worse:

    ∇ E[return] = E[ Σₜ ∇ log π(pushₜ | stateₜ) · (Gₜ − V(stateₜ)) ]

Gₜ = rₜ + γ rₜ₊₁ + γ² rₜ₊₂ + … is the return: what came from step t on. A second network learns V, the return to expect
in a state. Without it the sum would be right on average, too, but far noisier (Williams 1992, "Simple statistical
gradient-following algorithms for connectionist reinforcement learning": REINFORCE with a baseline). Cart and pole are
those of Barto, Sutton and Anderson 1983, "Neuronlike adaptive elements that can solve difficult learning control
problems", without friction.

What you will see: how long the pole stood over the training, and a start that the network loses before it and saves
after it. The last number is the mean over 100 new plays of at most 500 steps, in which the network no longer draws but
takes the push that it thinks better.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import frame
import numpy as np
from frame import torch

nn = torch.nn

GAMMA = 0.99  # what comes a second later counts 0.6, two seconds 0.37
LIMIT = 500  # steps: ten seconds
GRAVITY, CART, POLE, HALF, FORCE, TIME = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02  # m/s², kg, kg, m, N, s
FALLEN, RAIL = math.radians(12), 2.4  # rad, m: further is lost


def moved(state: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The states a fiftieth of a second later. Shape: state (n, 4): x, dx/dt, θ, dθ/dt; right (n,): True or False."""
    _, speed, angle, turning = state.T
    sin, cos, mass = np.sin(angle), np.cos(angle), CART + POLE
    push = (np.where(right, FORCE, -FORCE) + POLE * HALF * turning**2 * sin) / mass
    turn_rate = (GRAVITY * sin - cos * push) / (HALF * (4 / 3 - POLE * cos**2 / mass))
    speed_rate = push - POLE * HALF * turn_rate * cos / mass
    return state + TIME * np.stack([speed, speed_rate, turning, turn_rate], axis=1)


def stands(state: np.ndarray) -> np.ndarray:
    """Whether the pole is up and the cart on its rail."""
    return (np.abs(state[:, 0]) < RAIL) & (np.abs(state[:, 2]) < FALLEN)


def starts(count: int, generator: np.random.Generator) -> np.ndarray:
    """States nearly upright and nearly at rest. Shape: (count, 4)."""
    return generator.uniform(-0.05, 0.05, (count, 4))


def network() -> nn.Module:
    """Four numbers of a state to one: how much it speaks for a push to the right, or what the state is worth."""
    return nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1), nn.Flatten(0))


@torch.no_grad()
def play(
    policy: nn.Module, state: np.ndarray, choose: Callable[[torch.Tensor], torch.Tensor]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Plays from the states (n, 4) until all poles have fallen, or LIMIT.

    Returns the states, pushes and whether the pole stands, step by step, and the states at the end.
    """
    states, pushes, standing = [], [], []
    stand = stands(state)
    while stand.any() and len(states) < LIMIT:
        right = choose(policy(torch.from_numpy(state))).numpy()
        states.append(state)
        pushes.append(right)
        standing.append(stand)
        state = moved(state, right)
        stand = stand & stands(state)
    return np.stack(states), np.stack(pushes), np.stack(standing), state


def by_chance(logits: torch.Tensor) -> torch.Tensor:
    return torch.rand(logits.shape) < torch.sigmoid(logits)


def by_sign(logits: torch.Tensor) -> torch.Tensor:
    return logits > 0


def returns(standing: np.ndarray, after: np.ndarray) -> np.ndarray:
    """G of every step, backwards: one more step and γ times what followed. `after`: what the last states are worth."""
    result = np.zeros(standing.shape)
    for t in reversed(range(len(standing))):
        after = result[t] = standing[t] * (1 + GAMMA * after)
    return result * (1 - GAMMA)  # between 0 and 1


def main() -> None:
    run = frame.Run(__doc__, steps=400, plays=(32, "plays per step, at the same time"))
    # One push drawn otherwise changes all that follows. In float64, programs that round differently draw the same.
    torch.set_default_dtype(torch.float64)
    generator = np.random.default_rng(run.args.seed)
    policy, value = network(), network()
    untrained = deepcopy(policy)
    optimizer = torch.optim.Adam([*policy.parameters(), *value.parameters()], lr=0.002)
    lengths = []
    for _ in run.steps():
        states, pushes, standing, last = play(policy, starts(run.args.plays, generator), by_chance)
        with torch.no_grad():  # a pole that stands at the limit would have stood longer
            after = value(torch.from_numpy(last)).numpy() / (1 - GAMMA) * (standing[-1] & stands(last))
        state, right = torch.from_numpy(states[standing]), torch.from_numpy(pushes[standing]).double()
        came = torch.from_numpy(returns(standing, after)[standing])
        expected = value(state)
        better = (came - expected).detach()
        log_probability = -nn.functional.binary_cross_entropy_with_logits(policy(state), right, reduction="none")
        policy_loss = -(log_probability * better / (better.std() + 1e-8)).mean()
        value_loss = nn.functional.mse_loss(expected, came)
        optimizer.zero_grad()
        (policy_loss + value_loss).backward()
        optimizer.step()
        run.loss(value_loss.item())  # the policy's passes through zero: it is no measure of anything
        lengths.append(standing.sum(axis=0))

    for when, player in (("before", untrained), ("after", policy)):
        standing = play(player, starts(100, np.random.default_rng(1)), by_sign)[2]
        run.result(f"steps {when} training, mean of 100 plays", standing.sum(axis=0).mean())
    run.end()
    run.draw(lambda figure: draw(figure, np.array(lengths), untrained, policy), 9, 3.2)


def draw(figure: Any, lengths: np.ndarray, untrained: nn.Module, policy: nn.Module) -> None:
    """Steps balanced over the training, and two strips of film."""
    from utils import BLUE, GREEN, GREY, ORANGE

    panels = figure.subplot_mosaic([["training", "before"], ["training", "after"]], width_ratios=(4, 5))
    training = panels["training"]
    updates = np.arange(1, len(lengths) + 1)
    training.fill_between(updates, lengths.min(axis=1), lengths.max(axis=1), color=BLUE, alpha=0.2, linewidth=0)
    training.plot(updates, lengths.mean(axis=1), color=BLUE, linewidth=1.3)
    training.axhline(LIMIT, color=GREY, linewidth=0.8, linestyle="--")
    training.set(xlabel="step of training", ylabel="steps balanced", xlim=(0, len(lengths)), ylim=(0, LIMIT * 1.06))
    training.set_title("mean, least and most of the plays", loc="left")
    film(panels["before"], untrained, ORANGE, "before training: the pole falls")
    film(panels["after"], policy, GREEN, "after training: it is caught and held")
    panels["after"].set_xlabel("seconds")


def film(ax: Any, policy: nn.Module, colour: str, title: str) -> None:
    """A start at 8 degrees, drawn ten times in a second, as one sees it who rides on the cart."""
    from matplotlib.patches import Rectangle

    state = np.array([[0.0, 0.0, math.radians(8), 0.0]])
    for t in range(150):
        angle = state[0, 2]
        if abs(angle) > math.pi / 2:  # it lies
            break
        if t % 5 == 0:
            x = 2.8 * TIME * t  # as a strip of film runs
            ax.add_patch(Rectangle((x - 0.09, -0.14), 0.18, 0.14, color=colour, alpha=0.35, linewidth=0))
            ax.plot([x, x + math.sin(angle)], [0, math.cos(angle)], color=colour, linewidth=1.8)
        state = moved(state, by_sign(policy(torch.from_numpy(state))).numpy())
    ax.set(xlim=(-0.3, 2.8 * 3.1), ylim=(-0.2, 1.15), aspect="equal", yticks=[])
    ax.set_xticks([2.8 * second for second in range(4)], ["0", "1", "2", "3"])
    ax.set_title(title, loc="left")
    ax.spines["left"].set_visible(False)


if __name__ == "__main__":
    main()
