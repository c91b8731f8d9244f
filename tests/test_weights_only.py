"""What a file may not do: crafted pickles and archives are refused in words, nothing of them runs, and no memory is
taken that the file does not hold."""

from __future__ import annotations

import io
import os
import pickle
import struct
import time
import tracemalloc
import zipfile
from collections import OrderedDict
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch import nn, serialization
from mini_torch.errors import CheckpointError, UnpicklingError

MARK, STOP, REDUCE, TUPLE, TUPLE1, TUPLE2, EMPTY_TUPLE = b"(", b".", b"R", b"t", b"\x85", b"\x86", b")"
EMPTY_LIST, EMPTY_DICT, NONE, BUILD, NEWOBJ, PERSISTENT = b"]", b"}", b"N", b"b", b"\x81", b"Q"


def name(full: str) -> bytes:
    module, _, last = full.rpartition(".")
    return f"c{module}\n{last}\n".encode()


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    if 0 <= value < 256:
        return b"K" + bytes([value])
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def tuple_of(*parts: bytes) -> bytes:
    return MARK + b"".join(parts) + TUPLE


def list_of(*parts: bytes) -> bytes:
    return EMPTY_LIST + MARK + b"".join(parts) + b"e"


def archive(code: bytes, records: dict[str, bytes] | None = None, method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as z:
        z.writestr("archive/data.pkl", b"\x80\x02" + code + STOP)
        for record, data in (records or {}).items():
            z.writestr(f"archive/{record}", data)
        z.writestr("archive/version", b"3\n")
    return file.getvalue()


def legacy(code: bytes, keys: bytes = EMPTY_LIST, rest: bytes = b"") -> bytes:
    head = b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {}))
    return head + b"\x80\x02" + code + STOP + b"\x80\x02" + keys + STOP + rest


def storage(kind: str = "FloatStorage", key: str = "0", count: int = 4, device: bytes = text("cpu")) -> bytes:
    return tuple_of(text("storage"), name(f"torch.{kind}"), text(key), device, number(count)) + PERSISTENT


def tensor(offset: int = 0, size: tuple[int, ...] = (2, 2), stride: tuple[int, ...] = (2, 1), **of: Any) -> bytes:
    sizes, strides = (tuple_of(*map(number, numbers)) for numbers in (size, stride))
    hooks = name("collections.OrderedDict") + EMPTY_TUPLE + REDUCE
    args = tuple_of(storage(**of), number(offset), sizes, strides, b"\x89", hooks)
    return name("torch._utils._rebuild_tensor_v2") + args + REDUCE


FOUR = {"data/0": np.arange(4, dtype=np.float32).tobytes()}


def test_the_pieces_make_a_checkpoint() -> None:
    """What the tests below change is right before they change it."""
    assert torch.load(io.BytesIO(archive(tensor(), FOUR))).tolist() == [[0, 1], [2, 3]]
    listed = EMPTY_LIST + text("0") + b"a"
    old = tensor().replace(number(4) + TUPLE, number(4) + NONE + TUPLE)
    rest = struct.pack("<q", 4) + FOUR["data/0"]
    assert torch.load(io.BytesIO(legacy(old, listed, rest))).tolist() == [[0, 1], [2, 3]]


# ---- code that wants to run ------------------------------------------------------------------------------------------
class Canary:
    """Commands and calls that would make a file, and whether it is there."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "canary"
        self.command = text(f"touch {self.path}")
        self.source = text(f"open({str(self.path)!r}, 'w').close()")


def eval_by_attributes(canary: Canary) -> bytes:
    """getattr(globals of a function, "eval"), the way round a list of forbidden names."""
    return name("builtins.getattr") + name("builtins.__import__") + text("__globals__") + TUPLE2 + REDUCE


ATTACKS = {
    "os.system": lambda c: name("os.system") + c.command + TUPLE1 + REDUCE,
    "posix.system": lambda c: name("posix.system") + c.command + TUPLE1 + REDUCE,
    "subprocess": lambda c: name("subprocess.check_call") + list_of(text("touch"), text(str(c.path))) + TUPLE1 + REDUCE,
    "eval": lambda c: name("builtins.eval") + c.source + TUPLE1 + REDUCE,
    "eval of Python 2": lambda c: name("__builtin__.eval") + c.source + TUPLE1 + REDUCE,
    "exec": lambda c: name("builtins.exec") + c.source + TUPLE1 + REDUCE,
    "getattr": eval_by_attributes,
    "import": lambda c: name("builtins.__import__") + text("os") + TUPLE1 + REDUCE,
    "another load": lambda c: name("torch.load") + text("x") + TUPLE1 + REDUCE,
    "pickle.loads": lambda c: name("pickle.loads") + text("x") + TUPLE1 + REDUCE,
    "torch.hub": lambda c: name("torch.hub.load") + text("x") + TUPLE1 + REDUCE,
    "a partial function": lambda c: name("functools.partial") + name("os.system") + TUPLE1 + REDUCE,
    "our own os": lambda c: name("mini_torch.serialization.loading.os.system") + c.command + TUPLE1 + REDUCE,
    "a dotted name": lambda c: b"ctorch\n_utils.os.system\n" + c.command + TUPLE1 + REDUCE,
    "STACK_GLOBAL": lambda c: b"\x8c\x02os\x8c\x06system\x93" + c.command + TUPLE1 + REDUCE,
    "INST": lambda c: MARK + c.command + b"ios\nsystem\n",
    "OBJ": lambda c: MARK + name("torch.Size") + c.command + b"o",
    "NEWOBJ": lambda c: name("subprocess.Popen") + c.command + TUPLE1 + NEWOBJ,
    "NEWOBJ_EX": lambda c: name("torch.Size") + EMPTY_TUPLE + EMPTY_DICT + b"\x92",
    "EXT1": lambda c: b"\x82\x01",
    "EXT4": lambda c: b"\x84\x01\x00\x00\x00",
    "a call of what is no function": lambda c: text("os.system") + c.command + TUPLE1 + REDUCE,
    "a call of a number type": lambda c: name("torch.float32") + c.command + TUPLE1 + REDUCE,
    "arguments that are no tuple": lambda c: name("torch.Size") + list_of(c.command) + REDUCE,
    "an object of a function": lambda c: name("torch._utils._rebuild_tensor_v2") + EMPTY_TUPLE + NEWOBJ,
    "BUILD of a number type": lambda c: name("torch.float32") + EMPTY_DICT + BUILD,
    "BUILD of a class": lambda c: name("collections.OrderedDict") + EMPTY_DICT + text("update") + NONE + b"sb",
    "BUILD of a list": lambda c: EMPTY_LIST + EMPTY_DICT + BUILD,
    "a storage of another kind": lambda c: tuple_of(text("module"), name("torch.Size"), NONE, NONE) + PERSISTENT,
    "a storage within a storage": lambda c: storage(key="0") + PERSISTENT,
    "a storage by number": lambda c: number(7) + PERSISTENT,
    "PERSID": lambda c: b"Pos.system\n",
    "bytes by a codec": lambda c: name("_codecs.encode") + c.command + text("zlib_codec") + TUPLE2 + REDUCE,
    "a function to rebuild by": lambda c: name("torch._tensor._rebuild_from_type_v2") + tuple_of(
        name("torch.device"), name("torch.Tensor"), c.command + TUPLE1, EMPTY_DICT) + REDUCE,
    "a subclass of tensors": lambda c: name("torch._tensor._rebuild_from_type_v2") + tuple_of(
        name("torch._utils._rebuild_tensor"), text("str"), EMPTY_TUPLE, EMPTY_DICT) + REDUCE,
}  # fmt: skip


@pytest.mark.parametrize("wrap", [archive, legacy], ids=["zip", "legacy"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_runs(attack: str, wrap: Any, tmp_path: Path) -> None:
    canary = Canary(tmp_path)
    path = tmp_path / "evil.pt"
    path.write_bytes(wrap(ATTACKS[attack](canary)))
    with pytest.raises(CheckpointError, match=r"evil\.pt: ") as caught:
        torch.load(path)
    assert os.listdir(tmp_path) == ["evil.pt"]
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


def test_the_attacks_are_real(tmp_path: Path) -> None:
    """Python's own reader does what they say."""
    canary = Canary(tmp_path)
    pickle.loads(b"\x80\x02" + ATTACKS["eval"](canary) + STOP)
    assert canary.path.exists()


def test_what_is_refused_is_named() -> None:
    """As PyTorch does: the full name, and how to allow it; and a program that catches PyTorch's error catches this."""
    with pytest.raises(pickle.UnpicklingError, match=r"asks for fractions\.Fraction, which is not allowed") as caught:
        torch.load(io.BytesIO(archive(name("fractions.Fraction") + EMPTY_TUPLE + REDUCE)))
    assert "add_safe_globals([fractions.Fraction])" in str(caught.value)
    assert isinstance(caught.value, UnpicklingError | CheckpointError | RuntimeError)
    with pytest.raises(UnpicklingError, match=r"asks for eval, which"):
        torch.load(io.BytesIO(archive(name("builtins.eval"))))
    with pytest.raises(UnpicklingError, match=r"nothing of the module os is ever loaded"):
        torch.load(io.BytesIO(archive(name("os.system"))))
    for weights_only in (True, False):
        with pytest.raises(UnpicklingError, match=r"_rebuild_sparse_tensor: mini_torch has no sparse tensors"):
            torch.load(io.BytesIO(archive(name("torch._utils._rebuild_sparse_tensor"))), weights_only=weights_only)
    with pytest.raises(UnpicklingError, match=r"complex numbers of 32 bits; save x\.to\(torch\.complex64\)"):
        torch.load(io.BytesIO(archive(name("torch.complex32"))))


# ---- more than there is ----------------------------------------------------------------------------------------------
def shared_tuples(depth: int) -> bytes:
    """t1 = (0, 0), t2 = (t1, t1) …: a few bytes, and 2 to the power of `depth` numbers for who goes through them."""
    return b"K\x00" + b"".join(b"q\x01h\x01" + TUPLE2 for _ in range(depth))


BOMBS = {
    "a memo index": b"Nr\xff\xff\xff\xff0j\xff\xff\xff\xff" + STOP,
    "a memo that is empty": b"j\xff\xff\xff\xff",
    "a long text": b"X\xff\xff\xff\xffabc",
    "a very long text": b"\x8d" + struct.pack("<Q", 1 << 60) + b"abc",
    "a long string of Python 2": b"T\xff\xff\xff\x7fabc",
    "a long number": b"\x8b\xff\xff\xff\x7f1",
    "long bytes": b"B\xff\xff\xff\xff",
    "very long bytes": b"\x8e" + struct.pack("<Q", 1 << 60),
    "a long bytearray": b"\x96" + struct.pack("<Q", 1 << 60),
    "a frame": b"\x95" + struct.pack("<Q", 1 << 60),
    "a bytearray of zeros": name("builtins.bytearray") + number(1 << 40) + TUPLE1 + REDUCE,
    "a tensor by its size": name("torch.FloatTensor") + number(1 << 40) + TUPLE1 + REDUCE,
    "a key of shared tuples": EMPTY_DICT + shared_tuples(200) + NONE + b"s",
    "a key that is deep": EMPTY_DICT + EMPTY_TUPLE + TUPLE1 * 200_000 + NONE + b"s",
    "a set of shared tuples": name("builtins.set") + list_of(shared_tuples(200)) + TUPLE1 + REDUCE,
    "an OrderedDict of shared tuples": name("collections.OrderedDict")
    + list_of(shared_tuples(200) + NONE + TUPLE2) + TUPLE1 + REDUCE,
    "a key of many parts, again and again": EMPTY_DICT + MARK + NONE * 990 + TUPLE + b"q\x01" + NONE + b"s"
    + (b"h\x01" + NONE + b"s") * 200_000,
    "a device of shared tuples": storage(device=shared_tuples(200)),
    "a device's number of shared tuples": name("torch.device") + text("cpu") + shared_tuples(200) + TUPLE2 + REDUCE,
    "an encoding of shared tuples": name("_codecs.encode") + text("x") + shared_tuples(200) + TUPLE2 + REDUCE,
    "a layout of shared tuples": name("torch.serialization._get_layout") + shared_tuples(200) + TUPLE1 + REDUCE,
    "a class of shared tuples": name("torch._tensor._rebuild_from_type_v2") + tuple_of(
        name("torch._utils._rebuild_tensor"), shared_tuples(200),
        tuple_of(storage(), number(0), tuple_of(number(4)), tuple_of(number(1))), EMPTY_DICT) + REDUCE,
    "a size of shared tuples": name("torch._utils._rebuild_tensor") + tuple_of(
        storage(), number(0), tuple_of(shared_tuples(200)), tuple_of(number(1))) + REDUCE,
    "a type of shared tuples": name("torch._utils._rebuild_device_tensor_from_cpu_tensor") + tuple_of(
        tensor(), shared_tuples(200), text("cpu"), b"\x89") + REDUCE,
    "numbers repeated and of another type": name("torch._utils._rebuild_device_tensor_from_cpu_tensor") + tuple_of(
        tensor(size=(1 << 40,), stride=(0,)), name("torch.float64"), text("cpu"), b"\x89") + REDUCE,
    "a huge number of huge dimensions": name("torch._utils._rebuild_tensor") + tuple_of(
        storage(), number(0), MARK + number(1 << 2000) + b"q\x01" + b"h\x01" * 50_000 + TUPLE,
        MARK + b"K\x00" * 50_001 + TUPLE) + REDUCE,
    "a name without end": b"c" + b"a" * 100_000,
    "a storage that is not there": storage(key="1"),
    "a storage longer than its record": storage(count=1 << 40),
    "a storage shorter than its record": storage(count=3),
    "a negative storage": storage(count=-1),
    "a storage of two types": list_of(storage(), storage("IntStorage")),
    "a tensor beyond its storage": tensor(offset=1),
    "a tensor before its storage": tensor(offset=-1),
    "a negative size": tensor(size=(-2, -2)),
    "a negative stride": tensor(offset=3, stride=(-2, -1)),
    "a stride beyond": tensor(stride=(3, 1)),
    "a size and no stride": tensor(stride=()),
    "a size that overflows": tensor(size=(1 << 62, 8), stride=(0, 0)),
    "a stride that overflows": tensor(stride=(1 << 62, 1)),
    "too many dimensions": tensor(size=(1,) * 200, stride=(1,) * 200),
    "a set copied again and again": name("builtins.set") + b"q\x02" + list_of(*map(number, range(1000))) + b"q\x01"
    + (b"h\x02h\x01" + TUPLE1 + REDUCE) * 5000,
    "attributes copied again and again": EMPTY_DICT + MARK + b"".join(text(f"a{i}") + NONE for i in range(1000)) + b"u"
    + b"q\x01" + name("collections.OrderedDict") + b"q\x02" + (b"h\x02" + EMPTY_TUPLE + REDUCE + b"h\x01b") * 5000,
    "many arguments, again and again": name("collections.OrderedDict") + b"q\x02" + MARK + NONE * 100_000 + TUPLE
    + b"q\x01" + (b"h\x02h\x01" + REDUCE) * 20_000,
    "bytes copied again and again": name("_codecs.encode") + b"q\x02" + MARK + text("x" * 100_000) + TUPLE + b"q\x01"
    + (b"h\x02h\x01" + REDUCE) * 10_000,
    "an empty stack": REDUCE,
    "no mark": TUPLE,
    "an odd number of items": EMPTY_DICT + MARK + NONE + b"u",
    "items of a tuple": EMPTY_TUPLE + NONE + b"a",
    "an end that is missing": MARK * 1000,
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS)
def test_claims_cost_nothing(bomb: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb.pt"
    path.write_bytes(archive(BOMBS[bomb], FOUR))
    tracemalloc.start()
    start = time.perf_counter()
    try:
        with pytest.raises(CheckpointError, match=r"bomb\.pt: "):
            torch.load(path)
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert taken < 2_000_000 + 200 * path.stat().st_size
    assert time.perf_counter() - start < 10


def test_a_conjugate_that_repeats_few_numbers_stays_small() -> None:
    """It is conjugated where its numbers are, once, and not where they are repeated."""
    expanded = tensor(size=(1 << 40,), stride=(0,), kind="ComplexFloatStorage", count=2)
    conj = EMPTY_DICT + text("conj") + b"\x88s"
    x = torch.load(io.BytesIO(archive(expanded.removesuffix(TUPLE + REDUCE) + conj + TUPLE + REDUCE, FOUR)))
    assert x.shape == (1 << 40,)
    assert x[5].item() == 0 - 1j


def test_what_a_file_says_does_nothing_to_a_terminal() -> None:
    """Names in errors come from the file: no lines, no colours, and not the whole of a long one."""
    with pytest.raises(CheckpointError, match=r"record data/\\x1b\[31m\\nxxx") as caught:
        torch.load(io.BytesIO(archive(storage(key="\x1b[31m\n" + "x" * 100_000))))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 2100


def seen_otherwise(described: bytes) -> bytes:
    """A tensor of bytes, and one that takes them as numbers of 8 bits, which is a copy."""
    parts = tuple_of(number(0), tuple_of(number(4)), tuple_of(number(1)))[1:-1] + b"\x89" + NONE
    plain = name("torch._utils._rebuild_tensor_v2") + MARK + described + parts + TUPLE + REDUCE
    other = MARK + described + parts + name("torch.float8_e4m3fn") + TUPLE + REDUCE
    return plain + name("torch._utils._rebuild_tensor_v3") + other + TUPLE2


def test_copies_in_a_legacy_file_have_its_numbers() -> None:
    """There the numbers come after the pickle that describes the tensors, so also after the copies of them."""
    whole = tuple_of(text("storage"), name("torch.ByteStorage"), text("0"), text("cpu"), number(4), NONE) + PERSISTENT
    listed, rest = EMPTY_LIST + text("0") + b"a", struct.pack("<q", 4) + b"\x38\x40\x44\x48"
    plain, other = torch.load(io.BytesIO(legacy(seen_otherwise(whole), listed, rest)))
    assert plain.tolist() == [0x38, 0x40, 0x44, 0x48]
    assert other.tolist() == [1.0, 2.0, 3.0, 4.0]
    negative = EMPTY_DICT + text("neg") + b"\x88s"
    floats = whole.replace(b"ByteStorage", b"FloatStorage")
    seen = tuple_of(floats, number(0), tuple_of(number(4)), tuple_of(number(1)), b"\x89", NONE, negative)
    rest = struct.pack("<q", 4) + FOUR["data/0"]
    turned = torch.load(io.BytesIO(legacy(name("torch._utils._rebuild_tensor_v2") + seen + REDUCE, listed, rest)))
    assert turned.tolist() == [0, -1, -2, -3]
    part = tuple_of(text("v"), number(0), number(4))
    seen = whole.removesuffix(NONE + TUPLE + PERSISTENT) + part + TUPLE + PERSISTENT
    with pytest.raises(CheckpointError, match="a part of a storage is seen as other numbers"):
        torch.load(io.BytesIO(legacy(seen_otherwise(seen), listed, rest)))


def test_nesting_costs_no_stack() -> None:
    deep = torch.load(io.BytesIO(archive(MARK * 200_000 + NONE + TUPLE * 200_000)))
    for _ in range(200_000):
        (deep,) = deep
    assert deep is None
    same = torch.load(io.BytesIO(archive(shared_tuples(200))))
    assert same[0] is same[1]


def test_a_legacy_file_cannot_claim_more_than_it_has() -> None:
    def described(count: int, seen: bytes = NONE) -> bytes:
        kind = name("torch.FloatStorage")
        return tuple_of(text("storage"), kind, text("0"), text("cpu"), number(count), seen) + PERSISTENT

    beyond = tuple_of(text("v"), number(2), number(3))

    keys, rest = EMPTY_LIST + text("0") + b"a", struct.pack("<q", 4) + FOUR["data/0"]
    for code, with_keys, with_rest, message in (
        (described(1 << 40), keys, rest, "cut short, or damaged: its storage 0 claims"),
        (described(-1), keys, rest, "no type or size that make sense"),
        (described(4), EMPTY_LIST, rest, "are not those that the pickles speak of"),
        (described(4), keys, struct.pack("<q", 5) + FOUR["data/0"], "another size than its pickle says"),
        (described(4, beyond), keys, rest, "the part v reaches outside"),
    ):
        with pytest.raises(CheckpointError, match=message):
            torch.load(io.BytesIO(legacy(code, with_keys, with_rest)))
    with pytest.raises(CheckpointError, match="cut short"):
        torch.load(io.BytesIO(legacy(described(4), keys, rest[:-1])))


# ---- archives --------------------------------------------------------------------------------------------------------
def test_archives_that_pack_much_into_little() -> None:
    packed = archive(tensor(count=1 << 22), {"data/0": bytes(1 << 24)}, zipfile.ZIP_DEFLATED)
    assert len(packed) < 100_000
    with pytest.raises(CheckpointError, match="is compressed or encrypted"):
        torch.load(io.BytesIO(packed))


def changed_directory(data: bytes, record: str, at: int, value: bytes) -> bytes:
    """The archive with other bytes in the directory's entry of a record."""
    start = data.index(b"PK\x01\x02")
    entry = data.rindex(b"PK\x01\x02", start, data.index(f"archive/{record}".encode(), start))
    return data[: entry + at] + value + data[entry + at + len(value) :]


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (20, struct.pack("<II", 1 << 30, 1 << 30), "it reaches into the next one"),
        (24, struct.pack("<I", 1 << 30), "compressed or encrypted"),
        (8, b"\x01", "compressed or encrypted"),
        (10, b"\x08", "compressed or encrypted"),
        (42, struct.pack("<I", 0), "it does not begin where it should"),
        (42, struct.pack("<I", 5), "it reaches into the next one"),
        (42, struct.pack("<I", 1 << 30), "missing|does not begin|not a whole"),
        (46, b"other", "missing|not one that torch.save wrote"),
    ],
)
def test_directories_that_lie(at: int, value: bytes, message: str) -> None:
    data = archive(tensor(), FOUR)
    with pytest.raises(CheckpointError, match=message):
        torch.load(io.BytesIO(changed_directory(data, "data/0", at, value)))


def test_records_that_overlap() -> None:
    """Two records on the same bytes, so that a small file would hold much."""
    data = archive(list_of(tensor(), tensor(key="1")), {**FOUR, "data/1": FOUR["data/0"]})
    start = data.index(b"archive/data/0") - 30
    with pytest.raises(CheckpointError, match="it does not begin where it should"):
        torch.load(io.BytesIO(changed_directory(data, "data/1", 42, struct.pack("<I", start))))
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as z:
        z.writestr("archive/data.pkl", b"\x80\x02N.")
        with pytest.warns(UserWarning, match="Duplicate name"):
            z.writestr("archive/data.pkl", b"\x80\x02N.")
    with pytest.raises(CheckpointError, match="a record is in it twice"):
        torch.load(io.BytesIO(twice.getvalue()))


def test_archives_of_another_kind() -> None:
    script = archive(NONE, {"constants.pkl": b"", "code/__torch__.py": b""})
    with pytest.raises(CheckpointError, match="a TorchScript archive, which holds a program"):
        torch.load(io.BytesIO(script))
    new = archive(NONE).replace(b"3\n", b"99")
    with pytest.raises(CheckpointError, match="of the version b'99'"):
        torch.load(io.BytesIO(new))
    with pytest.raises(CheckpointError, match="of the byte order b'middle'"):
        torch.load(io.BytesIO(archive(NONE, {"byteorder": b"middle"})))


# ---- what a program allows -------------------------------------------------------------------------------------------
class Point:
    """A class of a program's own."""

    def __init__(self, x: float, y: float) -> None:
        self.x, self.y = x, y


class Slotted:
    __slots__ = ("a", "b")


class Restored:
    """One that says how its state is taken."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __getstate__(self) -> dict[str, int]:
        return {"half": self.value // 2}

    def __setstate__(self, state: dict[str, int]) -> None:
        self.value = 2 * state["half"]


class Tagged(torch.Tensor):
    """A tensor of a program's own."""


def saved(obj: Any) -> io.BytesIO:
    file = io.BytesIO()
    torch.save(obj, file)
    file.seek(0)
    return file


@pytest.fixture(autouse=True)
def _nothing_is_allowed() -> Any:
    yield
    serialization.clear_safe_globals()


def test_allowed_classes_are_loaded() -> None:
    slotted = Slotted()
    slotted.a, slotted.b = 1, torch.ones(1)  # type: ignore[attr-defined]
    objects = {"point": Point(1.0, 2.0), "slotted": slotted, "restored": Restored(6)}
    with pytest.raises(UnpicklingError, match=r"Point, which is not allowed"):
        torch.load(saved(objects))
    with serialization.safe_globals([Point, Slotted, Restored]):
        back = torch.load(saved(objects))
    assert (back["point"].x, back["point"].y, back["slotted"].a, back["restored"].value) == (1.0, 2.0, 1, 6)
    with pytest.raises(UnpicklingError, match="Point"):
        torch.load(saved(objects))


def test_what_many_objects_share_is_no_attack() -> None:
    """Paths say the names of their folders, which the file has once."""
    folder = PurePosixPath("/the_folder_of_all_the_data_sets/the_pictures_of_the_first_one/those_to_train_with")
    paths = [folder / f"{n}.png" for n in range(1000)]
    with serialization.safe_globals([PurePosixPath]):
        assert torch.load(saved(paths)) == paths


def test_names_that_are_elsewhere_now() -> None:
    """A pair says by what name a file has a class, as in PyTorch."""
    file = saved(Point(3.0, 4.0)).getvalue().replace(b"ctest_weights_only\nPoint\n", b"ctest_weights_0nly\nPoint\n")
    serialization.add_safe_globals([(Point, "test_weights_0nly.Point")])
    assert torch.load(io.BytesIO(file)).x == 3.0
    with pytest.raises(ValueError, match="Expected tuple of length 2"):
        serialization.add_safe_globals([(Point, "a", "b")])
    with pytest.raises(TypeError, match="Expected second item in tuple to be str"):
        serialization.add_safe_globals([(Point, 3)])


def test_subclasses_of_tensors() -> None:
    mine = torch.ones(2).as_subclass(Tagged)
    mine.note = "hello"
    with pytest.raises(UnpicklingError, match="Tagged"):
        torch.load(saved(mine))
    with serialization.safe_globals([Tagged]):
        back = torch.load(saved(mine))
    assert type(back) is Tagged
    assert back.note == "hello"


class Sealed(torch.Tensor):
    """One that takes its state itself, also as a parent."""

    def __setstate__(self, state: Any) -> None:
        self.taken = state


class SealedChild(Sealed):
    pass


@pytest.mark.parametrize("cls", [Sealed, SealedChild])
def test_subclasses_of_tensors_that_take_their_state(cls: Any) -> None:
    mine = torch.ones(2).as_subclass(cls)
    mine.note = "hello"
    with serialization.safe_globals([cls]):
        assert vars(torch.load(saved(mine))) == {"taken": {"note": "hello"}}


@pytest.mark.parametrize("code", [b"X\xff\xff\xff\xff", b"(", b"\xfe"])
def test_names_of_a_damaged_pickle(code: bytes) -> None:
    with pytest.raises(UnpicklingError, match="its pickle is damaged"):
        serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(archive(code).replace(code + STOP, code + b"(")))


def test_numpy_needs_to_be_allowed() -> None:
    """As in PyTorch: its scalars and arrays are made by functions of NumPy's."""
    file = saved({"loss": np.float64(0.5), "array": np.arange(3)})
    names = serialization.get_unsafe_globals_in_checkpoint(file)
    assert any(full.endswith("multiarray.scalar") for full in names)
    multiarray = pickle.loads(pickle.dumps(np.float64(1))).__reduce__()[0].__module__
    import importlib

    parts = importlib.import_module(multiarray)
    safe = [parts.scalar, parts._reconstruct, np.ndarray, np.dtype, type(np.dtype("f8")), type(np.dtype("i8"))]
    with serialization.safe_globals(safe):
        file.seek(0)
        back = torch.load(file)
    assert back["loss"] == 0.5
    np.testing.assert_array_equal(back["array"], np.arange(3))


def test_whole_modules_by_allowing_their_classes() -> None:
    """A module's class is allowed under the name that PyTorch has for it."""
    network = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    file = saved(network)
    assert serialization.get_unsafe_globals_in_checkpoint(file) == [
        "torch.nn.modules.container.Sequential", "torch.nn.modules.linear.Linear",
        "torch.nn.modules.activation.ReLU",
    ]  # fmt: skip
    file.seek(0)
    with serialization.safe_globals([nn.Sequential, nn.Linear, nn.ReLU]):
        back = torch.load(file)
    x = torch.ones(1, 2)
    assert back(x).tolist() == network(x).tolist()
    file.seek(0)
    assert torch.load(file, weights_only=False)(x).tolist() == network(x).tolist()


def test_trust_must_be_asked_for(tmp_path: Path) -> None:
    """weights_only=False runs what is in a file; nothing else does, and no argument makes it the default."""
    canary = Canary(tmp_path)
    path = tmp_path / "trusted.pt"
    path.write_bytes(archive(ATTACKS["eval"](canary)))
    for options in ({}, {"weights_only": None}, {"weights_only": True}, {"mmap": True}):
        with pytest.raises(UnpicklingError):
            torch.load(path, **options)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="Can not safely load weights when explicit pickle_module is specified"):
        torch.load(path, pickle_module=pickle)
    assert not canary.path.exists()
    torch.load(path, weights_only=False)
    assert canary.path.exists()


def test_attributes_cannot_take_the_place_of_a_class_s() -> None:
    """A file cannot give a tensor hooks, or an OrderedDict another `update`."""
    ordered = name("collections.OrderedDict") + EMPTY_TUPLE + REDUCE
    changed = ordered + EMPTY_DICT + text("update") + NONE + b"s" + text("note") + text("x") + b"s" + BUILD
    back = torch.load(io.BytesIO(archive(changed)))
    assert type(back) is OrderedDict
    assert vars(back) == {"note": "x"}
    state = EMPTY_DICT + text("_hooks") + EMPTY_DICT + b"s" + text("backward") + NONE + b"s" + text("tag") + NONE + b"s"
    parts = tensor()[len(name("torch._utils._rebuild_tensor_v2")) : -1]
    made = name("torch._tensor._rebuild_from_type_v2") + tuple_of(
        name("torch._utils._rebuild_tensor_v2"), name("torch.Tensor"), parts, state
    )
    assert vars(torch.load(io.BytesIO(archive(made + REDUCE, FOUR)))) == {"tag": None}
