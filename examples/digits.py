"""Handwritten digits, read by a convolutional network.

The data are 1,797 real digits of 8 × 8 pixels that come with scikit-learn. A convolution slides a small window of
weights, a filter, over the image; at every place it multiplies what it sees by its weights and adds up:

    out[f, i, j] = bias[f] + Σ weight[f, c, u, v] · image[c, i + u, j + v]     over channels c and the window's u, v

So a stroke is found wherever it lies, and few weights do much work. The first layer's filters find strokes and edges,
the next layers' what is made of them: corners, arcs, loops. In between, averages over 2 × 2 make the image smaller
(LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document recognition"; tanh, averages and
gradient descent with momentum are theirs too). Each training image is moved by a pixel at random, every time anew:
a moved 3 is still a 3, and that is worth learning.

What you will see: how many of 360 digits that it was never shown it reads right, what the first filters see in one of
them, and those that it reads wrong.
"""

from __future__ import annotations

from typing import Any

import frame
from frame import torch

nn = torch.nn
F = nn.functional
BATCH, HELD_OUT = 64, 360


def digits() -> tuple[torch.Tensor, torch.Tensor]:
    """All images, from 0 (paper) to 1 (ink), and what they show. Shapes: (1797, 1, 8, 8) and (1797,)."""
    data = frame.needed("sklearn.datasets", "scikit-learn").load_digits()
    images = torch.from_numpy(data.images).float().unsqueeze(1) / 16
    return images, torch.from_numpy(data.target).long()


def moved(images: torch.Tensor) -> torch.Tensor:
    """Each image moved by -1, 0 or 1 pixels down and to the right; paper comes in at the edges."""
    count, side = len(images), images.shape[-1]
    padded = F.pad(images, (1, 1, 1, 1))
    rows, columns = torch.randint(0, 3, (2, count, 1)) + torch.arange(side)
    which = torch.arange(count)[:, None, None]
    return padded[which, 0, rows[:, :, None], columns[:, None, :]].unsqueeze(1)


class Reader(nn.Module):
    """Three layers of filters, then how much the image looks like each of the ten digits: (N, 1, 8, 8) → (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 16, kernel_size=3, padding=1)
        self.second = nn.Conv2d(16, 32, kernel_size=3, padding=1)
        self.third = nn.Conv2d(32, 64, kernel_size=3, padding=1)
        self.dropout = nn.Dropout(0.5)
        self.last = nn.Linear(64 * 2 * 2, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.tanh(self.first(x))  # (N, 16, 8, 8)
        x = F.avg_pool2d(torch.tanh(self.second(x)), 2)  # (N, 32, 4, 4)
        x = F.avg_pool2d(torch.tanh(self.third(x)), 2)  # (N, 64, 2, 2)
        return self.last(self.dropout(x.flatten(1)))


def main() -> None:
    run = frame.Run(__doc__, steps=2000)
    images, labels = digits()
    train, train_labels = images[:-HELD_OUT], labels[:-HELD_OUT]
    test, test_labels = images[-HELD_OUT:], labels[-HELD_OUT:]

    network = Reader()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, run.args.steps)
    for _ in run.steps():
        chosen = torch.randint(0, len(train), (BATCH,))
        loss = F.cross_entropy(network(moved(train[chosen])), train_labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        run.loss(loss.item())

    network.eval()  # no dropout from here on
    with torch.no_grad():
        read = network(test).argmax(1)
        seen = torch.tanh(network.first(test))
    wrong = (read != test_labels).nonzero().flatten().tolist()
    run.result("digits read right, of 360", HELD_OUT - len(wrong))
    run.draw(lambda figure: draw(figure, test, test_labels, read, seen, wrong), height=3.9)
    run.end()


def draw(figure: Any, images: torch.Tensor, labels: torch.Tensor, read: torch.Tensor, seen: torch.Tensor,
         wrong: list[int]) -> None:  # fmt: skip
    """One digit and what each filter of the first layer sees in it, beside the digits that were read wrong."""
    left, right = figure.subfigures(1, 2, width_ratios=(1.15, 1), wspace=0.05)
    threes = (labels == 3).nonzero().flatten().tolist()
    shown = min(threes, key=wrong.__contains__)  # the first that is read right, if there is one
    left.suptitle("A digit, and what 16 filters see in it", x=0.02, ha="left", fontsize=11)
    places = left.subplot_mosaic("..abcd;DDefgh;DDijkl;..mnop")
    digit, *maps = (places[name] for name in "Dabcdefghijklmnop")
    digit.imshow(images[shown, 0].numpy(), cmap="Greys")
    for axes, values in zip(maps, seen[shown].numpy(), strict=True):
        axes.imshow(values, cmap="PuOr", vmin=-1, vmax=1)

    right.suptitle(f"Read wrong: {len(wrong)} of {len(images)}", x=0.02, ha="left", fontsize=11)
    for place, k in enumerate(wrong[:12], start=1):
        axes = right.add_subplot(2 if len(wrong) <= 6 else 4, 3, place)
        axes.imshow(images[k, 0].numpy(), cmap="Greys")
        axes.set_title(f"{labels[k].item()}, read as {read[k].item()}", fontsize=9, pad=3)
    for axes in figure.get_axes():
        axes.axis("off")


if __name__ == "__main__":
    main()
