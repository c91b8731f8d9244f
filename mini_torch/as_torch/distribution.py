"""The installed package that `importlib.metadata` finds for "torch" while mini_torch stands in for it."""

from __future__ import annotations

from importlib.metadata import Distribution
from os import PathLike
from pathlib import Path
from typing import Any

__all__ = ["AsDistribution"]


class AsDistribution(Distribution):
    """A package named torch, of the given version, without files or requirements."""

    def __init__(self, version: str) -> None:
        self._text = f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n"

    def read_text(self, filename: str) -> str | None:
        """The text of METADATA; None for other files."""
        return self._text if filename == "METADATA" else None

    def locate_file(self, path: str | PathLike[str]) -> Any:
        """Where it would be: beside mini_torch."""
        return Path(__file__).parents[1] / path
