"""`import torch` gives mini_torch: how programs written for PyTorch run on it unchanged.

Python asks the finders on `sys.meta_path` for a module that it does not know yet. Ours stands before the others and
answers for "torch" and all below it with the modules of mini_torch: the very objects, no copies, so that a class is
the same under both names. New processes know nothing of this process's finders; they get a folder on their path, in
which a module "torch" calls `install_as_torch` (the folder `stand_in`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..absent import words
from ..torch_version import TorchVersion

if TYPE_CHECKING:
    from importlib.metadata import Distribution

__all__ = ["STAND_IN", "VERSION", "install_as_torch"]

VERSION = "2.13.0+mini_torch"  # the PyTorch whose API we follow, and who answers
STAND_IN = str(Path(__file__).parent / "stand_in")
_PACKAGE = __name__.partition(".")[0]


def install_as_torch() -> None:
    """From now on `import torch`, and `import torch.…`, give mini_torch in this process and in those it starts.

    `torch.__version__` is then that of the PyTorch whose API we follow, "2.13.0+mini_torch", and
    `importlib.metadata.version("torch")` says the same. To be called before anything imports torch; a second call
    changes nothing. `python -m mini_torch script.py` calls it before it runs the script.
    Errors: RuntimeError where PyTorch itself is imported already: its tensors and ours would meet.
    """
    package, loaded = sys.modules[_PACKAGE], sys.modules.get("torch")
    if loaded is not None and loaded is not package and _folder_of(loaded) != Path(STAND_IN):
        raise RuntimeError(
            f"install_as_torch: PyTorch is imported already, from {getattr(loaded, '__file__', None) or loaded!r}; "
            "call mini_torch.install_as_torch() before the first `import torch`, and before what imports it"
        )
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())
        package.__version__ = TorchVersion(VERSION)  # type: ignore[attr-defined]
        import_module(".version", _PACKAGE).__version__ = VERSION  # type: ignore[attr-defined]
        _tell_new_processes()
    sys.modules["torch"] = package


def _folder_of(module: ModuleType) -> Path:
    return Path(getattr(module, "__file__", None) or ".").parent.parent


def _tell_new_processes() -> None:
    """`multiprocessing` hands `sys.path` on to the processes that it does not fork."""
    if STAND_IN not in sys.path:
        sys.path.insert(1, STAND_IN)  # behind the script's own folder, before an installed PyTorch
    root = str(Path(__file__).parents[2])
    if root not in sys.path:
        sys.path.append(root)


class Finder(MetaPathFinder):
    """Finds mini_torch's modules under torch's names."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        """Of "torch.nn", what there is to know of "mini_torch.nn"; None for what is not ours.

        Errors: ModuleNotFoundError, with words, for a part of PyTorch of which we know that it is not here; and so for
        "mini_torch.sparse", which is what `from torch import sparse` asks for in the end.
        """
        first, _, rest = name.partition(".")
        if first not in ("torch", _PACKAGE):
            return None
        real = find_spec(f"{_PACKAGE}.{rest}".rstrip(".")) if first == "torch" else PathFinder.find_spec(name, path)
        if real is None and (said := words(rest)):
            raise ModuleNotFoundError(f"No module named 'torch.{rest}': {said}", name=f"torch.{rest}")
        if real is None or first != "torch":
            return None  # not ours, or for the finders after this one
        spec = ModuleSpec(name, SameModule(real.name), origin=real.origin)
        spec.submodule_search_locations = real.submodule_search_locations
        return spec

    def find_distributions(self, context: Any = None) -> Iterable[Distribution]:
        """For `importlib.metadata`: libraries ask it which PyTorch is there."""
        if context is None or context.name is None or context.name.lower() != "torch":
            return []
        from .distribution import AsDistribution

        return [AsDistribution(VERSION)]


class SameModule(Loader):
    """Loads a module of mini_torch under another name."""

    def __init__(self, real: str) -> None:
        self.real = real

    def create_module(self, spec: ModuleSpec) -> None:
        """None: a plain module, which is thrown away; the real one must not be written to."""

    def exec_module(self, module: ModuleType) -> None:
        """Puts the real module where the import system looks for what it has loaded."""
        sys.modules[module.__name__] = import_module(self.real)
