"""`view_copy`, `t_copy` …: what the view of that name gives, with memory of its own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..op import public
from ..tensor import Tensor, check_dim
from .complex_view import view_as_complex, view_as_real
from .diagonal import diagonal
from .shape import as_strided, permute, squeeze, t, transpose, unfold, unsqueeze
from .split import narrow, select, split, split_with_sizes, unbind

__all__ = [
    "alias_copy", "as_strided_copy", "detach_copy", "diagonal_copy", "expand_copy", "narrow_copy", "permute_copy",
    "select_copy", "slice_copy", "split_copy", "split_with_sizes_copy", "squeeze_copy", "t_copy", "transpose_copy",
    "unbind_copy", "unfold_copy", "unsqueeze_copy", "view_as_complex_copy", "view_as_real_copy", "view_copy",
]  # fmt: skip


def _copied(name: str, view: Callable[..., Any], *, method: bool = False) -> Callable[..., Any]:
    """`view` followed by a copy of every piece, under PyTorch's name for it."""

    @functools.wraps(view)
    def copy(input: Tensor, *args: Any, **kwargs: Any) -> Any:
        seen = view(input, *args, **kwargs)
        if isinstance(seen, tuple):
            return tuple([x.clone().contiguous() for x in seen])
        return seen.clone().contiguous()

    copy.__name__ = copy.__qualname__ = name
    copy.__doc__ = f"`{name.removesuffix('_copy')}`, copied. Source: PyTorch's `torch.{name}`."
    return public(copy, method=method)


def _sliced(input: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Tensor:
    return input[(slice(None),) * check_dim(dim, input.ndim) + (slice(start, end, step),)]


def _seen_as(input: Tensor, what: Any) -> Tensor:
    """The view; of an input whose elements lie in another order, one of a copy that has them in order."""
    return (input if type(what).__name__ == "dtype" else input.contiguous()).view(what)


alias_copy = _copied("alias_copy", lambda input: input)
detach_copy = _copied("detach_copy", lambda input: input.detach())
as_strided_copy = _copied("as_strided_copy", as_strided)
diagonal_copy = _copied("diagonal_copy", diagonal)
expand_copy = _copied("expand_copy", lambda input, size, *, implicit=False: input.expand(size))
narrow_copy = _copied("narrow_copy", narrow, method=True)
permute_copy = _copied("permute_copy", lambda input, dims: permute(input, dims))
select_copy = _copied("select_copy", select)
slice_copy = _copied("slice_copy", _sliced)
split_copy = _copied("split_copy", split)
split_with_sizes_copy = _copied("split_with_sizes_copy", split_with_sizes)
squeeze_copy = _copied("squeeze_copy", squeeze)
t_copy = _copied("t_copy", t)
transpose_copy = _copied("transpose_copy", transpose)
unbind_copy = _copied("unbind_copy", unbind)
unfold_copy = _copied("unfold_copy", unfold)
unsqueeze_copy = _copied("unsqueeze_copy", unsqueeze)
view_as_complex_copy = _copied("view_as_complex_copy", view_as_complex)
view_as_real_copy = _copied("view_as_real_copy", view_as_real)
view_copy = _copied("view_copy", lambda input, size=None, dtype=None: _seen_as(input, dtype if size is None else size))
