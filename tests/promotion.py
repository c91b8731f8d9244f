"""The result types of operations on tensors and numbers of all types, in a library with PyTorch's API."""

from __future__ import annotations

import itertools
from types import ModuleType
from typing import Any

TYPES = [
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]
NUMBERS = [True, 2, 2.5, 2j]
BINARY = [
    "add",
    "sub",
    "mul",
    "div",
    "pow",
    "floor_divide",
    "remainder",
    "maximum",
    "eq",
    "lt",
    "bitwise_and",
]
UNARY = [
    "neg", "abs", "exp", "sqrt", "sin", "sigmoid", "square", "sign", "floor", "reciprocal", "relu",
    "sum", "prod", "mean", "cumsum", "std", "norm", "max", "argmax", "softmax", "logical_not", "isnan", "any",
]  # fmt: skip
NEEDS_DIM = {"cumsum", "softmax"}


def result_type(function: Any, *args: Any) -> str:
    try:
        out = function(*args)
    except (RuntimeError, TypeError) as error:
        return type(error).__name__
    out = out[0] if isinstance(out, tuple) else out
    return str(out.dtype).removeprefix("torch.")


def table(torch: ModuleType) -> dict[str, list[str]]:
    """Result types, per operation, in the order in which these loops make them."""
    dtypes = [getattr(torch, name) for name in TYPES]
    pairs = list(itertools.product(dtypes, repeat=2))
    of_dims = {dims: [torch.ones([2] * dims, dtype=t) for t in dtypes] for dims in (0, 1)}
    columns = {"promote_types": [str(torch.promote_types(a, b)).removeprefix("torch.") for a, b in pairs]}
    columns["can_cast"] = [str(torch.can_cast(a, b)) for a, b in pairs]
    for name in BINARY:
        function = getattr(torch, name)
        for a, b in itertools.product((0, 1), repeat=2):
            operands = itertools.product(of_dims[a], of_dims[b])
            columns[f"{name} {a}-d {b}-d"] = [result_type(function, x, y) for x, y in operands]
        if name != "maximum":
            for dims, number in itertools.product((0, 1), NUMBERS):
                columns[f"{name} {dims}-d {number}"] = [
                    result_type(function, x, number) for x in of_dims[dims]
                ]
    for name in UNARY:
        more = [0] if name in NEEDS_DIM else []
        columns[name] = [result_type(getattr(torch, name), x, *more) for x in of_dims[1]]
    return columns
