"""Elementwise operations: arithmetic, comparison, choice, casts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .graph import Builder, NoTranslation, Wire
from .table import kernel, numpy, numpy_calls, row, rows

__all__: list[str] = []

# ---- one operand -----------------------------------------------------------------------------------------------------
_UNARY = {
    "absolute": "Abs", "negative": "Neg", "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "sin": "Sin", "cos": "Cos",
    "tan": "Tan", "arcsin": "Asin", "arccos": "Acos", "arctan": "Atan", "sinh": "Sinh", "cosh": "Cosh",
    "arcsinh": "Asinh", "arccosh": "Acosh", "arctanh": "Atanh", "tanh": "Tanh", "floor": "Floor", "ceil": "Ceil",
    "rint": "Round", "sign": "Sign", "reciprocal": "Reciprocal", "isnan": "IsNaN", "isinf": "IsInf",
    "logical_not": "Not",
}  # fmt: skip
_UNARY_ROWS = {"sigmoid": "Sigmoid", "erf": "Erf", "reciprocal": "Reciprocal", "sign": "Sign", "sgn": "Sign"}


def _unary(op: str) -> Any:
    def translation(b: Builder, x: Any, *_: Any, **options: Any) -> Wire:
        kind = x.dtype
        if op == "Not":
            kind = np.dtype(bool)
        elif op not in ("Abs", "Neg", "Sign", "IsNaN", "IsInf"):
            kind = b.outs[0][1]
        if op in ("IsNaN", "IsInf") and x.dtype.kind not in "f":
            return b.expand(b.constant(False), x.shape)
        if kind.kind != "f" and op in ("Floor", "Ceil", "Round"):
            return x
        out: Wire = b.op(op, b.cast(x, kind))
        out.dtype = np.dtype(bool) if op in ("Not", "IsNaN", "IsInf") else kind
        return out

    return translation


for _name, _op in _UNARY.items():
    numpy_calls[_name] = _unary(_op)
for _name, _op in _UNARY_ROWS.items():
    rows[_name] = _unary(_op)


def _of_float(b: Builder, x: Wire) -> Wire:
    return b.cast(x, b.outs[0][1])


@numpy("square")
def _square(b: Builder, x: Wire, **_: Any) -> Wire:
    return b.op("Mul", x, x)


@numpy("positive", "copy", "conjugate", "conj", "ascontiguousarray", "real", "_real", "asarray", "array")
@kernel("clone", "copy")
def _same(b: Builder, x: Wire, *_: Any, **__: Any) -> Wire:
    if isinstance(x, Wire) and x.dtype.kind == "c":
        raise NoTranslation("ONNX has no complex numbers")
    return x if isinstance(x, Wire) else b.constant(x)


@row("clone", "clone_in")
def _clone(b: Builder, x: Wire, *_: Any) -> Wire:
    return x


@row("rsqrt")
def _rsqrt(b: Builder, x: Wire) -> Wire:
    return b.op("Reciprocal", b.op("Sqrt", _of_float(b, x)))


@numpy("exp2")
def _exp2(b: Builder, x: Wire, **_: Any) -> Wire:
    x = _of_float(b, x)
    return b.op("Pow", b.constant(2, x.dtype), x)


@numpy("expm1")
def _expm1(b: Builder, x: Wire, **_: Any) -> Wire:
    """exp(x) - 1 where that is exact enough; near 0, where it cancels, 2 tanh(x/2) / (1 - tanh(x/2))."""
    x = _of_float(b, x)
    one, half = b.constant(1, x.dtype), b.constant(0.5, x.dtype)
    t = b.op("Tanh", b.op("Mul", x, half))
    near = b.op("Div", b.op("Add", t, t), b.op("Sub", one, t))
    return b.op("Where", b.test("Less", b.op("Abs", x), half), near, b.op("Sub", b.op("Exp", x), one))


@numpy("log1p")
def _log1p(b: Builder, x: Wire, **_: Any) -> Wire:
    """log(u) x / (u - 1) for u = 1 + x: the rounding of u cancels. (Source: Kahan, in the HP-15C's handbook.)"""
    x = _of_float(b, x)
    one = b.constant(1, x.dtype)
    u = b.op("Add", x, one)
    difference = b.op("Sub", u, one)
    far = b.test("Equal", difference, b.constant(0, x.dtype))
    infinite = b.test("IsInf", u)
    ratio = b.op("Div", x, b.op("Where", far, one, difference))
    right = b.op("Mul", b.op("Log", u), ratio)
    return b.op("Where", infinite, u, b.op("Where", far, x, right))


def _log_by(base: float) -> Any:
    def translation(b: Builder, x: Wire, **_: Any) -> Wire:
        x = _of_float(b, x)
        return b.op("Div", b.op("Log", x), b.constant(math.log(base), x.dtype))

    return translation


numpy_calls["log2"], numpy_calls["log10"] = _log_by(2), _log_by(10)


@row("deg2rad", "rad2deg")
def _in_other_angles(b: Builder, x: Wire) -> Wire:
    x = _of_float(b, x)
    return b.op("Mul", x, b.constant(math.pi / 180 if b.what == "deg2rad" else 180 / math.pi, x.dtype))


@numpy("trunc")
def _trunc(b: Builder, x: Wire, **_: Any) -> Wire:
    return x if x.dtype.kind != "f" else b.op("Mul", b.op("Sign", x), b.op("Floor", b.op("Abs", x)))


@numpy("isfinite")
def _isfinite(b: Builder, x: Wire, **_: Any) -> Wire:
    return b.test("Not", b.test("Or", b.test("IsNaN", x), b.test("IsInf", x)))


@numpy("signbit")
def _signbit(b: Builder, x: Wire, **_: Any) -> Wire:
    return b.test("Less", x, b.constant(0, x.dtype))


# ---- two operands ----------------------------------------------------------------------------------------------------
_BINARY = {
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "true_divide": "Div", "maximum": "Max",
    "minimum": "Min", "bitwise_and": "BitwiseAnd", "bitwise_or": "BitwiseOr", "bitwise_xor": "BitwiseXor",
}  # fmt: skip
_OF_BOOLS = {"Add": "Or", "Mul": "And", "Max": "Or", "Min": "And", "BitwiseAnd": "And", "BitwiseOr": "Or",
             "BitwiseXor": "Xor"}  # fmt: skip
_COMPARISONS = {"equal": "Equal", "less": "Less", "greater": "Greater", "less_equal": "LessOrEqual",
                "greater_equal": "GreaterOrEqual"}  # fmt: skip
_LOGICAL = {"logical_and": "And", "logical_or": "Or", "logical_xor": "Xor"}


def common(*values: Any) -> np.dtype[Any]:
    """The type that wires, arrays and numbers have together."""
    return np.result_type(*[np.empty(1, x.dtype) if isinstance(x, Wire) else x for x in values])


def _binary(op: str) -> Any:
    def translation(b: Builder, x: Any, y: Any, **_: Any) -> Wire:
        kind = b.outs[0][1]
        return b.op(_OF_BOOLS.get(op, op) if kind.kind == "b" else op, b.wire(x, kind), b.wire(y, kind))

    return translation


def _comparison(op: str) -> Any:
    def translation(b: Builder, x: Any, y: Any, **_: Any) -> Wire:
        kind = common(x, y)
        if kind.kind == "b" and op != "Equal":
            kind = np.dtype(np.int32)
        return b.test(op, b.wire(x, kind), b.wire(y, kind))

    return translation


def _logical(op: str) -> Any:
    def translation(b: Builder, x: Any, y: Any, **_: Any) -> Wire:
        return b.test(op, b.wire(x, bool), b.wire(y, bool))

    return translation


for _name, _op in _BINARY.items():
    numpy_calls[_name] = _binary(_op)
for _name, _op in _COMPARISONS.items():
    numpy_calls[_name] = _comparison(_op)
for _name, _op in _LOGICAL.items():
    numpy_calls[_name] = _logical(_op)


@numpy("not_equal")
def _not_equal(b: Builder, x: Any, y: Any, **_: Any) -> Wire:
    kind = common(x, y)
    return b.test("Not", b.test("Equal", b.wire(x, kind), b.wire(y, kind)))


@numpy("invert")
def _invert(b: Builder, x: Wire, **_: Any) -> Wire:
    return b.test("Not", x) if x.dtype == bool else b.op("BitwiseNot", x)


@numpy("left_shift", "right_shift")
def _shift(b: Builder, x: Any, y: Any, **_: Any) -> Wire:
    """By multiplying with, or dividing by, a power of two: ONNX shifts unsigned numbers alone."""
    kind = b.outs[0][1]
    power = b.cast(b.op("Pow", b.constant(2, np.float64), b.wire(y, np.float64)), kind)
    if b.what == "left_shift":
        return b.op("Mul", b.wire(x, kind), power)
    return _floor_divide(b, x, power)


@numpy("power", "float_power")
def _power(b: Builder, x: Any, y: Any, **_: Any) -> Wire:
    kind = b.outs[0][1]
    return b.op("Pow", b.wire(x, kind), b.wire(y, kind))


@row("pow_number")
def _pow_number(b: Builder, x: Wire, n: Any) -> Wire:
    if n == 2:
        return b.op("Mul", x, x)
    return b.op("Pow", b.cast(x, b.outs[0][1]), b.constant(n, b.outs[0][1]))


@row("pow")
def _pow(b: Builder, x: Wire, y: Wire) -> Wire:
    return _power(b, x, y)


@numpy("floor_divide")
def _floor_divide(b: Builder, x: Any, y: Any, **_: Any) -> Wire:
    kind = b.outs[0][1]
    x, y = b.wire(x, kind), b.wire(y, kind)
    if kind.kind == "f":
        return b.op("Floor", b.op("Div", x, y))
    # Div of whole numbers rounds towards zero: one less where there is a rest and the signs differ.
    return b.op("Div", b.op("Sub", x, b.op("Mod", x, y)), y)


@row("trunc_divide")
def _trunc_divide(b: Builder, x: Wire, y: Wire) -> Wire:
    out: Wire = b.op("Div", x, y)
    return _trunc(b, out)


@numpy("remainder", "mod")
@row("remainder")
def _remainder(b: Builder, x: Any, y: Any, **_: Any) -> Wire:
    """With the sign of the divisor; of floats by way of the quotient's floor, as ONNX' Mod has the dividend's."""
    kind = b.outs[0][1]
    x, y = b.wire(x, kind), b.wire(y, kind)
    if kind.kind != "f":
        return b.op("Mod", x, y)
    rest = b.op("Mod", x, y, fmod=1)
    wrong = b.test("Less", b.op("Mul", b.op("Sign", rest), b.op("Sign", y)), b.constant(0, kind))
    return b.op("Where", wrong, b.op("Add", rest, y), rest)


@numpy("fmod")
def _fmod(b: Builder, x: Any, y: Any, **_: Any) -> Wire:
    kind = b.outs[0][1]
    return b.op("Mod", b.wire(x, kind), b.wire(y, kind), fmod=1)


@row("atan2")
def _atan2(b: Builder, y: Wire, x: Wire) -> Wire:
    """The arctangent of y / x, moved by π where x is negative."""
    kind = y.dtype
    zero, pi = b.constant(0, kind), b.constant(math.pi, kind)
    quotient = b.op("Atan", b.op("Div", y, x))
    turn = b.op("Where", b.test("Less", y, zero), b.op("Neg", pi), pi)
    moved = b.op("Where", b.test("Less", x, zero), b.op("Add", quotient, turn), quotient)
    both_zero = b.test("And", b.test("Equal", x, zero), b.test("Equal", y, zero))
    return b.op("Where", both_zero, zero, moved)


@numpy("fmax", "fmin")
@row("fmax", "fmin")
def _fmax(b: Builder, x: Any, y: Any, **_: Any) -> Wire:
    kind = b.outs[0][1]
    x, y = b.wire(x, kind), b.wire(y, kind)
    out: Wire = b.op("Max" if b.what == "fmax" else "Min", x, y)
    if kind.kind != "f":
        return out
    return b.op("Where", b.test("IsNaN", x), y, b.op("Where", b.test("IsNaN", y), x, out))


@numpy("logaddexp")
@row("logaddexp")
def _logaddexp(b: Builder, x: Any, y: Any, **_: Any) -> Wire:
    kind = b.outs[0][1]
    x, y = b.wire(x, kind), b.wire(y, kind)
    gap = b.op("Neg", b.op("Abs", b.op("Sub", x, y)))
    return b.op("Add", b.op("Max", x, y), _log1p(b, b.op("Exp", gap)))


@numpy("copysign")
def _copysign(b: Builder, x: Any, y: Any, **_: Any) -> Wire:
    kind = b.outs[0][1]
    size = b.op("Abs", b.wire(x, kind))
    return b.op("Where", b.test("Less", b.wire(y, kind), b.constant(0, kind)), b.op("Neg", size), size)


@numpy("hypot")
def _hypot(b: Builder, x: Any, y: Any, **_: Any) -> Wire:
    kind = b.outs[0][1]
    x, y = b.wire(x, kind), b.wire(y, kind)
    return b.op("Sqrt", b.op("Add", b.op("Mul", x, x), b.op("Mul", y, y)))


# ---- choice, casts ---------------------------------------------------------------------------------------------------
@numpy("where")
@row("where")
def _where(b: Builder, mask: Wire, x: Any, y: Any) -> Wire:
    kind = b.outs[0][1]
    return b.op("Where", b.wire(mask, bool), b.wire(x, kind), b.wire(y, kind))


@row("masked")
def _masked(b: Builder, x: Wire, mask: Wire) -> Wire:
    return b.op("Where", mask, x, b.constant(0, x.dtype))


@numpy("clip")
@row("clamp")
def _clip(b: Builder, x: Wire, low: Any = None, high: Any = None, **_: Any) -> Wire:
    kind = b.outs[0][1]
    bounds = [None if v is None else b.wire(v, kind) for v in (low, high)]
    if all(v is None or v.shape == () for v in bounds):
        return b.op("Clip", b.cast(x, kind), *bounds)
    for op, bound in zip(("Max", "Min"), bounds):
        x = x if bound is None else b.op(op, x, bound)
    return x


@numpy("astype")
@row("to_copy")
def _astype(b: Builder, x: Wire, kind: Any = None, *_: Any, **named: Any) -> Wire:
    kind = np.dtype(named.get("dtype", kind))
    if "c" in (x.dtype.kind, kind.kind):
        raise NoTranslation("ONNX has no complex numbers")
    return b.cast(x, kind)


@numpy("round", "around")
@row("round")
def _round(b: Builder, x: Wire, decimals: int = 0, *_: Any) -> Wire:
    if x.dtype.kind != "f":
        return x
    if not decimals:
        return b.op("Round", x)
    scale = b.constant(10.0**decimals, x.dtype)
    return b.op("Div", b.op("Round", b.op("Mul", x, scale)), scale)


@row("nan_to_num")
def _nan_to_num(b: Builder, x: Wire, nan: Any, posinf: Any, neginf: Any) -> Wire:
    if x.dtype.kind != "f":
        return x
    limits = np.finfo(x.dtype)
    values = [0 if nan is None else nan, limits.max if posinf is None else posinf,
              limits.min if neginf is None else neginf]  # fmt: skip
    for value, test in zip(values, ({}, {"detect_negative": 0}, {"detect_positive": 0})):
        found = b.test("IsInf", x, **test) if test else b.test("IsNaN", x)
        x = b.op("Where", found, b.constant(value, x.dtype), x)
    return x
