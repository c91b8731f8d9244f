"""How a chain is written: what is set up for its blocks, and the loop over them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ..settings import threads_asked
from . import threads
from .chains import Chain
from .memory import is_elementwise, takes_out
from .recorder import fresh
from .sums import axes_of
from .threads import together
from .values import Call, Value

if TYPE_CHECKING:
    from .source import Source

__all__ = ["ChainWriter", "cut"]

Array = np.ndarray[Any, Any]


def cut(array: Array, blocks: list[Any]) -> list[Array]:
    """The blocks of an array."""
    return [array[block] for block in blocks]


class Scratch:
    """Block-sized memory for what lives only inside a chain: `slots` by value, `sizes` in bytes by slot."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.slots: dict[int, int] = {}
        self.sizes: list[int] = []
        self._free: list[int] = []
        last = {self._memory(v): i for i, call in enumerate(chain.calls) for v in call.touched()}
        for i, call in enumerate(chain.calls):
            out = call.out
            if out is not None and id(out) in chain.inside:
                self.slots[id(out)] = self._slot(call, out, [v for v in call.reads() if last[self._memory(v)] == i])
            for number in {self._memory(v) for v in call.touched()}:
                if number in self.slots and last[number] == i and not (
                    out is not None and id(out) != number and self.slots.get(id(out)) == self.slots[number]
                ):  # fmt: skip
                    self._free.append(self.slots[number])

    def _memory(self, value: Value) -> int:
        return self.chain.same.get(id(value), id(value))

    def _slot(self, call: Call, out: Value, dying: list[Value]) -> int:
        nbytes = int(np.prod(self.chain.domain.block(out), dtype=np.int64)) * out.dtype.itemsize
        if is_elementwise(call) and not call.kwargs:
            for x in dying:
                slot = self.slots.get(self._memory(x))
                if slot is not None and x.shape == out.shape and x.dtype.itemsize == out.dtype.itemsize:
                    return slot
        if self._free:
            fitting = [s for s in self._free if self.sizes[s] >= nbytes]
            slot = min(fitting, key=self.sizes.__getitem__) if fitting else self._free[-1]
            self._free.remove(slot)
            self.sizes[slot] = max(self.sizes[slot], nbytes)
            return slot
        self.sizes.append(nbytes)
        return len(self.sizes) - 1


class ChainWriter:
    """Writes one chain into a source."""

    def __init__(self, source: Source, chain: Chain) -> None:
        self.source, self.chain, self.domain = source, chain, chain.domain
        self.scratch = Scratch(chain)
        enough = source.may_share and len(chain.calls) * self.domain.nbytes >= threads.ENOUGH
        self.shares = min(threads_asked(), self.domain.blocks) if enough else 1  # threads that it is for
        self.before: list[str] = []  # lines before the loop, at its beginning, and after it
        self.first: list[str] = []
        self.after: list[str] = []
        self.columns: dict[str, str] = {}  # per variable of the loop the list that it goes through
        self._known: dict[Any, str] = {}  # variables by what they are for
        self._names: dict[int, str] = {}  # of the call at hand: its values' variables

    def lines(self) -> list[str]:
        """The chain."""
        source, chain = self.source, self.chain
        loose = [value for value in chain.outs if value is not None and not source.memory.is_static(value)]
        self.before = [f"{source.name(value)} = {self._new_array(value)}" for value in loose]
        body: list[str] = []
        scope = chain.scope
        for call, role in zip(chain.calls, chain.roles):
            lines = self._call(call, role)
            body += [f"# {call.scope}"] * bool(lines and call.scope != scope and call.scope) + lines
            scope = call.scope if lines else scope
        variables, blocks = self._loop()
        body = [f"    {line}" for line in [*self.first, *body]]
        if self.shares > 1:
            return [*self.before, self._shared_out(variables, blocks, body), *self.after]
        return [*self.before, f"for {variables} in {blocks}:  # {self.domain.blocks} blocks", *body, *self.after]

    def _loop(self) -> tuple[str, str]:
        """The variables of the loop, and what they go through."""
        if len(self.columns) == 1:
            return next(iter(self.columns.items()))
        name = self.source._new("blocks")
        self.source.setup.append(f"{name} = [*zip({', '.join(self.columns.values())})]")
        return ", ".join(self.columns), name

    def _shared_out(self, variables: str, blocks: str, body: list[str]) -> str:
        """The loop as a function, and its call: for each thread with some of the blocks."""
        source, count = self.source, self.domain.blocks
        name, parts = source._new("chain"), source._new("shares")
        given = [v for v in [*self.chain.args, *self.chain.outs] if v is not None and not source.memory.is_static(v)]
        arrays = "".join(f", {each}" for each in dict.fromkeys(map(source.name, given)))
        ends = [i * count // self.shares for i in range(self.shares + 1)]
        shares = ", ".join(f"{blocks}[{lo}:{hi}]" for lo, hi in pairwise(ends))
        source.setup += [f"{parts} = [{shares}]", f"def {name}(blocks{arrays}):"]
        source.setup += [f"    {line}" for line in [f"for {variables} in blocks:", *body]]
        return f"{source.object(together, 'together')}({name}, {parts}{arrays})  # {count} blocks"

    def _new_array(self, value: Value) -> str:
        """An array for a result that is new at every call."""
        source = self.source
        kind = source.type(value.dtype)
        if list(value.strides) == sorted(value.strides, reverse=True):
            return f"{source.object(np.empty, 'empty')}({value.shape}, {kind})"
        return f"{source.object(fresh, 'fresh')}({value.shape}, {kind}, {value.strides}, None)"

    # ---- calls -------------------------------------------------------------------------------------------------------
    def _call(self, call: Call, role: str) -> list[str]:
        """The lines of one call, over the block."""
        self._names = {id(v): self._variable(v, self._operand_axes(call, v)) for v in [*call.reads(), *call.writes]}
        if role == "each" and is_elementwise(call):
            rows = [v for v in call.reads() if self.domain.is_row(v) and id(v.root) not in self.chain.same]
            self._names |= {id(v): self._laid_out(v) for v in rows}
        out = call.out
        if role == "alias":
            self._alias(call)
            return []
        if out is not None:
            self._names[id(out)] = self._part(out) if role == "across" else self._variable(out, self._result_axes(call))
        if role == "across":
            ufunc = getattr(call.function, "__self__", np.add)
            add_up = f"{self.source.object(ufunc, ufunc.__name__)}.reduce"
            self.after.append(f"{add_up}({self._names[id(out)]}s, axis=0, out={self.source.name(out)})")  # type: ignore
        return self._rendered(lambda: self._statement(call))

    def _rendered(self, write: Any) -> Any:
        """What `write` gives while values have the names of their blocks."""
        names = self.source._names
        before = {number: names[number] for number in self._names if number in names}
        names.update(self._names)
        try:
            return write()
        finally:
            for number in self._names:
                del names[number]
            names.update(before)

    def _statement(self, call: Call) -> list[str]:
        source, out = self.source, call.out
        if call.function is np.where and out is not None:
            condition, a, b = map(source.render, call.args)
            copyto, to = source.object(np.copyto, "copyto"), source.name(out)
            return [f"{copyto}({to}, {b})", f"{copyto}({to}, {a}, where={condition})"]
        if call.function is np.einsum and out is not None:
            return [f"{source.expression(call)[:-1]}, out={source.name(out)})"]
        how = takes_out(call)
        return [source.into(call, how) if how and out is not None else source.statement(call)]

    def _operand_axes(self, call: Call, value: Value) -> list[int]:
        """The axes that an operand's dimensions lie along: the last ones, except of a vector that adds up."""
        if call.function in (np.matmul, np.dot):
            a, b = call.args
            if value is a and b.shape == self.domain.shape and value is not b:
                return [-1] * (len(a.shape) - 1) + [0]
            if value is b and a.shape == self.domain.shape:
                return [-1]
        return self.domain.axes(value)

    def _result_axes(self, call: Call) -> list[int]:
        axes = list(range(len(self.domain.shape)))
        if call.function is np.dot or getattr(call.function, "signature", None):
            return axes[:-1]
        if getattr(call.function, "__name__", "") == "reduce" and not call.kwargs.get("keepdims"):
            return [axis for axis in axes if axis not in axes_of(call)]
        return self.domain.axes(call.out)  # type: ignore[arg-type]

    def _alias(self, call: Call) -> None:
        """A value that is another one's block, as another type."""
        base, out = call.args[0], call.out
        assert out is not None
        name = self._names[id(base)]
        key = (name, out.dtype)
        if out.dtype != base.dtype and key not in self._known:
            view = self._known[key] = self.source._new(f"{name}_view")
            text = self._rendered(lambda: self.source.expression(call))
            (self.source.setup if self._is_set(base) else self.first).append(f"{view} = {text}")
        self._known[id(out), None] = self._known[key] if out.dtype != base.dtype else name

    def _is_set(self, value: Value) -> bool:
        """Whether a value's block is the same memory in each round."""
        return self.domain.is_even and self.shares == 1 and self.chain.same.get(id(value), 0) in self.chain.inside

    # ---- values ------------------------------------------------------------------------------------------------------
    def _variable(self, value: Value, axes: list[int]) -> str:
        """What a value's block is called."""
        if (id(value), None) in self._known:
            return self._known[id(value), None]
        if id(value) in self.chain.inside:
            return self._scratch(value)
        if id(value) in self.chain.uniform:
            return self._uniform(value)
        name, lengths = self.source.name(value), value.shape
        split = tuple((i, axis) for i, axis in enumerate(axes) if axis in self.domain.split and lengths[i] != 1)
        if not split:
            return name
        key = (id(value), split)
        if key not in self._known:
            variable = self._known[key] = self._shared(f"{name}_rows", key)
            index, indices = self._index(split, "{lo}")
            if self.source.memory.is_static(value):
                self.columns[variable] = f"{self.source.object(cut, 'cut')}({name}, {indices})"
            else:
                self.columns[index] = indices
                self.first.append(f"{variable} = {name}[{index}]")
        return self._known[key]

    def _index(self, split: tuple[tuple[int, int], ...], start: str) -> tuple[str, str]:
        """A variable for the index of a block, and the list of these indices, of an array of which some dimensions are
        split. In scratch memory a block begins at 0."""
        of = dict(split)
        parts = [self._slice(of[i], start) if i in of else "slice(None)" for i in range(max(of) + 1)]
        loops = [f"for {self._counter(axis)} in range({self._range(axis)})" for axis in self.domain.split]
        index = parts[0] if len(parts) == 1 else f"({', '.join(parts)})"
        known, indices = self.source.of_blocks, f"[{index} {' '.join(loops)}]"
        if indices not in known:
            known[indices] = self.source._new("all_rows")
            self.source.setup.append(f"{known[indices]} = {indices}")
        return self._shared("rows", split), known[indices]

    def _shared(self, wish: str, key: Any) -> str:
        """A variable of loops, the same in all of them."""
        known = self.source.of_blocks
        if (wish, key) not in known:
            known[wish, key] = self.source._new(wish)
        return known[wish, key]

    def _counter(self, axis: int) -> str:
        return "lo" if axis == self.domain.split[-1] else f"i{axis}"

    def _range(self, axis: int) -> str:
        n = self.domain.shape[axis]
        return f"0, {n}, {self.domain.step}" if axis == self.domain.split[-1] else f"{n}"

    def _slice(self, axis: int, start: str) -> str:
        counter, is_last = self._counter(axis), axis == self.domain.split[-1]
        if start == "0":
            return f"slice(0, {self.domain.shape[axis]} - lo)" if is_last else "slice(None)"
        return f"slice({counter}, {counter} + {self.domain.step if is_last else 1})"

    def _scratch(self, value: Value) -> str:
        """The memory of a value that lives only here."""
        source, slot, shape = self.source, self.scratch.slots[id(value)], self.domain.block(value)
        order = sorted(range(len(shape)), key=lambda axis: -value.strides[axis])
        key = ("scratch", slot, value.dtype, shape, *order)
        if key not in self._known:
            turned = "" if order == sorted(order) else f", {tuple(order)}"
            places = []
            for i in range(self.shares):
                buffer = source.buffer(source.memory.scratch(slot * self.shares + i, self.scratch.sizes[slot]))
                places.append(f"place({buffer}, {source.type(value.dtype)}, {shape}{turned})")
            self._known[key] = self._block_sized(value, source._new(value.name or "block"), places)
        return self._known[key]

    def _uniform(self, value: Value) -> str:
        """A constant that is the same everywhere: as large as a block."""
        key = ("uniform", value.array.flat[0].tobytes(), value.dtype, value.shape)
        if key not in self._known:
            array = self.source.object(value.array, self.source._constant_name(value.array))
            self._known[key] = array if self.domain.is_even else self._block_sized(value, f"{array}_rows", [array])
        return self._known[key]

    def _laid_out(self, value: Value) -> str:
        """A row as many times as a block has it: NumPy is quicker with operands of one shape."""
        key = ("laid out", id(value))
        if key not in self._known:
            source, row = self.source, self.source.name(value)
            name = self._known[key] = source._new(f"{row}_block")
            empty, copyto = source.object(np.empty, "empty"), source.object(np.copyto, "copyto")
            source.setup.append(f"{name} = {empty}({self.domain.whole_block}, {source.type(value.dtype)})")
            self.before.append(f"{copyto}({name}, {row})")
            if not self.domain.is_even:
                index = self._index(((self.domain.split[-1], self.domain.split[-1]),), "0")[1]
                rows = self._known[key] = source._new(f"{name}_rows")
                self.columns[rows] = f"{source.object(cut, 'cut')}({name}, {index})"
        return self._known[key]

    def _block_sized(self, value: Value, name: str, arrays: list[str]) -> str:
        """A variable for memory as large as a block, one per thread, cut where the last block is shorter."""
        last, shape = self.domain.split[-1], self.domain.block(value)
        split = tuple((i, axis) for i, axis in enumerate(self.domain.axes(value)) if axis == last and shape[i] > 1)
        is_even = self.domain.is_even or not split
        if is_even and len(arrays) == 1:
            self.source.setup.append(f"{name} = {arrays[0]}")
            return name
        lists = []
        for i, array in enumerate(arrays):
            lo, hi = [k * self.domain.blocks // len(arrays) for k in (i, i + 1)]
            rows = "" if is_even else self._index(split, "0")[1] + f"[{lo}:{hi}]" * (len(arrays) > 1)
            lists.append(f"[{array}] * {hi - lo}" if is_even else f"{self.source.object(cut, 'cut')}({array}, {rows})")
        self.columns[name] = " + ".join(lists)
        return name

    def _part(self, out: Value) -> str:
        """Where a block's share of a sum over all blocks goes."""
        source, count = self.source, self.domain.blocks
        part = source._new(f"{source.name(out)}_part")
        source._used.add(f"{part}s")
        empty = source.object(np.empty, "empty")
        source.setup.append(f"{part}s = {empty}({(count, *out.shape)}, {source.type(out.dtype)})")
        self.columns[part] = f"[{part}s[i, ...] for i in range({count})]"
        return part
