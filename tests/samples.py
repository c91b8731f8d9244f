"""One line per use of an operation: expressions for PyTorch and mini_torch alike, and their inputs.

From each line follow, in `test_table.py`: values, gradients and second gradients against those recorded from
PyTorch, `gradcheck` and `gradgradcheck`, types kept, strided, 0-d and empty inputs. `torch` is the library
under test, `F` its `nn.functional`; the other names are the inputs in SHAPES and CONSTANTS. After a new line
run `tests/record.py`.
"""

from __future__ import annotations

import ast
from types import ModuleType
from typing import Any
from zlib import crc32

import numpy as np

A, B, C = 3, 4, 5
SHAPES = {
    "x": (A, B), "y": (A, B), "z": (A, B),  # any numbers
    "p": (A, B), "q": (A, B),  # 0.5 to 2
    "u": (A, B),  # -0.9 to 0.9
    "prob": (A, B),  # 0.1 to 0.9
    "row": (B,), "column": (A, 1), "scalar": (),  # these broadcast with the above
    "m": (A, B), "n": (B, C), "v": (B,), "w": (C, B), "bias": (C,), "v2": (C,),
    "bm": (2, A, B), "bn": (2, B, C), "cube": (2, A, B), "square": (A, A),
    "zeros": (A, B),  # 0 here and there
    "ties": (A, B),  # small whole numbers
}  # fmt: skip
CONSTANTS = {
    "mask": np.arange(A * B).reshape(A, B) % 3 == 0,
    "rows": np.array([0, 2, 0]),
    "columns": np.array([1, 1, 3]),
    "grid": np.array([[0, 2], [2, 1]]),
    "picks": np.array([[0, 1, 1, 0], [2, 2, 0, 1]]),
    "target": np.array([1, 3, 0]),
    "soft": np.array([[0.1, 0.2, 0.3, 0.4], [0.25, 0.25, 0.25, 0.25], [1.0, 0.0, 0.0, 0.0]]),
    "binary": np.arange(A * B).reshape(A, B) % 2.0,
    "weight": np.array([0.5, 1.0, 2.0, 1.5]),
}
POSITIVE, INSIDE, PROBABILITY = ("p", "q"), ("u",), ("prob",)


def make(name: str, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """The float64 input called `name`, in any shape."""
    rng = np.random.default_rng(crc32(name.encode()))
    if name in POSITIVE:
        return rng.uniform(0.5, 2, shape)
    if name in INSIDE:
        return rng.uniform(-0.9, 0.9, shape)
    if name in PROBABILITY:
        return rng.uniform(0.1, 0.9, shape)
    values = rng.standard_normal(shape)
    if name == "ties":
        return np.asarray(np.round(values) + 0.0)
    if name == "zeros":
        return np.where(np.arange(values.size).reshape(shape) % 5 == 0, 0.0, values)
    return values


def names_in(code: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}


VARIANTS = ("", "strided", "0-d", "empty")


def inputs_of(code: str, variant: str = "") -> dict[str, np.ndarray[Any, Any]]:
    """The differentiable inputs of a line: as in SHAPES, strided in memory, all 0-d, or without rows."""
    inputs = {}
    for name in sorted(SHAPES.keys() & names_in(code)):
        shape = SHAPES[name]
        if variant == "0-d":
            shape = ()
        elif variant == "empty":
            shape = tuple(0 if n == A else n for n in shape)
        inputs[name] = strided(make(name, shape)) if variant == "strided" else make(name, shape)
    return inputs


def strided(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The same numbers with gaps between them and the axes the other way round in memory."""
    room = np.zeros([2 * n for n in reversed(array.shape)], array.dtype).T
    view = room[(..., *(slice(0, None, 2) for _ in array.shape))]
    view[...] = array
    return view


def run(torch: ModuleType, code: str, inputs: dict[str, Any], dtype: str = "float64") -> Any:
    """The value of the line in this library, for tensors `inputs`; its other floats in `dtype`."""
    names = {"torch": torch, "F": torch.nn.functional, **inputs}
    for name in names_in(code) & CONSTANTS.keys():
        array = CONSTANTS[name]
        names[name] = torch.tensor(array.astype(dtype) if array.dtype.kind == "f" else array)
    return eval(code, names)


def cotangents(code: str, shapes: list[tuple[int, ...]]) -> list[np.ndarray[Any, Any]]:
    """The gradients that a test sends in, one per output."""
    rng = np.random.default_rng(crc32(code.encode()))
    return [rng.standard_normal(shape) for shape in shapes]


def flat(outputs: Any) -> list[Any]:
    """A line's outputs as a list."""
    return list(outputs) if isinstance(outputs, tuple | list) else [outputs]


# Lines with gradients. Inputs stay away from kinks; what happens at kinks is in test_traps.py.
DIFFERENTIABLE = """
torch.nanmedian(scalar, 0)[0] * scalar
# ---- arithmetic
x + y
x + row
x + column
x + 2
2.5 + x
x + scalar
torch.add(x, y, alpha=3)
x - y
x - row
1 - x
torch.sub(x, y, alpha=2)
torch.subtract(x, y)
torch.rsub(x, y)
x * y
x * column
x * 3
torch.multiply(x, scalar)
torch.mul(x, y)
x / p
x / 4
1 / p
row / p
torch.divide(x, p)
torch.true_divide(x, p)
torch.div(x, p, rounding_mode='floor')
torch.div(x, p, rounding_mode='trunc')
x % p
x % 0.7
torch.remainder(x, p)
torch.fmod(x, p)
p ** 2
p ** 0.5
p ** -1
x ** 3
x ** 2
x ** 1
x ** 0
2 ** x
p ** x
torch.pow(p, y)
torch.pow(p, 1.5)
torch.pow(2.0, x)
-x
+x
torch.negative(x)
torch.neg(x)
torch.positive(x)
torch.abs(x)
torch.absolute(x)
abs(x)
torch.sign(x)
torch.square(x)
torch.reciprocal(p)
torch.copysign(x, y)
torch.lerp(x, y, 0.3)
torch.lerp(x, y, prob)
torch.addcmul(x, y, z, value=0.5)
torch.addcdiv(x, y, p, value=2)
torch.nan_to_num(x)
torch.frac(x)
# ---- roots, exponentials, logarithms
torch.sqrt(p)
torch.rsqrt(p)
torch.exp(x)
torch.exp2(x)
torch.expm1(x)
torch.log(p)
torch.log2(p)
torch.log10(p)
torch.log1p(p)
torch.logaddexp(x, y)
torch.xlogy(x, p)
torch.logit(prob)
torch.logit(prob, eps=0.2)
torch.sigmoid(x)
torch.erf(x)
torch.erfc(x)
torch.erfinv(u)
torch.lgamma(p)
torch.lgamma(x)
torch.digamma(p + 3)
torch.digamma(x)
torch.polygamma(0, p)
torch.polygamma(1, p)
torch.polygamma(3, x)
torch.mvlgamma(p + 1, 3)
torch.special.erfcx(x)
torch.special.ndtr(x)
torch.special.log_ndtr(x)
torch.special.ndtri(prob)
torch.special.zeta(2.5, p)
torch.i0(x)
torch.special.i0e(x)
torch.special.i1(x)
torch.special.i1e(x)
torch.igamma(weight, p)
torch.igammac(weight, p)
torch.special.entr(p)
torch.special.xlog1py(x, u)
torch.sinc(x)
# ---- trigonometry
torch.sin(x)
torch.cos(x)
torch.tan(u)
torch.asin(u)
torch.arcsin(u)
torch.acos(u)
torch.arccos(u)
torch.atan(x)
torch.arctan(x)
torch.sinh(x)
torch.cosh(x)
torch.tanh(x)
torch.asinh(x)
torch.arcsinh(x)
torch.acosh(p + 1)
torch.arccosh(p + 1)
torch.atanh(u)
torch.arctanh(u)
torch.atan2(x, p)
torch.arctan2(x, p)
torch.hypot(x, p)
torch.deg2rad(x)
torch.rad2deg(x)
# ---- complex numbers
torch.view_as_real(torch.complex(x, row))
torch.view_as_real(torch.polar(p, column))
torch.abs(torch.complex(x, y))
torch.angle(x)
torch.angle(torch.complex(p, y))
torch.sgn(x)
torch.view_as_real(torch.sgn(torch.complex(x, p)))
torch.view_as_real(torch.conj(torch.complex(x, y)) * torch.complex(y, x))
torch.conj_physical(x)
torch.resolve_conj(torch.resolve_neg(x))
torch.view_as_real(torch.exp(torch.complex(x, y)))
torch.view_as_real(torch.complex(p, x) / torch.complex(y, q))
torch.view_as_real(torch.complex(p, x) ** torch.complex(y, z))
torch.view_as_real(torch.log(torch.complex(p, x)) * torch.sqrt(torch.complex(p, y)))
torch.view_as_real(torch.logaddexp(torch.complex(x, y), torch.complex(y, z)))
torch.complex(x, y).var(1)
torch.view_as_real(torch.complex(x, y).prod(1))
torch.complex(x, y).sum(0).abs()
# ---- powers of two, and several operations in one
torch.frexp(x)[0]
torch.ldexp(x, rows[:, None])
torch.logaddexp2(x, y)
torch.nextafter(x, y)
torch.float_power(p, y)
torch.logit(prob, 0.05)
p ** -0.5
x ** 4
p ** 7
torch.fill(x, scalar)
torch.nan_to_num(x, 1.0)
torch.lerp(x, row, 0.3)
torch.lerp(x, y, 0.8)
torch.lerp(x, y, u)
torch.addcmul(x, y, row, value=2)
torch.addcdiv(x, y, p, value=0.5)
torch.addcdiv(x, row, p)
# ---- rounding
torch.floor(x)
torch.ceil(x)
torch.trunc(x)
torch.fix(x)
torch.round(x)
torch.round(x, decimals=1)
# ---- choice
torch.maximum(x, y)
torch.minimum(x, row)
torch.fmax(x, y)
torch.fmin(x, y)
torch.max(x, y)
torch.min(x, y)
torch.clamp(x, -0.5, 0.8)
torch.clamp(x, min=0.1)
torch.clamp(x, max=0.1)
torch.clamp(x, min=u, max=p)
torch.clip(x, -0.5, 0.8)
torch.clamp_min(x, 0.1)
torch.clamp_max(x, 0.1)
torch.clamp(x, max=row)
torch.where(mask, x, y)
torch.where(mask, x, 0.0)
torch.where(mask, row, column)
torch.where(x > 0, x, scalar)
x.where(mask, y)
# ---- reductions
torch.nansum(x, 1)
torch.nanmean(x)
torch.logcumsumexp(x, 1)
torch.cumprod(zeros, 1)
torch.prod(zeros)
torch.median(x)
torch.nanmedian(x)
torch.nanmedian(x, 1)[0]
torch.mode(x, 1)[0]
torch.kthvalue(x, 2)[0]
torch.msort(x)
torch.aminmax(x)
torch.aminmax(x, dim=1)
torch.cummax(x, 1)[0]
torch.cummin(x, 0)[0]
torch.quantile(x, 0.3)
torch.quantile(x, prob[:2, 0], dim=1)
torch.quantile(x, 0.6, dim=0, keepdim=True, interpolation='lower')
torch.quantile(x, 0.6, dim=0, interpolation='higher')
torch.nanquantile(x, 0.4, 1, interpolation='midpoint')
torch.nanquantile(x, 0.7, interpolation='nearest')
torch.trapezoid(x, y)
torch.trapezoid(x, row)
torch.trapz(x, dx=2.0, dim=0)
torch.cumulative_trapezoid(x, row)
torch.cumulative_trapezoid(x, dx=0.5)
torch.gradient(x)
torch.gradient(square, spacing=(v2[:3], p[:, 0].cumsum(0)), edge_order=2)
torch.gradient(square, spacing=2.0, dim=1)
x.sum()
x.sum(0)
x.sum(1, keepdim=True)
x.sum((0, 1))
cube.sum((0, -1))
x.sum(dim=-1)
x.sum(axis=0, keepdims=True)
torch.nansum(x)
x.mean()
x.mean(1)
cube.mean((1, 2), keepdim=True)
torch.nanmean(x, 1)
x.var()
x.var(0)
x.var(1, unbiased=False)
x.var(1, correction=2, keepdim=True)
cube.var((0, 2))
x.std()
x.std(0)
x.std(1, unbiased=False)
x.std(dim=1, keepdim=True)
torch.var_mean(x, 1)
torch.std_mean(x, 1)
x.prod()
x.prod(0)
x.prod(1, keepdim=True)
zeros.prod()
zeros.prod(1)
x.max()
x.min()
x.max(0)
x.max(1, keepdim=True)
x.min(1)
x.amax(1)
x.amax((0, 1))
x.amin(0, keepdim=True)
ties.amax(1)
ties.max()
x.median()
x.median(1)
x.cumsum(0)
x.cumsum(1)
p.cumprod(1)
zeros.cumprod(1)
x.cummax(1)
x.cummin(0)
x.norm()
x.norm(2, 1)
x.norm(1)
x.norm(p=3, dim=0, keepdim=True)
x.norm(float('inf'))
x.norm(float('-inf'), dim=1)
torch.norm(x, 'fro')
torch.logsumexp(x, 1)
torch.logsumexp(x, (0, 1))
torch.logsumexp(x, 0, keepdim=True)
x.trace()
x.sort(1)
x.sort(0, descending=True)
x.topk(2, 1)
x.topk(2, largest=False)
x.kthvalue(2, 1)
x.kthvalue(1, 0)
scalar.max(0)
scalar.min(-1)
scalar.median(0)
# ---- shapes
x.reshape(-1)
x.reshape(2, -1)
torch.reshape(x, (-1, 2))
x.view(-1)
x.view(x.shape)
x.view_as(y)
x.reshape_as(y)
cube.flatten()
cube.flatten(1)
cube.flatten(0, 1)
x.ravel()
x.T.reshape(-1)
x.unflatten(1, (2, 2))
x.transpose(0, 1)
x.t()
x.T
cube.mT
torch.adjoint(cube)
x.swapaxes(0, 1)
cube.swapdims(0, 2)
cube.permute(2, 0, 1)
torch.permute(cube, (1, 0, 2))
cube.movedim(0, 2)
torch.moveaxis(cube, 0, -1)
x.squeeze()
column.squeeze(1)
column.squeeze()
x.unsqueeze(1)
x.unsqueeze(-1)
column.expand(-1, 4)
row.expand(3, 4)
scalar.expand(2, 3)
column.expand_as(x)
torch.broadcast_to(row, (3, 4))
torch.expand_copy(row, (3, 4))
torch.broadcast_tensors(row, column)
x.repeat(2, 3)
row.repeat(2, 1)
torch.tile(x, (2,))
x.repeat_interleave(2, 1)
x.repeat_interleave(2)
torch.cat([x, y])
torch.cat((x, y), 1)
torch.cat([x, column], -1)
torch.concat([x, y])
torch.concatenate([x, y])
torch.stack([x, y])
torch.stack([x, y], -1)
torch.hstack([x, y])
torch.vstack([x, row])
torch.dstack([x, y])
x.split(2)
x.split([1, 3], 1)
torch.split(x, 3, dim=1)
x.chunk(2, 1)
x.unbind(1)
x.flip(0)
x.flip((0, 1))
torch.fliplr(x)
torch.flipud(x)
torch.rot90(x)
x.roll(1)
x.roll(2, 1)
x.roll((1, 2), (0, 1))
x.diagonal()
cube.diagonal(1, 1, 2)
torch.diag(row)
torch.diag(x)
torch.diag_embed(x)
torch.tril(x)
torch.triu(x, 1)
torch.tril(cube, -1)
x.narrow(1, 1, 2)
x.select(1, 2)
x.unfold(1, 2, 1)
torch.atleast_2d(row)
torch.atleast_1d(scalar)
torch.atleast_3d(row)
torch.meshgrid(row, v2, indexing='ij')
x.clone()
x.contiguous()
x.detach() * y
x.T.contiguous()
x.to(torch.float64)
x.double()
x.float()
# ---- indexing
x[0]
x[-1]
x[1:]
x[:, 1]
x[:, 1:3]
x[::2]
x[..., 0]
x[None]
x[:, None]
x[0, 1]
x[()]
x[...]
x[rows]
x[[0, 0, 2]]
x[rows, columns]
x[:, columns]
x[grid]
x[grid, 1]
x[grid, columns[:2]]
x[rows[:, None], columns]
x[0, columns]
cube[:, rows, 1:3]
cube[0, :, columns]
cube[rows[:2] // 2, :, columns[:2]]
x[mask]
x[torch.tensor([True, False, True])]
x[:, torch.tensor([True, False, True, True])]
x[None, ..., 1]
x[torch.tensor(1)]
x[True]
x.index_select(0, rows)
torch.index_select(x, 1, columns)
x.gather(0, picks)
torch.gather(x, 1, picks)
x.take_along_dim(picks, 0)
x.masked_select(mask)
x.masked_fill(mask, 0.5)
x.masked_fill(mask, scalar)
x.scatter(0, picks, y[:2])
x.scatter(1, picks, 2.0)
torch.scatter(x, 1, torch.tensor([[0, 1], [2, 3], [3, 0]]), y[:, :2])
x.scatter_add(0, picks, y[:2])
x.index_add(0, rows, y)
x.index_add(0, rows, y, alpha=2)
x.index_copy(0, rows[1:], y[1:])
x.index_fill(0, rows, 0.5)
x.index_put((rows, columns), row[:3])
x.index_put((rows, columns), row[:3], accumulate=True)
x.masked_scatter(mask, y)
F.embedding(rows, x)
F.embedding(grid, x, padding_idx=2)
# ---- writes
(t := x * 1, t[0].mul_(y[0]), t)[-1]
(t := x * 1, t[0].copy_(row), t)[-1]
(t := x * 1, t.T[1:].add_(y.T[1:]), t)[-1]
(t := x * 1, t.view(-1)[2:5].fill_(3.0), t)[-1]
(t := x * 1, t.__setitem__(rows[1:], y[1:]), t)[-1]
(t := x * 1, t.__setitem__((slice(None), 1), column[:, 0]), t)[-1]
(t := x * 1, t.__setitem__(mask, 0.5), t)[-1]
(t := x * 1, t.copy_(row), t * y)[-1]
(t := x * 1, t.fill_(2.0), t * y)[-1]
(t := x * 1, t.fill_(scalar), t * y)[-1]
(t := x * 1, t.zero_(), t + y)[-1]
(t := x * 1, t.sin_(), t.mul_(y), t.exp_(), t)[-1]
# ---- matrices
m @ n
m @ v
v @ n
v @ v
bm @ bn
bm @ n
m @ bn
bm @ v
v @ bn
bm[:, None] @ bn
torch.matmul(m, n)
torch.mm(m, n)
torch.bmm(bm, bn)
torch.mv(m, v)
torch.dot(v, row)
torch.inner(m, x)
torch.outer(v, v2)
torch.ger(v, v2)
torch.addmm(bias, m, n, beta=0.5, alpha=2)
torch.addmv(column[:, 0], m, v)
torch.addbmm(bias, bm, bn)
torch.addr(scalar, v, v2)
torch.vdot(v, row)
F.bilinear(m, square, cube.mT)
F.bilinear(m, square, cube.mT, column[:2, 0])
torch.baddbmm(bias, bm, bn)
torch.einsum('ij,jk->ik', m, n)
torch.einsum('ij->ji', x)
torch.einsum('ij->', x)
torch.einsum('ii->i', square)
torch.einsum('ii', square)
torch.einsum('bij,bjk->bik', bm, bn)
torch.einsum('i,j->ij', v, v2)
torch.einsum('ij,ij->i', x, y)
torch.einsum('...ij,jk->...ik', bm, n)
torch.einsum('ij,jk,k->i', m, n, v2)
torch.einsum('ij,kj', m, w)
torch.tensordot(m, n, 1)
torch.kron(v, v2)
torch.cross(square, square.T.contiguous() * 2, dim=1)
torch.cdist(x, y)
torch.cdist(x, y, 2.0, 'use_mm_for_euclid_dist')
torch.dist(x, y, 3)
x.renorm(2, 0, 1.0)
torch.linalg.vander(x)
torch.linalg.vecdot(x, y)
torch.cov(x.reshape(-1, 4))
torch.corrcoef(x.reshape(-1, 4))
# ---- matrices
torch.linalg.inv(square)
torch.inverse(square)
torch.linalg.solve(square, m)
torch.linalg.solve(square, m[:, 0])
torch.linalg.solve_triangular(square, m, upper=True)
torch.linalg.solve_triangular(square, m.mT, upper=False, left=False, unitriangular=True)
torch.linalg.lu_factor(square)[0]
torch.linalg.lu(m)[1]
torch.linalg.lu(m)[2]
torch.linalg.lu(m.mT)[1]
torch.lu_unpack(*torch.linalg.lu_factor(square))[2]
torch.linalg.lu_solve(*torch.linalg.lu_factor(square), m)
torch.linalg.det(square)
torch.det(square)
torch.slogdet(square)[1]
torch.logdet(square @ square.mT)
torch.linalg.cholesky(square @ square.mT)
torch.linalg.cholesky(square @ square.mT, upper=True)
torch.cholesky_solve(m, torch.linalg.cholesky(square @ square.mT))
torch.cholesky_inverse(torch.linalg.cholesky(square @ square.mT))
torch.linalg.qr(m)
torch.linalg.qr(m.mT)
torch.linalg.eigh(square + square.mT)[0]
torch.linalg.eigh(square + square.mT)[1].abs()
torch.linalg.eig(square)[0].abs().sum()
torch.linalg.svd(m)[1]
torch.linalg.svd(m, full_matrices=False)[0].abs()
torch.linalg.svd(m, full_matrices=False)[2].abs()
torch.linalg.pinv(m)
torch.pinverse(m)
torch.linalg.lstsq(m, y)[0]
torch.svd_lowrank(m, 3)[1]
torch.pca_lowrank(m, 2)[1]
torch.matrix_exp(square)
torch.linalg.householder_product(square, row[:3])
torch.orgqr(square, row[:3])
torch.ormqr(square, row[:3], m)
torch.matrix_power(square, 3)
torch.norm(m, 'nuc')
torch.linalg.matrix_norm(m, 2)
torch.linalg.cond(square)
F.linear(m, w)
F.linear(m, w, bias)
F.linear(bm, w, bias)
F.linear(v, w, bias)
# ---- activations
F.relu(x)
torch.relu(x)
x.relu()
F.sigmoid(x)
F.tanh(x)
F.leaky_relu(x)
F.leaky_relu(x, 0.3)
F.elu(x)
F.elu(x, 0.5)
F.celu(x, 0.5)
F.selu(x)
F.gelu(x)
F.gelu(x, approximate='tanh')
F.silu(x)
F.mish(x)
F.softplus(x)
F.softplus(x, beta=2, threshold=1)
F.softsign(x)
F.tanhshrink(x)
F.softshrink(x, 0.3)
F.hardshrink(x, 0.3)
F.threshold(x, 0.1, -2)
F.logsigmoid(x)
F.relu6(x)
F.hardtanh(x)
F.hardsigmoid(x)
F.hardswish(x)
F.rrelu(x)
F.rrelu(x, 0.25, 0.25, training=True)
F.prelu(x, row)
F.glu(x)
F.softmax(x, 1)
torch.softmax(x, 0)
x.softmax(-1)
F.softmin(x, 1)
F.log_softmax(x, 1)
torch.log_softmax(x, 0)
x.log_softmax(-1)
F.normalize(x, dim=1)
F.normalize(x, p=1, dim=0)
F.cosine_similarity(x, y)
F.pairwise_distance(x, y)
F.layer_norm(x, (4,))
F.layer_norm(x, (4,), row, v)
F.rms_norm(x, (4,), row)
F.group_norm(x, 2, row, v)
F.batch_norm(x, None, None, row, v, training=True)
F.batch_norm(x, weight, weight, row, v)
F.instance_norm(cube)
F.local_response_norm(cube, 2, alpha=0.5)
torch.norm_except_dim(x, 2, 1)
torch.pdist(w)
F.scaled_dot_product_attention(w, n.mT, w + n.mT)
F.scaled_dot_product_attention(w, n.mT, w, bias + v2[:, None])
F.scaled_dot_product_attention(w, w, n.mT, is_causal=True, scale=0.3)
F.scaled_dot_product_attention(w, n.mT, w, torch.ones(5, 5).tril(1).bool())
torch.lstm_cell(x, (column, u[:, :1]), n @ w, v[:, None], row, v)
torch.gru_cell(x, column, m, column, y[:, 0], row[:3])
torch.rnn_tanh_cell(x, m, n @ w, n @ w, row, v)
torch.lstm(m, grid[1], (p[:1, :2, None], bm[:1, :2, 2:]), [w[[0, 3] * 4], n[:, 0].repeat(2)[:, None], u[:1, :2]], False, 1, 0, True, False)
F.embedding_bag(grid, x, mode='sum')
F.embedding_bag(grid, x)
F.embedding_bag(grid, x, mode='max')
F.embedding_bag(rows, x, torch.tensor([0, 1]), mode='sum', per_sample_weights=v[:3], padding_idx=1)
F.dropout(x, 0.5, training=False)
F.dropout(x, 0.0)
torch.dropout(x, 0.5, False) + torch.alpha_dropout(x, 0.0, True)
torch.feature_dropout(x, 0.0, True) + torch.feature_alpha_dropout(x, 0.5, False)
torch.native_dropout(x, 0.5, False)
torch.bernoulli(prob * 0 + 1)
torch.poisson(p * 0)
torch.normal(0.5, p * 0)
# ---- Fourier
torch.fft.irfft(torch.fft.fft(x), 6)
torch.fft.hfft(torch.fft.ihfft(x, 5, norm='ortho'), norm='forward')
torch.view_as_real(torch.fft.rfft2(x))
torch.fft.irfft2(torch.fft.fftn(cube, norm='ortho'))
torch.fft.fftshift(x)
torch.view_as_real(torch.stft(x, 4, 1, window=weight, return_complex=True))
torch.istft(torch.stft(x, 4, 1, window=weight, return_complex=True), 4, 1, window=weight)
F.pad(x, (1, 2))
# ---- convolution, pooling, images
F.conv1d(bn, bn[..., :3])
F.conv1d(bn, bn[..., :2], v[:2], stride=2, padding=1)
F.conv1d(bn, bn[..., 1:], padding='same', dilation=2)
F.conv1d(cube, square.reshape(3, 1, 3), groups=3)
F.conv2d(cube, bm.reshape(3, 2, 2, 2), v[:3], padding=1)
F.conv2d(cube.unsqueeze(0), bm.reshape(6, 1, 2, 2), stride=2, groups=2)
F.conv2d(cube.transpose(0, 2), square.reshape(1, 9)[:, :4].reshape(1, 4, 1, 1))
F.conv3d(cube.unsqueeze(0), bm.reshape(2, 1, 2, 3, 2))
F.conv_transpose1d(cube, bm.transpose(0, 1), stride=2, output_padding=1)
F.conv_transpose2d(cube, bm.reshape(2, 3, 2, 2), v[:3], stride=2, padding=1)
F.conv_transpose2d(cube, bm.reshape(2, 3, 2, 2))
F.conv_transpose3d(cube.unsqueeze(0), bm.reshape(1, 2, 2, 3, 2), groups=1)
torch.conv_tbc(cube.contiguous(), bn.contiguous(), v2, 1)
F.unfold(cube.unsqueeze(0), 2, padding=1, dilation=2)
F.fold(cube.reshape(1, 4, 6), (3, 4), 2)
F.avg_pool1d(cube, 2)
F.avg_pool2d(cube, (2, 3), 1, 1, count_include_pad=False)
F.avg_pool2d(cube, 2, ceil_mode=True)
F.avg_pool3d(cube.unsqueeze(0), 2, divisor_override=3)
F.max_pool1d(cube, 3, 1, 1)
F.max_pool2d(cube, 2, 1)
F.max_pool2d(cube, 2, ceil_mode=True, return_indices=True)[0]
F.max_pool3d(cube.unsqueeze(0), 2, 1)
F.lp_pool1d(p, 2, 2)
F.lp_pool2d(p.unsqueeze(0), 3, 2, 1)
F.lp_pool3d(cube.unsqueeze(0), float('inf'), 2)
F.adaptive_avg_pool1d(bn, 3)
F.adaptive_avg_pool2d(cube, (2, 3))
F.adaptive_avg_pool3d(cube.unsqueeze(0), (1, None, 2))
F.adaptive_max_pool1d(cube, 3)
F.adaptive_max_pool2d(cube, (2, 3))
F.adaptive_max_pool3d(cube.unsqueeze(0), (1, 2, 2))
F.fractional_max_pool2d(cube, 2, 2, _random_samples=torch.full_like(cube[:1, :2, :2], 0.3))
F.max_unpool1d(x[:2, :2], grid, 2)
F.interpolate(cube, scale_factor=2.5)
F.interpolate(cube, size=3, mode='nearest-exact')
F.interpolate(cube, size=7, mode='linear')
F.interpolate(cube.unsqueeze(0), scale_factor=1.5, mode='bilinear', align_corners=True)
F.interpolate(cube.unsqueeze(0), size=(2, 3), mode='bilinear', antialias=True)
F.interpolate(cube.unsqueeze(0), size=(5, 3), mode='bicubic')
F.interpolate(cube.reshape(1, 1, 2, 3, 4), size=3, mode='trilinear')
F.interpolate(bn, size=3, mode='area')
F.grid_sample(cube.unsqueeze(0), u.reshape(1, 2, 3, 2), align_corners=False)
F.grid_sample(cube.unsqueeze(0), u.reshape(1, 2, 3, 2) * 2, padding_mode='border', align_corners=True)
F.grid_sample(cube.unsqueeze(0), u.reshape(1, 2, 3, 2) * 3, padding_mode='reflection', align_corners=False)
F.grid_sample(cube.unsqueeze(0), u.reshape(1, 2, 3, 2), mode='bicubic', align_corners=False)
F.grid_sample(cube.unsqueeze(0), u.reshape(1, 2, 3, 2), mode='nearest', align_corners=False)
F.affine_grid(cube[:, :2, :3], (2, 1, 3, 4), align_corners=False)
F.pixel_shuffle(cube.reshape(4, 2, 3), 2)
F.pixel_unshuffle(cube.reshape(2, 6, 2), 2)
F.channel_shuffle(cube.reshape(2, 4, 3), 2)
torch.constant_pad_nd(x, (1, -1, 0, 2), 3.0)
# ---- losses
F.mse_loss(x, y)
F.mse_loss(x, y, reduction='sum')
F.mse_loss(x, y, reduction='none')
F.l1_loss(x, y)
F.l1_loss(x, y, reduction='none')
F.smooth_l1_loss(x, y)
F.smooth_l1_loss(x, y, beta=0.5, reduction='sum')
F.huber_loss(x, y)
F.huber_loss(x, y, delta=0.5, reduction='none')
F.binary_cross_entropy(prob, binary)
F.binary_cross_entropy(prob, u * u)
F.binary_cross_entropy(prob, binary, weight)
F.binary_cross_entropy(prob, binary, reduction='none')
F.binary_cross_entropy_with_logits(x, binary)
F.binary_cross_entropy_with_logits(x, prob, reduction='none')
F.binary_cross_entropy_with_logits(x, binary, weight, pos_weight=weight)
F.cross_entropy(x, target)
F.cross_entropy(x, target, reduction='sum')
F.cross_entropy(x, target, reduction='none')
F.cross_entropy(x, target, weight)
F.cross_entropy(x, target, ignore_index=3)
F.cross_entropy(x, target, label_smoothing=0.2)
F.cross_entropy(x, target, weight, label_smoothing=0.2)
F.cross_entropy(x, soft)
F.cross_entropy(x, soft, weight, reduction='sum')
F.cross_entropy(cube, rows[:2, None] * 0 + torch.tensor([0, 1, 2, 1]))
F.cross_entropy(row, torch.tensor(2))
F.nll_loss(F.log_softmax(x, 1), target)
F.nll_loss(x, target, weight, reduction='sum')
F.nll_loss(x, target, reduction='none')
F.kl_div(F.log_softmax(x, 1), soft, reduction='batchmean')
F.soft_margin_loss(x, binary * 2 - 1)
F.margin_ranking_loss(x, y, z, margin=0.5)
F.hinge_embedding_loss(x, binary * 2 - 1, margin=2)
F.multi_margin_loss(x, target)
F.multi_margin_loss(x, target, p=2, weight=weight, reduction='sum')
F.multilabel_margin_loss(x, torch.tensor([[0, 3, -1, 1], [2, -1, 0, 0], [1, 2, 0, -1]]))
F.multilabel_soft_margin_loss(x, binary, weight)
F.triplet_margin_loss(x, y, z)
F.triplet_margin_with_distance_loss(x, y, z, swap=True)
F.cosine_embedding_loss(x, y, torch.tensor([1, -1, 1]))
F.gaussian_nll_loss(x, y, p)
F.gaussian_nll_loss(x, y, q, full=True, reduction='none')
F.poisson_nll_loss(x, y)
F.poisson_nll_loss(p, 2 * q, log_input=False, full=True)
F.ctc_loss(F.log_softmax(cube, 2), target[:, None], [2, 2, 2], [1, 1, 1], blank=2)
F.linear_cross_entropy(m, w, target, linear_bias=bias)
F.linear_cross_entropy(m, w, target, linear_bias=bias, reduction='none', options=torch.nn.LinearCrossEntropyOptions())
# shapes, views and strides
torch.block_diag(x, v, scalar)
torch.combinations(v, 2) * torch.combinations(v, 2, with_replacement=True)[:6]
torch.cartesian_prod(v, v2)
torch.column_stack([v, v]) + torch.row_stack([v, v]).T
x.sum_to_size(1, 4)
torch.diff(x, 2) + torch.diff(x, dim=0, prepend=row.view(1, 4))[:, 1:3]
torch.select_scatter(x, v, 0, -1)
torch.slice_scatter(x, m[:, :2], 1, 0, 4, 2)
torch.diagonal_scatter(x, v[:3])
torch.as_strided_scatter(x.detach().contiguous(), v * 1, (4,), (2,), 1)
torch.as_strided((x * 1).contiguous(), (3, 3), (2, 1), 1)
(x * 1).contiguous().as_strided_((2, 4), (3, 2)) ** 2
torch.as_strided_((x * 1).contiguous(), (2, 4), (3, 2)) ** 2
torch.tensor_split(x, (1, 2), 1)[1] * torch.tensor_split(x, 3, 1)[1]
torch.hsplit(x, 2)[1] * torch.vsplit(x, 3)[0][:, :2] + torch.dsplit(cube, 2)[0][0]
torch.split_with_sizes(x, [1, 3], 1)[1] * torch.unsafe_split(x, 3, 1)[0]
torch.unsafe_split_with_sizes(x, [1, 3], 1)[1] * torch.unsafe_chunk(x, 2, 1)[0][:, :1]
torch.diagflat(x, 1)
torch.swapaxes(x, 0, 1).mH + torch.swapdims(x, 0, 1).H
torch.view_as_real(torch.view_as_complex((x * 1).contiguous().view(3, 2, 2)) ** 2)
torch.real(torch.view_as_complex((x * 1).contiguous().view(3, 2, 2)) ** 2)
torch.imag(torch.view_as_complex((x * 1).contiguous().view(3, 2, 2)) ** 2)
torch.resolve_conj(x) * torch.resolve_neg(x)
torch.as_strided_copy((x * 1).contiguous(), (2, 2), (1, 2)) + torch.view_copy((x * 1).contiguous(), (6, 2))[:2]
torch.alias_copy(x) + torch.expand_copy(v, (3, 4)) + torch.permute_copy(x, (0, 1))
torch.diagonal_copy(x) * torch.select_copy(x, 1, 0) * torch.unbind_copy(x, 1)[1] * torch.t_copy(x)[0]
torch.narrow_copy(x, 1, 1, 2) * torch.split_with_sizes_copy(x, [2, 2], 1)[0] * torch.unfold_copy(x, 1, 2, 2)[:, 0]
torch.squeeze_copy(column) * torch.unsqueeze_copy(x, 0)[0, :, 0] * torch.transpose_copy(x, 0, 1)[1]
torch.view_as_real_copy(torch.view_as_complex((x * 1).contiguous().view(3, 2, 2)) ** 2)
x.view(3, 4).contiguous(memory_format=torch.contiguous_format).clone(memory_format=torch.contiguous_format) ** 2
(x * 1).copy_(y) * x
# scatter
torch.scatter_reduce(x, 1, picks, y[:2], "sum") * torch.scatter_reduce(x, 1, picks, y[:2], "mean", include_self=False)
torch.scatter_reduce(p, 1, picks, q[:2], "prod")
torch.scatter_reduce(zeros, 1, picks, q[:2], "prod", include_self=False)
torch.scatter_reduce(x, 0, rows.view(3, 1), y[:, :1], "amax")
torch.scatter_reduce(x, 0, rows.view(3, 1), y[:, :1], "amin")
torch.index_reduce(p.view(-1, 4), 0, rows, q.view(-1, 4), "prod")
torch.index_reduce(x.view(-1, 4), 0, rows, y.view(-1, 4), "amax", include_self=False)
torch.put(x, rows, v[:3], accumulate=True) * torch.put(x, rows[:2], v[:2])
torch.take(x, picks)
"""  # noqa: E501 (the weights of a network)

# Lines without gradients: the values and types alone. Inputs as above, float64.
VALUES = """
torch.embedding_renorm_(x * 1, rows, 1.0, 2.0)
torch.tensor(torch.is_same_size(x, y))
torch.tensor(torch.get_device(x))
torch.binomial(p, p * 0)
torch.gcd(rows, columns)
torch.lcm(rows + 3, columns)
torch.heaviside(x, y)
torch.isposinf(x / 0)
torch.isneginf(x / 0)
torch.isreal(torch.complex(x, y - y))
torch.tensor(torch.is_conj(x))
torch.tensor(torch.is_neg(x))
torch.tensor(torch.is_nonzero(scalar))
torch.frexp(x)[1]
torch.bitwise_left_shift(rows, columns)
torch.bitwise_right_shift(rows, 1)
torch.unique_consecutive(rows, return_counts=True)
torch.unique_consecutive(grid, dim=0)
torch.histc(x, 5, -1, 1)
torch.histogram(x, 4)
torch.histogram(x, torch.tensor([-1.0, 0.0, 2.0], dtype=x.dtype), weight=p, density=True)
torch.histogramdd(x[:, :2], 3)[0]
torch.geqrf(square)
x // p
torch.floor_divide(x, p)
x == y
x != y
x < y
x <= row
x > 0
0 > x
x >= column
torch.eq(x, y)
torch.ne(x, y)
torch.not_equal(x, y)
torch.lt(x, y)
torch.less(x, y)
torch.le(x, y)
torch.less_equal(x, y)
torch.gt(x, y)
torch.greater(x, y)
torch.ge(x, y)
torch.greater_equal(x, y)
torch.logical_and(mask, x > 0)
torch.logical_or(mask, x > 0)
torch.logical_xor(mask, x > 0)
torch.logical_not(mask)
mask & (x > 0)
mask | (x > 0)
mask ^ (x > 0)
~mask
rows & 1
rows | 5
rows ^ 3
rows << 2
rows >> 1
~rows
torch.bitwise_and(rows, 3)
torch.bitwise_or(rows, columns)
torch.bitwise_xor(rows, columns)
torch.bitwise_not(rows)
torch.bitwise_left_shift(rows, 1)
torch.isnan(x)
torch.isinf(x)
torch.isfinite(x)
torch.signbit(x)
torch.isclose(x, x + 1e-9)
x.argmax()
x.argmax(1)
x.argmax(0, keepdim=True)
x.argmin()
x.argmin(1)
x.argsort(1)
x.argsort(0, descending=True)
mask.all()
mask.all(1)
mask.any(0, keepdim=True)
mask.any()
mask.sum()
mask.sum(1)
mask.cumsum(1)
rows.sum()
rows.prod()
rows.cumsum(0)
rows.max()
rows.min(0)
rows.cumprod(0)
rows // 2
rows % 2
rows / 2
rows * 2.5
rows ** 2
-rows
abs(rows)
torch.exp(rows)
torch.sqrt(rows)
torch.floor(rows)
torch.round(rows)
rows.clamp(1, 2)
rows.float()
rows.int()
rows.bool()
x.long()
x.int()
mask.float()
mask.nonzero()
torch.stack([torch.dropout_(x + 0, 0.0, True), torch.alpha_dropout_(x + 0, 0.0, True)])
torch.stack([torch.feature_dropout_(x + 0, 0.0, True), torch.feature_alpha_dropout_(x + 0, 0.0, True)])
torch.stack([torch.hann_window(5), torch.bartlett_window(5)])
torch.kaiser_window(5, True, 3.0, dtype=torch.float64)
torch.stack([torch.hamming_window(5, False), torch.blackman_window(5, False)])
torch.stack([torch.fft.fftfreq(5), torch.signal.windows.hann(5), torch.signal.windows.gaussian(5, std=2.0)])
torch.nonzero(x > 0)
torch.where(mask)
torch.argwhere(mask)
torch.tensor([torch.allclose(x, x), torch.allclose(x, x + 1), torch.equal(x, x), torch.equal(x, y)])
torch.tensor(torch.numel(x))
torch.zeros(torch.broadcast_shapes((3, 1), (4,)))
torch.bucketize(x, torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64))
torch.isin(rows, torch.tensor([0, 3]))
torch.complex(x, y).abs()
torch.as_tensor([1, 2])
torch.asarray([1.5, 2])
torch.from_numpy(x.numpy())
torch.from_dlpack(rows)
torch.frombuffer(bytearray(b'ab'), dtype=torch.uint8)
torch.empty(2, 0)
torch.empty_like(x)[:0]
torch.scalar_tensor(2.5)
torch.tril_indices(3, 4)
torch.triu_indices(3, 4, offset=1)
torch.count_nonzero(x)
torch.count_nonzero(mask, 1)
torch.unique(rows)
torch.bincount(rows)
F.one_hot(rows, 4)
rows.unsqueeze(0).expand(2, 3)
torch.zeros_like(x)
torch.tensor([x.is_floating_point(), torch.is_floating_point(rows), torch.is_complex(x), torch.is_tensor(x)])
torch.tensor([torch.is_signed(x), x.is_signed(), torch.is_inference(x), x.is_contiguous(), x.T.is_contiguous()])
torch.ones_like(rows)
torch.full_like(x, 2)
torch.zeros(2, 3)
torch.ones(2, dtype=torch.int32)
torch.full((2, 3), 7)
torch.full((2,), 1.5)
torch.arange(5)
torch.arange(1, 2, 0.25)
torch.arange(5, 0, -2)
torch.linspace(0, 1, 5)
torch.linspace(2, -1, 4, dtype=torch.float64)
torch.logspace(0, 2, 5)
torch.logspace(0, 3, 4, base=2)
torch.eye(3)
torch.eye(2, 3, dtype=torch.int64)
torch.tensor([1, 2])
torch.tensor([1.0, 2])
torch.tensor([True, False])
torch.tensor([[1.5, 2]], dtype=torch.float64)
torch.tril(torch.ones(3, 4))
torch.searchsorted(torch.tensor([1, 3, 5]), torch.tensor([0, 3, 6]))
rows.tile(2)
torch.result_type(rows, 1.0) == torch.float32 and rows
torch.special.airy_ai(x)
torch.special.bessel_j0(x)
torch.special.bessel_j1(x)
torch.special.bessel_y0(p)
torch.special.bessel_y1(p)
torch.special.spherical_bessel_j0(x)
torch.special.modified_bessel_i0(x)
torch.special.modified_bessel_i1(x)
torch.special.modified_bessel_k0(p)
torch.special.modified_bessel_k1(p)
torch.special.scaled_modified_bessel_k0(p)
torch.special.scaled_modified_bessel_k1(p)
torch.special.chebyshev_polynomial_t(x, 5)
torch.special.chebyshev_polynomial_u(x, 5)
torch.special.chebyshev_polynomial_v(x, 5)
torch.special.chebyshev_polynomial_w(x, 5)
torch.special.shifted_chebyshev_polynomial_t(x, 5)
torch.special.shifted_chebyshev_polynomial_u(x, 5)
torch.special.shifted_chebyshev_polynomial_v(x, 5)
torch.special.shifted_chebyshev_polynomial_w(x, 5)
torch.special.hermite_polynomial_h(x, 3)
torch.special.hermite_polynomial_he(x, 3)
torch.special.laguerre_polynomial_l(x, 3)
torch.special.legendre_polynomial_p(x, 3)
torch.unravel_index(rows, (2, 2))[1]
torch.view_as_complex_copy(x.detach().contiguous().view(6, 2)).real
torch.nonzero_static(rows, size=3)
torch.detach_copy(x) + torch.slice_copy(x, 1, 0, 1) + torch.split_copy(x, 2, 1)[0][:, :1]
torch.tensor([torch.is_conj(x), torch.is_neg(x), torch.is_same_size(x, y), torch.get_device(x) == -1])
torch.empty_strided((2, 3), (1, 2)).fill_(1) + torch.empty_permuted((2, 3), (1, 0)).fill_(2)
torch.resize_as_(torch.arange(6), torch.zeros(2, 2))
"""


def lines(text: str) -> list[str]:
    """The lines without headings. None may stand twice: the records go by the line."""
    found = [line for line in text.strip().splitlines() if not line.startswith("#")]
    assert len(set(found)) == len(found), {line for line in found if found.count(line) > 1}
    return found


SAMPLES = lines(DIFFERENTIABLE)
VALUE_SAMPLES = lines(VALUES)
