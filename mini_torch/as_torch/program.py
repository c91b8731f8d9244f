"""Runs a program as Python does, with mini_torch in PyTorch's place: what is behind `python -m mini_torch`."""

from __future__ import annotations

import io
import os
import pkgutil
import runpy
import sys
from importlib.machinery import BuiltinImporter, SourceFileLoader
from types import TracebackType
from typing import Any, NoReturn

from ..absent import beside
from .install import STAND_IN, install_as_torch

__all__ = ["main"]

_OURSELVES = f"{sys.executable} -m mini_torch"
_USAGE = """usage: python -m mini_torch script.py [argument ...]
       python -m mini_torch -m module [argument ...]
       python -m mini_torch -c code [argument ...]

Runs a program that was written for PyTorch, unchanged: in it, `import torch` gives mini_torch.
"""


def main() -> None:
    """Runs the program that the command line names; ends as it ends, with its exit code or its traceback."""
    arguments = sys.argv[1:]
    if arguments[:1] in (["-h"], ["--help"]):
        print(_USAGE, end="")
        return
    kind = arguments[0] if arguments[:1] in (["-m"], ["-c"]) else ""
    if len(arguments) < (2 if kind else 1):
        _stop(_USAGE)
    if not kind and arguments[0].startswith("-") and arguments[0] != "-":
        _stop(f"{_OURSELVES}: unknown option {arguments[0]}\n{_USAGE}")
    install_as_torch()
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [STAND_IN, os.environ.get("PYTHONPATH")]))
    try:
        _run(kind, arguments)
    except SystemExit:
        raise
    except BaseException as error:
        _show_only_the_program(error)
        raise


def _run(kind: str, arguments: list[str]) -> None:
    if kind == "-m":
        sys.argv = arguments[1:]
        _first_on_path(os.getcwd())
        _emptied_main()
        # This is what Python itself calls for -m. `runpy.run_module` would put the old __main__ back when the
        # program's text has run, while its threads and exit functions are still to come.
        runpy._run_module_as_main(arguments[1])  # type: ignore[attr-defined]
    elif kind == "-c":
        sys.argv = ["-c", *arguments[2:]]
        _first_on_path("")
        _run_text(arguments[1].encode(), "<string>")
    elif arguments[0] == "-":
        sys.argv = arguments
        _first_on_path("")
        _run_text(sys.stdin.buffer.read(), "<stdin>")
    else:
        sys.argv = arguments
        _run_path(os.path.abspath(arguments[0]))


def _run_path(path: str) -> None:
    if pkgutil.get_importer(path) is not None:  # a folder or a zip file with a __main__.py
        _first_on_path(path)
        runpy._run_module_as_main("__main__", False)  # type: ignore[attr-defined]
        return
    try:
        with io.open_code(path) as file:
            text = file.read()
    except OSError as error:
        _stop(f"{_OURSELVES}: can't open file {path!r}: [Errno {error.errno}] {error.strerror}\n")
    _first_on_path(os.path.dirname(os.path.realpath(path)))
    _run_text(text, path, __file__=path, __cached__=None, __loader__=SourceFileLoader("__main__", path))


def _run_text(text: bytes, name: str, **more: Any) -> None:
    names = _emptied_main()
    names.update({"__doc__": None, "__loader__": BuiltinImporter, "__package__": None, "__spec__": None, **more})
    exec(compile(text, name, "exec", dont_inherit=True), names)


def _emptied_main() -> dict[str, Any]:
    """The names of the module `__main__`, of which nothing is left but what Python gives to every one."""
    names = vars(sys.modules["__main__"])
    for mine in [key for key in names if key not in ("__annotations__", "__builtins__", "__name__")]:
        del names[mine]
    return names


def _first_on_path(folder: str) -> None:
    """In place of the working folder, which `python -m` puts there; not where Python was told to put nothing."""
    if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
        sys.path[0] = folder


def _stop(text: str) -> NoReturn:
    print(text, end="", file=sys.stderr)
    raise SystemExit(2)


def _show_only_the_program(error: BaseException) -> None:
    """The traceback that is about to be shown begins in the program, as if Python had run it; the rest is Python's."""
    show, trace = sys.excepthook, _inside(error.__traceback__)

    def hook(kind: type[BaseException], value: BaseException, _: TracebackType | None) -> None:
        show(kind, value.with_traceback(trace), trace)
        if isinstance(value, ModuleNotFoundError) and (said := beside(value.name)):
            print(f"mini_torch: {said}", file=sys.stderr)

    sys.excepthook = hook


def _inside(trace: TracebackType | None) -> TracebackType | None:
    """What comes after the last frame of this file."""
    inner = trace
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == __file__:
            inner = trace.tb_next
        trace = trace.tb_next
    return inner
