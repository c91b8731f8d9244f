"""A variational autoencoder learns what handwritten digits look like, and writes new ones.

Imagine that behind each picture x of 64 pixels stands a point z of the plane: z is drawn from the normal distribution
N(0, 1), and a network, the decoder, makes the picture out of it. Nobody tells which z belongs to which x. So a second
network, the encoder, says for each picture where its z may be: around μ(x), give or take σ(x). The two learn together
to make small (Kingma and Welling 2014, "Auto-encoding variational Bayes"):

    E[−log p(x | z)] + KL(N(μ, σ²) ‖ N(0, 1))        with z = μ + σ · ε and ε drawn from N(0, 1)

The first term wants the decoder to find the picture again from z. The second wants the encoder to stay near N(0, 1), so
that the plane has no holes and any z drawn from N(0, 1) gives a digit. Together they are an upper bound of −log p(x),
of how surprising the picture is, in nats. With ε drawn outside, z can be differentiated with respect to μ and σ.

The data are the 8 × 8 digits that come with scikit-learn: 1,797, of which 297 are held out. What you will see: what the
decoder makes of each place of the plane; where the encoder puts held-out digits; some of them, as written and as they
come back; and new ones. The last numbers are of held-out digits, too: the bound, and for how many the nearest of the
other pictures in the plane shows the same digit. The networks were never told what a picture shows: what looks alike
has come to lie together.
"""

from __future__ import annotations

from typing import Any

import frame
from frame import torch

nn = torch.nn

PIXELS, WIDTH, HELD_OUT = 64, 256, 297
EDGE = 2.5  # of the plane as it is drawn


class VAE(nn.Module):
    """Encoder and decoder. Shape: x (n, 64), each from 0, paper, to 1, ink; z (n, 2)."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(PIXELS, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 2 * 2)
        )
        self.decoder = nn.Sequential(
            nn.Linear(2, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, PIXELS)
        )

    def encode(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Where z may be: its mean μ and the logarithm of its variance σ²."""
        return self.encoder(x).chunk(2, dim=1)

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.decoder(z))

    def bound(self, x: torch.Tensor) -> torch.Tensor:
        """The upper bound of −log p(x), on average over the rows of x, with one z for each."""
        mean, log_variance = self.encode(x)
        z = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
        surprise = nn.functional.binary_cross_entropy_with_logits(self.decoder(z), x, reduction="sum")
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum() / 2
        return (surprise + divergence) / len(x)


def digits() -> tuple[torch.Tensor, ...]:
    """The pictures and their classes, in random order: those to learn from, and those held out."""
    data = frame.needed("sklearn.datasets", "scikit-learn").load_digits()
    pictures = torch.tensor(data.data / 16, dtype=torch.float32)
    classes = torch.tensor(data.target)
    order = torch.randperm(len(pictures))
    learnt, held_out = order[:-HELD_OUT], order[-HELD_OUT:]
    return pictures[learnt], classes[learnt], pictures[held_out], classes[held_out]


def main() -> None:
    run = frame.Run(__doc__, steps=12000, batch=(128, "pictures per step"))
    x, classes, held_out, held_out_classes = digits()
    vae = VAE()
    optimizer = torch.optim.AdamW(vae.parameters(), lr=0.001, weight_decay=0.1)
    for _ in run.steps():
        loss = vae.bound(x[torch.randint(len(x), (run.args.batch,))])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        run.loss(loss.item())

    with torch.no_grad():
        run.result("bound on held-out digits (nats)", sum(vae.bound(held_out).item() for _ in range(50)) / 50)
        mean, held_out_mean = vae.encode(x)[0], vae.encode(held_out)[0]
        neighbour = torch.cdist(held_out_mean, mean).argmin(dim=1)
        right = (classes[neighbour] == held_out_classes).sum().item()
        run.result(f"held-out digits with their own kind, of {HELD_OUT}", right)
        run.end()
        run.draw(lambda figure: draw(figure, vae, held_out, held_out_classes), 9, 3.2)


def draw(figure: Any, vae: VAE, held_out: torch.Tensor, classes: torch.Tensor) -> None:
    """What the decoder makes of each place, where held-out digits are, and rows: written, decoded, new."""
    from matplotlib import colormaps

    inked = {"cmap": colormaps["gray_r"].resampled(12), "vmin": 0, "vmax": 1, "interpolation": "bicubic"}
    plane, places, rows = figure.subplots(1, 3)
    line = 2 * EDGE / 13 * torch.arange(-6, 7)
    z = torch.cartesian_prod(line.flip(0), line).flip(1)  # from the top, row by row
    plane.imshow(sheet(vae.decode(z), 13), extent=(-EDGE, EDGE, -EDGE, EDGE), **inked)
    plane.set(title="the plane, decoded", xlabel="$z_1$", ylabel="$z_2$")

    for (z1, z2), digit in zip(vae.encode(held_out)[0].tolist(), classes.tolist()):
        places.text(z1, z2, digit, color=f"C{digit}", fontsize=7, ha="center", va="center", clip_on=True)
    places.set(xlim=(-EDGE, EDGE), ylim=(-EDGE, EDGE), aspect="equal", xlabel="$z_1$", ylabel="$z_2$")
    places.set_title("held-out digits, encoded")

    written = held_out[:24].reshape(3, 8, PIXELS)
    decoded = vae.decode(vae.encode(written.flatten(0, 1))[0]).reshape(3, 8, PIXELS)
    new = vae.decode(torch.randn(2 * 8, 2))
    pairs = torch.stack([written, decoded], dim=1).reshape(-1, PIXELS)
    rows.imshow(sheet(torch.cat([pairs, new]), 8), **inked)
    rows.set_yticks([10 * row + 5 for row in range(8)], ["written", "decoded"] * 3 + ["new"] * 2)
    rows.tick_params(length=0)
    rows.set(title="held-out digits and new ones", xticks=[])
    rows.spines[:].set_visible(False)


def sheet(pictures: torch.Tensor, columns: int) -> Any:
    """Pictures of 8 × 8 pixels side by side in rows, as one, with paper between them."""
    framed = nn.functional.pad(pictures.reshape(-1, columns, 8, 8), (1, 1, 1, 1))
    return framed.transpose(1, 2).reshape(-1, columns * 10).numpy()


if __name__ == "__main__":
    main()
