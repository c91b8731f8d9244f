"""A path always has a whole file: the old one or the new one, whoever writes, fails or is killed."""

from __future__ import annotations

import io
import os
import random
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mini_torch as torch
from mini_torch import nn, safetensors
from mini_torch.model import Model
from mini_torch.serialization import load_npz, save_npz
from mini_torch.serialization.whole_file import beside, replacing

ROOT = Path(__file__).parents[1]
ELEMENTS = 400_000  # of a checkpoint: it takes longer to write than anything else that the writer does


# ---- killed ----------------------------------------------------------------------------------------------------------
def tensors_of(value: float) -> dict[str, Any]:
    return {"weight": torch.full((1, ELEMENTS - 1), value), "bias": torch.full((1,), value)}


def model_of(value: float) -> Model:
    model = Model(nn.Linear(ELEMENTS - 1, 1), nn.MSELoss(), "sgd")
    model.network.load_state_dict(tensors_of(value))
    return model


def tensors_of_model(path: Path) -> Any:
    loaded = model_of(0.0)
    loaded.load(path)
    return loaded.network.state_dict().values()


# format: (what is saved, how, the tensors of a file)
FORMATS: dict[str, tuple[Callable[[float], Any], Callable[[Any, Path], Any], Callable[[Path], Any]]] = {
    "pt": (tensors_of, torch.save, lambda path: torch.load(path).values()),
    "npz": (tensors_of, save_npz, lambda path: load_npz(path).values()),
    "safetensors": (tensors_of, safetensors.save_file, lambda path: safetensors.load_file(path).values()),
    "model": (model_of, Model.save, tensors_of_model),
}


def write_for_ever(path: Path, checkpoints: list[Any], save: Callable[[Any, Path], Any]) -> None:
    while True:
        for each in checkpoints:
            save(each, path)


def kill_writers(form: str, folder: Path, kills: int) -> tuple[set[float], int]:
    """Which values the path had after the kills, and how many of these fell into a write."""
    make, save, tensors = FORMATS[form]
    checkpoints, path = [make(1.0), make(2.0)], folder / "checkpoint"
    for each in checkpoints * 2:
        start = time.perf_counter()
        save(each, path)
    period = time.perf_counter() - start
    draw, seen, unfinished = random.Random(0), set(), 0
    for k in range(kills):
        has_begun, begin = os.pipe()
        writer = os.fork()
        if not writer:
            os.write(begin, b"!")
            write_for_ever(path, checkpoints[:: 1 if k % 2 else -1], save)
        os.read(has_begun, 1)
        time.sleep(draw.uniform(0, 4) * period)
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
        os.close(has_begun)
        os.close(begin)
        loaded = list(tensors(path))
        found = {value for tensor in loaded for value in (tensor.min().item(), tensor.max().item())}
        assert sorted(tensor.numel() for tensor in loaded) == [1, ELEMENTS - 1]
        assert len(found) == 1, f"{form}: a mixture of {found}"
        seen |= found
        leftovers = [each for each in folder.iterdir() if each != path]
        unfinished += bool(leftovers)
        for each in leftovers:
            each.unlink()
    return seen, unfinished


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize(("form", "kills"), [("pt", 200), ("npz", 50), ("safetensors", 50), ("model", 50)])
def test_a_killed_writer_leaves_a_whole_file(form: str, kills: int) -> None:
    """In a process of its own, which forks the writers: pytest's may have threads, which a fork would lose."""
    if form == "safetensors":
        pytest.importorskip("safetensors")
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None  # where flushing takes no time: kills hit the writing
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        command = [sys.executable, __file__, form, folder, str(kills)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stderr
    seen, unfinished = ran.stdout.rsplit(maxsplit=1)
    assert seen == "{1.0, 2.0}"
    assert int(unfinished) > kills // 10, "hardly any of the kills fell into a write: they show nothing"


# ---- not killed ------------------------------------------------------------------------------------------------------
def write(path: Any, content: bytes) -> None:
    with replacing(path) as file:
        file.write(content)


@pytest.mark.parametrize("kind", [str, Path, os.fsencode])
def test_the_path_may_be_of_any_kind(kind: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"
    write(kind(path), b"1")
    write(kind(path), b"2")
    assert path.read_bytes() == b"2"
    assert os.listdir(tmp_path) == ["file"]


def test_a_path_without_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("file", b"1")
    assert os.listdir(tmp_path) == ["file"]


def test_the_longest_name_that_there_is(tmp_path: Path) -> None:
    for name in ("x" * 255, "é" * 127):
        write(tmp_path / name, b"1")
        assert (tmp_path / name).read_bytes() == b"1"


def test_nothing_has_happened_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(error: type[BaseException]) -> None:
        with replacing(path) as file:
            file.write(b"half of it")
            raise error

    for error in (ValueError, KeyboardInterrupt, SystemExit):
        with pytest.raises(error):
            fail(error)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_the_old_file_is_there_until_the_new_one_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    target, link = tmp_path / "folder" / "target", tmp_path / "link"
    link.symlink_to(target)
    for content in (b"1", b"2"):  # to a file that is not there yet, and to one that is
        write(link, content)
        assert link.is_symlink()
        assert target.read_bytes() == content


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_permissions_are_those_of_an_ordinary_write(tmp_path: Path) -> None:
    ordinary, new, old = tmp_path / "ordinary", tmp_path / "new", tmp_path / "old"
    ordinary.write_bytes(b"")
    write(new, b"")
    assert stat.S_IMODE(new.stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)
    for mode in (0o600, 0o664, 0o640):
        old.write_bytes(b"")
        old.chmod(mode)
        write(old, b"")
        assert stat.S_IMODE(old.stat().st_mode) == mode
        safetensors.save_file({"x": torch.ones(1)}, old)  # which the package writes, with a mode of its own
        assert stat.S_IMODE(old.stat().st_mode) == mode


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="for root every file may be written")
def test_a_file_that_may_not_be_written(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o444)
    with pytest.raises(PermissionError, match="file"):
        write(path, b"new")
    assert path.read_bytes() == b"old"


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"missing.file'$"):
        write(tmp_path / "missing" / "file", b"")
    with pytest.raises(IsADirectoryError):
        write(tmp_path, b"")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    """And not replaced by a file: for root, that might be /dev/null."""
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    for save, load in ((save_npz, load_npz), (safetensors.save_file, lambda file: safetensors.load(file.read()))):
        reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
        reader.start()
        save({"x": torch.ones(2)}, pipe)
        reader.join()
        assert load(io.BytesIO(got[-1]))["x"].tolist() == [1, 1]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_threads_do_not_meet(tmp_path: Path) -> None:
    path, failures = tmp_path / "file", []

    def write_often(k: int) -> None:
        try:
            for _ in range(10):
                write(path, bytes([k]) * 100_000)
        except OSError as error:
            failures.append(error)

    threads = [threading.Thread(target=write_often, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(set(path.read_bytes())) == 1
    assert os.listdir(tmp_path) == ["file"]


def test_it_is_flushed_before_it_is_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First the content reaches the disk, then the name, then the folder that has the name."""
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(handle: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else f"{os.fstat(handle).st_size} bytes")
        fsync(handle)

    def noted_replace(old: str, new: str) -> None:
        steps.append("renamed")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    write(tmp_path / "file", b"12345")
    assert steps == ["5 bytes", "renamed"] + ["folder"] * (os.name != "nt")
    steps.clear()
    with beside(tmp_path / "file") as name:
        os.remove(name)
        Path(name).write_bytes(b"123")  # by somebody who makes the file anew
    assert steps == ["3 bytes", "renamed"] + ["folder"] * (os.name != "nt")


if __name__ == "__main__":
    print(*kill_writers(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
