"""Random programs, of operations on tensors and of NumPy's calls on their arrays: compiled they give the same for other
numbers, whatever they write into, look at through views, or return."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import capture_cases
import mini_torch as torch

SHAPES = [(3, 4), (4,), (3, 1), (2, 3, 4), (), (4, 4)]
Values = list[Any]


# ---- of tensors ------------------------------------------------------------------------------------------------------
UNARY: list[Callable[[Any], Any]] = [
    torch.sin, torch.tanh, torch.exp, torch.relu, torch.abs, torch.square, torch.sigmoid, lambda x: -x, lambda x: x * 2,
    lambda x: 1 - x, lambda x: x.clamp(-1, 1), lambda x: x.clone(), lambda x: x.detach(), lambda x: x + 0,
    lambda x: x.softmax(-1) if x.ndim else x, lambda x: x.cumsum(-1) if x.ndim else x,
    lambda x: x.double().float(),
    lambda x: (x > 0).to(x.dtype), lambda x: x.flip(0) if x.ndim else x, lambda x: x.contiguous(),
]  # fmt: skip
REDUCTIONS: list[Callable[[Any], Any]] = [
    lambda x: x.sum(), lambda x: x.mean(-1), lambda x: x.amax(0), lambda x: x.sum(0, keepdim=True),
    lambda x: x.max(-1).values, lambda x: x.argmax(-1).float(), lambda x: x.var(0, correction=0), lambda x: x.norm(),
    lambda x: x.prod(-1), lambda x: x.logsumexp(-1),
]  # fmt: skip
BINARY: list[Callable[[Any, Any], Any]] = [
    torch.add, torch.sub, torch.mul, torch.maximum, lambda x, y: x / (y.abs() + 1),
    lambda x, y: torch.where(x > y, x, y),
    lambda x, y: torch.add(x, y, alpha=0.5), lambda x, y: torch.lerp(x, y.expand_as(x), 0.3) if fits(y, x) else x + y,
    lambda x, y: torch.where(y > 0, x, 0.0), lambda x, y: x.masked_fill(y > 0.5, 2.0) if fits(y, x) else x * y,
]  # fmt: skip
VIEWS: list[Callable[[Any], Any]] = [
    lambda x: x.reshape(-1), lambda x: x.mT if x.ndim > 1 else x.view(-1), lambda x: x[..., 1:], lambda x: x[0],
    lambda x: x.unsqueeze(0).squeeze(0), lambda x: x[..., ::2], lambda x: x.narrow(0, 0, 1),
    lambda x: x.chunk(2, -1)[0],
    lambda x: x.expand(2, *x.shape)[1], lambda x: x.view_as(x), lambda x: x.movedim(0, -1), lambda x: x[None, ..., -1],
]  # fmt: skip
WRITES: list[Callable[[Any, Any], Any]] = [
    lambda x, y: x.add_(y), lambda x, y: x.mul_(y), lambda x, y: x.copy_(y), lambda x, y: x.sub_(y, alpha=2),
    lambda x, y: x.__setitem__((..., slice(0, 1)), 1.5), lambda x, y: x.zero_(), lambda x, y: x.clamp_(max=0.5),
    lambda x, y: x.__setitem__(slice(0, 1), x[-1:] * 2), lambda x, y: x.__iadd__(y), lambda x, y: x.tanh_(),
    lambda x, y: x.__setitem__(x > 1, 0.0), lambda x, y: x.view(-1).add_(1) if x.is_contiguous() else x.add_(1),
]  # fmt: skip
MAKERS: list[Callable[..., Any]] = [torch.zeros, torch.ones, lambda *shape: torch.full(shape, 0.5), torch.randn]


def fits(y: Any, x: Any) -> bool:
    """Whether y spreads to x's shape."""
    try:
        return torch.broadcast_shapes(x.shape, y.shape) == x.shape
    except RuntimeError:
        return False


def tensor_step(r: random.Random, values: Values, writable: Values) -> Any:
    """One more value; what it is depends on shapes alone."""
    x, y = r.choice(values), r.choice(values)
    kind = r.randrange(10)
    if kind < 2:
        return r.choice(UNARY)(x)
    if kind < 4 and (fits(y, x) or fits(x, y)):
        return r.choice(BINARY)(x, y)
    if kind == 4 and x.ndim and x.numel():
        return r.choice(REDUCTIONS)(x)
    if kind == 5 and x.ndim and 0 not in x.shape:
        return r.choice(VIEWS)(x)
    if kind in (6, 7) and writable:
        x = r.choice(writable)
        if x.ndim and 0 not in x.shape and fits(y, x):
            r.choice(WRITES)(x, y)
        return x
    if kind == 8:
        made = r.choice(MAKERS)(*x.shape)
        writable.append(made)
        return made
    if x.ndim == 2 and y.ndim == 2 and x.shape[1] == y.shape[0]:
        return x @ y
    made = x.clone()
    writable.append(made)
    return made


def tensor_program(seed: int, writes_inputs: bool) -> Callable[..., Any]:
    """A function of tensors; some of its inputs may be written to."""

    def run(*inputs: Any) -> Any:
        r = random.Random(seed)
        values, writable = list(inputs), list(inputs[:1]) if writes_inputs else []
        for _ in range(r.randrange(4, 16)):
            new = tensor_step(r, values, writable)
            if any(new is x for x in writable) or (new._base is not None and any(new._base is x for x in writable)):
                writable.append(new)
            values.append(new)
        return [r.choice(values) for _ in range(3)]

    return run


def inputs_maker(seed: int, wants_gradient: bool) -> list[Callable[[], list[Any]]]:
    r = random.Random(seed)
    shapes = [r.choice(SHAPES) for _ in range(3)]

    def maker(k: int) -> Callable[[], list[Any]]:
        def make() -> list[Any]:
            rng = np.random.default_rng([seed, k])
            return [torch.from_numpy(rng.standard_normal(shape).astype(np.float32)).requires_grad_(wants_gradient)
                    for shape in shapes]  # fmt: skip

        return make

    return [maker(k) for k in range(4)]


@pytest.mark.no_cover  # its lines are reached elsewhere too, and counting them would double its time
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("group", range(10))
def test_programs_of_tensors(group: int) -> None:
    for seed in range(8 * group, 8 * group + 8):
        check_tensor_program(seed)


def check_tensor_program(seed: int) -> list[capture_cases.Verdict]:
    """Without gradients, with inputs written to; with gradients asked for inside, and outside."""
    return [
        capture_cases.compare(tensor_program(seed, True), inputs_maker(seed, False)),
        capture_cases.compare(capture_cases.with_gradients(tensor_program(seed, False)), inputs_maker(seed, True)),
        capture_cases.compare(tensor_program(seed, False), inputs_maker(seed, True), capture_cases.gradients_after),
    ]


# ---- of NumPy's calls ------------------------------------------------------------------------------------------------
ARRAYS: list[Callable[[random.Random, Any, Any], Any]] = [
    lambda r, x, y: np.add(x, y), lambda r, x, y: x * y, lambda r, x, y: np.maximum(x, y), lambda r, x, y: x - 2 * y,
    lambda r, x, y: np.sin(x), lambda r, x, y: np.exp(-np.abs(x)), lambda r, x, y: np.where(x > y, x, y),
    lambda r, x, y: np.sum(x, axis=-1, keepdims=True), lambda r, x, y: x.max(), lambda r, x, y: np.mean(x, 0),
    lambda r, x, y: np.swapaxes(x, 0, -1), lambda r, x, y: x.reshape(-1), lambda r, x, y: x[..., 1:],
    lambda r, x, y: np.concatenate([x, x], -1), lambda r, x, y: np.stack([x, x]), lambda r, x, y: x.astype(np.float64),
    lambda r, x, y: np.clip(x, -1, 1), lambda r, x, y: np.cumsum(x, -1), lambda r, x, y: np.zeros_like(x),
    lambda r, x, y: np.broadcast_to(x, (2, *x.shape)), lambda r, x, y: np.take(x, [0, 0], -1), lambda r, x, y: x.copy(),
    lambda r, x, y: np.matmul(x, np.swapaxes(x, -1, -2)) if x.ndim > 1 else np.dot(x, x),
    lambda r, x, y: np.argsort(x, -1), lambda r, x, y: np.round(x), lambda r, x, y: np.einsum("...i,...i->...", x, x),
    lambda r, x, y: np.add.accumulate(x, -1), lambda r, x, y: np.expand_dims(x, 0), lambda r, x, y: np.tile(x, 2),
    lambda r, x, y: np.divmod(x, 2.0)[1], lambda r, x, y: np.moveaxis(x, 0, -1),
    lambda r, x, y: np.isfinite(x) & (x > 0),
]  # fmt: skip
ARRAY_WRITES: list[Callable[[Any, Any], Any]] = [
    lambda x, y: np.add(x, 1, out=x), lambda x, y: np.multiply(x, 0.5, out=x), lambda x, y: x.fill(0.5),
    lambda x, y: x.__setitem__((..., 0), 2.0), lambda x, y: np.copyto(x, x[..., ::-1].copy()),
    lambda x, y: x.__setitem__(x > 0.5, 0.0), lambda x, y: np.add.at(x, 0, 1.0),
    lambda x, y: np.add.at(x.reshape(-1), [0, 0], 1.0), lambda x, y: np.negative(x, out=x),
]  # fmt: skip


def array_program(seed: int) -> Callable[..., Any]:
    """A function of arrays, made one of tensors."""

    def run(*inputs: Any) -> Any:
        r = random.Random(seed)
        values, own = list(inputs), []
        for _ in range(r.randrange(4, 16)):
            x, y = r.choice(values), r.choice(values)
            if own and r.random() < 0.25:
                target = r.choice(own)
                r.choice(ARRAY_WRITES)(target, y)
                values.append(target)
                continue
            try:
                np.broadcast_shapes(x.shape, y.shape)
            except ValueError:
                y = x
            if not x.ndim or 0 in x.shape:
                continue
            values.append(r.choice(ARRAYS)(r, x, y))
            if r.random() < 0.3:
                own.append(x.astype(np.float32).copy())
                values.append(own[-1])
        return [r.choice(values) for _ in range(3)]

    return torch.compiler.wrap_numpy(run)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("group", range(5))
def test_programs_of_numpy(group: int) -> None:
    for seed in range(20 * group, 20 * group + 20):
        check_array_program(seed)


def check_array_program(seed: int) -> capture_cases.Verdict:
    return capture_cases.compare(array_program(seed), inputs_maker(seed, False))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("seed", [2042, 2110, 2385, 2426, 2618])
def test_views_of_what_was_written_to_later(seed: int) -> None:
    """Returned, they have the history of their base's last write."""
    check_tensor_program(seed)
