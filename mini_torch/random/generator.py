"""`Generator`: PyTorch's stream of random numbers, as arrays.

The source is the Mersenne twister MT19937, 32 bits a draw; NumPy has the same one. What turns draws into numbers is
here, in the order and with the rounding of PyTorch's CPU kernels, so that a seed gives the numbers that it gives
there. Initializers, dropout and the data loader draw from these methods; tensors come in `functions.py`.
Source: Matsumoto and Nishimura, "Mersenne twister", ACM Transactions on Modeling and Computer Simulation 8 (1998).
"""

from __future__ import annotations

import ctypes
import functools
import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from ..dtype import check_device, cpu, device
from ..graph import mode, repeated
from ..rounding import Array, libm_in, scaled
from ..tensor import Tensor, wrap
from .gaussian import BLOCK, normal_blocks, normal_pairs

Shape = int | tuple[int, ...]

_STARTING_SEED = 67280421310721
_LARGE_RANGE = 1 << 28  # a range from which on integers take two draws
_PIECE = 1 << 13
_NORMALS = 1 << 14
_STATE = np.dtype([
    ("seed", "<u8"), ("left", "<i4"), ("seeded", "<i4"), ("next", "<u8"), ("key", "<u8", 624), ("unused", "<f8"),
    ("spare", "<f8"), ("unused2", "<f8"), ("has_spare", "<i4"), ("unused3", "V12"),
])  # fmt: skip


F = TypeVar("F", bound=Callable[..., Any])


def _drawn(method: F) -> F:
    """A method that draws: in a recorded program, one that draws anew at every call."""

    @functools.wraps(method)
    def draw(self: Generator, *args: Any, **kwargs: Any) -> Any:
        if mode.recorder is None:
            return method(self, *args, **kwargs)
        return mode.recorder.kernel(functools.partial(method, self, **kwargs), *args, pure=False)

    return draw  # type: ignore[return-value]


def draw_by(draw: Any, *args: Any) -> Any:
    """draw(*args), which draws: in a recorded program one call, which draws anew every time."""
    return draw(*args) if mode.recorder is None else mode.recorder.kernel(draw, *args, pure=False)


class Generator:
    """A stream of random numbers of its own, fixed by a seed.

    The methods from `draws` on give NumPy arrays; they are what the rest of the package draws from. Source: PyTorch's
    `torch.Generator`.

    >>> generator = Generator().manual_seed(0)
    >>> generator.uniform(2)
    array([0.4962566, 0.7682218], dtype=float32)
    """

    __slots__ = ("_bits", "_seed", "_spare")

    def __init__(self, device: str | device = "cpu") -> None:
        check_device(device)
        self._seed = _STARTING_SEED
        self._bits: Any = None
        self._spare: float | None = None  # the second normal of a pair, for the next call

    @property
    def device(self) -> device:
        """Always `device(type='cpu')`."""
        return cpu

    # ---- seed and state ------------------------------------------------------------------------------------
    @repeated
    def manual_seed(self, seed: int) -> Generator:
        """Starts the stream that belongs to `seed` (from -2⁶³ to 2⁶⁴ - 1; the low 32 bits count)."""
        if not hasattr(seed, "__index__"):
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        seed = int(seed)
        if not -(1 << 63) <= seed < 1 << 64:
            raise ValueError(f"Overflow when unpacking long long: the seed {seed} has more than 64 bits")
        self._seed = seed % (1 << 64)
        self._spare = None
        if self._bits is not None:
            self._bits._legacy_seeding(self._seed & 0xFFFFFFFF)
        return self

    def initial_seed(self) -> int:
        """The seed that the stream was started with."""
        return self._seed

    def seed(self) -> int:
        """Starts the stream of a seed that nobody can foresee, and returns that seed."""
        return self.manual_seed(int.from_bytes(os.urandom(8), "little")).initial_seed()

    def get_state(self) -> Tensor:
        """Where in the stream the generator is: a uint8 tensor of 5,056 bytes, laid out as PyTorch's."""
        return wrap(self._state())

    @_drawn
    def _state(self) -> Array:
        words = self._words()
        position, out = int(words[-1]), np.zeros(1, _STATE)
        state = out[0]
        state["seed"], state["seeded"], state["left"] = self._seed, 1, 625 - position
        state["key"] = words[:-1]
        nothing_drawn = position == 624 and words[0] == self._seed & 0xFFFFFFFF
        state["next"] = 0 if nothing_drawn else position
        if self._spare is not None:
            state["spare"], state["has_spare"] = self._spare, 1
        return out.view(np.uint8)

    @repeated
    def set_state(self, new_state: Tensor) -> Generator:
        """Goes to where `get_state` was called, here or in PyTorch.

        Errors: TypeError unless it is a uint8 tensor, RuntimeError for another size.
        """
        if not isinstance(new_state, Tensor) or new_state._array.dtype != np.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        if new_state._array.size != _STATE.itemsize:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {_STATE.itemsize} but found the input RNG state size to be "
                f"{new_state._array.size}"
            )
        state = np.ascontiguousarray(new_state._array).view(_STATE)[0]
        words = self._words()
        words[:-1], words[-1] = state["key"], 624 if state["left"] == 1 else state["next"]
        self._seed = int(state["seed"])
        self._spare = float(state["spare"]) if state["has_spare"] else None
        return self

    def clone_state(self) -> Generator:
        """Another generator at the same place of the same stream."""
        return Generator().set_state(self.get_state())

    def place(self) -> Any:
        """Where in the stream of draws the generator is, for `go_to`."""
        return self._words().copy()

    def go_to(self, place: Any) -> None:
        """Goes back to (or on to) a place in the stream of draws."""
        self._words()[:] = place

    def __reduce__(self) -> tuple[Any, ...]:
        return _from_state, (self.get_state(),)

    def _twister(self) -> Any:
        # Made at the first draw: NumPy loads its random numbers when they are first asked for, and that takes a
        # fifth of the time of `import numpy`.
        if self._bits is None:
            self._bits = np.random.MT19937(0)
            self._bits._legacy_seeding(self._seed & 0xFFFFFFFF)
        return self._bits

    def _words(self) -> Array:
        """The twister's memory: its key of 624 words, and the position in it."""
        return words_of(self._twister())

    # ---- draws and integers --------------------------------------------------------------------------------
    @_drawn
    def draws(self, count: int) -> Array:
        """The next `count` outputs of 32 bits, as uint64."""
        return self._twister().random_raw(count)

    @_drawn
    def wide_draws(self, count: int) -> Array:
        """The next `count` numbers of 64 bits, as uint64: two outputs each, the high half first."""
        high, low = self.draws(2 * count).reshape(-1, 2).T
        return (high << np.uint64(32)) | low

    @_drawn
    def integers(self, shape: Shape, low: int, high: int) -> Array:
        """int64 numbers, low ≤ n < high."""
        size, span = _size(shape), high - low
        drawn = self.draws(size) if span < _LARGE_RANGE else self.wide_draws(size)
        return ((drawn % np.uint64(span)).view(np.int64) + low).reshape(shape)

    @_drawn
    def random_int64(self) -> int:
        """One number, 0 ≤ n < 2⁶³."""
        return int(self.wide_draws(1)[0]) % (1 << 63)

    @_drawn
    def permutation(self, n: int) -> Array:
        """0 … n - 1 in random order, as int64.

        The shuffle of Fisher and Yates: for i = 0, 1, …, places i and target[i] ≥ i change their contents. Followed
        backwards, what ends at place i was at target[i] before; step j, the last one before i that aimed at the
        same place, had brought it there from place j, and so on: `origin` says what step j finds at place j.
        """
        here = np.arange(n)
        target = here.copy()
        if n > 1:
            target[:-1] += (self.draws(n - 1) % np.arange(n, 1, -1, dtype=np.uint64)).view(np.int64)
        origin = _followed(_last_aims(target, here))
        # sorting by target puts the steps that aim at one place side by side, in order
        order = np.lexsort((target.astype(np.uint16), (target >> 16).astype(np.uint16)))
        again = np.flatnonzero(target[order[1:]] == target[order[:-1]])
        out = target
        out[order[again + 1]] = origin[order[again]]
        return out

    # ---- real numbers --------------------------------------------------------------------------------------
    @_drawn
    def uniform(self, shape: Shape, low: float = 0.0, high: float = 1.0, dtype: Any = np.float32) -> Array:
        """Uniform numbers, low ≤ x < high."""
        kind = np.dtype(dtype)
        unit = self._unit64 if kind == np.float64 else self._unit32

        def piece(size: int) -> Array:
            x = unit(size)
            if (low, high) != (0.0, 1.0):
                x = scaled(x, x.dtype.type(high) - x.dtype.type(low), low)
            x = x.astype(kind, copy=False)
            x[x == kind.type(high)] = low  # rounding must not reach the end
            return x

        as_drawn = low == 0.0 and high == 1.0 and kind.itemsize > 2
        return in_pieces(unit if as_drawn else piece, _size(shape), kind).reshape(shape)

    def _unit32(self, size: int) -> Array:
        bits = self.draws(size).astype(np.uint32) & np.uint32((1 << 24) - 1)
        return bits.astype(np.float32) * np.float32(2.0**-24)

    def _unit64(self, size: int) -> Array:
        return self._bits53(size).astype(np.float64) * 2.0**-53

    def _bits53(self, size: int) -> Array:
        return self.wide_draws(size) & np.uint64((1 << 53) - 1)

    @_drawn
    def normal(self, shape: Shape, mean: float = 0.0, std: float = 1.0, dtype: Any = np.float32) -> Array:
        """Normal numbers."""
        kind, size = np.dtype(dtype), _size(shape)
        if size < BLOCK:
            return self.normal_singly(size, mean, std).astype(kind).reshape(shape)
        z = np.empty(size, np.result_type(kind, np.float32))
        starts = range(0, size - BLOCK + 1, _NORMALS)
        for start, end in zip(starts, [*starts[1:], size]):
            z[start:end] = self._normals(end - start, mean, std, z.dtype, drawn_over=kind.itemsize > 2)
        return z.astype(kind, copy=False).reshape(shape)

    def _normals(self, size: int, mean: float, std: float, kind: np.dtype[Any], drawn_over: bool) -> Array:
        """What is over after the last full block is made with the places before it, from 16 more uniforms; numbers are
        drawn for it before, too, but not for types of 16 bits."""
        full = size - size % BLOCK
        more = BLOCK if full < size else 0
        uniforms = self.uniform((size if drawn_over else full) + more, dtype=kind)
        if more:
            uniforms = np.concatenate([uniforms[:full], uniforms[-more:]])
        z = normal_blocks(uniforms.reshape(-1, BLOCK), mean, std).ravel()
        if more:
            z[size - more : size] = z[full:]
        return z[:size]

    @_drawn
    def normal_singly(self, size: int, mean: float = 0.0, std: float = 1.0) -> Array:
        """`size` normal numbers in float64, as they come one by one: of each pair the second waits for the next."""
        waiting = [] if self._spare is None or not size else [self._spare]
        pairs = normal_pairs(self.uniform(((size - len(waiting) + 1) // 2, 2), dtype=np.float64))
        z = np.append(waiting, pairs)
        if size:
            self._spare = float(z[-1]) if len(z) > size else None
        return scaled(z[:size], std, mean)

    @_drawn
    def bernoulli(self, shape: Shape, p: float) -> Array:
        """True with probability `p`, as bool."""
        bound = np.uint64(math.ceil(math.ldexp(p, 53)))
        return in_pieces(lambda size: self._bits53(size) < bound, _size(shape), np.dtype(bool)).reshape(shape)

    @_drawn
    def exponential(self, shape: Shape, rate: float = 1.0, dtype: Any = np.float32) -> Array:
        """Exponential numbers of mean 1 / rate."""
        kind, mean = np.dtype(dtype), 1.0 / rate

        def piece(size: int) -> Array:
            return libm_in(kind, "log1p", -self._unit64(size), lambda y: -mean * y)

        return in_pieces(piece, _size(shape), kind).reshape(shape)


def _size(shape: Shape) -> int:
    return shape if isinstance(shape, int) else math.prod(shape)


def words_of(twister: Any) -> Array:
    """The memory of a NumPy MT19937: its key of 624 words and the position in it, as uint32.

    NumPy's own `state` copies it word by word, a hundred times slower.
    """
    return np.frombuffer((ctypes.c_uint32 * 625).from_address(twister.ctypes.state_address), np.uint32)


def by_memory(array: Array) -> Array:
    """The array with its axes in the order of memory, the largest step first: so it is filled."""
    if array.flags.c_contiguous:
        return array
    return array.transpose(sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis])))


def in_pieces(make: Callable[[int], Array], size: int, kind: np.dtype[Any]) -> Array:
    """`make(size)`, made piece by piece so that what is between stays in the cache."""
    if size <= _PIECE:
        return make(size)
    out = np.empty(size, kind)
    for start in range(0, size, _PIECE):
        piece = out[start : start + _PIECE]
        piece[...] = make(len(piece))
    return out


def _last_aims(target: Array, here: Array) -> Array:
    """For each place the last step that aimed at it before its own turn, or itself."""
    moved = np.flatnonzero(target != here)
    aims = here.copy()
    aims[target[moved]] = moved  # of several the last is written
    return aims


def _followed(link: Array) -> Array:
    """Each link followed to its end, in jumps of doubling length."""
    while True:
        further = link[link]
        if np.array_equal(further, link):
            return link
        link = further


def _from_state(state: Tensor) -> Generator:
    return Generator().set_state(state)


# ---- the default generator ---------------------------------------------------------------------------------
default_generator = Generator()


def chosen(generator: Generator | None) -> Generator:
    """The generator that was given, or the default one."""
    if generator is None:
        return default_generator
    if not isinstance(generator, Generator):
        raise TypeError(f"generator must be a torch.Generator or None, not {type(generator).__name__}")
    return generator


def manual_seed(seed: int) -> Generator:
    """Starts the default generator's stream anew from `seed`, and returns the generator.

    Errors: ValueError for more than 64 bits. Source: PyTorch's `torch.manual_seed`.
    """
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Starts the default generator from a seed that nobody can foresee, and returns it."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the default generator was started with."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The default generator's state, a uint8 tensor. Source: PyTorch's `torch.get_rng_state`."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Takes the default generator back to a state. Source: PyTorch's `torch.set_rng_state`."""
    default_generator.set_state(new_state)


def thread_safe_generator() -> Generator | None:
    """None: the default generator will do. Source: PyTorch's `torch.random.thread_safe_generator`."""
    return None


@contextmanager
def fork_rng(
    devices: Any = None, enabled: bool = True, _caller: str = "fork_rng", _devices_kw: str = "devices",
    device_type: str | None = None,
) -> Iterator[None]:  # fmt: skip
    """What is drawn inside leaves the default generator as it was. Source: PyTorch's `torch.random.fork_rng`.

    >>> _ = manual_seed(0)
    >>> with fork_rng():
    ...     a = default_generator.random_int64()
    >>> a == default_generator.random_int64()
    True
    """
    before = get_rng_state() if enabled else None
    try:
        yield
    finally:
        if before is not None:
            set_rng_state(before)
