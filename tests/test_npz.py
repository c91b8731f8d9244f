"""State dicts as .npz files: what NumPy opens, what comes back, what is refused."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch import nn
from mini_torch.errors import CheckpointError
from mini_torch.serialization import load_npz, save_npz

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "float16", "float32",
          "float64", "complex64", "complex128")  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "weights.npz"


def archive(path: Path, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w") as z:
        for name, content in members.items():
            z.writestr(f"{name}.npy", content)


def npy(array: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


# ---- there and back ----------------------------------------------------------------------------------------------
def test_a_state_dict_as_numpy_sees_it(path: Path) -> None:
    net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    save_npz(net.state_dict(), path)
    with np.load(path, allow_pickle=False) as file:
        assert file.files == list(net.state_dict())
        for name, x in net.state_dict().items():
            np.testing.assert_array_equal(file[name], x.numpy())
            assert file[name].dtype == x.numpy().dtype


def test_a_network_gets_its_state_back(path: Path) -> None:
    net, other = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)), nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    net(torch.randn(5, 3))
    save_npz(net.state_dict(), path)
    other.load_state_dict(load_npz(path))
    for x, y in zip(net.state_dict().values(), other.state_dict().values()):
        assert torch.equal(x, y)


@pytest.mark.parametrize("shape", [(), (0, 3), (4,), (2, 3, 2)])
def test_every_type(path: Path, shape: tuple[int, ...]) -> None:
    given = {name: torch.tensor((np.arange(np.prod(shape)).reshape(shape) * 1.25).astype(name)) for name in DTYPES}
    save_npz(given, path)
    back = load_npz(path)
    assert list(back) == list(given)
    for name, x in given.items():
        assert (back[name].dtype, back[name].shape) == (x.dtype, x.shape)
        np.testing.assert_array_equal(back[name].numpy(), x.numpy())
        back[name].numpy()[...] = 1  # its memory can be written


def test_layouts(path: Path) -> None:
    x = torch.arange(24).reshape(2, 3, 4)
    given = {"t": x.transpose(0, 2), "part": x[:, ::2, 1:], "expanded": torch.ones(1).expand(3, 2)}
    save_npz(given, path)
    for name, y in load_npz(path).items():
        assert y.tolist() == given[name].tolist()


def test_dicts_in_the_dict(path: Path) -> None:
    given = {"network": nn.Linear(2, 1).state_dict(), "more": {"a": {"b": torch.ones(1)}}, "step": 3, "lr": 0.5}
    save_npz(given, path)
    assert np.load(path).files == ["network/weight", "network/bias", "more/a/b", "step", "lr"]
    back = load_npz(path)
    assert list(back) == list(given)
    assert list(back["network"]) == ["weight", "bias"]
    assert back["more"]["a"]["b"].tolist() == [1]
    assert (back["step"].item(), back["lr"].item(), back["step"].dtype) == (3, 0.5, torch.int64)


def test_bfloat16_is_written_as_float32(path: Path) -> None:
    pytest.importorskip("ml_dtypes")
    net = nn.Linear(3, 2).bfloat16()
    save_npz(net.state_dict(), path)
    assert np.load(path)["weight"].dtype == np.float32
    other = nn.Linear(3, 2).bfloat16()
    other.load_state_dict(load_npz(path))
    assert other.weight.dtype == torch.bfloat16
    assert torch.equal(other.weight, net.weight)


def test_open_files() -> None:
    file = io.BytesIO()
    save_npz({"a": torch.ones(2)}, file)
    file.seek(0)
    assert load_npz(file)["a"].tolist() == [1, 1]


@pytest.mark.parametrize("savez", [np.savez, np.savez_compressed])
def test_what_numpy_wrote(path: Path, savez: Any) -> None:
    arrays = {"w": np.arange(6.0).reshape(2, 3), "f": np.asfortranarray(np.arange(6).reshape(2, 3)), "s": np.array(1)}
    savez(path, **arrays, swapped=np.arange(3, dtype=">f4"))
    back = load_npz(path)
    for name, x in arrays.items():
        np.testing.assert_array_equal(back[name].numpy(), x)
    assert back["swapped"].dtype == torch.float32
    assert back["swapped"].tolist() == [0, 1, 2]
    assert (back["w"] * 2).sum() == 30


# ---- refused -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"a": {"b": [1]}}, TypeError, "'a/b' is a list.*mini_torch.save takes lists"),
        ({"a": "text"}, TypeError, "'a' is a str"),
        ({"a": None}, TypeError, "'a' is a NoneType"),
        ({"a": np.array([None])}, TypeError, "type object"),
        ({1: torch.ones(1)}, TypeError, "names are strings, got 1 of type int"),
        ({"a/b": torch.ones(1)}, ValueError, "'a/b' is empty or has a '/'"),
        ({"": torch.ones(1)}, ValueError, "'' is empty"),
        ({"a": {}}, ValueError, "nothing is in the dict 'a'"),
    ],
)
def test_what_cannot_be_saved(given: Any, error: type[Exception], message: str, path: Path) -> None:
    with pytest.raises(error, match=message):
        save_npz(given, path)
    assert os.listdir(path.parent) == []


def test_objects_are_not_read(path: Path) -> None:
    """They would be unpickled, which can run anything."""
    canary = path.parent / "canary"

    class Evil:
        def __reduce__(self) -> Any:
            return open, (str(canary), "w")

    np.savez(path, x=np.array([Evil()], dtype=object))
    with pytest.raises(CheckpointError, match=r"weights.npz: x.npy holds Python objects"):
        load_npz(path)
    assert not canary.exists()


def test_a_missing_file(path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"weights\.npz: no such file$") as caught:
        load_npz(path)
    assert isinstance(caught.value, FileNotFoundError)
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_npz(path.parent)


@pytest.mark.parametrize("content", [b"", b"no zip", npy(np.ones(3)), b"PK\x05\x06" + b"\xff" * 18])
def test_files_of_another_kind(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"weights\.npz: not an \.npz file, or not a whole one"):
        load_npz(path)


def test_every_damaged_byte_of_the_numbers_is_noticed(path: Path) -> None:
    save_npz({"w": torch.arange(4.0)}, path)
    whole = path.read_bytes()
    start = whole.index(np.arange(4, dtype=np.float32).tobytes())
    for at in range(start, start + 16):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(CheckpointError, match="CRC"):
            load_npz(path)


def test_headers_that_promise_what_is_not_there(path: Path) -> None:
    whole = npy(np.ones(4))
    for shape in (b"(1000000000000,)", b"(3,)", b"(-4,)", b"(0,)", b"(4.0,)", b"(4"):
        header = b"(4,), }" + b" " * len(shape)
        assert header in whole
        archive(path, w=whole.replace(header, (shape + b", }").ljust(len(header))))
        with pytest.raises(CheckpointError, match=r"weights\.npz: "):
            load_npz(path)
    archive(path, w=npy(np.array(["text"])))
    with pytest.raises(CheckpointError, match=r"w.npy is of type <U4, which no tensor has"):
        load_npz(path)
    archive(path, w=whole[:6] + b"\x09" + whole[7:])
    with pytest.raises(CheckpointError, match="version"):
        load_npz(path)


def test_names_that_cannot_both_be(path: Path) -> None:
    archive(path, **{"a": npy(np.ones(1)), "a/b": npy(np.ones(1))})
    with pytest.raises(CheckpointError, match=r"'a' in 'a/b.npy' is an array and a dict at once"):
        load_npz(path)
    archive(path, **{"a/b": npy(np.ones(1)), "a": npy(np.ones(1))})
    with pytest.raises(CheckpointError, match=r"there are two of 'a.npy'"):
        load_npz(path)
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("a.npy", npy(np.ones(1)))
        with pytest.warns(UserWarning, match="Duplicate name"):
            z.writestr("a.npy", npy(np.zeros(1)))
    with pytest.raises(CheckpointError, match="two arrays in it have the same name"):
        load_npz(path)
