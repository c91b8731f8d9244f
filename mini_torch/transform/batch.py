"""`vmap`: a function of one example as a function of a batch. Source: PyTorch's `torch.vmap`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..ops.join import stack
from ..random.generator import default_generator
from ..tensor import Tensor, check_dim
from ..tree import flatten, unflatten

__all__ = ["vmap"]


def vmap(
    func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """`func` applied to every slice of its arguments along `in_dims`; the results stacked along `out_dims`.

    `in_dims` is a number for all, or nested as the arguments are, with None for what all calls get whole. Here the
    slices are computed one after another (in PyTorch at once), so it saves writing, not time. `randomness`: "error"
    refuses random numbers, "different" draws anew for each slice, "same" gives each the same. Errors: ValueError where
    sizes or dimensions do not fit. Source: PyTorch's `torch.vmap`.

    >>> from mini_torch import tensor, dot
    >>> vmap(dot)(tensor([[1., 2.], [3., 4.]]), tensor([[1., 1.], [2., 2.]]))
    tensor([ 3., 14.])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(
            f"Only allowed values for randomness are 'error', 'different', or 'same'. Got randomness={randomness}"
        )

    @functools.wraps(func)
    def batched(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = flatten((args, kwargs))
        dims = _dims_of(leaves, (args, kwargs), in_dims)
        size = _batch_size(leaves, dims)
        results = []
        draw = _Draws(randomness)
        for i in range(size):
            call = [x if d is None else x.select(d, i) for x, d in zip(leaves, dims)]
            some, named = unflatten(call, structure)
            with draw:
                results.append(func(*some, **named))
        return _stacked(results, out_dims)

    return batched


def _dims_of(leaves: list[Any], arguments: tuple[Any, Any], in_dims: Any) -> list[int | None]:
    """The dimension that each leaf is mapped over, from the front; keyword arguments are mapped over the first."""
    args, kwargs = arguments
    if not isinstance(in_dims, int | tuple | list) and in_dims is not None:
        raise ValueError(f"vmap: expected `in_dims` to be int or a (potentially nested) tuple, got {type(in_dims)}")
    if not isinstance(in_dims, int) and in_dims is not None and len(in_dims) != len(args):
        raise ValueError(
            f"vmap: in_dims is not compatible with the structure of inputs. in_dims has {len(in_dims)} entries, "
            f"there are {len(args)} inputs"
        )
    dims = [*_spread(in_dims, args), *[0 if isinstance(x, Tensor) else None for x in flatten(kwargs)[0]]]
    done: list[int | None] = []
    for x, d in zip(leaves, dims):
        if d is not None and not isinstance(x, Tensor):
            if isinstance(in_dims, int):
                d = None
            else:
                raise ValueError(f"vmap: Got in_dim={d} for an input, but the input is of type {type(x)}, no Tensor")
        if d is not None and not -x.ndim <= d < x.ndim:
            raise ValueError(
                f"vmap: Got in_dim={d} for some input, but that input is a Tensor of dimensionality {x.ndim}, so "
                f"expected in_dim to satisfy -{x.ndim} <= in_dim < {x.ndim}."
            )
        done.append(None if d is None else check_dim(d, x.ndim))
    return done


def _spread(dims: Any, tree: Any) -> list[Any]:
    """`dims` for every leaf of `tree`: one for all below where it is a number or None."""
    if isinstance(dims, int) or dims is None:
        return [dims] * len(flatten(tree)[0])
    keys = tree.keys() if isinstance(tree, dict) else range(len(tree))
    return [d for key in keys for d in _spread(dims[key], tree[key])]


def _batch_size(leaves: list[Any], dims: list[int | None]) -> int:
    sizes = [x.shape[d] for x, d in zip(leaves, dims) if d is not None]
    if not sizes:
        raise ValueError("vmap: at least one input must be a Tensor that is mapped over; got none")
    if len(set(sizes)) > 1:
        raise ValueError(f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes}")
    return sizes[0]


def _stacked(results: list[Any], out_dims: Any) -> Any:
    flat = [flatten(result)[0] for result in results]
    structure = flatten(results[0])[1]
    for x in flat[0]:
        if not isinstance(x, Tensor):
            raise ValueError(f"vmap: the function must only return Tensors, got type {type(x)} as a return value")
    dims = _spread(out_dims, results[0])
    return unflatten([stack(list(column), d) if d is not None else column[0] for column, d in zip(zip(*flat), dims)],
                     structure)  # fmt: skip


class _Draws:
    """Around each call: what becomes of the random numbers drawn in it."""

    def __init__(self, randomness: str) -> None:
        self.randomness = randomness
        self.start: Any = default_generator.get_state() if randomness == "same" else None
        self.place = default_generator.place() if randomness == "error" else None

    def __enter__(self) -> None:
        if self.randomness == "same":
            default_generator.set_state(self.start)

    def __exit__(self, kind: Any, *_: object) -> None:
        if kind is None and self.place is not None and (default_generator.place() != self.place).any():
            raise RuntimeError(
                "vmap: called random operation while in randomness error mode. Please either use the 'same' or "
                "'different' randomness flags on vmap or perform the randomness operation out of vmap"
            )
