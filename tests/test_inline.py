"""`Inliner`: a function's source with all that it uses does what the function does, in an empty namespace."""

from __future__ import annotations

import dataclasses
import functools
import math
import operator
import re
import sys
import types
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import mini_torch
from mini_torch import errors, special
from mini_torch.capture.inline import Inliner
from mini_torch.errors import NotExported
from mini_torch.graph import mode, unit
from mini_torch.op.quiet import quiet
from mini_torch.ops import window as windows
from mini_torch.ops.convolution import channel_sums

SCALE, NAMES, LIMIT = 3, {"a": 1, "b": [2, 3]}, -math.inf
count = 5


@dataclasses.dataclass(frozen=True)
class Size:
    """A class with a decorator."""

    n: int
    parts: tuple[int, ...] = (1, 2)

    @property
    def total(self) -> int:
        return self.n * SCALE + sum(self.parts)

    def larger(self, by: int = SCALE) -> Size:
        return Size(self.n + by)


class Pair(NamedTuple):
    first: int
    second: Any = SCALE


class Slots:
    __slots__ = ("missing", "x")

    def __init__(self, x: Any) -> None:
        self.x = x


@functools.lru_cache(maxsize=8)
def squares(n: int) -> list[int]:
    return [k * k for k in range(n)]


cached_size = functools.lru_cache(maxsize=4)(Size)


def made(n: int) -> Any:
    """A function in another one, which takes a name along."""
    offset = n * 10

    def add(x: Any, *rest: Any, y: Any = SCALE, **more: Any) -> Any:
        return x + offset + y + sum(rest) + len(more)

    return add


def with_names_of_its_own(x: int) -> Any:
    # `count` here is another one than the module's, and `total` shadows nothing
    count, total = x, 0
    for SCALE in range(count):
        total += SCALE
    inner = lambda total: total + LIMIT * 0 if total < 0 else total  # noqa: E731
    return inner(total), [NAMES for NAMES in "ab"], {k: v for k, v in NAMES.items()} if x > 99 else count  # noqa: C416


def everything(x: int) -> Any:
    from mini_torch.errors import LinAlgError

    value: float = math.sqrt(x)
    try:
        raise errors.GraphFreedError
    except (LinAlgError, errors.GraphFreedError) as error:
        text: str = type(error).__name__
    return (
        value, text, squares(4), made(2)(x, 1, y=2, z=3), Size(x).larger().total, Pair(x), NAMES["b"], count, LIMIT,
        cached_size(x).n, functools.reduce(operator.mul, [1, 2, x]), np.linalg.norm(np.arange(x)),
        windows.Windows.__name__, len(Path("a/b").parts), mode.recorder, np.lib.stride_tricks.sliding_window_view,
    )  # fmt: skip


def again(function: Any) -> Any:
    """The function from its source."""
    inliner = Inliner({"taken"}, lambda array, wish: f"np.array({array.tolist()}, {str(array.dtype)!r})")
    name = inliner.expression(function, "function")
    text = "\n".join(["from __future__ import annotations", *inliner.imports, *inliner.definitions, f"result = {name}"])
    assert "mini_torch import" not in text
    module = sys.modules["alone"] = types.ModuleType("alone")
    exec(text, vars(module))
    return module.result


def test_functions_with_all_that_they_use() -> None:
    found, expected = again(everything)(7), everything(7)
    assert repr(found[5]) == repr(expected[5])
    assert [x for i, x in enumerate(found) if i != 5] == [x for i, x in enumerate(expected) if i != 5]
    assert again(with_names_of_its_own)(4) == with_names_of_its_own(4)
    assert again(made(3))(1, z=2) == made(3)(1, z=2)
    assert again(functools.partial(made(3), 4, y=1))() == made(3)(4, y=1)
    assert again(functools.partial(squares))(3) == [0, 1, 4]


def test_lambdas_are_told_apart() -> None:
    first, second, third = lambda x: x + 1, lambda x: x + 2, lambda x, y=count: x * y
    assert [again(f)(10) for f in (first, second, third)] == [11, 12, 50]


def test_what_records_and_silences_is_left_out() -> None:
    assert again(unit(with_names_of_its_own))(3) == with_names_of_its_own(3)
    assert again(quiet(with_names_of_its_own))(3) == with_names_of_its_own(3)
    x = np.arange(6.0).reshape(2, 3)
    assert np.array_equal(again(lambda x: channel_sums(x[..., None]))(x), x.sum(0))


@pytest.mark.parametrize(
    "thing",
    [
        None, ..., True, 3, 2.5, math.inf, -math.inf, 1 + 2j, "text", b"bytes", (1,), (1, 2), [1, [2]], {3},
        frozenset({4}), {"a": (1, 2)}, slice(1, None, 2), np.float32(0.1), np.int64(3), np.dtype("int8"),
        np.dtype([("x", "f4")]), np.add, np.add.reduce, np.float64, np.sum, np.ndarray.reshape, np.linalg.inv, len, int,
        str.upper, math.gcd, functools.partial, Path.exists,
    ],
    ids=lambda thing: re.sub(" at 0x[0-9a-f]+", "", repr(thing)),  # the same names in every process
)  # fmt: skip
def test_things(thing: Any) -> None:
    found = again(thing)
    assert type(found) is type(thing)
    assert found == thing or found is thing


def test_objects_by_what_they_hold() -> None:
    assert dataclasses.astuple(again(Size(2, (3,)))) == (2, (3,))
    assert tuple(again(Pair(1, np.float32(2)))) == (1, 2)
    assert again(Slots([1, 2])).x == [1, 2]
    assert again(mini_torch.tensor([1, 2])).tolist() == [1, 2]
    assert again(Size(2).larger)(5).total == Size(7).total


def test_one_name_for_one_thing() -> None:
    inliner = Inliner(set(), repr)
    assert [inliner.expression(squares), inliner.expression(squares)] == ["squares", "squares"]
    assert len(inliner.definitions) == 1
    assert [inliner.new(wish) for wish in ("len", "x y", "x y", "1a")] == ["len_2", "x_y", "x_y_2", "_1a"]


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (lambda x: mini_torch.sin(x), r"mini_torch.tensor.wrap .*in function → sin → "),
        (special, "the module mini_torch.special as a whole"),
        (pytest, "the module pytest"),
        (mini_torch.nn.Linear(1, 1), "a Linear"),
        (object(), "a object"),
        (eval("lambda x: x"), "<lambda>, whose source is not to be found"),
        (lambda x: mini_torch.Tensor.sin(x), "Tensor.sin"),
        (type("Made", (), {}), "the class Made"),
        (mini_torch.tensor, "the module mini_torch.tensor as a whole"),
    ],
    ids=lambda x: x if isinstance(x, str) else type(x).__name__,
)
def test_what_cannot_be_is_named(thing: Any, words: str) -> None:
    with pytest.raises(NotExported, match=words):
        again(thing)


def test_the_way_to_it_is_named() -> None:
    def inner() -> Any:
        return pytest

    def outer() -> Any:
        return inner()

    with pytest.raises(NotExported, match=r"the module pytest .*\(in outer → inner\)"):
        again(outer)
