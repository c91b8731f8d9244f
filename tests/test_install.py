"""The package as pip makes it: builds, holds every module, imports with NumPy alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import mini_torch

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from a copy of what a clean checkout has, without a network."""
    pytest.importorskip("setuptools", minversion="77")
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "mini_torch", source / "mini_torch", ignore=shutil.ignore_patterns("__pycache__"))
    backend = "from setuptools import build_meta as b; b.build_wheel('dist'); b.build_sdist('dist')"
    (source / "dist").mkdir()
    subprocess.run([sys.executable, "-c", backend], cwd=source, check=True, capture_output=True)
    return next((source / "dist").glob("*.whl"))


def test_the_wheel_holds_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        held = {name for name in file.namelist() if name.startswith("mini_torch/")}
        metadata = file.read(next(n for n in file.namelist() if n.endswith("/METADATA"))).decode()
    suffixes = (".py", ".pyi", ".typed")
    package = [path for path in (ROOT / "mini_torch").rglob("*") if path.suffix in suffixes or path.name == "py.typed"]
    assert held == {str(path.relative_to(ROOT)) for path in package}
    needed = [line for line in metadata.splitlines() if line.startswith("Requires-Dist") and "extra" not in line]
    assert needed == ["Requires-Dist: numpy>=1.26"]
    assert "License-Expression: MIT" in metadata


def test_the_source_archive_holds_the_licence(wheel: Path) -> None:
    with tarfile.open(next(wheel.parent.glob("*.tar.gz"))) as file:
        assert any(name.endswith("/LICENSE") for name in file.getnames())


def test_an_installed_package_runs(wheel: Path, tmp_path: Path) -> None:
    """Unpacked as pip does it, with only NumPy beside it."""
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path / "site")
    code = (
        "import mini_torch, sys\n"
        "x = mini_torch.ones(3, requires_grad=True); (x * x).sum().backward()\n"
        "print(x.grad.tolist(), mini_torch.__file__)"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    ).stdout  # fmt: skip
    assert shown.startswith("[2.0, 2.0, 2.0]")
    assert str(tmp_path) in shown


def test_the_version_is_said_once() -> None:
    declared = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert declared
    assert mini_torch.__version__ == declared[1]


def test_requirements_are_the_three_with_the_bounds_of_pyproject() -> None:
    lines = [line.strip() for line in (ROOT / "requirements.txt").read_text().splitlines()]
    required = [line for line in lines if line and not line.startswith("#")]
    assert [re.split("[<>=~]", line)[0] for line in required] == ["numpy", "matplotlib", "tqdm"]
    text = (ROOT / "pyproject.toml").read_text()
    assert [line for line in required if f'"{line}"' not in text] == []
