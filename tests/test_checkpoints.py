"""Checkpoints that PyTorch 1.0, 1.6, 1.12 and 2.13 wrote come in as they were; ours are theirs, byte for byte.

`tests/record_checkpoints.py` wrote the files in `tests/data/checkpoints`.
"""

from __future__ import annotations

import io
import json
import math
import pickle
import struct
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import checkpoint_cases as cases
import mini_torch
from mini_torch import serialization
from mini_torch.errors import CheckpointError, MissingExtraError, UnpicklingError
from mini_torch.model import Model

FOLDER = Path(__file__).parent / "data" / "checkpoints"
VERSIONS = ("1.0", "1.6", "1.12", "2.13")
NEWEST = FOLDER / "2.13"
EXPECTED = {version: json.loads((FOLDER / version / "expected.json").read_text()) for version in VERSIONS}
FILES = [(version, path.stem) for version in VERSIONS for path in sorted((FOLDER / version).glob("*.pt"))
         if path.stem.removesuffix("_legacy") in EXPECTED[version]]  # fmt: skip


def has_bfloat16() -> bool:
    try:
        return bool(mini_torch.bfloat16.numpy)
    except MissingExtraError:
        return False


def differences(found: Any, expected: Any, place: str = "") -> list[str]:
    """Where two descriptions differ; numbers may differ by what the order of a sum makes of them."""
    if isinstance(expected, dict) and isinstance(found, dict) and found.keys() == expected.keys():
        return [d for key in expected for d in differences(found[key], expected[key], f"{place}/{key}")]
    if isinstance(expected, list) and isinstance(found, list) and len(found) == len(expected):
        return [d for i, (f, e) in enumerate(zip(found, expected)) for d in differences(f, e, f"{place}/{i}")]
    if isinstance(expected, float) and isinstance(found, float):
        return [] if math.isclose(found, expected, rel_tol=1e-5, abs_tol=1e-7) else [f"{place}: {found} {expected}"]
    return [] if found == expected else [f"{place}: {found!r}, not {expected!r}"]


def described(obj: Any) -> Any:
    return json.loads(json.dumps(cases.Describer(mini_torch)(obj)))


def as_float32(expected: Any) -> Any:
    """The description where bfloat16 comes in as float32."""
    return json.loads(json.dumps(expected).replace("torch.bfloat16", "torch.float32"))


# ---- what PyTorch wrote ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize(("version", "name"), FILES, ids=[f"{version} {name}" for version, name in FILES])
def test_files_of_pytorch(version: str, name: str, mapped: bool) -> None:
    path, case = FOLDER / version / f"{name}.pt", name.removesuffix("_legacy")
    is_zip = zipfile.is_zipfile(path)
    if mapped and not is_zip:
        with pytest.raises(CheckpointError, match=r"only files that torch\.save wrote as zip archives"):
            mini_torch.load(path, mmap=True)
        return
    if case == "module":
        with pytest.raises(UnpicklingError, match=r"asks for torch\.nn\.modules\.\w+\.\w+, which is not allowed"):
            mini_torch.load(path)
    back = mini_torch.load(path, mmap=mapped, weights_only=case != "module")
    expected = EXPECTED[version][case]
    if case == "types" and not has_bfloat16():
        expected = as_float32(expected)
    assert differences(described(back), expected) == []


def test_what_pytorch_has_and_we_have_not() -> None:
    for name, message in (
        ("sparse", r"asks for torch\._utils\._rebuild_sparse_tensor: mini_torch has no sparse tensors"),
        ("quantized", r"asks for torch\._utils\._rebuild_qtensor: mini_torch has no quantized tensors|QInt8Storage"),
        ("meta", r"_rebuild_meta_tensor_no_storage: mini_torch has no tensors of the device meta"),
        ("script", r"a TorchScript archive, which holds a program"),
        ("numpy", r"asks for numpy\S+ which is not allowed"),
    ):
        with pytest.raises(CheckpointError, match=rf"{name}\.pt: .*{message}"):
            mini_torch.load(NEWEST / f"{name}.pt")


def test_float8_comes_in_as_float32() -> None:
    back = mini_torch.load(NEWEST / "float8.pt")
    assert (back.dtype, back.tolist()) == (mini_torch.float32, [1.0, -0.5, 448.0])


def test_bfloat16_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same numbers, in float32; also from a legacy file, and mapped."""
    from mini_torch.serialization import storage

    legacy, ours = io.BytesIO(), io.BytesIO()
    if has_bfloat16():
        values = mini_torch.tensor([1.5, -3.0, 0.0]).bfloat16()
        mini_torch.save(values, legacy, _use_new_zipfile_serialization=False)
        mini_torch.save([values, values[1:]], ours)
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)  # type: ignore[arg-type]
    storage._in_memory.cache_clear()
    try:
        for mapped in (False, True):
            back = mini_torch.load(NEWEST / "types.pt", mmap=mapped)["bfloat16"]
            assert (back.dtype, back.tolist()) == (mini_torch.float32, [1.0, 2.0, 3.0])
        if legacy.getvalue():
            assert mini_torch.load(io.BytesIO(legacy.getvalue())).tolist() == [1.5, -3.0, 0.0]
            whole, part = mini_torch.load(io.BytesIO(ours.getvalue()))
            whole[1] = 7.0
            assert part.tolist() == [7.0, 0.0]
    finally:
        storage._in_memory.cache_clear()


# ---- other computers, other devices ----------------------------------------------------------------------------------
def rewritten(path: Path, change: Any) -> io.BytesIO:
    """The archive with `change(record, bytes)` in the place of each record's bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as z, zipfile.ZipFile(out, "w") as new:
        for full in z.namelist():
            data = change(full.partition("/")[2], z.read(full))
            if data is not None:
                new.writestr(full, data)
    out.seek(0)
    return out


SIZES = {"types": {str(i): np.dtype(name).itemsize // (2 if "complex" in name else 1) for i, name in enumerate(
    "u1 i1 i2 i4 i8 f2 f4 f8 u1 u2 complex64 complex128 u2 u4 u8".split())}}  # fmt: skip  # noqa: SIM905


def test_the_other_byte_order() -> None:
    def swapped(record: str, data: bytes) -> bytes:
        if record == "byteorder":
            return b"big" if sys.byteorder == "little" else b"little"
        size = SIZES["types"][record[5:]] if record.startswith("data/") else 1
        return np.frombuffer(data, f"u{size}").byteswap().tobytes()

    if not has_bfloat16():
        pytest.skip("bfloat16 of the other byte order needs ml_dtypes")
    back = mini_torch.load(rewritten(NEWEST / "types.pt", swapped))
    assert differences(described(back), EXPECTED["2.13"]["types"]) == []


def test_files_that_do_not_say_their_byte_order() -> None:
    """As PyTorch before 2.1 wrote them: little, unless the program says otherwise."""

    def unsaid(record: str, data: bytes) -> bytes | None:
        if record.startswith("data/"):
            return np.frombuffer(data, ">f4").astype("<f4").tobytes()
        return None if record == "byteorder" else data

    path = NEWEST / "parameters.pt"
    little = rewritten(path, lambda record, data: None if record == "byteorder" else data)
    big = rewritten(path, unsaid)
    assert mini_torch.load(little)["parameter"].tolist() == [[1, 1], [1, 1]]
    order = serialization.LoadEndianness
    try:
        serialization.set_default_load_endianness(order.BIG)
        assert serialization.get_default_load_endianness() is order.BIG
        assert mini_torch.load(big)["parameter"].tolist() == [[1, 1], [1, 1]]
        with pytest.raises(TypeError, match="Invalid argument type in function set_default_load_endianness"):
            serialization.set_default_load_endianness("big")  # type: ignore[arg-type]
    finally:
        serialization.set_default_load_endianness(None)


def from_cuda(record: str, data: bytes) -> bytes:
    return data.replace(b"X\x03\0\0\0cpu", b"X\x06\0\0\0cuda:0") if record == "data.pkl" else data


def test_tensors_that_were_elsewhere() -> None:
    file = rewritten(NEWEST / "views.pt", from_cuda)
    seen: list[Any] = []

    def place(storage: Any, location: str) -> Any:
        seen.append((location, storage.nbytes()))
        return serialization.default_restore_location(storage, "cpu") if len(seen) % 2 else None

    for where in (None, "cpu", mini_torch.device("cpu"), b"cpu", {"cuda:0": "cpu"}, {"cuda:1": "cpu"}, place):
        file.seek(0)
        back = mini_torch.load(file, map_location=where)
        assert differences(described(back), EXPECTED["2.13"]["views"]) == []
        assert back["whole"].device == mini_torch.device("cpu")
    assert seen[:2] == [("cuda:0", 96), ("cuda:0", 12)]
    other = mini_torch.zeros(24).untyped_storage()
    file.seek(0)
    assert mini_torch.load(file, lambda s, _: other if s.nbytes() == 96 else s)["whole"].sum() == 0
    for bad, error in (("cuda", RuntimeError), ({"cuda:0": "cuda:1"}, RuntimeError), (3, TypeError)):
        file.seek(0)
        with pytest.raises(error):
            mini_torch.load(file, map_location=bad)


# ---- what we write ---------------------------------------------------------------------------------------------------
def comparable(data: bytes, with_numbers: bool) -> bytes:
    """A file with zeros for what may differ: the number of the archive, of which PyTorch's compiler decides a half, and
    on demand the numbers of tensors; and the checksums of these."""
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        entries, directory = z.infolist(), z.start_dir
    blank = bytearray(data)
    for entry in entries:
        name_size, extra_size = struct.unpack_from("<HH", data, entry.header_offset + 26)
        start, size = entry.header_offset + 30 + name_size + extra_size, entry.file_size
        is_id, is_tensor = ("serialization_id" in entry.filename, "/data/" in entry.filename)
        if size and (is_id or (is_tensor and not with_numbers)):
            blanked = 20 if is_id and with_numbers else size
            blank[start : start + blanked] = bytes(blanked)
            blank[start + size + 4 : start + size + 8] = bytes(4)
            blank[directory + 16 : directory + 20] = bytes(4)
        directory += 46 + name_size
    return bytes(blank)


@pytest.mark.parametrize("name", sorted(set(EXPECTED["2.13"]) - {"module"}))
def test_ours_are_pytorch_s_byte_for_byte(name: str, tmp_path: Path) -> None:
    if name == "types" and not has_bfloat16():
        pytest.skip("bfloat16 needs ml_dtypes")
    mini_torch.save(cases.CASES[name](mini_torch), tmp_path / f"{name}.pt")
    ours, theirs = (tmp_path / f"{name}.pt").read_bytes(), (NEWEST / f"{name}.pt").read_bytes()
    exact = name != "training"  # whose numbers are sums, with other last bits
    assert comparable(ours, exact) == comparable(theirs, exact)


@pytest.mark.parametrize("name", ["plain", "views", "parameters"])
def test_ours_in_the_old_format(name: str) -> None:
    """The same, but for the names of storages, which are addresses."""
    ours = io.BytesIO()
    mini_torch.save(cases.CASES[name](mini_torch), ours, _use_new_zipfile_serialization=False)
    theirs = (NEWEST / f"{name}_legacy.pt").read_bytes()
    if name == "plain":
        assert ours.getvalue() == theirs
    back = mini_torch.load(io.BytesIO(ours.getvalue()))
    assert differences(described(back), EXPECTED["2.13"][name]) == []


def test_empty_bytes_are_written_so_that_pytorch_reads_them() -> None:
    file = io.BytesIO()
    mini_torch.save(b"", file)
    assert b"__builtin__\nbytes" not in file.getvalue()
    assert mini_torch.load(io.BytesIO(file.getvalue())) == b""
    assert mini_torch.load(rewritten_pickle(pickle.dumps(b"", 2))) == b""


def rewritten_pickle(data: bytes) -> io.BytesIO:
    return rewritten(NEWEST / "plain.pt", lambda record, old: data if record == "data.pkl" else old)


# ---- beside PyTorch itself, where it is installed --------------------------------------------------------------------
@pytest.fixture
def torch() -> ModuleType:
    return pytest.importorskip("torch")


@pytest.mark.filterwarnings("ignore:TypedStorage")
def test_storages_by_themselves(torch: ModuleType) -> None:
    for writer, reader in ((mini_torch, torch), (torch, mini_torch), (mini_torch, mini_torch)):
        file = io.BytesIO()
        writer.save(cases.storages(writer), file)
        file.seek(0)
        back = reader.load(file)
        assert list(back["bytes"]) == [0] * 8 + [1] + [0] * 7 + [2] + [0] * 7
        assert list(back["numbers"]) == [0.0, 1.0, 2.0, 3.0]


def test_a_whole_run_is_opened_by_pytorch(torch: ModuleType, tmp_path: Path) -> None:
    nn = mini_torch.nn
    model = Model(nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)), nn.MSELoss(), "adam")
    x = mini_torch.ones(8, 2)
    model.fit((x, x.sum(1, keepdim=True)), epochs=1, batch_size=4, progress=False)
    model.save(tmp_path / "model.ckpt", note="mine")
    saved = torch.load(tmp_path / "model.ckpt", weights_only=True)
    assert saved["extra"] == {"note": "mine"}
    assert torch.equal(saved["network"]["0.weight"], torch.tensor(model.network[0].weight.tolist()))


@pytest.mark.filterwarnings("ignore:TypedStorage")
@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("name", list(cases.CASES))
def test_both_ways(torch: ModuleType, name: str, legacy: bool) -> None:
    """What we save PyTorch loads, and what it saves we load: with weights_only=True, whole modules without."""
    safe = name != "module"
    for writer, reader in ((mini_torch, torch), (torch, mini_torch)):
        file = io.BytesIO()
        obj = cases.CASES[name](writer)
        if legacy and name == "types":  # PyTorch writes the new types there and cannot read them
            obj = {key: x for key, x in obj.items() if key not in cases.NEW_TYPES}
        writer.save(obj, file, _use_new_zipfile_serialization=not legacy)
        file.seek(0)
        back = cases.Describer(reader)(reader.load(file, weights_only=safe))
        assert differences(back, cases.Describer(writer)(obj)) == []
