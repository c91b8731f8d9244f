"""einsum against NumPy's, and what only PyTorch's has: broadcast sizes of 1, lists of numbers, its errors."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mini_torch
from mini_torch import Tensor

SIZES = {"a": 2, "b": 3, "c": 2, "d": 4}


@st.composite
def equations(draw: st.DrawFn) -> str:
    """One to four operands of up to three letters (repeated ones, too), an ellipsis here and there."""
    terms = draw(st.lists(st.text("abcd", max_size=3), min_size=1, max_size=4))
    terms = [t[:1] + "..." + t[1:] if draw(st.integers(0, 3)) == 0 else t for t in terms]
    letters = sorted({c for t in terms for c in t} - {"."})
    result = "".join(draw(st.permutations(letters)))[: draw(st.integers(0, 3))]
    if any("..." in t for t in terms):
        result = "..." + result
    return ",".join(terms) + draw(st.sampled_from(["", "->" + result, " -> " + result]))


def operands(equation: str, kind: Any = np.float64) -> list[np.ndarray[Any, Any]]:
    rng = np.random.default_rng(0)
    shapes = [
        [n for part in term.replace("...", ".") for n in ((2, 1) if part == "." else (SIZES[part],))]
        for term in equation.partition("->")[0].replace(" ", "").split(",")
    ]
    return [rng.uniform(0.5, 1.5, shape).astype(kind) for shape in shapes]


@given(equations())
def test_values_are_numpys(equation: str) -> None:
    if "->" not in equation and "..." in equation:  # NumPy wants the ellipsis in an implicit result to be unambiguous
        equation += "->..."
    arrays = operands(equation)
    out = mini_torch.einsum(equation, *map(mini_torch.tensor, arrays))
    np.testing.assert_allclose(out.numpy(), np.einsum(equation.replace(" ", ""), *arrays))


@pytest.mark.parametrize(
    "equation",
    ["ab,bc->ac", "dab,dbc->dac", "ab,ab->b", "aab->b", "ab,cb,bd->da", "...a,a...->...", "a,b,c,a->bc", "dd,d->d",
     "ab->ba", "ab,c->", "dab,db->da"],
)  # fmt: skip
def test_derivatives(equation: str) -> None:
    def run(*xs: Tensor) -> Tensor:
        return mini_torch.einsum(equation, *xs)

    for kind in (np.float64, np.complex128):
        inputs = [mini_torch.tensor(x, requires_grad=True) for x in operands(equation, kind)]
        assert mini_torch.autograd.gradcheck(run, inputs)
        assert mini_torch.autograd.gradgradcheck(run, inputs)


def test_forms(torch: ModuleType) -> None:
    x, y = torch.arange(6.0).view(2, 3), torch.arange(12.0).view(3, 4)
    product = (x @ y).tolist()
    assert torch.einsum("ij,jk", x, y).tolist() == product
    assert torch.einsum(" i j , jk -> ik ", x, y).tolist() == product
    assert torch.einsum("ij,jk->ik", [x, y]).tolist() == product
    assert torch.einsum(x, [0, 1], y, [1, 2], [0, 2]).tolist() == product
    assert torch.einsum(x, [Ellipsis, 1], y, [1, 2]).tolist() == product
    assert torch.einsum("ba", x).tolist() == x.T.tolist()  # an implicit result is in alphabetical order
    assert torch.einsum("aB", x).tolist() == x.T.tolist()  # in which capitals come first
    assert torch.einsum("ij,ij->ij", x, torch.tensor([[2.0]])).tolist() == (2 * x).tolist()
    assert torch.einsum("ij,i->j", x.int(), torch.tensor([1, 2]).int()).dtype == torch.int32


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        ("'ij,jk', x", RuntimeError, "fewer operands were provided than specified in the equation"),
        ("'ij', x, x", RuntimeError, "more operands were provided than specified in the equation"),
        ("'ijk', x", RuntimeError, r"the number of subscripts in the equation \(3\) does not match the number of dim"),
        ("'i...j...', x", RuntimeError, "for which an ellipsis was already found"),
        ("'i.j', x", RuntimeError, "that is not part of any ellipsis"),
        ("'i1', x", RuntimeError, "invalid subscript given at index 1 in the equation string"),
        ("'ij->ii', x", RuntimeError, "output subscript i appears more than once in the output"),
        ("'ij->k', x", RuntimeError, "output subscript k does not appear in the equation for any input operand"),
        ("'ij,jk', x, x", RuntimeError, "subscript j has size 2 for operand 1 which does not broadcast with prev"),
        ("'ii', x", RuntimeError, "subscript i is repeated for operand 0 but the sizes don't match, 3 != 2"),
        ("x, [0, 52]", ValueError, r"not within the valid range \[0, 52\)"),
        ("'ij,ij', x, x.double()", RuntimeError, "expected scalar type Float but found Double"),
        ("'ij'", ValueError, "must specify the equation string and at least one operand"),
    ],
)
def test_refused(torch: ModuleType, code: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        eval(f"torch.einsum({code})", {"torch": torch, "x": torch.zeros(2, 3)})


def test_the_cheap_order_is_taken() -> None:
    """A long chain with a vector at its end: from the left this would need 10¹² products, from the right 10⁴."""
    rng = np.random.default_rng(0)
    wide = mini_torch.tensor(rng.uniform(size=(1, 1000)))
    out = mini_torch.einsum("ai,bi,ci,di,i->abcd", wide, wide, wide, wide, wide[0])
    np.testing.assert_allclose(out.numpy().item(), (wide.numpy() ** 5).sum())
    x = mini_torch.tensor(rng.uniform(size=(300, 300)))
    v = mini_torch.tensor(rng.uniform(size=300))
    out = mini_torch.einsum("ij,kl,jk,l->i", x, x, x, v)
    np.testing.assert_allclose(out.numpy(), (x @ (x @ (x @ v))).numpy())
