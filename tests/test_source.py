"""The compiled program in the READMEs is the one that `compile` writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import source


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.0.0", reason="written by NumPy 2's calls")
@pytest.mark.parametrize("readme", source.READMES, ids=lambda path: path.name)
def test_it_stands_in_both_readmes(readme: Path) -> None:
    (shown,) = source.PLACE.findall(readme.read_text(encoding="utf-8"))
    assert shown == source.source(), "run `python tests/source.py`"
