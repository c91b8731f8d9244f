"""The result types of operations on tensors and numbers of all types, in a library with PyTorch's API."""

from __future__ import annotations

import itertools
from operator import attrgetter
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
    "add", "sub", "rsub", "mul", "div", "true_divide", "pow", "float_power", "floor_divide", "remainder", "fmod",
    "maximum", "minimum", "fmax", "fmin", "atan2", "hypot", "copysign", "nextafter", "logaddexp", "logaddexp2", "xlogy",
    "heaviside", "gcd", "lcm", "ldexp", "igamma", "special.xlog1py", "special.zeta",
    "eq", "ne", "lt", "le", "gt", "ge", "isclose", "logical_and", "logical_or", "logical_xor",
    "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift",
]  # fmt: skip
IN_PLACE = ["add_", "sub_", "mul_", "div_", "pow_", "floor_divide_", "remainder_", "fmod_", "eq_", "lt_", "atan2_",
            "copysign_", "xlogy_", "bitwise_and_", "logical_or_"]  # fmt: skip
OF_TENSORS = {"maximum", "minimum", "fmax", "fmin", "hypot", "nextafter", "logaddexp", "logaddexp2", "heaviside", "gcd",
              "lcm", "igamma", "isclose", "atan2", "logical_and", "logical_or", "logical_xor"}  # fmt: skip
UNARY = [
    "neg", "abs", "exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "sqrt", "rsqrt", "square", "reciprocal",
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "sinc", "erf",
    "erfc", "erfinv", "lgamma", "digamma", "i0", "sigmoid", "logit", "sign", "sgn", "signbit", "floor", "ceil", "round",
    "trunc", "frac", "relu", "angle", "real", "conj", "positive", "deg2rad", "rad2deg", "nan_to_num", "bitwise_not",
    "logical_not", "isnan", "isinf", "isfinite", "isposinf", "isneginf", "isreal", "special.entr", "special.ndtr",
    "sum", "nansum", "prod", "mean", "nanmean", "std", "var", "norm", "max", "min", "amax", "amin", "argmax", "argmin",
    "any", "all", "count_nonzero", "median", "logsumexp", "cumsum", "cumprod", "cummax", "logcumsumexp", "softmax",
    "log_softmax", "sort", "argsort", "diff", "trace", "tril", "histc", "bincount", "unique", "cov",
    "nn.functional.relu6", "nn.functional.elu", "nn.functional.gelu", "nn.functional.silu", "nn.functional.softplus",
    "nn.functional.hardtanh", "nn.functional.hardswish", "nn.functional.leaky_relu", "nn.functional.softsign",
    "fft.fft", "fft.rfft", "fft.ifft",
]  # fmt: skip
NEEDS_DIM = {"cumsum", "cumprod", "cummax", "logcumsumexp", "logsumexp", "softmax", "log_softmax"}
MATRICES = {"trace", "tril"}


def result_type(function: Any, *args: Any) -> str:
    try:
        out = function(*args)
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
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
        function = attrgetter(name)(torch)
        for a, b in itertools.product((0, 1), repeat=2):
            operands = itertools.product(of_dims[a], of_dims[b])
            columns[f"{name} {a}-d {b}-d"] = [result_type(function, x, y) for x, y in operands]
        for dims, number in itertools.product((0, 1), NUMBERS if name not in OF_TENSORS else []):
            columns[f"{name} {dims}-d {number}"] = [result_type(function, x, number) for x in of_dims[dims]]
    for name in IN_PLACE:
        function = getattr(torch.Tensor, name)
        numbers = NUMBERS if name[:-1] not in OF_TENSORS else []
        pairs = itertools.product(of_dims[1], [*of_dims[0], *of_dims[1], *numbers])
        columns[name] = [result_type(function, x.clone(), y) for x, y in pairs]
    for name in UNARY:
        more = [0] if name in NEEDS_DIM else []
        tensors = [x.reshape(1, 2) if name in MATRICES else x for x in of_dims[1]]
        columns[name] = [result_type(attrgetter(name)(torch), x, *more) for x in tensors]
    return columns
