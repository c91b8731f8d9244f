"""Weights from the net, kept in a folder: `torch.hub`.

Only files are fetched, never programs: `load` takes a folder of yours (`source="local"`), whose hubconf.py it runs.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlparse
from urllib.request import Request, urlopen

from .serialization import load as _load_file
from .serialization.whole_file import replacing

__all__ = ["download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url", "set_dir"]

_HASH = re.compile(r"-([a-f0-9]*)\.")  # resnet18-bf5a0074.pth: the beginning of the file's SHA-256
_chosen: dict[str, str] = {}


def get_dir() -> str:
    """The folder: what `set_dir` chose, else $TORCH_HOME/hub, else ~/.cache/torch/hub."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))
    return _chosen.get("dir") or os.path.join(os.path.expanduser(home), "hub")


def set_dir(d: str | os.PathLike[str]) -> None:
    """Chooses another folder."""
    _chosen["dir"] = os.path.expanduser(d)


def download_url_to_file(url: str, dst: str, hash_prefix: str | None = None, progress: bool = True) -> None:
    """Fetches the file; it is whole or not there.

    Errors: RuntimeError unless its SHA-256 begins with `hash_prefix`; urllib's own for what cannot be fetched.
    """
    request, sha = Request(url, headers={"User-Agent": "mini_torch.hub"}), hashlib.sha256()
    with urlopen(request) as source, replacing(os.path.expanduser(dst)) as file:
        while chunk := source.read(1 << 17):
            file.write(chunk)
            sha.update(chunk)
        found = sha.hexdigest()
        if hash_prefix is not None and not found.startswith(hash_prefix):
            raise RuntimeError(
                f'invalid hash value of {url} (expected "{hash_prefix}", got "{found}"): '
                "the file is not the one that was asked for; try again, or ask where it comes from"
            )


def load_state_dict_from_url(
    url: str, model_dir: str | None = None, map_location: Any = None, progress: bool = True, check_hash: bool = False,
    file_name: str | None = None, weights_only: bool = True,
) -> Any:  # fmt: skip
    """What `load` reads from the file at the address, which is fetched unless it is in the folder already.

    `check_hash` compares with the hash in the file's name (name-0123abcd.pth). Unlike PyTorch's, it runs no code from
    the file unless weights_only=False is said. Source: PyTorch's `torch.hub.load_state_dict_from_url`.
    """
    folder = Path(model_dir or os.path.join(get_dir(), "checkpoints"))
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / (file_name or os.path.basename(urlparse(url).path))
    if not kept.exists():
        print(f'Downloading: "{url}" to {kept}', file=sys.stderr)
        found = _HASH.search(kept.name) if check_hash else None
        download_url_to_file(url, str(kept), found and found[1], progress=progress)
    return _load_file(str(kept), map_location=map_location, weights_only=weights_only)


# ---- what a folder offers ------------------------------------------------------------------------------------
def list(github: str, force_reload: bool = False, source: str = "github", **_: Any) -> Any:
    """The names of what the folder's hubconf.py offers."""
    conf = _hubconf(github, source)
    return [name for name, value in vars(conf).items() if callable(value) and not name.startswith("_")]


def help(github: str, model: str, force_reload: bool = False, source: str = "github", **_: Any) -> str | None:
    """The docstring of what the folder's hubconf.py offers under that name."""
    doc: str | None = _entry(_hubconf(github, source), model).__doc__
    return doc


def load(repo_or_dir: str, model: str, *args: Any, source: str = "github", **kwargs: Any) -> Any:
    """Calls the function of that name in the folder's hubconf.py, with the arguments.

    Errors: NotImplementedError for other sources: what they hold is made for PyTorch, and would be run unseen.
    Source: PyTorch's `torch.hub.load`.
    """
    for option in ("trust_repo", "force_reload", "verbose", "skip_validation"):
        kwargs.pop(option, None)
    return _entry(_hubconf(repo_or_dir, source), model)(*args, **kwargs)


def _hubconf(folder: str, source: str) -> ModuleType:
    if source != "local":
        raise NotImplementedError(
            f"torch.hub: source={source!r}, but mini_torch fetches no programs; get {folder} yourself (git clone), "
            'look at it, and give its folder with source="local"'
        )
    spec = importlib.util.spec_from_file_location("hubconf", os.path.join(folder, "hubconf.py"))
    assert spec is not None
    assert spec.loader is not None
    conf = importlib.util.module_from_spec(spec)
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(conf)
    finally:
        sys.path.remove(folder)
    return conf


def _entry(conf: ModuleType, name: str) -> Any:
    entry = getattr(conf, name, None)
    if not callable(entry):
        raise RuntimeError(f"Cannot find callable {name} in {conf.__file__}")
    return entry
