"""What all examples share: the command line, the backend, the progress bar, the picture, the comparison.

    python examples/digits.py                    # mini_torch
    python examples/digits.py --backend torch    # PyTorch: the same lines, the same seed
    python examples/digits.py --backend both     # one after the other, side by side
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small products are fastest on one thread, and the times comparable
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # mini_torch and utils.py, wherever this is started

BACKENDS = {"mini_torch": "mini_torch", "torch": "PyTorch"}
COMPARED = 100  # losses from the beginning


def backend() -> str:
    """What the command line says after --backend. It must be known before anything is imported."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--backend", default="mini_torch")
    return parser.parse_known_args()[0].backend


def names() -> list[str]:
    """Every example there is: the files that make a Run. What they share does not."""
    files = set((ROOT / "examples").glob("*.py")) - {Path(__file__).resolve()}
    return sorted(path.stem for path in files if re.search(r"\bRun\(\s*__doc__", path.read_text(encoding="utf-8")))


def needed(module: str, package: str) -> ModuleType:
    """A module of an optional package; where it is not installed, says what to install and ends the program."""
    try:
        return importlib.import_module(module)
    except ImportError:
        others = "" if package == "torch" else ", or pip install '.[examples]' for all that the examples use"
        print(f"{Path(sys.argv[0]).name} needs {package}: pip install {package}{others}", file=sys.stderr)
        sys.exit(2)


if TYPE_CHECKING:
    import mini_torch as torch
else:
    torch = needed("torch", "torch") if backend() == "torch" else importlib.import_module("mini_torch")


class Run:
    """One run of an example: its options, its steps, its losses and what came out.

    `description` is the example's docstring, `steps` how many steps it takes if --steps says nothing else. Further
    options come as `name=(default, "what it means")`. With `--backend both`, making a Run runs both backends in
    processes of their own, prints them side by side and ends the program.
    """

    def __init__(self, description: str, steps: int, **options: tuple[Any, str]) -> None:
        self.name = Path(sys.argv[0]).stem
        self.args = self._parse(description, steps, options)
        if self.args.backend == "both":
            needed("torch", "torch")  # said before the first of the two, not after
            compare([sys.argv[0], *sys.argv[1:]])
            sys.exit()
        if self.args.image:
            needed("matplotlib", "matplotlib")  # said before the training, not after
        self.losses: list[float] = []
        self.results: dict[str, float] = {}
        self.seconds = self.processor = 0.0  # on the clock, and of this process alone
        torch.manual_seed(self.args.seed)

    def _parse(self, description: str, steps: int, options: dict[str, tuple[Any, str]]) -> argparse.Namespace:
        parser = argparse.ArgumentParser(
            description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
        )
        add = parser.add_argument
        add("--backend", choices=[*BACKENDS, "both"], default="mini_torch", help="what computes (default: %(default)s)")
        add("--steps", type=int, default=steps, help="steps of training (default: %(default)s)")
        add("--seed", type=int, default=0, help="decides every random number (default: %(default)s)")
        for name, (default, words) in options.items():
            add(f"--{name}", type=type(default), default=default, help=f"{words} (default: %(default)r)")
        image = f"images/{self.name}.png"
        add("--image", help=f"where the picture goes; '' for none (default: {image}, none with --backend torch)")
        add("--record", help="a JSON file to write losses, results and seconds to")
        args = parser.parse_args()
        if args.steps < 1:
            parser.error(f"--steps {args.steps}: at least one step")
        if getattr(args, "text", "") and not Path(args.text).is_file():
            parser.error(f"--text {args.text}: there is no such file")
        if args.image is None:
            args.image = str(ROOT / image) if args.backend == "mini_torch" else ""
        return args

    def steps(self) -> Iterator[int]:
        """0, 1, 2, … as many as --steps says, with a progress bar that shows the last loss."""
        start, spent = time.perf_counter(), time.process_time()
        yield from self._bar(range(self.args.steps))
        self.seconds, self.processor = time.perf_counter() - start, time.process_time() - spent

    def _bar(self, steps: range) -> Iterator[int]:
        try:
            from tqdm import tqdm
        except ImportError:
            yield from steps
            return
        with tqdm(steps, desc=f"{self.name} in {BACKENDS[self.args.backend]}", unit="step") as bar:
            for step in bar:
                yield step
                if self.losses:
                    bar.set_postfix(loss=f"{self.losses[-1]:.4f}", refresh=False)

    def loss(self, value: float) -> None:
        """Notes a step's loss."""
        self.losses.append(value)

    def result(self, words: str, value: float) -> None:
        """Prints a number that came out, and keeps it for the comparison."""
        self.results[words] = value
        print(f"{words}: {value:.4g}")

    def draw(self, drawing: Callable[[Any], None], width: float = 9, height: float = 4) -> None:
        """Has `drawing` draw on a matplotlib figure of that many inches, and saves it where --image says."""
        if not self.args.image:
            return
        from utils import picture

        Path(self.args.image).parent.mkdir(parents=True, exist_ok=True)
        with picture(self.args.image, width, height) as figure:
            drawing(figure)
        _shrink(self.args.image)
        print(f"picture: {os.path.relpath(self.args.image)}")

    def end(self) -> None:
        """Says how long the steps took, and writes the record."""
        print(f"{len(self.losses):,} steps in {self.seconds:.1f} s")
        if self.args.record:
            record = {name: getattr(self, name) for name in ("losses", "results", "seconds", "processor")}
            Path(self.args.record).write_text(json.dumps(record))


def _shrink(path: str) -> None:
    """Rewrites a PNG with 256 colours, the nearest ones of its own: a third of the size, and no eye sees it."""
    from PIL import Image

    from data_generator import replacing

    if path.endswith(".png"):
        with Image.open(path) as image:
            small = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        with replacing(path) as beside:
            small.save(beside, optimize=True)


def compare(command: list[str]) -> dict[str, dict[str, Any]]:
    """Runs an example with each backend, prints their losses, results and times side by side, returns the records."""
    records = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in BACKENDS:
            record = Path(folder, name)
            chosen = ["--backend", name, "--record", record, *(["--image", ""] if name == "torch" else [])]
            code = subprocess.run([sys.executable, *command, *chosen], check=False).returncode
            if code:  # it has said why itself
                sys.exit(code)
            records[name] = json.loads(record.read_text())
    ours, theirs = records.values()
    print(f"\n{'':<44}{'mini_torch':>12}{'PyTorch':>12}")
    _row("seconds", ours["seconds"], theirs["seconds"])
    _row("seconds of the processor", ours["processor"], theirs["processor"])
    for words in ours["results"]:
        _row(words, ours["results"][words], theirs["results"][words])
    count = min(COMPARED, len(ours["losses"]), len(theirs["losses"]))
    _row(f"loss after {count} steps", ours["losses"][count - 1], theirs["losses"][count - 1])
    print(f"largest relative difference of the first {count} losses: {difference(ours, theirs):.1e}")
    return records


def _row(words: str, ours: float, theirs: float) -> None:
    print(f"{words:<44}{ours:>12.5g}{theirs:>12.5g}")


def difference(ours: dict[str, Any], theirs: dict[str, Any]) -> float:
    """The largest relative difference of the first losses of two records."""
    pairs = list(zip(ours["losses"], theirs["losses"]))[:COMPARED]
    return max(abs(a - b) / max(abs(b), 1e-12) for a, b in pairs)
