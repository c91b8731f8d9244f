"""Two or three operations in one: lerp, addcmul, addcdiv."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...op import as_operand, by_float32, common_type, keeps_type, public, quiet, refused, row, shape_mismatch
from ...tensor import Tensor

__all__ = ["addcdiv", "addcmul", "lerp"]


def _between(x: Any, end: Any, weight: Any) -> Any:
    """From the nearer of the two, so that both ends are hit exactly."""
    step = end - x
    return np.where(np.abs(weight) < 0.5, x + weight * step, end - step * (1 - weight)).astype(x.dtype)


def _between_by_number(x: Any, end: Any, weight: Any) -> Any:
    return x + weight * (end - x) if abs(weight) < 0.5 else end - (end - x) * (1 - weight)


_lerp_tensor = row(
    "lerp", quiet(_between), broadcasts=True, grad_name="LerpBackward1",
    x=lambda g, weight: g * (1 - weight), end=lambda g, weight: g * weight, weight=lambda g, x, end: g * (end - x),
)  # fmt: skip
_lerp_number = row(
    "lerp_number", quiet(keeps_type(_between_by_number)), broadcasts=True, grad_name="LerpBackward0",
    x=lambda g, weight: g * (1 - weight), end=lambda g, weight: g * weight,
)  # fmt: skip


@public(inplace=True)
def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """input + weight · (end − input), all of one floating or complex type. Source: PyTorch's `torch.lerp`."""
    kind = input._array.dtype
    for name, x in (("end", end), ("weight", weight)):
        if isinstance(x, Tensor) and x._array.dtype != kind:
            raise RuntimeError(f"expected dtype {input.dtype} for `{name}` but got dtype {x.dtype}")
    if kind.kind not in "fc":
        if kind.kind == "V":
            return by_float32(lerp, input, end, weight)
        raise refused("lerp_kernel_scalar", kind)
    if isinstance(weight, Tensor):
        return _fused(_lerp_tensor, (input, end, weight))
    return _fused(_lerp_number, (input, end), weight)


def _fused(core: Any, tensors: tuple[Tensor, ...], *options: Any) -> Tensor:
    try:
        return core(*tensors, *options)
    except ValueError as error:
        shapes = [x._array.shape for x in tensors]
        clash = next((s for s in shapes[1:] if not _fits(shapes[0], s)), shapes[-1])
        raise shape_mismatch(shapes[0], clash) from error


def _fits(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(m == n or 1 in (m, n) for m, n in zip(a[::-1], b[::-1]))


# ---- a product or a quotient added -----------------------------------------------------------------------------------
_addcmul = row(
    "addcmul", quiet(lambda x, a, b, value: x + (a * b if value is None else value * (a * b))), broadcasts=True,
    x=lambda g: g,
    a=lambda g, b, value: g * b if value is None else g * (value * b),
    b=lambda g, a, value: g * a if value is None else g * (value * a),
)  # fmt: skip
_addcdiv = row(
    "addcdiv", quiet(lambda x, a, b, value: x + (a / b if value is None else (value * a) / b)), broadcasts=True,
    x=lambda g: g,
    a=lambda g, b, value: g / b if value is None else g * (value / b),
    b=lambda g, a, b, value: -g * (a / b) / b if value is None else -g * (value * (a / b)) / b,
)  # fmt: skip


def _ready(x: Tensor, a: Any, b: Any) -> bool:
    """Whether all are of one floating type, float32 or float64, so that nothing is to be checked or converted."""
    if not isinstance(a, Tensor) or not isinstance(b, Tensor):
        return False
    kind = x._array.dtype
    return kind is a._array.dtype and kind is b._array.dtype and kind.char in "fd"


def _three(core: Any, tensors: tuple[Tensor, ...], value: Any) -> Tensor:
    kind = common_type(*tensors)
    number = isinstance(value, int | float | complex)
    if kind.kind in "iu" and isinstance(value, float):
        value = int(value)
    one = number and type(value) is not bool and value == 1
    factor = None if one else as_operand(value, kind)._array
    return _fused(core, tuple([as_operand(x, kind) for x in tensors]), factor)


@public(inplace=True)
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """input + value · tensor1 · tensor2, with broadcasting and promotion. Source: PyTorch's `torch.addcmul`."""
    if type(value) is float and _ready(input, tensor1, tensor2):
        return _fused(_addcmul, (input, tensor1, tensor2), np.array(value, input._array.dtype))
    if common_type(input, tensor1, tensor2).kind == "b":
        raise refused("addcmul_cpu_out", input._array.dtype)
    return _three(_addcmul, (input, tensor1, tensor2), value)


@public(inplace=True)
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """input + value · tensor1 / tensor2, with broadcasting and promotion.

    Errors: RuntimeError for a quotient of whole numbers. Source: PyTorch's `torch.addcdiv`.
    """
    if type(value) is float and _ready(input, tensor1, tensor2):
        return _fused(_addcdiv, (input, tensor1, tensor2), np.array(value, input._array.dtype))
    if common_type(tensor1, tensor2).kind in "biu":
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported: use "
            "input + value * torch.trunc(tensor1 / tensor2), or make tensor1 or tensor2 floating"
        )
    return _three(_addcdiv, (input, tensor1, tensor2), value)
