"""save and load: what comes back, what is refused, and that nothing is left behind."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import random
import stat
import sys
import tarfile
import threading
import zipfile
from collections import Counter, OrderedDict
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

import mini_torch as torch
from mini_torch import nn
from mini_torch.errors import CheckpointError
from mini_torch.serialization.archive_writer import ArchiveWriter


def through_memory(obj: Any) -> Any:
    file = io.BytesIO()
    torch.save(obj, file)
    file.seek(0)
    return torch.load(file)


# ---- what comes back ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "obj",
    [
        None, True, False, 0, -3, 2**80, 1.5, -0.0, 1e-320, 5e307, float("inf"), -float("inf"), 1 + 2j, "", "é\n\0",
        [], [1, [2, ["x"]]], (), (1, (2,), [3]), {}, {"a": {"b": None}}, {1: "int", None: 2, (1, 2): 3, "$": 4},
        OrderedDict(b=1, a=2), torch.Size([2, 3]), torch.float16, torch.device("cpu"), torch.device("cuda:1"),
        b"", b"bytes\xff", bytearray(b"x"), set(), {1, "a"}, Counter("abb"), torch.strided,
    ],
)  # fmt: skip
def test_plain_values(obj: Any) -> None:
    back = through_memory(obj)
    assert back == obj
    assert type(back) is type(obj)
    assert repr(back) == repr(obj)


def test_not_a_number() -> None:
    assert np.isnan(through_memory([float("nan")])[0])


@pytest.mark.parametrize(
    "dtype",
    "bool uint8 int8 int16 int32 int64 float16 float32 float64 complex64 complex128".split(),  # noqa: SIM905
)
@pytest.mark.parametrize("shape", [(), (0, 3), (4,), (2, 3, 2)])
def test_tensors(dtype: str, shape: tuple[int, ...]) -> None:
    array = (np.arange(np.prod(shape)).reshape(shape) * 1.25).astype(dtype)
    back = through_memory(torch.tensor(array))
    assert back.dtype == getattr(torch, dtype)
    assert back.shape == shape
    np.testing.assert_array_equal(back.numpy(), array)
    back.numpy()[...] = 1  # its memory can be written


def test_layouts_that_are_not_in_order() -> None:
    x = torch.arange(12).reshape(3, 4)
    for view in (x.T, x[::2], x[:, 1:3], x[0].expand(2, 4)):
        np.testing.assert_array_equal(through_memory(view).numpy(), view.numpy())


def test_what_a_tensor_is() -> None:
    p = nn.Parameter(torch.ones(2))
    leaf = torch.ones(2, requires_grad=True)
    frozen = nn.Parameter(torch.ones(1), requires_grad=False)
    back = through_memory({"p": p, "frozen": frozen, "leaf": leaf, "computed": leaf * 2})
    assert [type(t).__name__ for t in back.values()] == ["Parameter", "Parameter", "Tensor", "Tensor"]
    assert [t.requires_grad for t in back.values()] == [True, False, True, True]
    assert back["computed"].is_leaf


def test_one_tensor_in_two_places_stays_one() -> None:
    t = torch.ones(2)
    a, b, c = through_memory([t, [t], torch.ones(2)])
    assert a is b[0]
    assert a is not c


def test_modules_and_pytorch_s_arguments(tmp_path: Path) -> None:
    one, other = nn.Linear(2, 3), nn.Linear(2, 3)
    torch.save(one.state_dict(), str(tmp_path / "weights"))
    state = torch.load(tmp_path / "weights", map_location="cpu", weights_only=True, mmap=False)
    assert type(state) is OrderedDict
    other.load_state_dict(state)
    np.testing.assert_array_equal(other.weight.detach().numpy(), one.weight.detach().numpy())


# ---- writing -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("bad", [lambda: 0, (i for i in ()), sys])
def test_what_cannot_be_saved(bad: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises((TypeError, pickle.PicklingError, AttributeError)):
        torch.save({"a": [1, bad]}, path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    torch.save("old", path)
    for name, error in (("fsync", OSError("disk full")), ("replace", KeyboardInterrupt())):

        def fail(*_: Any, error: BaseException = error) -> None:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(os, name, fail)
            with pytest.raises(type(error)):
                torch.save("new", path)
        assert torch.load(path) == "old"
        assert os.listdir(tmp_path) == ["file"]
    with pytest.raises(OSError, match="No such file or directory"):
        torch.save(1, tmp_path / "nowhere" / "file")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX file modes and links")
def test_modes_and_links(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    torch.save(1, target)
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~umask
    link.symlink_to(target)
    torch.save(2, link)
    assert link.is_symlink()
    assert torch.load(target) == 2


def test_readers_see_whole_files_only(tmp_path: Path) -> None:
    path = tmp_path / "file"
    torch.save(torch.zeros(1000), path)
    seen: set[float] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            values = set(torch.load(path).tolist())
            assert len(values) == 1
            seen.update(values)

    reader = threading.Thread(target=read)
    reader.start()
    for k in range(20):
        torch.save(torch.full((1000,), float(k)), path)
    done.set()
    reader.join()
    assert seen


# ---- files of all kinds ----------------------------------------------------------------------------------------------
def test_writing_into_a_mapped_tensor_does_not_change_the_file(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    torch.save({"a": torch.ones(1000), "b": torch.zeros(3), "none": torch.empty(0)}, path)
    before = path.read_bytes()
    weights = torch.load(path, mmap=True)
    weights["a"].mul_(5)
    assert weights["a"].sum() == 5000
    assert weights["a"].untyped_storage().nbytes() == 4000  # not the whole file
    assert path.read_bytes() == before
    torch.save(weights["a"], path)  # what is saved over the file that it is mapped from stays what it was
    assert weights["b"].tolist() == [0, 0, 0]
    assert torch.load(path).sum() == 5000
    with pytest.raises(ValueError, match="f must be a file path in order to use the mmap argument"):
        torch.load(io.BytesIO(before), mmap=True)


@pytest.mark.parametrize("zipped", [True, False])
def test_files_that_are_open(zipped: bool, tmp_path: Path) -> None:
    """From where they stand, buffered or not, compressed or with no `readinto`."""
    file = io.BytesIO()
    torch.save({"a": torch.arange(5)}, file, _use_new_zipfile_serialization=zipped)
    data = b"before" + file.getvalue()
    path, packed = tmp_path / "file", tmp_path / "file.gz"
    path.write_bytes(data)
    packed.write_bytes(gzip.compress(data))

    class Plain:
        """The least that a file can do."""

        def __init__(self, data: bytes) -> None:
            file = io.BytesIO(data)
            self.read, self.readline, self.seek, self.tell = file.read, file.readline, file.seek, file.tell

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: Any) -> None: ...

    ways = (partial(open, path, "rb"), partial(open, path, "rb", 0), partial(gzip.open, packed),
            partial(io.BytesIO, data), partial(Plain, data))  # fmt: skip
    for way in ways:
        with way() as opened:
            opened.seek(6)
            assert torch.load(opened)["a"].tolist() == [0, 1, 2, 3, 4]
    ends = os.pipe()
    os.close(ends[1])
    with os.fdopen(ends[0], "rb") as pipe:  # noqa: SIM117
        with pytest.raises(io.UnsupportedOperation, match=r"You can only torch\.load from a file that is seekable"):
            torch.load(pipe)
    with pytest.raises(AttributeError, match="expected 'f' to be string, path, or a file-like object"):
        torch.save(1, 3)


def test_several_objects_in_one_legacy_file() -> None:
    file = io.BytesIO()
    for k in range(3):
        torch.save(torch.full((2,), k), file, _use_new_zipfile_serialization=False)
    file.seek(0)
    assert [torch.load(file).tolist() for _ in range(3)] == [[0, 0], [1, 1], [2, 2]]


def test_other_protocols_and_picklers() -> None:
    """They are written, and read where Python's own reader may do it."""
    file = io.BytesIO()
    torch.save({"a": torch.ones(2), "type": torch.float64}, file, pickle_protocol=4)
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError, match="not allowed with weights_only=True"):
        torch.load(file)
    file.seek(0)
    back = torch.load(file, weights_only=False)
    assert (back["a"].tolist(), back["type"]) == ([1, 1], torch.float64)

    class Doubling(pickle._Pickler):
        dispatch: ClassVar[dict[Any, Any]] = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

        def save_float(self, obj: float) -> None:
            super().save_float(2 * obj)  # type: ignore[misc]

        dispatch[float] = save_float

    double = SimpleNamespace(Pickler=Doubling, Unpickler=pickle.Unpickler, __name__="double")
    file = io.BytesIO()
    torch.save({"a": nn.Linear(1, 1), "b": 2.5}, file, pickle_module=double, pickle_protocol=3)
    file.seek(0)
    assert torch.load(file, None, double, weights_only=False)["b"] == 5.0
    with pytest.raises(TypeError, match=r"pickle_module='\w+' has no Pickler that says in Python how"):
        torch.save(1, file, pickle_module=SimpleNamespace(Pickler=pickle.Pickler, __name__="quick"))


def test_room_for_numbers_and_no_checksums() -> None:
    whole, room, unchecked = io.BytesIO(), io.BytesIO(), io.BytesIO()
    torch.save(torch.ones(100), whole)
    with torch.serialization.skip_data():
        torch.save(torch.ones(100), room)
    assert len(room.getvalue()) == len(whole.getvalue())
    assert torch.load(io.BytesIO(room.getvalue())).tolist() == [0] * 100
    torch.serialization.set_crc32_options(False)
    try:
        assert not torch.serialization.get_crc32_options()
        torch.save(torch.ones(100), unchecked)
    finally:
        torch.serialization.set_crc32_options(True)
    assert torch.load(io.BytesIO(unchecked.getvalue())).sum() == 100
    with zipfile.ZipFile(whole) as z:
        assert z.testzip() is None


def test_long_archives() -> None:
    """Of more than 4 GB: the numbers that do not fit in four bytes are where PyTorch has them. Nothing is written."""

    class Sparse(io.BytesIO):
        """A file that keeps no long zeros."""

        at, parts = 0, None

        def write(self, data: Any) -> int:
            self.parts = [*(self.parts or []), (self.at, bytes(data))]
            self.at += len(data)
            return len(data)

        def seek(self, offset: int, whence: int = 0) -> int:
            self.at += offset
            return self.at

    file = Sparse()
    writer = ArchiveWriter(file, "archive")
    writer.leave_room("data/0", 5 << 30)
    writer.write("data/1", b"1234")
    writer.finish()
    end = b"".join(data for _, data in file.parts or [])
    assert (5 << 30).to_bytes(8, "little") in end
    entry = end.index(b"archive/data/1", end.index(b"PK\x01\x02"))
    assert end[entry - 4 : entry] == b"\xff" * 4
    place = next(at for at, data in file.parts or [] if data == b"1234")
    assert place % 64 == 0
    assert place > 5 << 30


# ---- what is refused ---------------------------------------------------------------------------------------
def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"missing\.ckpt: no such file") as caught:
        torch.load(tmp_path / "missing.ckpt")
    assert isinstance(caught.value, FileNotFoundError)
    assert isinstance(caught.value, RuntimeError)
    with pytest.raises(CheckpointError, match="cannot be read"):
        torch.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no zip", b"x1,x2,y\n1,2,3\n" * 100, b"\x93NUMPY"])
def test_files_of_another_kind(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="file: not a checkpoint") as caught:
        torch.load(path)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, pickle.UnpicklingError)


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"PK\x03\x04" + bytes(100)])
def test_what_is_left_of_an_archive(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="file: not a whole checkpoint: File is not a zip file"):
        torch.load(path)


def test_an_archive_of_another_kind(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "old.pt", "w") as tar:
        tar.addfile(tarfile.TarInfo("storages"))
    with pytest.raises(CheckpointError, match=r"old\.pt: a tar archive, as PyTorch wrote before"):
        torch.load(tmp_path / "old.pt")
    np.savez(tmp_path / "arrays.npz", np.ones(3))
    with pytest.raises(CheckpointError, match=r"arrays.npz: a zip archive, but not one that torch.save wrote"):
        torch.load(tmp_path / "arrays.npz")


def test_any_damage_is_a_checkpoint_error() -> None:
    """Cut, changed and shortened at random places: refused, or (in a place that does not count) read."""
    file = io.BytesIO()
    torch.save({"a": torch.ones(5), "b": [1, "x", None], "c": OrderedDict(w=torch.zeros(2, 2))}, file)
    whole, rng, refused = file.getvalue(), random.Random(0), 0
    for k in range(600):
        data = bytearray(whole)
        place = rng.randrange(len(data))
        if k % 3 == 0:
            del data[place:]
        elif k % 3 == 1:
            data[place] ^= 1 << rng.randrange(8)
        else:
            del data[place : place + rng.randrange(1, 40)]
        try:
            torch.load(io.BytesIO(bytes(data)))
        except CheckpointError:
            refused += 1
    assert refused > 300
