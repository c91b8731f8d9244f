"""Floating types that NumPy has not: bfloat16, and those of 8 bits. As arrays of their bits, made numbers here."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtype import bfloat16
from ..errors import MissingExtraError

__all__ = ["FLOAT8", "from_bfloat16", "from_float8"]

Array = np.ndarray[Any, Any]


def from_bfloat16(bits: Array) -> Array:
    """An array of uint16 as the bfloat16 numbers that it holds: in place, or in float32 where ml_dtypes is missing.

    Either way the numbers are exact: a bfloat16 is the first half of a float32.
    """
    try:
        return bits.view(bfloat16.numpy)
    except MissingExtraError:
        return (bits.astype(np.uint32) << 16).view(np.float32)


def from_float8(bits: Array, kind: str) -> Array:
    """An array of uint8 as the numbers that it holds in one of the types of `FLOAT8`, exactly, in float32."""
    fraction_bits, bias, nans, infinite = FLOAT8[kind]
    code = np.arange(256)
    exponent = (code & 127) >> fraction_bits if fraction_bits else code
    fraction = (code & (1 << fraction_bits) - 1) / (1 << fraction_bits)
    normal = (exponent > 0) | (fraction_bits == 0)
    value = np.where(normal, 1 + fraction, 2 * fraction) * 2.0 ** (exponent - bias)
    value[list(nans)] = np.nan
    value[list(infinite)] = np.inf
    if fraction_bits:
        value[128:] *= -1
    return value.astype(np.float32)[bits]


# bits of the fraction (none: no sign either), the exponent's bias, the codes of NaN, those of infinity
FLOAT8: dict[str, tuple[int, int, tuple[int, ...], tuple[int, ...]]] = {
    "F8_E4M3": (3, 7, (0x7F, 0xFF), ()),
    "F8_E5M2": (2, 15, (0x7D, 0x7E, 0x7F, 0xFD, 0xFE, 0xFF), (0x7C, 0xFC)),
    "F8_E4M3FNUZ": (3, 8, (0x80,), ()),
    "F8_E5M2FNUZ": (2, 16, (0x80,), ()),
    "F8_E8M0": (0, 127, (0xFF,), ()),
}
