"""Losses with margins, likelihoods, sequences and bags: values by hand, gradients, and what they refuse."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

import mini_torch as torch
from mini_torch.autograd import gradcheck, gradgradcheck

F = torch.nn.functional
DOUBLE = torch.float64


def some(*shape: int) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(*shape, dtype=DOUBLE, requires_grad=True)


X = torch.tensor([[0.5, -1.0, 2.0]])
BY_HAND = {
    "soft_margin": (lambda: F.soft_margin_loss(torch.tensor([800.0, -800.0]), torch.tensor([-1.0, -1.0])), 400.0),
    "ranking": (lambda: F.margin_ranking_loss(X[:, 0], X[:, 1], torch.tensor([-1.0]), margin=1.0), 2.5),
    "hinge": (lambda: F.hinge_embedding_loss(X, torch.tensor([[1, -1, -1]]), reduction="sum"), 0.5 + 2.0 + 0.0),
    "multi margin": (lambda: F.multi_margin_loss(X, torch.tensor([0])), 2.5 / 3),
    "multi margin, squared": (lambda: F.multi_margin_loss(X, torch.tensor([0]), p=2), 6.25 / 3),
    "multilabel": (lambda: F.multilabel_margin_loss(X, torch.tensor([[2, 0, -1]])), 0.0),
    "multilabel, missed": (lambda: F.multilabel_margin_loss(X, torch.tensor([[1, -1, 0]])), (2.5 + 4.0) / 3),
    "triplet": (lambda: F.triplet_margin_loss(X, X, X + 3, eps=0.0), 0.0),
    "cosine": (lambda: F.cosine_embedding_loss(X, -X, torch.tensor([1])), 2.0),
    "gaussian": (lambda: F.gaussian_nll_loss(X, X + 1, torch.tensor([2.0]), full=True),
                 0.5 * (math.log(2) + 0.5 + math.log(2 * math.pi))),
    "poisson": (lambda: F.poisson_nll_loss(torch.tensor([0.0]), torch.tensor([3.0])), 1.0),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand(name: str) -> None:
    call, expected = BY_HAND[name]
    assert call().item() == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_gradients_without_a_batch() -> None:
    x = some(4)
    assert gradcheck(lambda x: F.multi_margin_loss(x, torch.tensor(2), p=2), x)
    assert gradcheck(lambda x: F.multilabel_margin_loss(x, torch.tensor([3, 1, -1, 0])), x)


def test_a_variance_below_eps_keeps_its_gradient() -> None:
    var = torch.tensor([0.0], requires_grad=True)
    F.gaussian_nll_loss(torch.tensor([0.0]), torch.tensor([0.0]), var, eps=0.5).backward()
    assert var.grad.item() == 1.0


def test_torch_forms_take_the_reduction_as_a_number() -> None:
    x, y = some(4, 3), some(4, 3).abs()
    for number, name in enumerate(("none", "mean", "sum")):
        found = torch.hinge_embedding_loss(x, y.sign(), 1.0, number)
        torch.testing.assert_close(found, F.hinge_embedding_loss(x, y.sign(), reduction=name))
        found = torch.poisson_nll_loss(x, y, True, False, 1e-8, number)
        torch.testing.assert_close(found, F.poisson_nll_loss(x, y, reduction=name))
    with pytest.raises(ValueError, match="3 is not a valid"):
        torch.kl_div(x, y, 3)
    numbers = torch.tensor([0, 2])
    assert torch.embedding(TABLE, numbers).tolist() == F.embedding(numbers, TABLE).tolist()
    assert torch.softmax(X, 1, torch.float64).dtype is torch.float64 is X.softmax(1, torch.float64).dtype


# ---- ctc ------------------------------------------------------------------------------------------------------------
def collapsed(path: tuple[int, ...], blank: int) -> list[int]:
    return [label for label, _ in itertools.groupby(path) if label != blank]


@pytest.mark.parametrize("labels", [[1], [1, 2], [1, 1], [2, 1, 2]])
@pytest.mark.parametrize("steps", [3, 4])
def test_ctc_is_the_sum_over_all_paths(labels: list[int], steps: int) -> None:
    scores = some(4, 1, 3).log_softmax(2)
    p = scores.exp().detach().numpy()
    total = sum(
        math.prod(p[t, 0, c] for t, c in enumerate(path))
        for path in itertools.product(range(3), repeat=steps)
        if collapsed(path, 0) == labels
    )
    loss = F.ctc_loss(scores, torch.tensor([labels]), [steps], [len(labels)], reduction="sum")
    assert loss.item() == pytest.approx(-math.log(total), rel=1e-12)


def test_ctc_gradients() -> None:
    def loss(x: torch.Tensor) -> torch.Tensor:
        return F.ctc_loss(x.log_softmax(2), torch.tensor([[1, 2], [2, 2], [1, 0]]), (5, 4, 3), (2, 2, 1))

    assert gradcheck(loss, some(5, 3, 3))
    assert gradgradcheck(loss, some(5, 3, 3))


def test_ctc_of_what_cannot_be() -> None:
    x = some(2, 1, 3)
    arguments = (torch.tensor([[1, 1]]), [2], [2])  # needs a blank between
    assert F.ctc_loss(x.log_softmax(2), *arguments).item() == math.inf
    loss = F.ctc_loss(x.log_softmax(2), *arguments, zero_infinity=True)
    loss.backward()
    assert loss.item() == 0.0
    assert x.grad.abs().max().item() == 0.0


# ---- a linear layer's cross entropy ---------------------------------------------------------------------------------
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_pieces_change_nothing(reduction: str) -> None:
    x, weight, bias, target = some(7, 3), some(5, 3), some(5), torch.tensor([0, 4, 2, 2, 1, 3, 0])
    options = torch.nn.LinearCrossEntropyOptions(batch_chunk_size=2, chunking_method=None)

    def loss(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, given: Any = options) -> torch.Tensor:
        return F.linear_cross_entropy(
            x, weight, target, linear_bias=bias, reduction=reduction, ignore_index=3, options=given
        )

    torch.testing.assert_close(loss(x, weight, bias), loss(x, weight, bias, None))
    assert gradcheck(loss, [x, weight, bias])
    assert gradgradcheck(loss, [x, weight, bias])


# ---- bags -----------------------------------------------------------------------------------------------------------
TABLE = torch.tensor([[1.0, 5.0], [2.0, 4.0], [3.0, 3.0]])


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("sum", [[3.0, 9.0], [0.0, 0.0], [6.0, 6.0]]), ("mean", [[1.5, 4.5], [0.0, 0.0], [3.0, 3.0]]),
     ("max", [[2.0, 5.0], [0.0, 0.0], [3.0, 3.0]])],
)  # fmt: skip
def test_bags(mode: str, expected: list[list[float]]) -> None:
    numbers, offsets = torch.tensor([0, 1, 2, 2]), torch.tensor([0, 2, 2])
    assert F.embedding_bag(numbers, TABLE, offsets, mode=mode).tolist() == expected
    ends = torch.tensor([0, 2, 2, 4])
    assert F.embedding_bag(numbers, TABLE, ends, mode=mode, include_last_offset=True).tolist() == expected


def test_bags_of_weighted_rows() -> None:
    table, weights = some(4, 3), some(5)
    numbers, offsets = torch.tensor([0, 3, 3, 1, 2]), torch.tensor([0, 3])

    def bag(table: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        return F.embedding_bag(numbers, table, offsets, mode="sum", per_sample_weights=weights, padding_idx=1)

    assert gradcheck(bag, [table, weights])
    assert gradgradcheck(bag, [table, weights])


def test_the_gradient_of_a_maximum_goes_to_its_first_row() -> None:
    table = torch.zeros(3, 1, requires_grad=True)
    F.embedding_bag(torch.tensor([[2, 1]]), table, mode="max").sum().backward()
    assert table.grad.ravel().tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("error", "words", "call"),
    [
        (ValueError, "p == 1", lambda: F.multi_margin_loss(X, torch.tensor([0]), p=3)),
        (IndexError, "out of range", lambda: F.multi_margin_loss(X, torch.tensor([3]))),
        (RuntimeError, "out of range", lambda: F.multilabel_margin_loss(X, torch.tensor([[3, 0, 0]]))),
        (RuntimeError, "same dimension", lambda: F.margin_ranking_loss(X, X, X[0])),
        (ValueError, "margin", lambda: F.triplet_margin_loss(X, X, X, margin=0.0)),
        (RuntimeError, "2D input", lambda: F.cosine_embedding_loss(X[0], X[0], torch.tensor([1]))),
        (ValueError, "negative", lambda: F.gaussian_nll_loss(X, X, -1.0)),
        (ValueError, "incorrect size", lambda: F.gaussian_nll_loss(X, X, torch.ones(2))),
        (ValueError, "reduction", lambda: F.poisson_nll_loss(X, X, reduction="average")),
        (RuntimeError, "at most 1", lambda: F.ctc_loss(X[None], torch.tensor([[1]]), [2], [1])),
        (RuntimeError, "blank", lambda: F.ctc_loss(X[None], torch.tensor([[1]]), [1], [1], blank=3)),
        (RuntimeError, "batch_size", lambda: F.ctc_loss(X[None], torch.tensor([[1]]), [1, 1], [1])),
        (ValueError, "offsets", lambda: F.embedding_bag(torch.tensor([0]), TABLE)),
        (RuntimeError, "start from position 0", lambda: F.embedding_bag(torch.tensor([0]), TABLE, torch.tensor([1]))),
        (RuntimeError, "3 for 3 rows", lambda: F.embedding_bag(torch.tensor([[3]]), TABLE)),
        (ValueError, "mode", lambda: F.embedding_bag(torch.tensor([[0]]), TABLE, mode="min")),
        (RuntimeError, "2D tensors", lambda: F.pdist(torch.ones(3))),
        (ValueError, "chunk", lambda: torch.nn.LinearCrossEntropyOptions(batch_chunk_size=0)),
    ],
)
def test_refusals(error: type[Exception], words: str, call: Any) -> None:
    with pytest.raises(error, match=words):
        call()
