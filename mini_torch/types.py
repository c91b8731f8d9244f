"""PyTorch's `types`: names for annotations. A door: it defines nothing."""

import builtins
import os
from collections.abc import Sequence
from typing import Any

from .dtype import Size
from .dtype import device as _device
from .dtype import dtype as _dtype  # noqa: F401
from .dtype import layout as _layout  # noqa: F401
from .tensor import Tensor

__all__ = ["Device", "FileLike", "Number", "Storage"]

_bool, _bytes, _complex, _float, _int, _str = (
    builtins.bool, builtins.bytes, builtins.complex, builtins.float, builtins.int, builtins.str,
)  # fmt: skip
_size = Size | list[builtins.int] | tuple[builtins.int, ...]
_TensorOrTensors = Tensor | Sequence[Tensor]
Number = builtins.int | builtins.float | builtins.bool
Device = _device | builtins.str | builtins.int | None
FileLike = builtins.str | os.PathLike[builtins.str] | Any
Storage = Any
