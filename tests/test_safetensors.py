"""safetensors files: PyTorch's are read, what we write it reads, and what is refused."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch import nn
from mini_torch.errors import CheckpointError
from mini_torch.safetensors import load, load_file, load_model, safe_open, save, save_file, save_model

pytest.importorskip("safetensors")

DATA = Path(__file__).parent / "data" / "safetensors"
DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "float16", "float32",
          "float64", "complex64")  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


def tensors() -> dict[str, Any]:
    out = {name: torch.tensor(np.arange(6).reshape(2, 3).astype(name)) for name in DTYPES}
    return {**out, "scalar": torch.tensor(-2.5), "empty": torch.zeros(0, 3)}


def assert_same(got: dict[str, Any], expected: dict[str, Any]) -> None:
    assert sorted(got) == sorted(expected)
    for name, x in expected.items():
        assert str(got[name].dtype) == str(x.dtype), name
        np.testing.assert_array_equal(got[name].numpy(), x.numpy(), name)


# ---- PyTorch's files, recorded -----------------------------------------------------------------------------------
@pytest.mark.parametrize("backend", ["mmap", "pread"])
def test_files_that_pytorch_wrote(backend: str) -> None:
    expected = {name: torch.tensor(x) for name, x in np.load(DATA / "plain.npz").items()}
    assert_same(load_file(DATA / "plain.safetensors", backend=backend), expected)
    assert_same(load((DATA / "plain.safetensors").read_bytes()), expected)


@pytest.mark.parametrize("backend", ["mmap", "pread"])
def test_types_that_numpy_has_not(backend: str) -> None:
    """All 256 numbers of the 8-bit types, and bfloat16: as the numbers that PyTorch makes of them."""
    got = load_file(DATA / "narrow.safetensors", backend=backend)
    for name, x in np.load(DATA / "narrow.npz").items():
        np.testing.assert_array_equal(got[name].float().numpy(), x, name)
        assert got[name].dtype == torch.float32 or name == "bfloat16"


def test_bfloat16_without_ml_dtypes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    for got in (load_file(DATA / "narrow.safetensors"), load((DATA / "narrow.safetensors").read_bytes())):
        assert got["bfloat16"].dtype == torch.float32
        np.testing.assert_array_equal(got["bfloat16"].numpy(), np.load(DATA / "narrow.npz")["bfloat16"])


def test_bfloat16_with_ml_dtypes(path: Path) -> None:
    pytest.importorskip("ml_dtypes")
    x = torch.tensor([1.0, 3.14159, -0.0, 1e38]).to(torch.bfloat16)
    save_file({"x": x}, path)
    back = load_file(path)["x"]
    assert back.dtype == torch.bfloat16
    assert back.tolist() == x.tolist()
    assert safe_open(path).get_slice("x").get_dtype() == "BF16"


# ---- there and back ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("backend", ["mmap", "pread"])
def test_there_and_back(path: Path, backend: str) -> None:
    save_file(tensors(), path, {"by": "me"})
    assert_same(load_file(path, "cpu", backend=backend), tensors())
    assert_same(load(save(tensors())), tensors())
    assert save(tensors(), {"by": "me"}) == path.read_bytes()


def test_both_ways_with_pytorch(path: Path) -> None:
    real = pytest.importorskip("torch")
    from safetensors import torch as theirs

    kinds = {**tensors(), "bfloat16": torch.ones(3).to(torch.bfloat16)}
    save_file(kinds, path, {"by": "us"})
    got = theirs.load_file(path)
    for name, x in kinds.items():
        assert str(got[name].dtype) == str(x.dtype)
        if name != "bfloat16":
            assert real.equal(got[name], real.from_numpy(x.numpy()))
    assert got["bfloat16"].tolist() == [1, 1, 1]
    assert theirs.save(got, {"by": "us"}) == path.read_bytes()


def test_the_numbers_are_read_when_they_are_used(path: Path) -> None:
    save_file({"a": torch.zeros(1000), "b": torch.ones(3)}, path)
    mapped, read = load_file(path), load_file(path, backend="pread")
    data = bytearray(path.read_bytes())
    data[-4:] = np.float32(7).tobytes()
    with open(path, "r+b") as file:
        file.write(data)
    assert mapped["b"].tolist() == [1, 1, 7]
    assert read["b"].tolist() == [1, 1, 1]


def test_writing_into_a_loaded_tensor_leaves_the_file(path: Path) -> None:
    save_file({"a": torch.zeros(3)}, path)
    loaded = load_file(path)
    loaded["a"].add_(1)
    assert loaded["a"].tolist() == [1, 1, 1]
    assert load_file(path)["a"].tolist() == [0, 0, 0]


def test_saving_over_the_file_that_is_mapped(path: Path) -> None:
    save_file({"a": torch.zeros(5000)}, path)
    loaded = load_file(path)
    save_file({"a": loaded["a"] + 1, "b": loaded["a"]}, path)
    assert loaded["a"].sum() == 0
    assert (load_file(path)["a"].sum(), load_file(path)["b"].sum()) == (5000, 0)


def test_files_whose_numbers_lie_at_odd_places(path: Path) -> None:
    """Headers of others need not be of a length that is a multiple of 8."""
    numbers = np.arange(5.0)
    for pad in range(8):
        entry = {"dtype": "F64", "shape": [5], "data_offsets": [0, 40]}
        header = json.dumps({"x": entry}).encode() + b" " * pad
        path.write_bytes(len(header).to_bytes(8, "little") + header + numbers.tobytes())
        got = load_file(path)["x"]
        assert got.numpy().flags.aligned
        assert got.tolist() == numbers.tolist()


def test_a_module_in_training_goes_on(path: Path) -> None:
    net = nn.Linear(3, 2)
    save_file(net.state_dict(), path)
    other = nn.Linear(3, 2)
    other.load_state_dict(load_file(path), assign=True)
    assert other.weight.requires_grad
    other(torch.ones(1, 3)).sum().backward()
    torch.optim.SGD(other.parameters(), lr=0.1).step()
    assert not torch.equal(other.weight, net.weight)


# ---- parts -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("backend", ["mmap", "pread"])
def test_parts_of_a_file(path: Path, backend: str) -> None:
    rows = torch.arange(12.0).reshape(4, 3)
    save_file({"rows": rows, "bits": torch.tensor([True, False])}, path, {"by": "me"})
    with safe_open(path, framework="pt", device="cpu", backend=backend) as file:
        assert file.keys() == ["bits", "rows"]
        assert file.offset_keys() == ["rows", "bits"]
        assert file.metadata() == {"by": "me"}
        assert file.get_tensor("bits").tolist() == [True, False]
        part = file.get_slice("rows")
        assert (part.get_shape(), part.get_dtype()) == ([4, 3], "F32")
        for index in (1, slice(1, 3), (slice(None), 0), (slice(None, None, 2), slice(1, None)), ..., (-1, -1), [0, 2]):
            assert torch.equal(part[index], rows[index])
        assert part[::-1].tolist() == rows.tolist()[::-1]
        with pytest.raises(CheckpointError, match=r"model.safetensors: no tensor 'x' in it; there are bits, rows"):
            file.get_tensor("x")
        kept = file.get_tensor("rows")
    assert torch.equal(kept, rows)
    with pytest.raises(CheckpointError, match="closed"):
        file.get_tensor("rows")


# ---- shared memory -----------------------------------------------------------------------------------------------
def tied() -> Any:
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 3), nn.BatchNorm1d(3))
    model.add_module("tied", nn.Linear(3, 4))
    model.tied.weight = model[0].weight
    return model


def test_tensors_that_share_memory_are_refused(path: Path) -> None:
    x = torch.zeros(4, 3)
    for shared in ({"a": x, "b": x}, {"a": x, "b": x[1]}, {"a": x, "b": x.view(-1)}, tied().state_dict()):
        with pytest.raises(RuntimeError, match=r"Some tensors share memory.*\['?\{.*'.*use `save_model`"):
            save_file(dict(shared), path)
    save_file({"a": x[:2], "b": x[2:]}, path)  # two halves do not
    assert not path.exists() or load_file(path)["b"].shape == (2, 3)


def test_a_model_whose_layers_share_a_weight(path: Path) -> None:
    model, other = tied(), tied()
    save_model(model, path, {"by": "me"})
    with safe_open(path) as file:
        assert file.metadata() == {"by": "me", "tied.weight": "0.weight"}
        assert "tied.weight" not in file.keys()  # noqa: SIM118 - a file has keys(), and is no dict
    assert load_model(other, path) == (set(), [])
    assert_same(other.state_dict(), model.state_dict())
    assert other.tied.weight is other[0].weight


def test_a_model_that_pytorch_wrote() -> None:
    model = tied()
    load_model(model, DATA / "tied.safetensors")
    assert_same(model.state_dict(), {name: torch.tensor(x) for name, x in np.load(DATA / "tied.npz").items()})


def test_a_model_is_made_contiguous(path: Path) -> None:
    model = nn.Linear(3, 2)
    model.weight.data = torch.arange(6.0).reshape(3, 2).t()
    save_model(model, path)
    assert load_file(path)["weight"].tolist() == model.weight.tolist()
    with pytest.raises(ValueError, match="non contiguous tensor: `weight`"):
        save_model(model, path, force_contiguous=False)


def test_what_a_file_lacks_for_a_model(path: Path) -> None:
    save_file({"0.weight": torch.ones(4, 3), "other": torch.ones(1)}, path)
    with pytest.raises(RuntimeError, match=r"Missing key.*0\.bias.*\n.*Unexpected key.*other"):
        load_model(tied(), path)
    missing, unexpected = load_model(tied(), path, strict=False)
    assert {"0.bias", "tied.bias"} < missing
    assert "tied.weight" not in missing
    assert unexpected == ["other"]


def test_parts_of_a_memory_that_nobody_saves(path: Path) -> None:
    whole = torch.zeros(10)
    model = nn.Module()
    model.register_buffer("a", whole[:6])
    model.register_buffer("b", whole[4:])
    with pytest.raises(RuntimeError, match="a, b share memory"):
        save_model(model, path)


# ---- refused -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([1], ValueError, r"Expected a dict of \[str, torch.Tensor\] but received <class 'list'>"),
        ({"a": np.ones(2)}, ValueError, "Key `a` is invalid, expected torch.Tensor but received"),
        ({"a": 1}, ValueError, "Key `a` is invalid"),
        ({"a": torch.ones(3, 2).t()}, ValueError, "non contiguous tensor: `a`"),
        ({"a": torch.ones(2, dtype=torch.complex128)}, ValueError, "`a` is of type complex128"),
    ],
)
def test_what_cannot_be_saved(given: Any, error: type[Exception], message: str, path: Path) -> None:
    with pytest.raises(error, match=message):
        save_file(given, path)
    with pytest.raises(error, match=message):
        save(given)
    assert not path.exists()


def test_metadata_must_be_texts(path: Path) -> None:
    with pytest.raises(TypeError):
        save_file({"a": torch.ones(1)}, path, {"epoch": 3})  # type: ignore[dict-item]
    assert os.listdir(path.parent) == []


def test_files_that_are_missing_or_of_another_kind(path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"model.safetensors: no such file$") as caught:
        load_file(path)
    assert isinstance(caught.value, FileNotFoundError)
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_file(path.parent)
    whole = save({"a": torch.ones(3)})
    for content in (b"", b"x" * 100, whole[:-1], whole + b"x", b"\xff" * 8 + whole[8:], b"\0" * 8):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=r"model.safetensors: not a safetensors file, or not a whole one"):
            load_file(path)
        with pytest.raises(CheckpointError, match="the given bytes: not safetensors"):
            load(content)


def test_types_that_are_not_read(path: Path) -> None:
    header = json.dumps({"x": {"dtype": "F4", "shape": [4], "data_offsets": [0, 2]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0")
    with pytest.raises(CheckpointError, match=r"model.safetensors"):
        load_file(path)


@pytest.mark.parametrize("shape", [[1] * 100 + [4], [0, 1 << 62]])
def test_shapes_beyond_numpy_s(path: Path, shape: list[int]) -> None:
    size = 16 if shape[-1] == 4 else 0
    header = json.dumps({"x": {"dtype": "F32", "shape": shape, "data_offsets": [0, size]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(size))
    with pytest.raises(CheckpointError, match=r"model\.safetensors: 'x' of shape \["):
        load_file(path)
    with pytest.raises(CheckpointError, match=r"the given bytes: 'x' of shape \["):
        load(path.read_bytes())


def test_arguments() -> None:
    file = DATA / "plain.safetensors"
    with pytest.raises(ValueError, match="framework='np'"):
        safe_open(file, "np")
    with pytest.raises(ValueError, match="backend='x'"):
        load_file(file, backend="x")
    for device in ("cuda", 0):
        with pytest.raises((RuntimeError, AssertionError), match=r"device='cpu'"):
            load_file(file, device)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    for call in (lambda: load_file(path), lambda: load(b""), lambda: save({}), lambda: save_file({}, path)):
        with pytest.raises(ImportError, match=r"pip install safetensors, or pip install 'mini-torch\[safetensors\]'"):
            call()
