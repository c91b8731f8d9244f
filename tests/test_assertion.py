"""`assert_close` says what PyTorch's says, word for word; `make_tensor` keeps its promises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch import Tensor, tensor
from mini_torch.testing import assert_close, make_tensor

NAN, INF = float("nan"), float("inf")


def tensors(count: str, absolute: str, relative: str, word: str = "close") -> str:
    return (
        f"Tensor-likes are not {word}!\n\nMismatched elements: {count}\nGreatest absolute difference: {absolute}\n"
        f"Greatest relative difference: {relative}"
    )


DIFFERENT: list[tuple[Any, Any, dict[str, Any], str]] = [
    (tensor([1.0, 2.0, 3.0]), tensor([1.0, 2.0, 4.0]), {}, tensors(
        "1 / 3 (33.3%)", "1.0 at index (2,) (up to 1e-05 allowed)", "0.25 at index (2,) (up to 1.3e-06 allowed)")),
    (tensor([1, 2]), tensor([1, 3]), {}, tensors(
        "1 / 2 (50.0%)", "1 at index (1,)", "0.3333333432674408 at index (1,)", "equal")),
    (tensor([True]), tensor([False]), {}, tensors("1 / 1 (100.0%)", "1 at index (0,)", "inf at index (0,)", "equal")),
    (tensor([1 + 1j]), tensor([1 + 2j]), {}, tensors(
        "1 / 1 (100.0%)", "1.0 at index (0,) (up to 1e-05 allowed)",
        "0.4472135901451111 at index (0,) (up to 1.3e-06 allowed)")),
    (tensor([1.0, 2.0]), tensor([1.0, 2.1]), {"rtol": 0.0, "atol": 0.01}, tensors(
        "1 / 2 (50.0%)", "0.09999990463256836 at index (1,) (up to 0.01 allowed)",
        "0.04761900380253792 at index (1,) (up to 0.0 allowed)")),
    (np.array([1.0]), np.array([2.0]), {}, tensors(
        "1 / 1 (100.0%)", "1.0 at index (0,) (up to 1e-07 allowed)", "0.5 at index (0,) (up to 1e-07 allowed)")),
    (tensor([INF]), tensor([1.0]), {}, tensors(
        "1 / 1 (100.0%)", "inf at index (0,) (up to 1e-05 allowed)", "inf at index (0,) (up to 1.3e-06 allowed)")),
    (tensor(1.0), tensor(2.0), {}, "Scalars are not close!\n\nExpected 2.0 but got 1.0.\nAbsolute difference: 1.0 "
        "(up to 1e-05 allowed)\nRelative difference: 0.5 (up to 1.3e-06 allowed)"),
    (1, 2, {}, "Scalars are not equal!\n\nExpected 2 but got 1.\nAbsolute difference: 1\nRelative difference: 0.5"),
    (1 + 1j, 1 + 2j, {}, "Scalars are not close!\n\nExpected (1+2j) but got (1+1j).\nAbsolute difference: 1.0 "
        "(up to 1e-07 allowed)\nRelative difference: 0.4472135954999579 (up to 1e-07 allowed)"),
    (True, False, {}, "Booleans mismatch: True is not False"),
    (None, 1, {}, "None mismatch: None is not 1"),
    (1, 1.0, {}, "The (d)types do not match: <class 'int'> != <class 'float'>."),
    (tensor([1]), tensor([1.0]), {}, "The values for attribute 'dtype' do not match: torch.int64 != torch.float32."),
    (tensor([1.0]), tensor([1.0, 2.0]), {},
        "The values for attribute 'shape' do not match: torch.Size([1]) != torch.Size([2])."),
    (tensor([[1.0]]).expand(2, 2), torch.ones(2, 2), {"check_stride": True},
        "The values for attribute 'stride()' do not match: (0, 0) != (2, 1)."),
    ([1], [1, 2], {}, "The length of the sequences mismatch: 1 != 2"),
    ({"a": 1}, {"b": 1}, {}, "The keys of the mappings do not match:\nMissing keys in the actual mapping: ['b']\n"
        "Additional keys in the actual mapping: ['a']"),
    ({"a": [0, {"b": 5}]}, {"a": [0, {"b": 6}]}, {}, "Scalars are not equal!\n\nExpected 6 but got 5.\nAbsolute "
        "difference: 1\nRelative difference: 0.16666666666666666\n\nThe failure occurred for item ['a'][1]['b']"),
    (tensor([1.0]), tensor([2.0]), {"msg": "as I said"}, "as I said"),
]  # fmt: skip


@pytest.mark.parametrize(("actual", "expected", "options", "message"), DIFFERENT)
def test_what_differs_is_told_as_pytorch_tells_it(actual: Any, expected: Any, options: Any, message: str) -> None:
    with pytest.raises(AssertionError) as failure:
        assert_close(actual, expected, **options)
    assert str(failure.value) == message


@pytest.mark.parametrize(
    ("actual", "expected", "options"),
    [
        (tensor([1.0]) * (1 + 1e-6), tensor([1.0]), {}),
        (tensor([NAN]), tensor([NAN]), {"equal_nan": True}),
        (NAN, NAN, {"equal_nan": True}),
        (tensor([1.0]).half(), tensor([1.0]), {"check_dtype": False}),
        ((tensor([1.0]),), [tensor([1.0])], {}),
        (tensor([]), tensor([]), {}),
        (tensor([INF]), tensor([INF]), {}),
        (tensor([1.0], requires_grad=True), tensor([1.0]), {}),
    ],
)
def test_what_is_close(actual: Any, expected: Any, options: Any) -> None:
    assert_close(actual, expected, **options)


def test_what_cannot_be_compared() -> None:
    with pytest.raises(TypeError, match=r"No comparison pair .* <class 'str'>"):
        assert_close("a", "a")
    with pytest.raises(ValueError, match="no atol"):
        assert_close(1.0, 1.0, rtol=0.1)
    with pytest.raises(AssertionError, match=r"^seen: Scalars"):
        assert_close(1, 2, msg=lambda message: f"seen: {message}")
    with pytest.raises(TypeError, match="allow_subclasses"):
        assert_close(torch.nn.Parameter(tensor([1.0])), tensor([1.0]), allow_subclasses=False)


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64, torch.int64, torch.uint8, torch.bool, torch.float16])
def test_make_tensor(dtype: torch.dtype) -> None:
    x = make_tensor(20, 30, dtype=dtype, exclude_zero=True)
    assert x.dtype is dtype
    assert x.shape == (20, 30)
    assert (x != 0).all()
    assert (np.abs(x.numpy().astype(complex)) <= 13).all()
    assert not make_tensor((3, 4), dtype=dtype, noncontiguous=True).is_contiguous()
    inside: Tensor = make_tensor((100,), dtype=dtype, low=0, high=2)
    assert (np.abs(inside.numpy().astype(complex)) <= 3).all()


def test_make_tensor_refuses() -> None:
    assert make_tensor(2, dtype=torch.float32, requires_grad=True).requires_grad
    with pytest.raises(ValueError, match="low"):
        make_tensor(2, dtype=torch.float32, low=2, high=1)
