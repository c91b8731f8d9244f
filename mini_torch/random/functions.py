"""New tensors of random numbers: `rand`, `randn`, `randint`, `randperm`, `normal`, `bernoulli` …

With the same seed they hold the numbers that PyTorch gives on a CPU. All take `generator=` (the default generator
otherwise), `out=` a tensor to write into, and `device=`, which must be the CPU. Source of each: PyTorch's page
"torch", section "Random sampling".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..creation import empty_like, finish, size_of
from ..dtype import check_device, default_numpy_dtype, to_numpy_dtype
from ..graph import verify
from ..op import functions, no_formula, row, shape_mismatch, type_name
from ..tensor import Tensor, method, wrap
from . import distributions
from .generator import Generator, chosen, draw_by
from .inplace import bernoulli_, normal_, random_, uniform_

__all__ = [
    "bernoulli", "binomial", "multinomial", "normal", "poisson", "rand", "rand_like", "randint", "randint_like",
    "randn", "randn_like", "randperm",
]  # fmt: skip

_MOST_CATEGORIES = 1 << 24

# What was drawn does not follow its parameters: PyTorch keeps the graph and gives them a gradient of zeros.
_of_one = {name: row(name, lambda x, drawn: drawn, x=lambda g: np.zeros_like(g)) for name in ("bernoulli", "poisson")}
_of_mean_and_std = row(
    "normal", lambda mean, std, drawn: drawn, grad_name="NormalBackward3", broadcasts=True,
    mean=lambda g: np.zeros_like(g), std=lambda g: np.zeros_like(g),
)  # fmt: skip
_binomial = row(
    "binomial", lambda count, prob, drawn: drawn, broadcasts=True, count=no_formula("binomial"),
    prob=no_formula("binomial"),
)  # fmt: skip


def rand(
    *sizes: Any, size: Any = None, generator: Generator | None = None, out: Tensor | None = None, dtype: Any = None,
    layout: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Uniform numbers, 0 ≤ x < 1, of the given size (ints or one tuple) and a floating type.

    >>> from mini_torch import manual_seed
    >>> _ = manual_seed(0)
    >>> rand(2, 2)
    tensor([[0.4963, 0.7682],
            [0.0885, 0.1320]])
    """
    blank = _blank("rand", sizes if size is None else (size,), dtype, out, device)
    return uniform_(blank, generator=generator).requires_grad_(requires_grad)


def randn(
    *sizes: Any, size: Any = None, generator: Generator | None = None, out: Tensor | None = None, dtype: Any = None,
    layout: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Normal numbers of mean 0 and variance 1, of the given size and a floating or complex type.

    >>> from mini_torch import manual_seed
    >>> _ = manual_seed(0)
    >>> randn(3)
    tensor([ 1.5410, -0.2934, -2.1788])
    """
    blank = _blank("randn", sizes if size is None else (size,), dtype, out, device)
    return normal_(blank, generator=generator).requires_grad_(requires_grad)


def randint(
    low: int = 0, high: Any = None, size: Any = None, *, generator: Generator | None = None, out: Tensor | None = None,
    dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """`randint(high, size)` or `randint(low, high, size)`: integers, low ≤ n < high, int64 unless `dtype` says else.

    >>> from mini_torch import manual_seed
    >>> _ = manual_seed(0)
    >>> randint(10, (4,))
    tensor([4, 9, 3, 0])
    """
    if size is None:
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if not isinstance(size, tuple | list):
        raise TypeError(f"randint(): argument 'size' must be tuple of ints, not {type(size).__name__}")
    for name, value in (("low", low), ("high", high)):
        if not hasattr(value, "__index__"):
            raise TypeError(f"randint(): argument '{name}' must be int, not {type(value).__name__}")
    blank = _blank("randint", (size,), dtype, out, device, np.int64)
    return random_(blank, int(low), int(high), generator=generator).requires_grad_(requires_grad)


def randperm(
    n: int, *, generator: Generator | None = None, out: Tensor | None = None, dtype: Any = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """0 … n - 1 in random order, int64 unless `dtype` says else.

    >>> from mini_torch import manual_seed
    >>> _ = manual_seed(0)
    >>> randperm(4)
    tensor([0, 1, 3, 2])
    """
    if not hasattr(n, "__index__"):
        raise TypeError(f"randperm(): argument 'n' (position 1) must be int, not {type(n).__name__}")
    blank = _blank("randperm", ((n,),), dtype, out, device, np.int64)
    kind = blank._array.dtype
    if kind.kind in "biu" and n - 1 > (1 if kind.kind == "b" else np.iinfo(kind).max):
        raise RuntimeError(f"value cannot be converted to type {kind.name}_t without overflow: randperm({n})")
    blank._array[...] = chosen(generator).permutation(int(n))
    blank._bump()
    return blank.requires_grad_(requires_grad)


def _check_spread(spread: Any) -> None:
    if not np.all(np.greater_equal(spread, 0)):
        raise RuntimeError("normal expects all elements of std >= 0.0")


def normal(
    mean: float | Tensor, std: float | Tensor = 1.0, size: Any = None, *, generator: Generator | None = None,
    out: Tensor | None = None, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Normal numbers, each of its own mean and standard deviation (tensors that broadcast, or numbers), or of `size`.

    Errors: RuntimeError for a negative std or shapes that do not broadcast.
    """
    if not isinstance(mean, Tensor) and not isinstance(std, Tensor):
        if size is None:
            raise TypeError("normal() needs a size where mean and std are numbers: normal(0., 1., (3,))")
        blank = _blank("normal", (size,), dtype, out, device)
        return normal_(blank, mean, std, generator=generator).requires_grad_(requires_grad)
    centre, spread = (x._array if isinstance(x, Tensor) else x for x in (mean, std))
    verify(_check_spread, spread)
    try:
        shape = np.broadcast_shapes(np.shape(centre), np.shape(spread))
    except ValueError:
        raise shape_mismatch(np.shape(centre), np.shape(spread)) from None
    kind = centre.dtype if isinstance(mean, Tensor) else std._array.dtype  # type: ignore[union-attr]
    blank = _blank("normal", (shape,), None, out, device, kind)
    if isinstance(std, Tensor):
        normal_(blank, generator=generator)
        blank._array *= spread
        blank._array += centre
    else:
        normal_(blank, 0.0, std, generator=generator)
        blank._array += centre
    return blank if out is not None else _of_mean_and_std(mean, std, blank._array)


def bernoulli(
    input: Tensor, p: float | None = None, *, generator: Generator | None = None, out: Tensor | None = None
) -> Tensor:
    """1 where a uniform number is below the probability in `input` (or below `p`), else 0, in `input`'s type.

    Its gradient is 0. Errors: RuntimeError for a probability outside 0 … 1.

    >>> from mini_torch import tensor
    >>> bernoulli(tensor([0., 1., 1.]))
    tensor([0., 1., 1.])
    """
    blank = _blank("bernoulli", (input.shape,), None, out, None, input._array.dtype)
    bernoulli_(blank, input.detach() if p is None else p, generator=generator)
    return blank if out is not None else _of_one["bernoulli"](input, blank._array)


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """`num_samples` indices, drawn with probabilities proportional to the weights in `input`.

    Shape: input (n) or (rows, n) → (num_samples) or (rows, num_samples), int64. Errors: RuntimeError for weights that
    are negative, not finite or all zero, and for more samples than weights without replacement.

    >>> from mini_torch import tensor
    >>> multinomial(tensor([0., 3., 0.]), 2, replacement=True)
    tensor([1, 1])
    """
    weights = input._array
    verify(_check_weights, weights, num_samples, replacement)
    drawn = draw_by(distributions.multinomial, chosen(generator), weights, num_samples, replacement)
    if out is None:
        return wrap(drawn)
    blank = _blank("multinomial", (drawn.shape,), np.int64, out, None)
    blank._array[...] = drawn
    return blank


def _check_weights(weights: Any, count: int, replacement: bool) -> None:
    if weights.ndim not in (1, 2):
        raise RuntimeError(f"prob_dist must be 1 or 2 dim, got the shape {list(weights.shape)}")
    if weights.dtype.kind not in "fV":
        raise RuntimeError(
            f"multinomial only supports floating-point dtypes for input, got: {type_name(weights.dtype)}"
        )
    if count <= 0:
        raise RuntimeError(f"cannot sample n_sample <= 0 samples: got {count}")
    if not replacement and count > weights.shape[-1]:
        raise RuntimeError(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement: "
            f"got {count} of {weights.shape[-1]}"
        )
    if weights.shape[-1] > _MOST_CATEGORIES:
        raise RuntimeError(f"number of categories cannot exceed 2^24, got {weights.shape[-1]}")
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if not (weights.sum(-1) > 0).all():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")


def _check_rates(rates: Any) -> None:
    if not (rates >= 0).all():
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """A Poisson count for each rate in `input`, in its type. Its gradient is 0.

    Errors: RuntimeError for a negative rate, NotImplementedError for integers.
    """
    rates = input._array
    if rates.dtype.kind not in "fV":
        raise NotImplementedError(f"\"poisson_cpu\" not implemented for '{type_name(rates.dtype)}'")
    verify(_check_rates, rates)
    return _of_one["poisson"](input, draw_by(distributions.poisson, chosen(generator), rates))


def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """How many of `count` trials succeed, each with probability `prob`. It has no derivative.

    Shape: count and prob broadcast. Errors: ValueError for a count that is not floating, RuntimeError for two types.
    """
    n, p = count._array, prob._array
    for name, x in (("count", n), ("prob", p)):
        if x.dtype.kind not in "fV":
            raise ValueError(f"binomial only supports floating-point dtypes for {name}, got: {type_name(x.dtype)}")
    if n.dtype != p.dtype:
        raise RuntimeError(f"Found dtype {type_name(p.dtype)} but expected {type_name(n.dtype)}")
    if n.dtype.itemsize == 2:
        raise NotImplementedError(f"\"binomial_cpu\" not implemented for '{type_name(n.dtype)}'")
    try:
        n, p = np.broadcast_arrays(n, p)
    except ValueError:
        raise shape_mismatch(n.shape, p.shape) from None
    return _binomial(count, prob, draw_by(distributions.binomial, chosen(generator), n, p))


# ---- in the shape of another tensor ------------------------------------------------------------------------
def rand_like(
    input: Tensor, *, generator: Generator | None = None, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, memory_format: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """`rand` in the shape and type of `input`."""
    return uniform_(empty_like(input, dtype=dtype, device=device), generator=generator).requires_grad_(requires_grad)


def randn_like(
    input: Tensor, *, generator: Generator | None = None, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, memory_format: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """`randn` in the shape and type of `input`."""
    return normal_(empty_like(input, dtype=dtype, device=device), generator=generator).requires_grad_(requires_grad)


def randint_like(
    input: Tensor, low: int = 0, high: int | None = None, *, generator: Generator | None = None, dtype: Any = None,
    layout: Any = None, device: Any = None, requires_grad: bool = False, memory_format: Any = None,
    pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """`randint_like(input, high)` or `(input, low, high)`: `randint` in the shape and type of `input`."""
    low, high = (0, low) if high is None else (low, high)
    blank = empty_like(input, dtype=dtype, device=device)
    return random_(blank, low, high, generator=generator).requires_grad_(requires_grad)


# ---- what they share ---------------------------------------------------------------------------------------
def _blank(
    name: str, sizes: tuple[Any, ...], dtype: Any, out: Tensor | None, device: Any, default: Any = None
) -> Tensor:
    """The tensor to fill: `out`, brought to the size, or a new one of type `dtype`, else `default`, else float."""
    if not sizes:
        raise TypeError(f"{name}() needs a size: {name}(2, 3), {name}((2, 3)), or {name}(()) for one number")
    size = size_of(sizes)
    if out is None:
        kind = to_numpy_dtype(dtype) if dtype is not None else default or default_numpy_dtype()
        return finish(np.empty(size, kind), device, False)
    check_device(device)
    if out.requires_grad:
        raise RuntimeError(
            f"aten::{name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad."
        )
    if dtype is not None and to_numpy_dtype(dtype) != out._array.dtype:
        raise RuntimeError(f"dtype {dtype} does not match dtype of out parameter ({out.dtype})")
    if out._array.shape != size:
        out._array = np.empty(size, out._array.dtype)
    return out


functions.update({name: globals()[name] for name in __all__})
method("bernoulli", bernoulli)
method("multinomial", multinomial)
