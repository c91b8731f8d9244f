"""A language model of the GPT kind that reads and writes character by character.

It learns one thing only: given some characters of a text, which comes next? It answers with a probability for each,
and its loss is -log of the one that it gave to the right one. To guess well it must look back, and choose where: that
is attention. Every place of the text asks a question q, offers a key k and a value v, and takes the values of the
places before it, weighted by how well their keys answer its question:

    attention(q, k, v) = softmax(q kᵀ / √d + mask) v          mask: -∞ for all places that lie ahead

Several such heads, then a small network at each place, make a block; a few blocks upon each other make a GPT (Vaswani
and others 2017, "Attention is all you need"; Radford and others 2018, "Improving language understanding by generative
pre-training"). The text is Python's own manual, which comes with every Python; `--text` takes any other file.

What you will see: how many bits a character of unseen text costs (log2 instead of log: what the model does not know),
beside what simple counting achieves, and how its writing turns from noise into words, then into something like Python's
manual.
"""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

import frame
from frame import torch

nn = torch.nn
F = nn.functional
CONTEXT, BATCH = 64, 16  # characters that it sees, passages in a step
WIDTH, HEADS, BLOCKS = 128, 4, 2
COUNTED = 3  # characters before, for whoever only counts
TEMPERATURE = 0.8  # below 1 it takes what is likely more often than it should


def manual() -> str:
    """Python's reference manual, as `help()` shows it."""
    from pydoc_data.topics import topics

    return "\n\n".join(topics.values())


class Attention(nn.Module):
    """Every place takes from the places before it what it asks for: (N, T, WIDTH) → (N, T, WIDTH)."""

    def __init__(self) -> None:
        super().__init__()
        self.ask = nn.Linear(WIDTH, 3 * WIDTH, bias=False)  # questions, keys and values, of all heads at once
        self.out = nn.Linear(WIDTH, WIDTH)
        self.register_buffer("mask", torch.full((CONTEXT, CONTEXT), -math.inf).triu(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        count, length, _ = x.shape
        q, k, v = self.ask(x).view(count, length, 3, HEADS, -1).permute(2, 0, 3, 1, 4)  # each (N, HEADS, T, d)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]) + self.mask[:length, :length], dim=-1)
        return self.out((weights @ v).transpose(1, 2).reshape(count, length, WIDTH))


class Block(nn.Module):
    """Look around, then think: both add to what was there."""

    def __init__(self) -> None:
        super().__init__()
        self.before_attention, self.attention = nn.LayerNorm(WIDTH), Attention()
        self.before_thought = nn.LayerNorm(WIDTH)
        self.thought = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attention(self.before_attention(x))
        return x + self.thought(self.before_thought(x))


class GPT(nn.Module):
    """Characters, as numbers, to the logits of what comes next: (N, T) → (N, T, characters)."""

    def __init__(self, characters: int) -> None:
        super().__init__()
        self.character = nn.Embedding(characters, WIDTH)
        self.place = nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.Sequential(*[Block() for _ in range(BLOCKS)])
        self.norm, self.next = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, characters)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        places = self.place(torch.arange(x.shape[1]))
        return self.next(self.norm(self.blocks(self.character(x) + places)))


def passages(text: torch.Tensor, starts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Pieces of the text, and the same moved on by one: what comes next at each place."""
    pieces = text[starts[:, None] + torch.arange(CONTEXT + 1)]
    return pieces[:, :-1], pieces[:, 1:]


def bits(network: GPT, text: torch.Tensor) -> float:
    """Mean bits per character; each is guessed from at least half a context before it."""
    half, total, count = CONTEXT // 2, 0.0, 0
    with torch.no_grad():
        for starts in torch.arange(0, len(text) - CONTEXT, half).split(32):
            x, y = passages(text, starts)
            logits, right = network(x)[:, half:], y[:, half:]
            total += F.cross_entropy(logits.flatten(0, 1), right.flatten(), reduction="sum").item()
            count += right.numel()
    return total / count / math.log(2)


def bits_by_counting(known: str, unseen: str, before: int) -> float:
    """The same for whoever only counts what followed the last few characters, with a little for what never did."""
    little, alphabet = 0.02, len(set(known + unseen))
    pieces = Counter(known[k : k + before + 1] for k in range(len(known) - before))
    starts = Counter(known[k : k + before] for k in range(len(known) - before))
    total = 0.0
    for k in range(before, len(unseen)):
        seen, of = pieces[unseen[k - before : k + 1]], starts[unseen[k - before : k]]
        total -= math.log2((seen + little) / (of + little * alphabet))
    return total / (len(unseen) - before)


def write(network: GPT, alphabet: list[str], length: int, seed: int) -> str:
    """Begins with a new line, then draws a character from the probabilities, adds it, and asks again."""
    generator = torch.Generator().manual_seed(seed)
    text = [max(0, alphabet.index("\n"))]
    with torch.no_grad():
        for _ in range(length):
            logits = network(torch.tensor([text[-CONTEXT:]]))[0, -1]
            text.append(torch.multinomial(torch.softmax(logits / TEMPERATURE, dim=0), 1, generator=generator).item())
    return "".join(alphabet[k] for k in text[1:])


def main() -> None:
    run = frame.Run(
        __doc__, steps=1000, text=("", "a file to learn from; '' for Python's manual"),
        length=(400, "characters that it writes"),
    )  # fmt: skip
    text = Path(run.args.text).read_text(encoding="utf-8") if run.args.text else manual()
    alphabet = sorted(set(text))
    number = {character: k for k, character in enumerate(alphabet)}
    coded = torch.tensor([number[character] for character in text])
    split = len(text) * 9 // 10
    known, unseen = coded[:split], coded[split:]

    network = GPT(len(alphabet))
    optimizer = torch.optim.AdamW(network.parameters(), lr=5e-3, betas=(0.9, 0.99), weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=run.args.steps, pct_start=0.1)
    samples: dict[int, str] = {}
    for step in run.steps():
        if step in (0, run.args.steps // 5):
            samples[step] = write(network, alphabet, run.args.length, run.args.seed)
        x, y = passages(known, torch.randint(len(known) - CONTEXT, (BATCH,)))
        loss = F.cross_entropy(network(x).flatten(0, 1), y.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        run.loss(loss.item())

    samples[run.args.steps] = write(network, alphabet, run.args.length, run.args.seed)
    print(samples[run.args.steps])
    counting = bits_by_counting(text[:split], text[split:], COUNTED)
    run.result("bits per character of unseen text", bits(network, unseen))
    run.result(f"bits by counting, {COUNTED} characters before", counting)
    run.draw(lambda figure: draw(figure, run.losses, counting, samples), height=4.2)
    run.end()


def draw(figure: Any, losses: list[float], counting: float, samples: dict[int, str]) -> None:
    """How the loss falls, beside what the network writes meanwhile."""
    from utils import BLUE, GREY, ORANGE

    left, right = figure.subplots(1, 2, width_ratios=(1, 1.25))
    left.plot([loss / math.log(2) for loss in losses], color=BLUE, linewidth=0.8)
    left.axhline(counting, color=ORANGE)
    words = f"counting what followed the last {COUNTED} characters"
    left.text(len(losses), 0.65 * counting, words, color=ORANGE, ha="right", va="top")
    left.set(xlabel="step", ylabel="bits per character", ylim=0, xlim=(0, len(losses)))
    left.set_title("What a character costs", loc="left")

    right.set_title("What it writes", loc="left")
    right.axis("off")
    place = 1.0
    for step, sample in samples.items():
        lines = [line for line in sample.replace("\t", " ").split("\n") if line.strip()]
        rows = [row for line in lines for row in textwrap.wrap(line, 60)][:6]
        shown = "\n".join(rows).replace("$", r"\$")
        right.text(0, place, f"after {step} steps", color=GREY, va="top", transform=right.transAxes)
        right.text(0, place - 0.06, shown, family="monospace", fontsize=8, va="top", transform=right.transAxes)
        place -= 0.35


if __name__ == "__main__":
    main()
