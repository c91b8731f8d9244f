"""Masks of attention by a rule, and which blocks of queries and keys they leave anything of.

Source: Dong et al. 2024, "Flex attention"; PyTorch's `nn.attention.flex_attention`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..tensor import Tensor, wrap

__all__ = ["BlockMask", "and_masks", "create_block_mask", "create_mask", "noop_mask", "or_masks"]

Mod = Callable[..., Tensor]
Size = tuple[int, int]


def over_indices(mod: Mod, shape: tuple[int, ...], *scores: Tensor) -> Tensor:
    """mod(*scores, b, h, q_idx, kv_idx) for all indices of (B, H, L, S) at once: they broadcast against each other."""
    where = [np.arange(n).reshape([-1 if i == axis else 1 for i in range(4)]) for axis, n in enumerate(shape)]
    out = mod(*scores, *map(wrap, where))
    return out.reshape(*(1,) * (4 - out.dim()), *out.shape)


# ---- rules ----------------------------------------------------------------------------------------------------------
def noop_mask(batch: Tensor, head: Tensor, token_q: Tensor, token_kv: Tensor) -> Tensor:
    """Every query may look at every key."""
    return wrap(np.ones((), bool))


def _joined(mask_mods: tuple[Mod, ...], join: Callable[[Any, Any], Any], start: bool) -> Mod:
    if not all(callable(mod) for mod in mask_mods):
        raise RuntimeError(f"All inputs should be callable mask_mods: {mask_mods}")

    def joined(b: Tensor, h: Tensor, q_idx: Tensor, kv_idx: Tensor) -> Tensor:
        result = wrap(np.array(start))
        for mod in mask_mods:
            result = join(result, mod(b, h, q_idx, kv_idx))
        return result

    return joined


def and_masks(*mask_mods: Mod) -> Mod:
    """The rule that lets through what all of these do. PyTorch's `and_masks`."""
    return _joined(mask_mods, lambda a, b: a & b, True)


def or_masks(*mask_mods: Mod) -> Mod:
    """The rule that lets through what one of these does. PyTorch's `or_masks`."""
    return _joined(mask_mods, lambda a, b: a | b, False)


def create_mask(mod_fn: Mod, B: int | None, H: int | None, Q_LEN: int, KV_LEN: int, device: Any = None) -> Tensor:
    """The rule's answers (B or 1, H or 1, Q_LEN, KV_LEN); of a `score_mod`, where it does not make -inf of 0.

    Source: PyTorch's `nn.attention.flex_attention.create_mask`.

    >>> create_mask(lambda b, h, q_idx, kv_idx: q_idx >= kv_idx, None, None, 2, 2)
    tensor([[[[ True, False],
              [ True,  True]]]])
    """
    shape = (B or 1, H or 1, Q_LEN, KV_LEN)
    if mod_fn.__code__.co_argcount == 5:
        out = over_indices(mod_fn, shape, wrap(np.zeros(shape, np.float32)))
        return wrap(np.broadcast_to(~np.isneginf(out._array), shape).copy())
    return wrap(np.broadcast_to(over_indices(mod_fn, shape)._array, shape).copy())


# ---- blocks ---------------------------------------------------------------------------------------------------------
def _ordered(dense: Any) -> tuple[Tensor, Tensor]:
    """Of each row of blocks: how many there are, and the columns, those that are there first."""
    order = np.argsort(~dense, axis=-1, kind="stable")
    return wrap(dense.sum(-1).astype(np.int32)), wrap(order.astype(np.int32))


def _dense(counts: Tensor, indices: Tensor) -> Any:
    """`_ordered` undone."""
    out = np.zeros(indices._array.shape, bool)
    there = np.arange(out.shape[-1]) < counts._array[..., None]
    np.put_along_axis(out, indices._array.astype(np.int64), there, -1)
    return out


class BlockMask:
    """A rule for who may look at whom, and which blocks of it are empty, partly or (`full_`) wholly filled.

    Per row of blocks `kv_num_blocks` counts them and `kv_indices` has their columns, and per column `q_num_blocks` and
    `q_indices` their rows. Made by `create_block_mask`. PyTorch's `nn.attention.flex_attention.BlockMask`.
    """

    def __init__(self, partial: Any, full: Any, seq_lengths: Size, BLOCK_SIZE: Size, mask_mod: Mod) -> None:
        self.seq_lengths, self.BLOCK_SIZE, self.mask_mod = seq_lengths, BLOCK_SIZE, mask_mod
        self.kv_num_blocks, self.kv_indices = _ordered(partial)
        self.q_num_blocks, self.q_indices = _ordered(np.swapaxes(partial, -1, -2))
        self.full_kv_num_blocks: Tensor | None = None
        self.full_kv_indices: Tensor | None = None
        self.full_q_num_blocks: Tensor | None = None
        self.full_q_indices: Tensor | None = None
        if full is not None:
            self.full_kv_num_blocks, self.full_kv_indices = _ordered(full)
            self.full_q_num_blocks, self.full_q_indices = _ordered(np.swapaxes(full, -1, -2))

    @property
    def shape(self) -> tuple[int, ...]:
        """(B, H, L, S), without what was chosen by an index."""
        return (*self.kv_indices._array.shape[:-2], *self.seq_lengths)

    def numel(self) -> int:
        """The number of scores."""
        return math.prod(self.shape)

    def _parts(self) -> tuple[Any, Any]:
        full = None
        if self.full_kv_num_blocks is not None and self.full_kv_indices is not None:
            full = _dense(self.full_kv_num_blocks, self.full_kv_indices)
        return _dense(self.kv_num_blocks, self.kv_indices), full

    def to_dense(self) -> Tensor:
        """1 for each block of which anything is left, else 0."""
        partial, full = self._parts()
        return wrap((partial if full is None else partial | full).astype(np.int32))

    def sparsity(self) -> float:
        """The percentage of scores in blocks of which nothing is left."""
        filled = int(self.to_dense()._array.sum()) * math.prod(self.BLOCK_SIZE)
        return 100 * (1 - filled / self.numel())

    def to(self, device: Any) -> BlockMask:
        """Itself: there is one device."""
        return self

    def __getitem__(self, index: Any) -> BlockMask:
        """The blocks of some of the batch and of the heads; the rule, which counts from their start, is lost."""
        partial, full = (None if x is None else x[index] for x in self._parts())
        return BlockMask(partial, full, self.seq_lengths, self.BLOCK_SIZE, _of_a_part)

    def to_string(self, grid_size: int | Size = (20, 20), limit: int = 4) -> str:
        """A picture: █ for blocks all of which are there, ░ for places where some are, and spaces."""
        dense = self.to_dense()._array
        *batch, rows, columns = dense.shape
        most = (grid_size, grid_size) if isinstance(grid_size, int) else grid_size
        down, right = (max(1, -(-n // size)) if size > 0 else 1 for n, size in zip((rows, columns), most))
        pictures = []
        for index in itertools.islice(itertools.product(*map(range, batch)), limit):
            parts = [[dense[index][r : r + down, c : c + right] for c in range(0, columns, right)]
                     for r in range(0, rows, down)]  # fmt: skip
            lines = ["".join(_shade(part) * 2 for part in row) for row in parts]
            pictures.append("\n".join([str(index), *lines, ""]))
        if math.prod(batch) > limit:
            pictures += [
                "...", "To print out more, set BlockMask.to_string(limit=N)",
                "You can also index (BlockMask[batch, head]) to choose a specific batch or head",
            ]  # fmt: skip
        return "\n".join(pictures)

    def __str__(self) -> str:
        return f"BlockMask(shape={self.shape}, sparsity={self.sparsity():.2f}%, \n{self.to_string().strip()}\n)"

    def __repr__(self) -> str:
        sides = [f"{full}{side}_{part}" for full in ("", "full_") for side in ("kv", "q")
                 for part in ("num_blocks", "indices")]  # fmt: skip
        order = [*sides[:2], *sides[4:6], *sides[2:4], *sides[6:]]
        lines = [f"{name}={None if getattr(self, name) is None else getattr(self, name).shape}" for name in order]
        rule = getattr(self.mask_mod, "__name__", self.mask_mod)
        lines += [f"BLOCK_SIZE={self.BLOCK_SIZE}", f"shape={self.shape}", f"sparsity={self.sparsity():.2f}%",
                  f"mask_mod={rule}"]  # fmt: skip
        return "BlockMask(\n    " + ",\n    ".join(lines) + "\n)"


def _of_a_part(*indices: Tensor) -> Tensor:
    raise RuntimeError("Cannot use mask_mod from a sliced BlockMask")


def _shade(part: Any) -> str:
    return "█" if part.all() else "░" if part.any() else " "


def create_block_mask(
    mask_mod: Mod, B: int | None, H: int | None, Q_LEN: int, KV_LEN: int, device: Any = None,
    BLOCK_SIZE: int | Size = 128, _compile: bool = False, separate_full_blocks: bool = True,
    compute_dq_write_order: bool = False, dq_kv_order: bool = True,
) -> BlockMask:  # fmt: skip
    """The rule `mask_mod(b, h, q_idx, kv_idx)` with the blocks that it leaves; B or H None: it asks for neither.

    Source: PyTorch's `nn.attention.flex_attention.create_block_mask`.

    >>> print(create_block_mask(lambda b, h, q_idx, kv_idx: q_idx >= kv_idx, None, None, 256, 256))
    BlockMask(shape=(1, 1, 256, 256), sparsity=25.00%, 
    (0, 0)
    ██  
    ████
    )
    """  # noqa: W291
    size = (BLOCK_SIZE, BLOCK_SIZE) if isinstance(BLOCK_SIZE, int) else BLOCK_SIZE
    mask = create_mask(mask_mod, B, H, Q_LEN, KV_LEN)._array
    rest = [(-n) % block for n, block in zip((Q_LEN, KV_LEN), size)]
    mask = np.pad(mask, [(0, 0), (0, 0), (0, rest[0]), (0, rest[1])])
    rows, columns = mask.shape[2] // size[0], mask.shape[3] // size[1]
    counts = mask.reshape(*mask.shape[:2], rows, size[0], columns, size[1]).sum((3, 5))
    full = counts == math.prod(size) if separate_full_blocks else np.zeros(counts.shape, bool)
    partial = (counts > 0) & ~full
    return BlockMask(partial, full if separate_full_blocks else None, (Q_LEN, KV_LEN), size, mask_mod)
