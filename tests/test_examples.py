"""Every example takes PyTorch's steps: the same losses from the same seed, as recorded from PyTorch."""

from __future__ import annotations

import ast
import json
import math
import sys
from pathlib import Path

import pytest

import example_runs
from examples import frame

RECORDS = json.loads(example_runs.DATA.read_text())
NAMES = frame.names()
LARGEST_PICTURE = 150 * 1024


def source(name: str) -> str:
    return (example_runs.ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_the_same_losses_as_pytorch(name: str) -> None:
    if "sklearn" in source(name):
        pytest.importorskip("sklearn")
    theirs = RECORDS[name]
    assert theirs["options"] == example_runs.options(name), "other options: python tests/record_examples.py"
    ours = example_runs.run(name, "mini_torch")
    assert len(ours["losses"]) == len(theirs["losses"])
    assert frame.difference(ours, theirs) < 1e-4
    assert ours["results"].keys() == theirs["results"].keys()
    assert all(map(math.isfinite, ours["results"].values()))


def test_every_record_has_an_example() -> None:
    assert sorted(RECORDS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_an_example_says_what_it_is_and_shows_it(name: str) -> None:
    """One file with a docstring that --help can show, a picture of a size for a README, and one library's names."""
    tree = ast.parse(source(name))
    assert len((ast.get_docstring(tree) or "").splitlines()) >= 5
    picture = example_runs.ROOT / "images" / f"{name}.png"
    assert 0 < picture.stat().st_size <= LARGEST_PICTURE
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not imported & {"torch", "mini_torch"}, "an example takes `torch` from frame"


def test_help_shows_the_docstring_and_the_options() -> None:
    done = example_runs.start(NAMES[0], "--help")
    assert done.returncode == 0, done.stderr
    assert (ast.get_docstring(ast.parse(source(NAMES[0]))) or "").splitlines()[0] in done.stdout
    assert all(option in done.stdout for option in ("--backend", "--steps", "--seed", "--image", "--record"))


@pytest.mark.parametrize(
    ("option", "value", "words"), [("--steps", "0", "at least one step"), ("--text", "nowhere.txt", "no such file")]
)
def test_what_is_wrong_with_an_option_is_said_in_words(option: str, value: str, words: str) -> None:
    done = example_runs.start("char_gpt", option, value)
    assert done.returncode == 2
    assert words in done.stderr


def test_a_missing_package_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [str(Path("examples", "digits.py"))])
    with pytest.raises(SystemExit) as end:
        frame.needed("sklearn_is_not_there", "scikit-learn")
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("digits.py needs scikit-learn: pip install scikit-learn, or")


def test_digits_are_drawn_also_when_no_three_is_read_right(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    done = example_runs.start("digits", "--steps", "1", "--image", str(tmp_path / "digits.png"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "digits.png").stat().st_size


def test_difference_is_relative_and_of_the_first_hundred() -> None:
    theirs = {"losses": [2.0, 4.0] + [1.0] * 98 + [5.0]}
    ours = {"losses": [2.0, 4.4] + [1.0] * 98 + [9.0]}
    assert frame.difference(ours, theirs) == pytest.approx(0.1)
