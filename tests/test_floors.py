"""The house stands: imports run down, doors define nothing, and a plain import stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "mini_torch"

# From the ground up. A module may import from floors below its own, and from its own floor as long as
# no circle arises. A folder counts as one room: mini_torch/layer/conv.py lives where `layer` lives.
FLOORS = [
    ["absent", "broadcasting", "errors", "hardware", "heap", "processes", "profiling", "pytree",
     "rounding", "torch_version", "tree", "version"],
    ["dtype", "ramp"],
    ["graph", "formatting", "settings"],
    ["dlpack", "memory", "view", "plan", "parts", "sequence", "timing"],
    ["tensor"],
    ["late", "saved", "process_group"],
    ["backward"],
    ["op"],
    ["creation", "function", "gradcheck", "typed", "mixed_precision"],
    ["random", "ranges"],
    ["ops"],
    ["transform", "recompute", "assertion"],
    ["initializer", "loss", "activation", "network", "layer", "optimizer", "data_loader", "serialization",
     "distribution"],
    ["capture"],
    ["model", "onnx_export", "scripting", "download"],
    ["_C", "_dynamo", "_inductor", "accelerator", "amp", "autograd", "backends", "compiler", "cpu", "cuda",
     "distributed", "distributions", "export", "fft", "func", "hub", "jit", "linalg", "mps", "multiprocessing", "nn",
     "onnx", "optim", "profiler", "safetensors", "signal", "special", "testing", "types", "utils", "xpu"],
    ["as_torch"],
    [""],  # mini_torch itself
    ["__main__"],
]
DOORS = ["__init__.py", "_C.py", "_dynamo/*.py", "_inductor/*.py", "accelerator.py", "amp/*.py", "autograd/*.py",
         "backends/*.py", "compiler.py", "cpu/*.py", "cuda/**/*.py", "distributed/*.py", "distributions/*.py",
         "export.py", "fft.py", "func/*.py", "hub.py", "jit/*.py", "linalg.py", "mps.py", "multiprocessing.py",
         "nn/**/*.py", "onnx/*.py", "optim/**/*.py", "profiler.py", "safetensors.py", "signal/**/*.py", "special/*.py",
         "testing/*.py", "types.py", "utils/**/*.py", "version.py", "xpu.py"]  # fmt: skip


def module_name(path: Path, package: Path) -> str:
    parts = path.relative_to(package).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path, package: Path, modules: set[str]) -> Iterator[tuple[int, str]]:
    """(line, module) for every import of a module of the package, wherever in the file it stands."""
    here = path.relative_to(package).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == package.name:
                    yield node.lineno, "import " + alias.name
        elif isinstance(node, ast.ImportFrom):
            absolute = (node.module or "").split(".")
            if node.level == 0 and absolute[0] != package.name:
                continue
            relative = [*here[: len(here) - node.level + 1], *filter(None, absolute)]
            base = relative if node.level else absolute[1:]
            for alias in node.names:
                deeper = ".".join([*base, alias.name])
                yield node.lineno, deeper if deeper in modules else ".".join(base)


def only_for_types(path: Path) -> set[int]:
    """The lines under `if TYPE_CHECKING:`; they import nothing when the program runs."""
    lines: set[int] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def circle(graph: dict[str, set[str]]) -> list[str]:
    """A path of imports that comes back to where it began, or [] when there is none."""
    done: set[str] = set()

    def walk(module: str, path: list[str]) -> list[str]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return []
        done.add(module)
        return next(filter(None, (walk(m, [*path, module]) for m in sorted(graph.get(module, ())))), [])

    return next(filter(None, (walk(module, []) for module in sorted(graph))), [])


def violations(package: Path) -> list[str]:
    floor_of = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
    files = {module_name(path, package): path for path in sorted(package.rglob("*.py"))}
    graph: dict[str, set[str]] = {}
    found = []
    for module, path in files.items():
        room, skipped = module.split(".")[0], only_for_types(path)
        if room not in floor_of:
            found.append(f"{path.name}: the room {room!r} stands on no floor; add it to FLOORS")
            continue
        for line, target in imported(path, package, set(files)):
            where = f"{path.relative_to(package)}:{line}"
            if target.startswith("import ") or not target:
                found.append(f"{where}: imports {package.name} itself; write `from .room import name`")
            elif line in skipped:
                continue
            elif floor_of.get(target.split(".")[0], 99) > floor_of[room]:
                found.append(f"{where}: {module or package.name} imports upward from {target}")
            elif target != module:
                graph.setdefault(module, set()).add(target)
    loop = circle(graph)
    return found + ([f"circular: {' -> '.join(loop)}"] if loop else [])


def definitions(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    found = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    # a module's own __getattr__ opens a room on demand, __dir__ tells of it; neither gives the door anything of its own
    on_demand = ("__getattr__", "__dir__")
    return [f"{path.name}:{node.lineno}" for node in found if getattr(node, "name", "") not in on_demand]


def test_imports_run_down() -> None:
    assert violations(PACKAGE) == []


@pytest.mark.parametrize("pattern", DOORS)
def test_doors_define_nothing(pattern: str) -> None:
    paths = sorted(PACKAGE.glob(pattern))
    assert paths, f"no door {pattern}"
    assert [line for path in paths for line in definitions(path)] == []


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"graph.py": "from .tensor import Tensor", "tensor.py": ""}, "graph imports upward from tensor"),
        ({"graph.py": "from mini_torch.model import Model", "model.py": ""}, "graph imports upward"),
        ({"graph.py": "def f():\n    from . import nn", "nn/__init__.py": ""}, "graph.py:2"),
        ({"ops/shape.py": "from ..layer.conv import f", "layer/conv.py": ""}, "ops.shape imports upward"),
        ({"layer/a.py": "import mini_torch"}, "imports mini_torch itself"),
        ({"layer/a.py": "import mini_torch.tensor as t", "tensor.py": ""}, "imports mini_torch itself"),
        ({"layer/a.py": "from mini_torch import ones"}, "imports mini_torch itself"),
        ({"loss.py": "from .layer import a", "layer/a.py": "from ..loss import b"}, "circular: layer.a"),
        ({"shed.py": ""}, "stands on no floor"),
    ],
)
def test_a_planted_violation_is_found(tmp_path: Path, files: dict[str, str], complaint: str) -> None:
    package = tmp_path / "mini_torch"
    for name, text in files.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    assert any(complaint in line for line in violations(package)), violations(package)


def test_a_sound_house_passes(tmp_path: Path) -> None:
    package = tmp_path / "mini_torch"
    package.mkdir()
    (package / "graph.py").write_text(
        "from typing import TYPE_CHECKING\nimport numpy\nif TYPE_CHECKING:\n    from .tensor import Tensor\n"
    )
    (package / "tensor.py").write_text("from . import graph\nfrom .graph import Node\n")
    (package / "__init__.py").write_text("from .tensor import Tensor as Tensor\n")
    assert violations(package) == []
    assert definitions(package / "__init__.py") == []


def test_a_door_that_defines_is_found(tmp_path: Path) -> None:
    door = tmp_path / "__init__.py"
    door.write_text("def f(): ...\nclass C: ...\ng = lambda: 0\n")
    assert definitions(door) == ["__init__.py:1", "__init__.py:2", "__init__.py:3"]


def test_import_is_light() -> None:
    """`import mini_torch` loads NumPy and nothing else that must be installed."""
    code = (
        "import sys, numpy; before = set(sys.modules); import mini_torch\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(new - set(sys.stdlib_module_names) - {'mini_torch', 'numpy'}))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parent)
    assert (shown.stdout.strip(), shown.stderr) == ("", "")
