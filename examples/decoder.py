"""A small language model: trained here, saved as a LLaMA-style checkpoint, loaded back, and asked to write.

It reads the text byte by byte and learns one thing: which byte comes next. The loss is what it pays for the byte that
does come, -log of the probability that it gave it; log2 of that, the mean over a text, is how many bits a byte would
take if the text were packed with this model. Eight without any knowledge; gzip needs 2.3 for this text, and looks back
over 32,000 bytes, where the model looks back over 256.

The text is Python's own reference manual, which every Python carries (`pydoc_data.topics`); `--text` takes another. The
model is that of `examples/llama.py`, the kind that many published checkpoints are of. After training it goes to a
folder in their format, and all that follows comes from what is in that folder.

The picture: how surprised the model is by each byte of a passage that it has not seen; and why generating keeps keys
and values in a cache, instead of reading the whole text again for each new byte.
"""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import frame
import llama
from frame import torch

CONTEXT, BATCH = 256, 4
CONFIG = llama.Config(
    vocab_size=256, hidden_size=128, intermediate_size=352, num_hidden_layers=4, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=CONTEXT, tie_word_embeddings=True,
)  # fmt: skip
COLUMNS, OPENING = 72, b'The "with" statement'  # of the passage in the picture
FOLDER = frame.ROOT / "model" / "decoder"


def bytes_of(path: str) -> Any:
    """The text as a tensor of bytes."""
    if path:
        content = Path(path).read_bytes()
    else:
        from pydoc_data.topics import topics

        content = "\n\n".join(topics[name] for name in sorted(topics)).encode()
    if len(content) < 11 * CONTEXT:
        raise SystemExit(f"{path} has {len(content)} bytes: at least {11 * CONTEXT} are needed")
    return torch.tensor(list(content))


def batch_of(data: Any, starts: Any) -> tuple[Any, Any]:
    """The passages that begin at `starts`, and each moved on by one: what comes next."""
    passages = data[starts[:, None] + torch.arange(CONTEXT + 1)]
    return passages[:, :-1], passages[:, 1:]


def loss_of(model: Any, inputs: Any, targets: Any) -> Any:
    """The mean of -log of what the model gave the bytes that came."""
    return torch.nn.functional.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())


def train(run: frame.Run, model: Any, data: Any) -> None:
    """AdamW; the steps get longer for a while, then shorter until the end."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.99), weight_decay=0.1)
    warmup = 20

    def length(step: int) -> float:
        return min(1, (step + 1) / warmup) * 0.5 * (1 + math.cos(math.pi * step / run.args.steps))

    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, length)
    for _ in run.steps():
        loss = loss_of(model, *batch_of(data, torch.randint(len(data) - CONTEXT, (BATCH,))))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        run.loss(loss.item())


def bits_per_byte(model: Any, data: Any) -> float:
    """What the model needs for unseen text, evenly spread over it."""
    starts = torch.arange(0, len(data) - CONTEXT, max((len(data) - CONTEXT) // 32, 1))[:32]
    with torch.no_grad():
        loss: float = loss_of(model, *batch_of(data, starts)).item()
    return loss / math.log(2)


def write(model: Any, prompt: str) -> float:
    """Prints what follows the prompt, as it comes, up to the longest text that the model knows; returns the bytes per
    second."""
    tokens = llama.Bytes().encode(prompt)
    count = CONTEXT - len(tokens)
    generator = torch.Generator().manual_seed(0)
    start = time.perf_counter()
    new = model.generate(tokens, count, temperature=0.7, top_p=0.9, generator=generator)
    print(prompt, end="")
    for piece in llama.text_of(tokens, new, llama.Bytes().decode):
        print(piece, end="", flush=True)
    print()
    return count / (time.perf_counter() - start)


# ---- the picture ----------------------------------------------------------------------------------------------------
def surprise(model: Any, data: Any, start: int, count: int) -> list[float]:
    """-log2 of what the model gave each of `count` bytes from `start` on, by half a context and more before it."""
    half = CONTEXT // 2
    inputs, targets = batch_of(data, torch.arange(start - half, start + count - half, half))
    with torch.no_grad():
        chances = model(inputs).log_softmax(-1).gather(2, targets[:, :, None])[:, -half - 1 : -1]
    return (-chances / math.log(2)).flatten().tolist()


def cells_of(content: bytes, bits: list[float]) -> list[list[tuple[str, float]]]:
    """Rows of (letter, its bits)."""
    letters: list[tuple[bytes, float]] = []
    for byte, each in zip(content, bits):
        known, paid = letters.pop() if byte & 0xC0 == 0x80 and letters else (b"", 0.0)  # UTF-8 goes on with a letter
        letters.append((known + bytes([byte]), paid + each))
    rows: list[list[tuple[str, float]]] = [[]]
    for letter, paid in letters:
        rows[-1].append((letter.decode(errors="replace"), paid))
        if letter == b"\n" or len(rows[-1]) == COLUMNS:
            rows.append([])
    return [row for row in rows if row]


def draw_text(axes: Any, rows: list[list[tuple[str, float]]]) -> Any:
    """A letter per cell, on a colour that says how many bits it took."""
    numbers = [[bits for _, bits in row] + [math.nan] * (COLUMNS - len(row)) for row in rows]
    image = axes.imshow(numbers, cmap="Oranges", vmin=0, vmax=8, aspect="auto")
    for y, row in enumerate(rows):
        for x, (letter, bits) in enumerate(row):
            colour = "white" if bits > 4.5 else "black"
            axes.text(x, y, letter.strip(), color=colour, family="monospace", size=8, ha="center", va="center_baseline")
    axes.set_axis_off()
    return image


def milliseconds(call: Any, *args: Any) -> float:
    """The shortest of five times, of the processor: what else runs does not count."""
    times = []
    for _ in range(5):
        start = time.process_time()
        call(*args)
        times.append(time.process_time() - start)
    return 1000 * min(times)


def cost_of_a_byte(model: Any, lengths: range) -> tuple[list[float], list[float]]:
    """Milliseconds for the byte after so many: when the cache knows them, and when they are all read again."""
    with_cache, without = [], []
    for length in lengths:
        tokens = torch.arange(length)[None] % 256
        cache = llama.Cache(model.config, length + 5)
        with torch.no_grad():
            model(tokens[:, :-1], cache)
            with_cache.append(milliseconds(model, tokens[:, -1:], cache))
            without.append(milliseconds(model, tokens, None, True))
    return with_cache, without


def draw(figure: Any, model: Any, unseen: Any) -> None:
    """Left a passage and its surprises, right what the cache is for."""
    from utils import BLUE, ORANGE

    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    known, half = bytes(unseen.tolist()), CONTEXT // 2
    begin = max(known.find(OPENING, half, -CONTEXT), half)
    count = min(2 * CONTEXT, len(known) - begin - 1) // half * half
    rows = cells_of(known[begin : begin + count], surprise(model, unseen, begin, count))
    image = draw_text(left, rows)
    left.set_title("Bits that each letter of an unseen passage takes")
    figure.colorbar(image, ax=left, location="bottom", shrink=0.6, aspect=40)
    lengths = range(8, CONTEXT - 4, 8)
    with_cache, without = cost_of_a_byte(model, lengths)
    right.plot(lengths, without, color=ORANGE, label="reading all again")
    right.plot(lengths, with_cache, color=BLUE, label="with the cache")
    right.set(xlabel="length of the text so far", ylabel="ms", ylim=0, title="Time for one more byte")
    right.grid(axis="y")
    right.legend()


if __name__ == "__main__":
    run = frame.Run(__doc__, steps=500, text=("", "a file to learn from; '' for Python's manual"),
                    prompt=("The value of ", "how the text begins that it writes"),
                    folder=(str(FOLDER), "where the checkpoint goes"))  # fmt: skip
    frame.needed("safetensors", "safetensors")  # said before the training, not after
    if not 0 < len(run.args.prompt.encode()) < CONTEXT:
        raise SystemExit(f"--prompt {run.args.prompt!r}: 1 to {CONTEXT - 1} bytes, the model reads {CONTEXT}")
    data = bytes_of(run.args.text)
    unseen = data[len(data) * 9 // 10 :]
    model = llama.Decoder(CONFIG).start()
    train(run, model, data[: len(data) * 9 // 10])
    llama.save(model, run.args.folder)
    model = llama.load(run.args.folder)
    run.result("bits per byte of unseen text", bits_per_byte(model, unseen))
    print(f"{write(model, run.args.prompt):,.0f} bytes per second of writing")
    run.draw(lambda figure: draw(figure, model, unseen), width=10, height=4)
    run.end()
