"""Tokens per second of a language model of LLaMA's kind, beside PyTorch: examples/llama.py, the same program on both.

    python -m benchmarks.decoder [--rounds 7] [--tokens 48] [--only 15M] [--pin 0]

Batch 1, float32, one thread, random weights. Each library has a process of its own; they take turns, round by round,
and the ratio is the median of the rounds' ratios: above 1 mini_torch is the faster one. The first token, for which the
prompt is read, is not counted. `greedy` takes the likeliest token; `drawn` draws one with temperature 0.8 and top_p
0.9. Seconds are the processor's, so that what else runs does not count. `--pin` binds both to a core.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from time import process_time
from typing import Any

from . import timing

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
SIZES = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads")
STORIES = {"vocab_size": 32000, "max_position_embeddings": 1024, "tie_word_embeddings": True}
BYTES = {"vocab_size": 256, "max_position_embeddings": 256, "tie_word_embeddings": True}  # examples/decoder.py's
MODELS: dict[str, dict[str, Any]] = {
    "0.8M": {**BYTES, **dict(zip(SIZES, (128, 352, 4, 4, 2)))},
    "15M": {**STORIES, **dict(zip(SIZES, (288, 768, 6, 6, 6)))},
    "42M": {**STORIES, **dict(zip(SIZES, (512, 1376, 8, 8, 8)))},
    "110M": {**STORIES, **dict(zip(SIZES, (768, 2048, 12, 12, 12)))},
    "110M, grouped": {**STORIES, **dict(zip(SIZES, (768, 2048, 12, 12, 4)))},
}
SAMPLINGS: dict[str, dict[str, Any]] = {"greedy": {"temperature": 0.0}, "drawn": {"temperature": 0.8, "top_p": 0.9}}


class Writer:
    """A process that writes with one of the libraries whenever it is asked."""

    def __init__(self, library: str, model: str, pin: int | None) -> None:
        command = [sys.executable, "-m", "benchmarks.decoder", "--only", model, "--backend", library]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if pin is not None:
            os.sched_setaffinity(self.process.pid, {pin})
        self.parameters: int = self._answer()

    def seconds(self, sampling: str, tokens: int) -> float:
        """The time of a token."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps([sampling, tokens]) + "\n")
        self.process.stdin.flush()
        found: float = self._answer()
        return found

    def _answer(self) -> Any:
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        """Ends the process."""
        self.process.communicate("")


def serve(name: str) -> None:
    """The other side of `Writer`: a line in, sampling and tokens; a line out, seconds."""
    sys.path.insert(0, str(EXAMPLES))
    import llama  # reads --backend

    torch = llama.torch
    torch.manual_seed(0)
    model = llama.Decoder(llama.Config(**MODELS[name])).start().eval()
    if hasattr(torch, "set_num_threads"):
        torch.set_num_threads(1)
    print(sum(p.numel() for p in model.parameters()), flush=True)
    for line in sys.stdin:
        sampling, tokens = json.loads(line)
        generator = torch.Generator().manual_seed(0)
        new = model.generate(range(1, 9), tokens + 1, generator=generator, **SAMPLINGS[sampling])
        next(new)
        start = process_time()
        count = sum(1 for _ in new)
        print((process_time() - start) / count, flush=True)


def measured(name: str, rounds: int, tokens: int, pin: int | None) -> list[list[str]]:
    """The rows of a model's table."""
    libraries = ["torch", "mini_torch"] if timing.has_torch() else ["mini_torch"]
    writers = {library: Writer(library, name, pin) for library in libraries}
    rows = []
    for sampling in SAMPLINGS:
        times: dict[str, list[float]] = {library: [] for library in libraries}
        for index in range(rounds + 1):
            for library in libraries if index % 2 else libraries[::-1]:
                times[library].append(writers[library].seconds(sampling, tokens))
        speeds = {library: 1 / statistics.median(found[1:]) for library, found in times.items()}
        ratio = f"{timing.ratio(times['torch'][1:], times['mini_torch'][1:]):.2f}" if "torch" in times else "–"
        cells = [f"{speeds[library]:.1f}" if library in speeds else "–" for library in ("torch", "mini_torch")]
        rows.append([name, f"{writers['mini_torch'].parameters / 1e6:.1f}", sampling, *cells, ratio])
    for writer in writers.values():
        writer.close()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--tokens", type=int, default=48, help="per round")
    parser.add_argument("--only", nargs="+", choices=tuple(MODELS), default=tuple(MODELS))
    parser.add_argument("--pin", type=int, help="the core that both run on")
    parser.add_argument("--backend", choices=("mini_torch", "torch"), help=argparse.SUPPRESS)  # of a process's own
    options = parser.parse_args()
    if options.backend:
        serve(options.only[0])
        return
    rows = [row for name in options.only for row in measured(name, options.rounds, options.tokens, options.pin)]
    head = ("model", "million weights", "token", "PyTorch", "mini_torch", "ratio")
    print(timing.table(head, rows))


if __name__ == "__main__":
    main()
