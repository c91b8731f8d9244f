"""The machine that reads a checkpoint's pickle: a stack, a memo, and a page of instructions.

A pickle is a small program. Python's own reader runs all of it, and what it says is called is called. This one knows
the instructions that PyTorch's `weights_only` machine knows; a name means what the list in `names.py` says and nothing
else, and what is called is called from that list. Nothing is recursive, so nesting costs no stack, and nothing is
allocated that the file does not hold. What is not guarded against: numbers as keys can be chosen so that a dict of many
thousands of them takes minutes to fill, in every program in Python.

Source: the instructions are described in Python's `pickletools`.
"""

from __future__ import annotations

import pickle
import struct
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import IO, Any

from ..errors import UnpicklingError
from ..network import Parameter
from ..tensor import Tensor
from .names import Allowed
from .rebuild import set_attributes, set_items, set_state
from .safe_globals import is_declared

__all__ = ["INSTRUCTIONS", "Machine", "Source", "of_python_3"]

_SMALL = 16  # elements that are copied for nothing; of a text, so many characters take the memory of an element
_LONGEST_NAME = 250


class Source:
    """The bytes of a pickle in an open file: what is asked for is there, or it is an error."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        here = file.tell()
        self._end = file.seek(0, 2)
        self.size = self._end - here
        file.seek(here)

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        if count > 4096 and count > self._end - self._file.tell():  # before anything is allocated for them
            raise UnpicklingError(f"its pickle is cut short, or damaged: it claims {count} bytes that are not there")
        data = self._file.read(count)
        if len(data) < count:
            raise UnpicklingError("its pickle is cut short")
        return data

    def number(self, form: str) -> Any:
        """The next number, in the form that `struct` has for it."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def line(self) -> str:
        """The next line, without its end."""
        data = self._file.readline(_LONGEST_NAME)
        if not data.endswith(b"\n"):
            raise UnpicklingError("its pickle has a name without an end")
        return data[:-1].decode("utf-8")


def of_python_3(module: str, name: str) -> tuple[str, str]:
    """What Python 3 calls a thing; pickles of protocol 2 have the names of Python 2."""
    return NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))


class Machine:
    """Runs one pickle from `source`.

    `find(module, name)` says what a name stands for, `load_storage(id)` what a persistent id does. `encoding` is for
    the byte strings of Python 2.
    """

    def __init__(
        self,
        source: Source,
        find: Callable[[str, str], Allowed],
        load_storage: Callable[[Any], Any],
        encoding: str = "utf-8",
    ) -> None:
        self.source, self.find, self.load_storage, self.encoding = source, find, load_storage, encoding
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []  # the stacks under each open MARK
        self.memo: dict[int, Any] = {}
        self.copies_left = source.size
        self.found: dict[int, Allowed] = {}  # what names stood for, by the id of the value, which it keeps alive

    def run(self) -> Any:
        """The object that the pickle describes. Errors: UnpicklingError."""
        while (code := self.source.take(1)) != pickle.STOP:
            if code not in INSTRUCTIONS:
                raise UnpicklingError(
                    f"its pickle has the instruction {code!r}, which is not allowed with weights_only=True (files of "
                    "torch.save with pickle_protocol=2, the default, do without it)"
                )
            INSTRUCTIONS[code](self)
        return self.pop()

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop(self) -> Any:
        if not self.stack:
            raise UnpicklingError("its pickle takes from an empty stack")
        return self.stack.pop()

    def pop_many(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise UnpicklingError("its pickle takes from an empty stack")
        taken = self.stack[-count:]
        del self.stack[-count:]
        return taken

    def top(self, *kinds: type) -> Any:
        """What lies on top, which must be just of one of these classes, if any are given."""
        if not self.stack:
            raise UnpicklingError("its pickle takes from an empty stack")
        value = self.stack[-1]
        if kinds and type(value) not in kinds:
            raise UnpicklingError(f"its pickle puts items into a {type(value).__name__}, where it may not")
        return value

    # ---- names, and what is called -----------------------------------------------------------------------------------
    def global_(self) -> None:
        allowed = self.find(*of_python_3(self.source.line(), self.source.line()))
        self.found[id(allowed.value)] = allowed
        self.push(allowed.value)

    def reduce(self) -> None:
        function, args = self.pop_many(2)
        allowed = self.found.get(id(function))
        if allowed is None or allowed.call is None:
            raise UnpicklingError(f"its pickle calls a {type(function).__name__}, which cannot be called")
        self.push(allowed.call(*self.arguments(args)))

    def new_object(self) -> None:
        cls, args = self.pop_many(2)
        allowed = self.found.get(id(cls))
        if allowed is None or allowed.new is None:
            raise UnpicklingError(f"its pickle makes an object of a {type(cls).__name__}, which is no class for that")
        self.push(allowed.new(*self.arguments(args)))

    def arguments(self, args: Any) -> Any:
        if type(args) is not tuple:
            raise UnpicklingError(f"its pickle calls with a {type(args).__name__} where a tuple belongs")
        self.count_copies(args)
        return args

    def count_copies(self, given: Any) -> None:
        """What is called may copy what it is given, and a pickle can give one thing a thousand times in a few bytes. So
        all copies together are allowed the length of the file; an honest one says each thing once."""
        self.copies_left -= _extent(given)
        if self.copies_left < 0:
            raise UnpicklingError("its pickle has the same thing copied again and again, to more than the file's size")

    def build(self) -> None:
        state = self.pop()
        self.count_copies(state)
        target = self.top()
        kind = type(target)
        if kind is OrderedDict:
            set_attributes(target, state)
        elif kind is Tensor or kind is Parameter:
            set_state(target, state)
        elif is_declared(kind):
            _set_state_of_declared(target, state)
        else:
            raise UnpicklingError(f"its pickle sets the state of a {kind.__name__}, where it may not")

    def persistent(self) -> None:
        self.push(self.load_storage(self.pop()))

    # ---- containers --------------------------------------------------------------------------------------------------
    def mark(self) -> None:
        self.below.append(self.stack)
        self.stack = []

    def since_mark(self) -> list[Any]:
        if not self.below:
            raise UnpicklingError("its pickle goes back to a mark that is not there")
        items, self.stack = self.stack, self.below.pop()
        return items

    def append(self) -> None:
        item = self.pop()
        self.top(list).append(item)

    def appends(self) -> None:
        items = self.since_mark()
        self.top(list).extend(items)

    def set_item(self) -> None:
        items = self.pop_many(2)
        set_items(self.top(dict, OrderedDict, Counter), items)

    def set_items(self) -> None:
        items = self.since_mark()
        if len(items) % 2:
            raise UnpicklingError("its pickle has a key without a value")
        set_items(self.top(dict, OrderedDict, Counter), items)

    # ---- text and bytes ----------------------------------------------------------------------------------------------
    def text(self) -> None:
        self.push(self.source.take(self.source.number("<I")).decode("utf-8", "surrogatepass"))

    def old_text(self) -> None:
        data = self.source.take(self.source.number("<B"))
        self.push(data if self.encoding == "bytes" else data.decode(self.encoding))

    # ---- the memo ----------------------------------------------------------------------------------------------------
    def get(self, index: int) -> None:
        if index not in self.memo:
            raise UnpicklingError(f"its pickle recalls number {index}, which it has not said before")
        self.push(self.memo[index])

    def put(self, index: int) -> None:
        self.memo[index] = self.top()

    def protocol(self) -> None:
        number = self.source.number("<B")
        if number > pickle.HIGHEST_PROTOCOL:
            raise UnpicklingError(f"its pickle is of protocol {number}")


def _extent(given: Any, depth: int = 2) -> int:
    """How many elements there are to copy: in the arguments, in a tuple among them such as the state (dict, dict), and
    in what that one has."""
    if isinstance(given, str | bytes | bytearray):
        return len(given) // _SMALL
    if not isinstance(given, list | tuple | dict | set):
        return 0
    inner = given if depth and isinstance(given, tuple) else ()
    return (len(given) if len(given) > _SMALL else 0) + sum(_extent(part, depth - 1) for part in inner)


def _set_state_of_declared(target: Any, state: Any) -> None:
    """As Python's own reader does, for an object of a class that the program has declared safe."""
    if hasattr(target, "__setstate__"):
        target.__setstate__(state)
        return
    slots = None
    if isinstance(state, tuple) and len(state) == 2:
        state, slots = state
    if state:
        target.__dict__.update(state)
    for name, value in (slots or {}).items():
        setattr(target, name, value)


INSTRUCTIONS: dict[bytes, Callable[[Machine], None]] = {
    pickle.PROTO: Machine.protocol,
    pickle.GLOBAL: Machine.global_,
    pickle.REDUCE: Machine.reduce,
    pickle.NEWOBJ: Machine.new_object,
    pickle.BUILD: Machine.build,
    pickle.BINPERSID: Machine.persistent,
    pickle.MARK: Machine.mark,
    pickle.APPEND: Machine.append,
    pickle.APPENDS: Machine.appends,
    pickle.SETITEM: Machine.set_item,
    pickle.SETITEMS: Machine.set_items,
    pickle.EMPTY_LIST: lambda self: self.push([]),
    pickle.EMPTY_DICT: lambda self: self.push({}),
    pickle.EMPTY_SET: lambda self: self.push(set()),
    pickle.EMPTY_TUPLE: lambda self: self.push(()),
    pickle.TUPLE: lambda self: self.push(tuple(self.since_mark())),
    pickle.TUPLE1: lambda self: self.push(tuple(self.pop_many(1))),
    pickle.TUPLE2: lambda self: self.push(tuple(self.pop_many(2))),
    pickle.TUPLE3: lambda self: self.push(tuple(self.pop_many(3))),
    pickle.NONE: lambda self: self.push(None),
    pickle.NEWTRUE: lambda self: self.push(True),
    pickle.NEWFALSE: lambda self: self.push(False),
    pickle.BININT: lambda self: self.push(self.source.number("<i")),
    pickle.BININT1: lambda self: self.push(self.source.number("<B")),
    pickle.BININT2: lambda self: self.push(self.source.number("<H")),
    pickle.LONG1: lambda self: self.push(pickle.decode_long(self.source.take(self.source.number("<B")))),
    pickle.BINFLOAT: lambda self: self.push(self.source.number(">d")),
    pickle.BINUNICODE: Machine.text,
    pickle.SHORT_BINSTRING: Machine.old_text,
    pickle.BINGET: lambda self: self.get(self.source.number("<B")),
    pickle.LONG_BINGET: lambda self: self.get(self.source.number("<I")),
    pickle.BINPUT: lambda self: self.put(self.source.number("<B")),
    pickle.LONG_BINPUT: lambda self: self.put(self.source.number("<I")),
}
