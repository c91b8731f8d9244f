"""Graph convolution on Zachary's karate club: who joins whom, told by two people and everybody's friendships.

In 1977 Wayne Zachary described a karate club of 34 people that broke apart: some went with the instructor
(person 1), the others stayed with the administrator (person 34). Before that, he had noted who was whose friend. A
network is told the side of these two people alone, and the 78 friendships; which side do the other 32 take?

A graph convolution (Kipf and Welling, "Semi-supervised classification with graph convolutional networks", ICLR 2017)
is a linear layer after which everybody takes a mean over themselves and their friends:

    H' = relu(Â H W)        Â = D^-½ (A + I) D^-½

A says who is friends with whom, I adds everybody to their own friends, and D, the number of friends, keeps sums from
growing. Two layers let the two labels reach the friends of friends: the loss looks at two people, yet its gradient
moves the whole club. Nothing is known of a person but who they are, so the first layer's input is the identity
matrix, and Â I W is Â W.

One small network may be right by luck, so 200 of them learn at the same time, each with its own weights: a weight of
shape (200, in, out) instead of (in, out) is all that takes. Person 9 is the famous one: most of his friends took the
administrator's side, but he was three weeks from his test for the black belt and went with the instructor. No network
can know that.

What you will see: the club in the eyes of the networks, and how their belief about everybody grows.
"""

from __future__ import annotations

from typing import Any

import frame
import numpy as np
from frame import torch

from utils import BLUE, GREY, INK, ORANGE

nn = torch.nn
Tensor = torch.Tensor
FRIENDS = """
1: 2 3 4 5 6 7 8 9 11 12 13 14 18 20 22 32 | 2: 3 4 8 14 18 20 22 31 | 3: 4 8 9 10 14 28 29 33 |
4: 8 13 14 | 5: 7 11 | 6: 7 11 17 | 7: 17 | 9: 31 33 34 | 10: 34 | 14: 34 | 15: 33 34 | 16: 33 34 |
19: 33 34 | 20: 34 | 21: 33 34 | 23: 33 34 | 24: 26 28 30 33 34 | 25: 26 28 32 | 26: 32 | 27: 30 34 |
28: 34 | 29: 32 34 | 30: 33 34 | 31: 33 34 | 32: 33 34 | 33: 34
"""
INSTRUCTORS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 17, 18, 20, 22)  # who went with person 1
NAMED = {1: "1, instructor", 3: "3", 9: "9", 34: "34, administrator"}  # in the picture
COLOURS = (BLUE, ORANGE)  # the instructor's side, the administrator's


def friendships() -> np.ndarray:
    """A: 1 where two people are friends. Shape: (34, 34)."""
    friends = np.zeros((34, 34), np.float32)
    for entry in FRIENDS.split("|"):
        person, others = entry.split(":")
        for other in others.split():
            friends[int(person) - 1, int(other) - 1] = 1
    return friends + friends.T


def normalised(friends: np.ndarray) -> np.ndarray:
    """Â = D^-½ (A + I) D^-½, where D counts everybody's friends and themselves."""
    connected = friends + np.eye(len(friends), dtype=np.float32)
    scale = connected.sum(1) ** -0.5
    return scale[:, None] * connected * scale


class GraphConvolution(nn.Module):
    """Â H W, for many networks at once. Shape: H (networks or 1, people, in) → (networks, people, out)."""

    def __init__(self, mixing: Tensor, networks: int, fan_in: int, fan_out: int) -> None:
        super().__init__()
        self.register_buffer("mixing", mixing)
        self.weight = nn.Parameter(torch.empty(networks, fan_in, fan_out))
        bound = (6 / (fan_in + fan_out)) ** 0.5  # Glorot and Bengio 2010
        nn.init.uniform_(self.weight, -bound, bound)

    def forward(self, features: Tensor) -> Tensor:
        return self.mixing @ (features @ self.weight)


class Club(nn.Module):
    """Two graph convolutions; forward gives every person's two scores. Shape: () → (networks, people, 2)."""

    def __init__(self, mixing: Tensor, networks: int, hidden: int = 16) -> None:
        super().__init__()
        people = len(mixing)
        self.register_buffer("features", torch.eye(people)[None])
        self.first = GraphConvolution(mixing, networks, people, hidden)
        self.second = GraphConvolution(mixing, networks, hidden, 2)

    def forward(self) -> Tensor:
        return self.second(torch.relu(self.first(self.features)))


def main() -> None:
    run = frame.Run(__doc__, steps=200, networks=(200, "how many learn at the same time"))
    networks = run.args.networks
    friends = friendships()
    joined = np.array([person not in INSTRUCTORS for person in range(1, 35)], dtype=np.int64)
    known = [0, 33]  # the instructor and the administrator
    club = Club(torch.from_numpy(normalised(friends)), networks)
    optimizer = torch.optim.Adam(club.parameters(), lr=0.01, weight_decay=5e-4)
    targets = torch.from_numpy(joined[known]).repeat(networks)
    belief = []

    for _ in run.steps():
        scores = club()
        loss = nn.functional.cross_entropy(scores[:, known].flatten(0, 1), targets, reduction="sum")
        optimizer.zero_grad()
        loss.backward()  # of a sum: every network has a gradient as if it were alone
        optimizer.step()
        run.loss(loss.item() / len(targets))
        belief.append(torch.softmax(scores.detach(), dim=2)[:, :, 1].mean(dim=0).numpy())

    with torch.no_grad():
        probability = torch.softmax(club(), dim=2)[:, :, 1].numpy()
    right = np.delete((probability > 0.5) == joined, known, axis=1)
    run.result("accuracy on the other 32 people", right.mean())
    run.result("networks that are wrong about person 9", (probability[:, 8] > 0.5).mean())
    run.draw(lambda figure: draw(figure, friends, joined, np.array(belief)), height=4.2)
    run.end()


def layout(friends: np.ndarray, steps: int = 500) -> np.ndarray:
    """Places for people on paper, as far apart as there are friends between them (Kamada and Kawai 1989).

    Also learnt: the places are the parameters, the loss is how wrong the distances are. Shape: (34, 2), the way from
    the instructor to the administrator along the first axis.
    """
    between = np.where(friends > 0, 1.0, np.inf)
    for middle in range(len(friends)):  # Floyd and Warshall: is it shorter through this person?
        between = np.minimum(between, between[:, middle, None] + between[None, middle])
    first, second = np.triu_indices(len(friends), 1)
    wanted = torch.tensor(between[first, second], dtype=torch.float32)
    angle = torch.arange(len(friends)) * (2 * torch.pi / len(friends))
    places = torch.stack([angle.cos(), angle.sin()], dim=1).requires_grad_()
    optimizer = torch.optim.Adam([places], lr=0.05)
    for _ in range(steps):
        distance = (places[first] - places[second]).norm(dim=1)
        crowded = torch.relu(0.55 - distance)  # nobody stands on anybody's feet
        loss = (distance / wanted - 1).square().sum() + 10 * crowded.square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    x, y = (places - places[0]).detach().numpy().T
    turn = np.arctan2(y[33], x[33])
    return np.stack([x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)], axis=1)


def draw(figure: Any, friends: np.ndarray, joined: np.ndarray, belief: np.ndarray) -> None:
    """The club in the networks' eyes, and how their belief about everybody grew.

    Shape: joined (34,), 1 for the administrator's side; belief (steps, 34), the mean probability that it will be 1.
    """
    from matplotlib.colors import LinearSegmentedColormap

    club, growth = figure.subplots(1, 2, width_ratios=(1.7, 1))
    places = layout(friends)
    for pair in zip(*np.nonzero(np.triu(friends)), strict=True):
        club.plot(*places[list(pair)].T, color=GREY, linewidth=0.7, alpha=0.6, zorder=1)
    sides = LinearSegmentedColormap.from_list("sides", [BLUE, "#eceff2", ORANGE])
    ring = [COLOURS[side] for side in joined]
    fill = {"c": belief[-1], "cmap": sides, "vmin": 0, "vmax": 1}
    club.scatter(*places.T, **fill, s=230, edgecolors=ring, linewidths=2.2, zorder=2)
    for person, (place, chance) in enumerate(zip(places, belief[-1], strict=True), 1):
        colour = "white" if abs(chance - 0.5) > 0.25 else INK
        club.annotate(person, place, color=colour, ha="center", va="center_baseline", fontsize=8.5)
    club.set(title="Fill: what the networks say. Ring: what happened.", aspect="equal")
    club.margins(0.05)
    club.set_axis_off()

    for person, side in enumerate(joined):
        named = person + 1 in NAMED
        growth.plot(belief[:, person], color=COLOURS[side], linewidth=2.2 if named else 0.8, alpha=1 if named else 0.5)
        if named:
            end = (len(belief), belief[-1, person])
            beside = {"xytext": (4, 0), "textcoords": "offset points", "va": "center"}
            growth.annotate(NAMED[person + 1], end, **beside, annotation_clip=False)
    growth.set(title="How their belief grows", xlabel="step", xlim=(0, len(belief)), ylim=(0, 1), yticks=(0, 0.5, 1))
    growth.set_ylabel("probability of the administrator's side")
    growth.axhline(0.5, color=GREY, linewidth=0.8, linestyle=":")


if __name__ == "__main__":
    main()
