"""Products of vectors, matrices and higher tensors: matmul and its kin, linear, tensordot."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...op import apply, cast, implements, public, quiet, row, rows, shape_mismatch, type_name
from ...tensor import Tensor, check_dim, method, wrap
from ..reduction.sums import ones_of

__all__ = [
    "bmm", "dot", "ger", "inner", "matmul", "mm", "mv", "outer", "tensordot", "vdot",
]  # fmt: skip


def _turned(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


_mm = row("mm", quiet(lambda x, y: x @ y), x=lambda g, y: g @ y.T, y=lambda g, x: x.T @ g)
_bmm = row(
    "bmm", quiet(lambda x, y: np.matmul(x, y)), broadcasts=True, x=lambda g, y: np.matmul(g, _turned(y)),
    y=lambda g, x: np.matmul(_turned(x), g),
)  # fmt: skip
_mv = row("mv", quiet(lambda x, y: x @ y), x=lambda g, y: np.expand_dims(g, -1) * y, y=lambda g, x: x.T @ g)
_dot = row("dot", quiet(lambda x, y: np.dot(x, y)), x=lambda g, y: g * y, y=lambda g, x: g * x)


def _check_types(x: Tensor, y: Tensor, kernel: str = "addmm_impl_cpu_") -> None:
    a, b = x._array.dtype, y._array.dtype
    if a is not b and a != b:
        if kernel == "bmm":
            raise RuntimeError(f"expected scalar type {type_name(a)} but found {type_name(b)}")
        if kernel == "addmv_impl_cpu":
            raise RuntimeError(
                f"addmv input tensors must have the same dtype, but got {type_name(b)}, {type_name(a)}, and "
                f"{type_name(b)}"
            )
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {c_type(a)} != {c_type(b)}")
    if a.kind == "b":
        raise NotImplementedError(f"\"{kernel}\" not implemented for 'Bool'")


def c_type(kind: np.dtype[Any]) -> str:
    """The name that a type has in C++, for the messages that use it."""
    name = type_name(kind)
    return {"Half": "c10::Half", "ComplexFloat": "c10::complex<float>", "ComplexDouble": "c10::complex<double>",
            "Byte": "unsigned char", "Char": "signed char", "Short": "short int",
            "Long": "long int"}.get(name, name.lower())  # fmt: skip


HALVES = "eE"  # float16 and, from ml_dtypes, bfloat16


def _times(product: Any, x: Any, y: Any) -> Any:
    """The product of two of one type; of float16 and bfloat16 by way of float32, for which there is BLAS."""
    if x._array.dtype.char not in HALVES:
        return product(x, y)
    wide = np.dtype(np.float32)
    return cast(product(cast(x, wide), cast(y, wide)), x._array.dtype)


def _by(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


@public
def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices, (n, k) · (k, m) → (n, m).

    Errors: RuntimeError with both shapes if they do not fit. Source: PyTorch's `torch.mm`.
    """
    if input._array.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if mat2._array.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    _check_types(input, mat2)
    if input._array.shape[1] != mat2._array.shape[0]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({_by(input._array.shape)} and {_by(mat2._array.shape)})"
        )
    return _times(_mm, input, mat2)


@public
def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """Products of matrices pair by pair, (b, n, k) · (b, k, m) → (b, n, m). Source: PyTorch's `torch.bmm`."""
    a, b = input._array.shape, mat2._array.shape
    if len(a) != 3 or len(b) != 3:
        raise RuntimeError("batch1 must be a 3D tensor" if len(a) != 3 else "batch2 must be a 3D tensor")
    _check_types(input, mat2, "bmm")
    if a[0] != b[0] or a[2] != b[1]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{a[0]}, {a[2]}] but got: [{b[0]}, "
            f"{b[1]}]."
        )
    return _times(_bmm, input, mat2)


@public
def mv(input: Tensor, vec: Tensor) -> Tensor:
    """A matrix times a vector, (n, k) · (k) → (n). Source: PyTorch's `torch.mv`."""
    a, b = input._array.shape, vec._array.shape
    if len(a) != 2 or len(b) != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got 1, {len(a)}, {len(b)}")
    _check_types(input, vec, "addmv_impl_cpu")
    if a[1] != b[0]:
        raise RuntimeError(f"size mismatch, got input ({a[0]}), mat ({_by(a)}), vec ({b[0]})")
    return _times(_mv, input, vec)


@public
def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """Σ xᵢ yᵢ of two vectors. Source: PyTorch's `torch.dot`."""
    if input._array.ndim != 1 or tensor._array.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {input._array.ndim}D and {tensor._array.ndim}D tensors")
    if input._array.dtype != tensor._array.dtype:
        raise RuntimeError(
            f"dot : expected both vectors to have same dtype, but found {type_name(input._array.dtype)} and "
            f"{type_name(tensor._array.dtype)}"
        )
    if input._array.size != tensor._array.size:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{input._array.size}] and src [{tensor._array.size}] to have "
            f"the same number of elements, but got {input._array.size} and {tensor._array.size} elements respectively"
        )
    if input._array.dtype.kind == "b":
        raise NotImplementedError("\"dot\" not implemented for 'Bool'")
    return _dot(input, tensor)


@public
def vdot(input: Tensor, other: Tensor) -> Tensor:
    """Σ conj(xᵢ) yᵢ of two vectors. Source: PyTorch's `torch.vdot`."""
    return dot(np.conjugate(input) if input._array.dtype.kind == "c" else input, other)


@public
def matmul(input: Tensor, other: Tensor) -> Tensor:
    """Matrix product of the last two dimensions, the ones before broadcast; vectors as rows or columns.

    Errors: RuntimeError with both shapes if they do not fit. Source: PyTorch's `torch.matmul`.

    >>> from mini_torch import ones
    >>> (ones(4, 2, 3) @ ones(3, 5)).shape
    torch.Size([4, 2, 5])
    """
    a, b = input._array.shape, other._array.shape
    if not a or not b:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {len(a)}D and {len(b)}D"
        )
    if len(a) == 2 == len(b):
        return mm(input, other)
    if len(a) == 1 == len(b):
        return dot(input, other)
    if len(a) == 2 and len(b) == 1:
        return mv(input, other)
    _check_types(input, other, "bmm")
    if len(a) == 1:
        return np.squeeze(matmul(np.expand_dims(input, 0), other), -2)
    if len(b) == 1:
        return np.squeeze(matmul(input, np.expand_dims(other, 1)), -1)
    if a[-1] != b[-2]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({_by((math.prod(a[:-1]), a[-1]))} and {_by(b[-2:])})"
            if len(b) == 2 else
            f"Expected size for first two dimensions of batch2 tensor to be: [{math.prod(b[:-2])}, {a[-1]}] but got: "
            f"[{math.prod(b[:-2])}, {b[-2]}] (shapes {list(a)} and {list(b)})"
        )  # fmt: skip
    if len(b) == 2:  # one large product beats many small ones
        flat: Any = np.reshape(_times(_mm, np.reshape(input, (math.prod(a[:-1]), a[-1])), other), (*a[:-1], b[-1]))
        return flat
    try:
        return _times(_bmm, input, other)
    except ValueError:
        raise shape_mismatch(a[:-2], b[:-2]) from None


method("__matmul__", lambda self, other: matmul(self, other if isinstance(other, Tensor) else wrap(other)))
method("__rmatmul__", lambda self, other: matmul(other if isinstance(other, Tensor) else wrap(other), self))
implements(np.matmul)(lambda x, y: matmul(*(v if isinstance(v, Tensor) else wrap(v) for v in (x, y))))


@implements(np.dot)
def _numpy_dot(a: Tensor, b: Tensor, out: Any = None) -> Tensor:
    if not a.ndim or not b.ndim:
        return a * b
    return matmul(a, b) if b.ndim < 3 else tensordot(a, b, ([-1], [-2]))


# ---- linear ----------------------------------------------------------------------------------------------------------
def _rows(x: Any) -> Any:
    """All but the last dimension as one."""
    return x if len(x.shape) == 2 else np.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def _product(x: Any, w: Any) -> Any:
    """x w of matrices. `np.dot` gets to BLAS sooner than `@`, and also where there is a single row or a single number
    in each, which `@` multiplies by itself, six times as slowly; but it clears the result first."""
    return np.dot(x, w) if len(x) < 32 or len(w) == 1 else x @ w


def _rows_times(x: Any, w: Any) -> Any:
    """x w for x (*, k) and w (k, n): one large product beats many small ones, and a row a vector."""
    return _product(x, w) if len(x.shape) == 2 else np.reshape(_product(_rows(x), w), (*x.shape[:-1], w.shape[-1]))


def rows_product(g: Any, x: Any) -> Any:
    """gᵀ x of rows g (R, n) and x (R, k)."""
    return _product(g.T, x)


def _weight_rule(g: Any, x: Any) -> Any:
    return _product(g.T, x) if len(x.shape) == 2 else rows_product(_rows(g), _rows(x))


def _column_sums(x: Any) -> Any:
    n = len(x)
    return np.dot((ones_of if n <= 4096 else np.ones)(n, x.dtype), x)  # BLAS: half the time of np.add.reduce(x, 0)


column_sums = row("column_sums", _column_sums, x=lambda g, shape: np.broadcast_to(g, shape))


def linear_forward(x: Any, weight: Any, bias: Any) -> Any:
    """x Wᵀ + b in NumPy."""
    out = _rows_times(x, weight.T)
    if bias.ndim != 1 or bias.dtype is not out.dtype:
        return out + bias
    single = out.shape[0] == 1 and out.ndim == 2  # NumPy adds twice as fast what need not be spread
    return np.add(out, bias[None] if single else bias, out=out)


row(
    "linear", quiet(linear_forward), grad_name="AddmmBackward0",
    x=lambda g, weight: _rows_times(g, weight), weight=_weight_rule, bias=lambda g: column_sums(_rows(g)),
)  # fmt: skip
_LINEAR = rows["linear"]
_linear_no_bias = row(
    "linear_no_bias", quiet(lambda x, weight: _rows_times(x, weight.T)), grad_name="MmBackward0",
    x=lambda g, weight: _rows_times(g, weight), weight=_weight_rule,
)  # fmt: skip


@public(method=False)
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x Wᵀ + b: input (*, k), weight (n, k), bias (n) → (*, n). Source: PyTorch's `nn.functional.linear`."""
    try:  # the happy path costs nothing; what went wrong is found out afterwards
        kind = weight._array.dtype
        if kind is input._array.dtype and kind.char not in HALVES and weight._array.ndim == 2 and input._array.ndim:
            if bias is None:
                return _linear_no_bias(input, weight)
            return apply(_LINEAR, (input, weight, bias))
    except ValueError:
        pass
    return _linear_slow(input, weight, bias)


def _linear_slow(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    if input._array.dtype != weight._array.dtype:
        names = f"{type_name(input._array.dtype)} and {type_name(weight._array.dtype)}"
        raise RuntimeError(f"mat1 and mat2 must have the same dtype, but got {names}")
    if input._array.dtype.char in HALVES and weight.ndim == 2:  # rounded once, the bias included
        wide = [x if x is None else cast(x, np.dtype(np.float32)) for x in (input, weight, bias)]
        return cast(linear(*wide), input._array.dtype)
    out = matmul(input, weight.T if weight.ndim == 2 else weight)
    return out if bias is None else out + bias


# ---- other products --------------------------------------------------------------------------------------------------
@public(aliases=("ger",))
def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """All products xᵢ yⱼ of two vectors. Source: PyTorch's `torch.outer`."""
    if input.ndim != 1 or vec2.ndim != 1:
        name, x = ("self", input) if input.ndim != 1 else ("vec2", vec2)
        raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {x.ndim}-D")
    return input.unsqueeze(1) * vec2


ger = outer
implements(np.outer)(lambda a, b, out=None: outer(a, b))


@public
def inner(input: Tensor, other: Tensor) -> Tensor:
    """Sums of products over the last dimensions. Source: PyTorch's `torch.inner`."""
    if not input.ndim or not other.ndim:
        return input * other
    if input._array.shape[-1] != other._array.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    if input._array.ndim == 1 == other._array.ndim and input._array.dtype.kind == "b":
        return dot(input, other)
    return tensordot(input, other, ([-1], [-1]))


@public(method=False)
def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Sums of products over pairs of dimensions: last/first `dims`, or two lists. PyTorch's `torch.tensordot`."""
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if a._array.dtype != b._array.dtype:
        raise RuntimeError("both inputs should have same dtype")
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.ndim, b.ndim):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        left, right = list(range(a.ndim - dims, a.ndim)), list(range(dims))
    else:
        left, right = (
            [check_dim(d, x.ndim) for d in ([ds] if isinstance(ds, int) else ds)] for ds, x in zip(dims, (a, b))
        )
        if len(left) != len(right):
            raise RuntimeError("both dimension lists should have same length")
        for chosen in (left, right):
            for d in chosen:
                if chosen.count(d) > 1:
                    raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    for i, j in zip(left, right):
        if 1 in (a._array.shape[i], b._array.shape[j]):  # a single element meets the sum of the others
            a, b = (np.sum(x, axis=d, keepdims=True) if x._array.shape[d] != 1 else x for x, d in ((a, i), (b, j)))
        if a._array.shape[i] != b._array.shape[j]:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a._array.shape[i]} in dim {i} and second "
                f"has size {b._array.shape[j]} in dim {j}"
            )
    keep_a, keep_b = ([d for d in range(x.ndim) if d not in ds] for x, ds in ((a, left), (b, right)))
    size = math.prod(a._array.shape[i] for i in left)
    x = np.reshape(
        np.transpose(a, (*keep_a, *left)), (-1, size) if size else (math.prod(a._array.shape[i] for i in keep_a), 0)
    )
    y = np.reshape(
        np.transpose(b, (*right, *keep_b)), (size, -1) if size else (0, math.prod(b._array.shape[i] for i in keep_b))
    )
    shape = [a._array.shape[i] for i in keep_a] + [b._array.shape[i] for i in keep_b]
    return mm(x, y).reshape(tuple(shape))


implements(np.tensordot)(lambda a, b, axes=2: tensordot(a, b, axes))
