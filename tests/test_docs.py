"""What the documents say is true: their code runs, both READMEs say the same, the package's examples hold."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import mini_torch

ROOT = Path(__file__).parents[1]
PAGES = [
    page
    for page in [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted(ROOT.glob("docs/*.md"))]
    if page.exists()
]
BLOCK = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TRANSLATED = [page for page in PAGES if page.name.endswith(".zh-CN.md")]
MODULES = sorted(
    ["mini_torch", *(found.name for found in pkgutil.walk_packages(mini_torch.__path__, "mini_torch."))]
)
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def blocks(page: Path, *languages: str) -> list[tuple[int, str]]:
    """(line, code) of the page's code blocks in one of the languages."""
    text = page.read_text(encoding="utf-8")
    found = [match for match in BLOCK.finditer(text) if match[1] in languages]
    return [(text.count("\n", 0, match.start()) + 1, match[3]) for match in found]


def run_doctest(name: str, text: str, namespace: dict[str, object]) -> None:
    examples = doctest.DocTestParser().get_doctest(text, namespace, name, name, 0)
    shown: list[str] = []
    failed = (
        doctest.DocTestRunner(optionflags=FLAGS).run(examples, out=shown.append, clear_globs=False).failed
    )
    assert not failed, "".join(shown)
    namespace.update(examples.globs)  # a copy, in which the examples ran


def run_page(page: Path) -> None:
    """Runs the page's Python blocks in order in one namespace, as a reader would type them."""
    namespace: dict[str, object] = {"__name__": "__page__"}
    for line, code in blocks(page, "python", "pycon"):
        if ">>>" in code:
            run_doctest(f"{page.name}:{line}", code, namespace)
        else:
            exec(compile("\n" * line + code, str(page), "exec"), namespace)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_run(page: Path, tmp_path: Path) -> None:
    """In a process of its own: a page may add operations, and write files where it stands."""
    command = [sys.executable, "-W", "error", __file__, str(page)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr


def commands(page: Path) -> list[str]:
    """The lines of the page's shell blocks, without prompts, comments and what the machine printed."""
    lines = [line for _, code in blocks(page, "sh", "bash", "shell", "console") for line in code.splitlines()]
    lines = [line.removeprefix("$ ").split("  #")[0].strip() for line in lines]
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_shell_blocks_name_what_exists(page: Path) -> None:
    """The programs of the project that a page tells to run are there, and know the options given."""
    for command in commands(page):
        words = shlex.split(command)
        script = next((word for word in words if (ROOT / word).is_file()), None)
        if words[0] in ("python", "python3") and words[1:2] != ["-m"] and words[1:2] != ["-c"]:
            assert script, f"{page.name}: `{command}` runs a file that is not there"
        if script and script.endswith(".py") and not script.startswith(("benchmarks/", "tests/")):
            help_text = script_help(script)
            options = [word.split("=")[0] for word in words if word.startswith("--")]
            assert [option for option in options if option not in help_text] == [], (
                f"{page.name}: `{command}`"
            )


def script_help(script: str) -> str:
    ran = subprocess.run(
        [sys.executable, ROOT / script, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    return ran.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_are_there(page: Path) -> None:
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    targets = re.findall(r"\]\(([^)#\s]+)", text) + re.findall(r"(?:src|href)=\"([^\"#]+)\"", text)
    local = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert [target for target in local if not (page.parent / target).exists()] == []


def structure(page: Path) -> list[str]:
    """Headings' levels, tables' sizes, pictures and code, in order: what a translation keeps."""
    parts = []
    text = page.read_text(encoding="utf-8")
    for match in re.finditer(
        r"^```.*?^```|^#+ |^\|.*\|(?=\s*$)|!\[.*?\]\(.*?\)|src=\".*?\"", text, re.M | re.S
    ):
        piece = match[0]
        if piece.startswith("|"):
            piece = f"| {piece.count('|')}"
        elif piece.startswith("!["):
            piece = piece[piece.index("](") :]
        elif piece.startswith("```"):
            piece = "\n".join(line.split("#")[0].rstrip() for line in piece.splitlines())
        parts.append(piece)
    return parts


@pytest.mark.parametrize("translation", TRANSLATED, ids=lambda page: page.name)
def test_both_languages_have_the_same_structure(translation: Path) -> None:
    english, chinese = structure(translation.with_name(translation.name.replace(".zh-CN", ""))), structure(translation)
    for one, other in zip(english, chinese, strict=False):
        assert one == other
    assert len(english) == len(chinese)


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name: str) -> None:
    """Every `>>>` of the package, run as a user would: `import mini_torch`, and the module's own names."""
    module = importlib.import_module(name)
    namespace = {"torch": mini_torch, "nn": mini_torch.nn, **vars(module), "mini_torch": mini_torch}
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, name, globs=namespace):
        shown: list[str] = []
        mini_torch.manual_seed(0)
        failed = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=shown.append).failed
        assert not failed, "".join(shown)


def test_every_example_is_found() -> None:
    """Ops are made by tables, so their examples may sit on objects that doctest does not open by itself."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    seen = {
        test.name
        for name in MODULES
        for test in finder.find(importlib.import_module(name), name)
        if test.examples
    }
    assert len(seen) > 50


if __name__ == "__main__":
    run_page(Path(sys.argv[1]))
