"""Linear algebra: what defines each result, gradients of real and complex ones, and what singular matrices do.

Values against PyTorch's are in `test_table.py`; here is what that table cannot see: complex numbers, batches, empty
matrices, tolerances, messages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch import Tensor, linalg
from mini_torch.autograd import gradcheck, gradgradcheck

TYPES = ["float32", "float64", "complex64", "complex128"]


def random(*shape: int, dtype: str = "float64", seed: int = 0) -> Tensor:
    rng = np.random.default_rng(seed)
    array = rng.standard_normal(shape)
    if dtype.startswith("complex"):
        array = array + 1j * rng.standard_normal(shape)
    return torch.tensor(array.astype(dtype))


def adjoint(x: Tensor) -> Tensor:
    return x.transpose(-1, -2).conj()


def definite(*shape: int, dtype: str = "float64") -> Tensor:
    x = random(*shape, shape[-1], dtype=dtype)
    return x @ adjoint(x) + torch.eye(shape[-1], dtype=x.dtype)


def same(a: Tensor, b: Any) -> None:
    expected = b.numpy() if isinstance(b, Tensor) else np.asarray(b)
    single = a.dtype in (torch.float32, torch.complex64)
    np.testing.assert_allclose(a.numpy(), expected, atol=2e-5 if single else 1e-11, rtol=1e-4 if single else 1e-9)


def diagonal_matrix(x: Tensor, like: Tensor) -> Tensor:
    return torch.diag_embed(x).to(like.dtype)


# ---- what defines a result -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 3), (2, 4, 3), (2, 3, 5), (0, 3, 2), (0, 0), (3, 0)])
def test_factors_multiply_to_the_matrix(shape: tuple[int, ...], dtype: str) -> None:
    a = random(*shape, dtype=dtype)
    u, s, vh = linalg.svd(a, full_matrices=False)
    same(u * s.unsqueeze(-2).to(a.dtype) @ vh, a)
    for mode in ("reduced", "complete"):
        q, r = linalg.qr(a, mode)
        same(q @ r, a)
        same(adjoint(q) @ q, torch.eye(q.shape[-1]).expand(*q.shape[:-2], -1, -1).to(a.dtype))
        assert torch.equal(r.triu(), r)
    p, lower, upper = linalg.lu(a)
    same(p @ lower @ upper, a)
    assert all(x.dtype == a.dtype for x in (u, vh, q, r, p, lower, upper))
    assert s.dtype == torch.ones(1, dtype=a.dtype).abs().dtype
    same(a @ linalg.pinv(a) @ a, a)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(3,), (2, 3), (0, 2), (2, 0), (0,)])
def test_square_matrices(shape: tuple[int, ...], dtype: str) -> None:
    a, h = random(*shape, shape[-1], dtype=dtype), definite(*shape, dtype=dtype)
    eye = torch.eye(shape[-1], dtype=a.dtype).expand(a.shape)
    same(linalg.inv(a) @ a, eye)
    factor = linalg.cholesky(h)
    same(factor @ adjoint(factor), h)
    same(adjoint(linalg.cholesky(h, upper=True)), factor)
    same(torch.cholesky_inverse(factor) @ h, eye)
    values, vectors = linalg.eigh(h)
    same(h @ vectors, vectors * values.unsqueeze(-2).to(h.dtype))
    same(linalg.eigvalsh(h, "U"), values)
    values, vectors = linalg.eig(a)
    same(a.to(values.dtype) @ vectors, vectors * values.unsqueeze(-2))
    sign, size = linalg.slogdet(a)
    same(sign * size.exp().to(sign.dtype), linalg.det(a))
    same(linalg.matrix_power(a, -2) @ a @ a, eye)


@pytest.mark.parametrize("dtype", TYPES)
def test_equations(dtype: str) -> None:
    a, b = random(2, 3, 3, dtype=dtype), random(3, 4, dtype=dtype, seed=1)
    same(a @ linalg.solve(a, b), b.expand(2, 3, 4))
    same(linalg.solve(a, adjoint(b), left=False) @ a, adjoint(b).expand(2, 4, 3))
    same((a @ linalg.solve(a, a[:, 0]).unsqueeze(-1)).squeeze(-1), a[:, 0])  # vectors, one for each matrix
    factors = linalg.lu_factor(a)
    same(linalg.lu_solve(*factors, b), linalg.solve(a, b))
    same(adjoint(a) @ linalg.lu_solve(*factors, b, adjoint=True), b.expand(2, 3, 4))
    for upper in (True, False):
        t = a.triu() if upper else a.tril()
        same(t @ linalg.solve_triangular(a, b, upper=upper), b.expand(2, 3, 4))
        ones = t - torch.diag_embed(t.diagonal(0, -2, -1)) + torch.eye(3, dtype=a.dtype)
        same(linalg.solve_triangular(a, adjoint(b), upper=upper, left=False, unitriangular=True) @ ones,
             adjoint(b).expand(2, 4, 3))  # fmt: skip


def test_exponentials() -> None:
    same(torch.matrix_exp(torch.tensor([[0.0, 1.0], [0.0, 0.0]])), [[1, 1], [0, 1]])
    turn = torch.tensor([[0.0, -100.0], [100.0, 0.0]], dtype=torch.float64)
    same(torch.matrix_exp(turn), [[np.cos(100), -np.sin(100)], [np.sin(100), np.cos(100)]])
    both = torch.stack([turn, torch.zeros(2, 2, dtype=torch.float64)])  # each matrix is scaled by itself
    same(torch.matrix_exp(both)[1], np.eye(2))


def test_least_squares() -> None:
    a, b = random(5, 3), random(5, 2, seed=1)
    expected = np.linalg.lstsq(a.numpy(), b.numpy(), rcond=None)
    for driver in ("gels", "gelsy", "gelsd", "gelss"):
        solution, residuals, rank, s = linalg.lstsq(a, b, driver=driver)
        same(solution, expected[0])
        assert residuals.shape == ((0,) if driver == "gelsy" else (2,))
        assert rank.numel() == (driver != "gels")
        assert s.numel() == (3 if driver in ("gelsd", "gelss") else 0)
    flat = torch.ones(3, 2)
    same(linalg.lstsq(flat, torch.ones(3)).solution, [0.5, 0.5])  # the shortest of all that fit
    with pytest.raises(linalg.LinAlgError, match="full rank"):
        linalg.lstsq(flat, torch.ones(3, 1), driver="gels")


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_reflections_make_q(dtype: str) -> None:
    a, x = random(2, 5, 3, dtype=dtype), random(2, 5, 4, dtype=dtype, seed=1)
    factors = torch.geqrf(a)
    same(linalg.householder_product(*factors), linalg.qr(a)[0])
    same(factors[0].triu()[:, :3], linalg.qr(a)[1])
    same(torch.ormqr(*factors, torch.ormqr(*factors, x), transpose=True), x)
    same(torch.ormqr(*factors, adjoint(x), left=False), adjoint(torch.ormqr(*factors, x, transpose=True)))


@pytest.mark.parametrize("hermitian", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_symmetric_but_indefinite(dtype: str, hermitian: bool) -> None:
    a, b = random(3, 7, 7, dtype=dtype), random(7, 2, dtype=dtype, seed=1)
    a = a + (adjoint(a) if hermitian else a.transpose(-1, -2))
    a = a * (1 - torch.eye(7)) + 1e-3 * torch.eye(7)  # small on the diagonal: blocks of two are needed
    factors = linalg.ldl_factor(a, hermitian=hermitian)
    assert (factors.pivots < 0).any()
    same(a @ linalg.ldl_solve(*factors, b, hermitian=hermitian), b.expand(3, 7, 2))
    assert linalg.ldl_factor_ex(torch.zeros(2, 2)).info == 1


def test_tolerances() -> None:
    a = torch.diag(torch.tensor([10.0, 1.0, 1e-3]))
    assert linalg.matrix_rank(a) == 3
    assert linalg.matrix_rank(a, atol=0.5) == linalg.matrix_rank(a, tol=0.5) == linalg.matrix_rank(a, rtol=0.05) == 2
    assert linalg.matrix_rank(torch.stack([a, a]), atol=torch.tensor([0.0, 2.0])).tolist() == [3, 1]
    same(linalg.pinv(a, rtol=0.05), np.diag([0.1, 1, 0]))
    same(linalg.pinv(a, atol=0.5, hermitian=True), np.diag([0.1, 1, 0]))


# ---- gradients -------------------------------------------------------------------------------------------------------
def hermitian(x: Tensor) -> Tensor:
    return x + adjoint(x)


CASES: dict[str, tuple[Callable[..., Any], tuple[int, ...]]] = {
    "inv": (linalg.inv, (2, 3, 3)),
    "det": (linalg.det, (2, 3, 3)),
    "slogdet": (lambda x: linalg.slogdet(x)[1], (3, 3)),
    "sign": (lambda x: linalg.slogdet(x)[0].real, (3, 3)),
    "solve": (lambda x: linalg.solve(x, x[..., :2]), (2, 3, 3)),
    "triangular": (lambda x: linalg.solve_triangular(x[0], x[1], upper=True), (2, 3, 3)),
    "cholesky": (lambda x: linalg.cholesky(hermitian(x) + 20 * torch.eye(3)), (3, 3)),
    "lu, wide": (lambda x: linalg.lu(x)[1:], (2, 3)),
    "lu, tall": (lambda x: linalg.lu(x)[1:], (3, 2)),
    "lu_solve": (lambda x: linalg.lu_solve(*linalg.lu_factor(x), x[:2], left=False, adjoint=True), (3, 3)),
    "qr, wide": (linalg.qr, (2, 3)),
    "qr, tall": (linalg.qr, (3, 2)),
    "eigh": (lambda x: linalg.eigh(hermitian(x))[0], (3, 3)),
    "eigh, vectors": (lambda x: linalg.eigh(hermitian(x))[1].abs(), (3, 3)),
    "eig": (lambda x: linalg.eig(x)[0], (3, 3)),
    "eig, vectors": (lambda x: linalg.eig(x)[1].abs(), (3, 3)),
    "svd": (linalg.svdvals, (2, 3)),
    "svd, wide": (lambda x: [v.abs() for v in linalg.svd(x, full_matrices=False)], (2, 3)),
    "svd, tall": (lambda x: [v.abs() for v in linalg.svd(x, full_matrices=False)], (3, 2)),
    "pinv, wide": (linalg.pinv, (2, 3)),
    "pinv, tall": (linalg.pinv, (3, 2)),
    "lstsq": (lambda x: linalg.lstsq(x, x[:, :1] * x)[0], (3, 2)),
    "matrix_exp": (torch.matrix_exp, (3, 3)),
    "nuclear": (lambda x: linalg.matrix_norm(x, "nuc"), (2, 3)),
    "p = 3": (lambda x: linalg.vector_norm(x, 3), (3,)),
    "largest": (lambda x: linalg.vector_norm(x, float("inf"), dim=1), (2, 3)),
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("name", CASES)
def test_gradients(name: str, dtype: str) -> None:
    function, shape = CASES[name]
    x = random(*shape, dtype=dtype, seed=3).requires_grad_()

    def outputs(x: Tensor) -> tuple[Tensor, ...]:
        out = function(x)
        return tuple(out) if isinstance(out, tuple | list) else (out,)

    assert gradcheck(outputs, (x,), atol=1e-4)
    assert gradgradcheck(outputs, (x,), atol=1e-3)


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_the_determinant_of_a_singular_matrix_has_a_gradient(rank: int) -> None:
    """Its cofactors: not zero for rank n − 1, and their own gradient is not zero for rank n − 2."""
    x = (random(3, rank) @ random(rank, 3, seed=1)).requires_grad_()
    (g,) = torch.autograd.grad(linalg.det(x), x, create_graph=True)
    minors = [np.delete(np.delete(x.detach().numpy(), i, 0), j, 1) for i in range(3) for j in range(3)]
    same(g.detach().flatten(), np.linalg.det(minors) * np.array([1, -1, 1, -1, 1, -1, 1, -1, 1]))
    assert gradgradcheck(linalg.det, (x,))


def test_a_phase_has_no_gradient() -> None:
    x = random(3, 3, dtype="complex128").requires_grad_()
    for vectors, name in ((linalg.svd(x)[0], "svd"), (linalg.eigh(x)[1], "eigh"), (linalg.eig(x)[1], "eig")):
        with pytest.raises(RuntimeError, match=f"{name}_backward: The .* vectors|{name}_backward: The eigenvectors"):
            vectors.real.sum().backward()


def test_equal_singular_values_pass_a_gradient() -> None:
    x = torch.eye(3).requires_grad_()
    linalg.svd(x)[1].sum().backward()
    same(x.grad, np.eye(3))


# ---- singular and wrong ----------------------------------------------------------------------------------------------
SINGULAR = torch.tensor([[1.0, 2.0], [2.0, 4.0]])
BATCH = torch.stack([torch.eye(2), SINGULAR])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: linalg.inv(SINGULAR), "linalg.inv: The diagonal element 2 is zero"),
        (lambda: linalg.inv(BATCH), r"linalg.inv: \(Batch element 1\): The diagonal element 2 is zero"),
        (lambda: linalg.solve(BATCH, torch.ones(2)), r"\(Batch element 1\): The solver failed"),
        (lambda: linalg.cholesky(-BATCH), r"\(Batch element 0\): .*leading minor of order 1"),
        (lambda: linalg.cholesky(SINGULAR), "leading minor of order 2"),  # the last pivot is 0, not below it
        (lambda: linalg.cholesky(SINGULAR, upper=True), "leading minor of order 2"),
        (lambda: linalg.cholesky(torch.full((2, 2), float("nan"))), "leading minor of order 1"),
        (lambda: linalg.svd(torch.full((2, 2), float("nan"))), "non-finite values"),
        (lambda: torch.inverse(SINGULAR), "linalg.inv: The diagonal element 2"),
    ],
)
def test_singular_matrices_are_named(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(linalg.LinAlgError, match=message):
        call()


def test_info_instead_of_an_error() -> None:
    assert linalg.inv_ex(BATCH).info.tolist() == [0, 2]
    assert linalg.solve_ex(BATCH, torch.ones(2, 2, 1)).info.tolist() == [0, 2]
    assert linalg.cholesky_ex(-BATCH).info.tolist() == [1, 1]
    factors = linalg.lu_factor_ex(torch.zeros(2, 2))
    assert (factors.pivots.tolist(), int(factors.info)) == ([1, 2], 1)
    assert factors.info.dtype == factors.pivots.dtype == torch.int32
    assert not torch.isfinite(linalg.solve_triangular(torch.zeros(2, 2), torch.ones(2, 1), upper=True)).any()
    assert linalg.cond(SINGULAR, 1) == float("inf")


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: linalg.inv(torch.ones(2, 3)), RuntimeError, "batches of square matrices, but they are 2 by 3"),
        (lambda: linalg.inv(torch.ones(2)), RuntimeError, "must have at least 2 dimensions"),
        (lambda: linalg.inv(torch.ones(2, 2, dtype=torch.int64)), RuntimeError, "floating point or complex .* Long"),
        (lambda: linalg.qr(torch.ones(2, 2).half()), NotImplementedError, "not implemented for 'Half'"),
        (lambda: linalg.solve(torch.eye(2), torch.ones(3, 1)), RuntimeError, r"AX = B \(2x2 and 3x1\)"),
        (lambda: linalg.solve(torch.eye(2), torch.ones(2).double()), RuntimeError, "type Float and B of type Double"),
        (lambda: linalg.norm(torch.ones(2, 2), 5), RuntimeError, "Order 5 not supported"),
        (lambda: linalg.vector_norm(torch.ones(0), -1), RuntimeError, "-1 norm on an empty tensor"),
        (lambda: linalg.multi_dot([torch.ones(2, 2), torch.ones(3, 3)]), RuntimeError, r"\[2, 2\] and \[3, 3\]"),
        (lambda: torch.cdist(torch.ones(2, 3), torch.ones(2, 2)), RuntimeError, "X1: 3 X2: 2"),
        (lambda: torch.addmm(torch.ones(3), torch.eye(2), torch.eye(2)), RuntimeError, r"Target sizes: \[2, 2\]"),
        (lambda: torch.cov(torch.ones(2, 3), fweights=torch.ones(3)), RuntimeError, "fweights with Float dtype"),
    ],
)  # fmt: skip
def test_errors(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        call()


# ---- the rest --------------------------------------------------------------------------------------------------------
def test_nothing_is_left_of_an_input_times_zero() -> None:
    nan = torch.full((2, 2), float("nan"), requires_grad=True)
    out = torch.addmm(nan, torch.eye(2), torch.eye(2), beta=0)
    same(out.detach(), np.eye(2))
    out.sum().backward()
    same(nan.grad, np.zeros((2, 2)))


def test_integers_stay_integers() -> None:
    m = torch.tensor([[1, 2], [3, 4]], dtype=torch.int8)
    assert torch.addbmm(m, m[None], m[None]).dtype == torch.int8
    assert linalg.matrix_power(m.long(), 3).tolist() == [[37, 54], [81, 118]]
    assert torch.addr(m > 1, m[0] > 1, m[1] > 1).tolist() == [[False, True], [True, True]]


def test_distances() -> None:
    a, b = random(30, 3), random(4, 3, seed=1)
    expected = np.sqrt(((a.numpy()[:, None] - b.numpy()) ** 2).sum(-1))
    same(torch.cdist(a, b), expected)  # by a matrix product
    same(torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist"), expected)
    scaled = torch.renorm(torch.tensor([[3.0, 4.0], [0.3, 0.4]]), 2, 0, 1.0)
    same(scaled, [[0.6, 0.8], [0.3, 0.4]])


def test_statistics() -> None:
    x, count, weight = random(3, 5), np.array([1, 2, 1, 3, 1]), np.array([0.1, 0.5, 0.2, 0.7, 0.4])
    ours = torch.cov(x, fweights=torch.tensor(count), aweights=torch.tensor(weight))
    same(ours, np.cov(x.numpy(), fweights=count, aweights=weight))
    same(torch.corrcoef(x), np.corrcoef(x.numpy()))
    with pytest.warns(UserWarning, match="degrees of freedom"):
        assert torch.cov(torch.tensor(1.0)).isnan()


def test_a_result_shows_its_names() -> None:
    shown = repr(linalg.slogdet(torch.eye(2)))
    assert shown == "torch.return_types.linalg_slogdet(\nsign=tensor(1.),\nlogabsdet=tensor(0.))"


def test_a_few_eigenvectors() -> None:
    a, b = definite(9), definite(9, dtype="float64") + torch.diag(torch.arange(9.0))
    for largest in (True, False):
        values, vectors = torch.lobpcg(a, 2, b, largest=largest)
        same(a @ vectors, b @ vectors * values)
    values, _ = torch.lobpcg(a, 3)
    same(values, linalg.eigvalsh(a)[-3:].flip(0))


def test_low_rank() -> None:
    torch.manual_seed(0)
    a = random(20, 3) @ random(3, 10, seed=1)
    u, s, v = torch.svd_lowrank(a, q=3)
    same(u * s @ v.T, a)
    u, s, v = torch.pca_lowrank(a, q=3)
    same(u * s @ v.T, a - a.mean(0))


def test_numpy_functions_take_tensors() -> None:
    a, b = random(3, 3), random(3, seed=1)
    same(np.linalg.solve(a, b), np.linalg.solve(a.numpy(), b.numpy()))
    same(np.linalg.svd(a, compute_uv=False), np.linalg.svd(a.numpy(), compute_uv=False))
    same(np.linalg.norm(a, axis=1), np.linalg.norm(a.numpy(), axis=1))
    same(np.linalg.det(np.linalg.inv(a)), 1 / np.linalg.det(a.numpy()))


# ---- float16 and bfloat16 ------------------------------------------------------------------------------------------
def test_halves_are_rounded_once() -> None:
    """The product and what is added to it are computed in float32: 1 + 2⁻¹¹ + 2⁻¹² is rounded up, 1 + 2⁻¹¹ is not."""
    x, one = torch.tensor([[1.0, 2.0**-11]]).half(), torch.ones(1, 2).half()
    little = torch.tensor([2.0**-12]).half()
    for out in (
        torch.nn.functional.linear(x, one, little),
        torch.addmm(little, x, one.T),
        torch.addmv(little, x, one[0]),
        torch.baddbmm(little, x[None], one.T[None]),
        torch.addbmm(little, x[None], one.T[None]),
        torch.addmm(input=little, mat1=x, mat2=one.T),
    ):
        assert out.dtype == torch.float16
        assert out.item() == 1 + 2.0**-10
    w = one.clone().requires_grad_()
    torch.nn.functional.linear(x, w, little).sum().backward()
    assert w.grad.dtype == torch.float16
    assert w.grad.equal(x)


def test_products_of_bfloat16() -> None:
    pytest.importorskip("ml_dtypes")
    x = torch.ones(2, 3, dtype=torch.bfloat16)
    products = x @ x.T, torch.nn.functional.linear(x, x, x[:, 0]), torch.einsum("ij,kj->ik", x, x), x[0].dot(x[1])
    assert {out.dtype for out in products} == {torch.bfloat16}
