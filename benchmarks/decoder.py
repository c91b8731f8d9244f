"""Tokens per second of a language model of LLaMA's kind, beside PyTorch: examples/llama.py, the same program on both.

    python -m benchmarks.decoder [--rounds 7] [--tokens 48] [--only 15M] [--pin 0]

Batch 1, float32, one thread, random weights. Each library has a process of its own; they take turns, round by round,
and the ratio is the median of the rounds' ratios: above 1 mini_torch is the faster one. The first token, for which the
prompt is read, is not counted. `greedy` takes the likeliest token; `drawn` draws one with temperature 0.8 and top_p 0.9.
`--pin` binds both to a core.
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
SHAPE = {"vocab_size": 32000, "max_position_embeddings": 1024}
MODELS: dict[str, dict[str, Any]] = {
    "0.7M": dict(vocab_size=256, hidden_size=128, intermediate_size=352, num_hidden_layers=4, num_attention_heads=4,
                 num_key_value_heads=2, tie_word_embeddings=True, max_position_embeddings=512),
    "15M": dict(hidden_size=288, intermediate_size=768, num_hidden_layers=6, num_attention_heads=6,
                tie_word_embeddings=True, **SHAPE),
    "42M": dict(hidden_size=512, intermediate_size=1376, num_hidden_layers=8, num_attention_heads=8,
                tie_word_embeddings=True, **SHAPE),
    "110M": dict(hidden_size=768, intermediate_size=2048, num_hidden_layers=12, num_attention_heads=12,
                 tie_word_embeddings=True, **SHAPE),
    "110M, 4 heads of keys": dict(hidden_size=768, intermediate_size=2048, num_hidden_layers=12, num_attention_heads=12,
                                  num_key_value_heads=4, tie_word_embeddings=True, **SHAPE),
}  # fmt: skip
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
        calls = {library: (lambda w=writer: w.seconds(sampling, tokens)) for library, writer in writers.items()}
        times: dict[str, list[float]] = {library: [] for library in libraries}
        for index in range(rounds + 1):
            for library in libraries if index % 2 else libraries[::-1]:
                times[library].append(calls[library]())
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
    head = ("model", "million numbers", "token", "PyTorch", "mini_torch", "ratio")
    print(timing.table(head, rows))


if __name__ == "__main__":
    main()
