"""What of `nn.functional` has no module here: padding, embedding, one-hot vectors, similarity."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np
import pytest


# ---- padding -----------------------------------------------------------------------------------------------
def test_pad_with_a_constant(torch: ModuleType) -> None:
    pad = torch.nn.functional.pad
    x = torch.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    y = pad(x, (1, -1, 0, 1), value=9.0)
    assert y.tolist() == [[9.0, 1.0, 2.0], [9.0, 9.0, 9.0]]
    (y * torch.arange(6.0).reshape(2, 3)).sum().backward()
    assert x.grad.tolist() == [[1.0, 2.0, 0.0]]
    assert pad(torch.arange(3), (1, 1), value=2).tolist() == [2, 0, 1, 2, 2]
    assert pad(x, (-2, -1)).shape == (1, 0)
    assert pad(x, ()).tolist() == x.tolist()


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("reflect", [3.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0]),
        ("replicate", [1.0, 1.0, 1.0, 2.0, 3.0, 4.0, 4.0]),
        ("circular", [3.0, 4.0, 1.0, 2.0, 3.0, 4.0, 1.0]),
    ],
)
def test_pad_from_inside(torch: ModuleType, mode: str, expected: list[float]) -> None:
    x = torch.tensor([[[1.0, 2.0, 3.0, 4.0]]], requires_grad=True)
    y = torch.nn.functional.pad(x, (2, 1), mode=mode)
    y.sum().backward()
    assert y.tolist() == [[expected]]
    counted = [float(expected.count(value)) for value in (1.0, 2.0, 3.0, 4.0)]
    assert x.grad.tolist() == [[counted]]
    cut = torch.nn.functional.pad(x, (-1, 1), mode=mode)
    assert cut.shape == (1, 1, 4)
    assert cut[0, 0, 0] == 2.0
    assert cut[0, 0, -1] == {"reflect": 3.0, "replicate": 4.0, "circular": 2.0}[mode]
    image = torch.arange(12.0).reshape(1, 3, 4)
    sides = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    found = torch.nn.functional.pad(image, (1, 2, 2, 1), mode=mode)
    np.testing.assert_array_equal(found[0].numpy(), np.pad(image[0].numpy(), ((2, 1), (1, 2)), sides[mode]))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (((1,),), RuntimeError, "Padding length must be divisible by 2"),
        (((1, 2, 3, 4, 5, 6, 7, 8),), RuntimeError, "less than or equal to two times the input dimension"),
        (((-5, 0),), RuntimeError, "negative"),
        (
            ((4, 0), "reflect"),
            RuntimeError,
            "Padding size should be less than the corresponding input dimension",
        ),
        (((1,) * 6, "reflect"), NotImplementedError, "Padding size 6 is not supported for 3D input tensor"),
        (((5, 1), "circular"), RuntimeError, "wrapping around more than once"),
        (((5, 1), "foo"), NotImplementedError, "Unrecognised padding mode foo"),
        (((1, 1), "reflect", 1.0), RuntimeError, 'mode "reflect" doesn\'t take in value argument'),
    ],
)
def test_pad_refuses(torch: ModuleType, arguments: tuple[Any, ...], error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        torch.nn.functional.pad(torch.ones(2, 3, 4), *arguments)


# ---- rows of a table ---------------------------------------------------------------------------------------
def test_embedding_adds_up_and_skips_padding(torch: ModuleType) -> None:
    F = torch.nn.functional
    weight = torch.arange(8.0).reshape(4, 2).requires_grad_()
    index = torch.tensor([[1, 3], [1, 0]])
    y = F.embedding(index, weight, padding_idx=0)
    assert y.tolist() == [[[2.0, 3.0], [6.0, 7.0]], [[2.0, 3.0], [0.0, 1.0]]]
    y.sum().backward()
    assert weight.grad.tolist() == [[0.0, 0.0], [2.0, 2.0], [0.0, 0.0], [1.0, 1.0]]
    weight.grad = None
    F.embedding(index, weight, scale_grad_by_freq=True).sum().backward()
    assert weight.grad.tolist() == [[1.0, 1.0], [1.0, 1.0], [0.0, 0.0], [1.0, 1.0]]
    assert F.embedding(torch.zeros(0, 3, dtype=torch.int64), weight).shape == (0, 3, 2)


def test_embedding_shortens_long_rows(torch: ModuleType) -> None:
    weight = torch.tensor([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]])
    y = torch.nn.functional.embedding(torch.tensor([0, 1]), weight, max_norm=1.0)
    np.testing.assert_allclose(y.tolist(), [[0.6, 0.8], [0.3, 0.4]], rtol=1e-5)
    np.testing.assert_allclose(weight.tolist(), [[0.6, 0.8], [0.3, 0.4], [6.0, 8.0]], rtol=1e-5)


def test_one_hot(torch: ModuleType) -> None:
    one_hot = torch.nn.functional.one_hot
    assert one_hot(torch.tensor([1, 0])).tolist() == [[0, 1], [1, 0]]
    assert one_hot(torch.tensor([[2]]), 4).tolist() == [[[0, 0, 1, 0]]]
    assert one_hot(torch.tensor([1])).dtype == torch.int64
    assert one_hot(torch.zeros(0, dtype=torch.int64), 3).shape == (0, 3)


@pytest.mark.parametrize(
    ("action", "error", "message"),
    [
        (lambda t, F: F.embedding(t.tensor([4]), t.ones(4, 2)), IndexError, "index out of range in self"),
        (
            lambda t, F: F.embedding(t.tensor([1.0]), t.ones(4, 2)),
            RuntimeError,
            "Long, Int; but got torch.FloatTensor",
        ),
        (
            lambda t, F: F.embedding(t.tensor([1]), t.ones(4, 2), padding_idx=5),
            AssertionError,
            "within num_embeddings",
        ),
        (lambda t, F: F.embedding(t.tensor([1]), t.ones(4)), RuntimeError, "'weight' must be 2-D"),
        (
            lambda t, F: F.one_hot(t.tensor([1, 5]), 3),
            RuntimeError,
            "Class values must be smaller than num_classes",
        ),
        (lambda t, F: F.one_hot(t.tensor([-1])), RuntimeError, "Class values must be non-negative"),
        (
            lambda t, F: F.one_hot(t.tensor([1.0])),
            RuntimeError,
            "only applicable to index tensor of type LongTensor",
        ),
        (lambda t, F: F.one_hot(t.zeros(0).long()), RuntimeError, "Can not infer total number of classes"),
        (lambda t, F: F.cosine_similarity(t.arange(3), t.arange(3), 0), RuntimeError, "floating point"),
    ],
)
def test_tables_refuse(torch: ModuleType, action: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        action(torch, torch.nn.functional)


# ---- distance ----------------------------------------------------------------------------------------------
def test_similarity(torch: ModuleType) -> None:
    F = torch.nn.functional
    x, y = torch.tensor([[3.0, 4.0], [0.0, 0.0]]), torch.tensor([[4.0, 3.0], [1.0, 1.0]])
    np.testing.assert_allclose(F.cosine_similarity(x, y).tolist(), [0.96, 0.0], rtol=1e-6)
    np.testing.assert_allclose(F.pairwise_distance(x, y).tolist(), [math.sqrt(2), math.sqrt(2)], rtol=1e-5)
    assert F.pairwise_distance(x, y, keepdim=True).shape == (2, 1)
    np.testing.assert_allclose(F.normalize(x, dim=1).tolist(), [[0.6, 0.8], [0.0, 0.0]], rtol=1e-6)
