"""Every script as a user runs it: in a process of its own, with good and with bad input."""

from __future__ import annotations

import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mini_torch
import mini_torch.model
from data_generator import DOMAIN, points, read_rows, surface
from mini_torch import nn

ROOT = Path(__file__).resolve().parent.parent
WINDOWS = ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in WINDOWS}
ENVIRONMENT |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
ENVIRONMENT |= {"PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "error::RuntimeWarning"}
PICTURES = {"training_data.png", "test_data.png", "fit.png", "loss.png", "fit.gif", "model.png", "graph.png",
            "initializers.png"}  # fmt: skip


def script(name: str, *arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, cwd=cwd, timeout=300)


def generate(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return script("data_generator.py", "--output_dir", folder, *arguments)


def works(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout


def fails(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit code 2 and one line on stderr, with these words in it."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr


# ---- data_generator.py --------------------------------------------------------------------------------
def test_training_and_dev_rows_are_split_four_to_one(tmp_path: Path) -> None:
    works(generate(tmp_path, "--num", 500, "--ratio", 0.8))
    train, dev = read_rows(tmp_path / "train.csv"), read_rows(tmp_path / "dev.csv")
    assert (train.shape, dev.shape) == ((400, 3), (100, 3))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dev.csv", "train.csv"]


def test_test_rows_go_to_a_file_of_their_own(tmp_path: Path) -> None:
    works(generate(tmp_path, "--num", 300, "--test"))
    assert [path.name for path in tmp_path.iterdir()] == ["test.csv"]
    assert read_rows(tmp_path / "test.csv").shape == (300, 3)


def test_rows_read_back_as_the_same_float32(tmp_path: Path) -> None:
    works(generate(tmp_path, "--num", 3000, "--test", "--seed", 7))
    rows = read_rows(tmp_path / "test.csv")
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, points(3000, "test", 7))


def test_rows_lie_on_the_surface_and_fill_the_domain() -> None:
    rows = points(4000, "train").astype(np.float64)
    np.testing.assert_allclose(rows[:, 2], np.sin(rows[:, 0]) - np.cos(rows[:, 1]), atol=1e-7)
    assert np.abs(rows[:, :2]).max() < DOMAIN + 1e-6
    counts, *_ = np.histogram2d(rows[:, 0], rows[:, 1], 4, [[-DOMAIN, DOMAIN]] * 2)
    assert counts.min() > 180
    assert counts.max() < 320


def test_the_seed_decides_the_rows_and_no_file_shares_rows_with_another() -> None:
    np.testing.assert_array_equal(points(50, "train", 3), points(50, "train", 3))
    files = [points(50, name, seed).tobytes() for name in ("train", "dev", "test") for seed in (0, 1)]
    assert len(set(files)) == 6


@pytest.mark.parametrize("ratio", [0.25, 0.5])
def test_extra_ratio_adds_rows_of_the_inner_square(tmp_path: Path, ratio: float) -> None:
    works(generate(tmp_path / "without", "--num", 500))
    works(generate(tmp_path / "with", "--num", 500, "--extra_ratio", ratio))
    without, extended = (read_rows(tmp_path / name / "train.csv") for name in ("without", "with"))
    np.testing.assert_array_equal(extended[:400], without)
    assert len(extended) == 400 * (1 + ratio)
    assert np.abs(extended[400:, :2]).max() <= 2
    np.testing.assert_array_equal(extended[:, 2:], surface(extended[:, :2]))
    assert (tmp_path / "with/dev.csv").read_bytes() == (tmp_path / "without/dev.csv").read_bytes()


def test_options_take_dashes_and_underscores(tmp_path: Path) -> None:
    works(script("data_generator.py", "--num=20", f"--output-dir={tmp_path}", "--extra-ratio", 0.5))
    assert len(read_rows(tmp_path / "train.csv")) == 24


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--num", "0"], ["--num", "at least 1", "0"]),
        (["--num", "-3", "--test"], ["--num", "-3"]),
        (["--num", "many"], ["--num", "many"]),
        (["--num", "1"], ["without rows"]),
        (["--ratio", "0"], ["--ratio", "between 0 and 1"]),
        (["--ratio", "1"], ["--ratio"]),
        (["--ratio", "1.5"], ["--ratio", "1.5"]),
        (["--ratio", "nan"], ["--ratio", "nan"]),
        (["--extra_ratio", "0.6"], ["--extra_ratio", "0 to 0.5", "0.6"]),
        (["--extra_ratio", "-0.1"], ["--extra_ratio", "-0.1"]),
        (["--extra_ratio", "nan"], ["--extra_ratio"]),
        (["--extra_ratio", "0.2", "--test"], ["--extra_ratio", "--test"]),
        (["--seed", "-1"], ["--seed", "-1"]),
        (["--unknown"], ["--unknown"]),
    ],
)
def test_wrong_options_of_the_generator(tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    fails(generate(tmp_path / "new", *arguments), *words)
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here already")
    fails(generate(tmp_path / "file", "--num", 10), "file")
    (tmp_path / "dev.csv").mkdir()  # renaming onto it fails, after train.csv was written beside
    done = generate(tmp_path, "--num", 10)
    assert done.returncode == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dev.csv", "file"]


@pytest.mark.parametrize(
    "text",
    ["x1,x2,y\n1,2,3\n4,5,6\n", "1,2,3\r\n4,5,6\r\n", "\ufeff1, 2, 3\n4,5,6", "X1, x2, y\n1,2,3\n\n4,5,6\n"],
)
def test_rows_are_read_with_and_without_a_header(tmp_path: Path, text: str) -> None:
    (tmp_path / "rows.csv").write_bytes(text.encode())
    np.testing.assert_array_equal(read_rows(tmp_path / "rows.csv"), [[1, 2, 3], [4, 5, 6]])


# ---- fit_func.py: good input --------------------------------------------------------------------------
@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set: 160 training rows, so 20 steps an epoch of batches of 8."""
    folder = tmp_path_factory.mktemp("data")
    works(generate(folder, "--num", 200))
    works(generate(folder, "--num", 150, "--test"))
    return folder


SHORT = ("--train_batch_size", 8, "--train_epoch_num", 4)


def fit(data: Path, model: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return script("fit_func.py", "--data_dir", data, "--model_save_dir", model, *arguments, cwd=model.parent)


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the checkpoint of a short run."""
    folder = tmp_path_factory.mktemp("trained") / "model"
    works(fit(data, folder, "--train", "--save", *SHORT))
    return folder


def loss_in(text: str) -> float:
    found = re.search(r"^mean test loss: (\d\.\d{6})$", text, re.MULTILINE)
    assert found, text
    return float(found[1])


def same(one: object, other: object) -> bool:
    """Whether two checkpoints hold the same, bit for bit."""
    if isinstance(one, mini_torch.Tensor):
        return isinstance(other, mini_torch.Tensor) and one.numpy().tobytes() == other.numpy().tobytes()
    if isinstance(one, dict):
        assert isinstance(other, dict)
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        assert isinstance(other, Sequence)
        return len(one) == len(other) and all(map(same, one, other))
    return repr(one) == repr(other)


def checkpoint(folder: Path) -> dict[str, Any]:
    return mini_torch.load(folder / "model.ckpt")


def test_train_save_predict_and_draw(data: Path, tmp_path: Path) -> None:
    text = works(fit(data, tmp_path / "model", "--train", "--save", "--predict", "--draw", "--image_dir",
                     tmp_path / "images", *SHORT))  # fmt: skip
    assert {path.name for path in (tmp_path / "images").iterdir()} == PICTURES
    assert {path.name for path in (tmp_path / "model").iterdir()} == {"model.ckpt", "predictions.csv"}
    header, *lines = (tmp_path / "model/predictions.csv").read_text().splitlines()
    assert header == "x1,x2,y,prediction"
    rows = np.array([line.split(",") for line in lines], np.float32)
    np.testing.assert_array_equal(rows[:, :3], read_rows(data / "test.csv"))
    assert 0.5 * np.mean((rows[:, 2] - rows[:, 3]) ** 2) == pytest.approx(loss_in(text), abs=1e-6)
    for place in ("model.ckpt", "predictions.csv", "images"):
        assert str(tmp_path) in next(line for line in text.splitlines() if place in line)


def test_predicting_from_a_checkpoint(data: Path, trained: Path, tmp_path: Path) -> None:
    first = loss_in(works(fit(data, tmp_path / "model", "--predict", "--model_dir", trained)))
    copy = shutil.copytree(trained, tmp_path / "copy")
    again = loss_in(works(fit(data, copy, "--predict", "--predict_batch_size", 7)))
    assert again == pytest.approx(first, abs=2e-6)
    assert (copy / "predictions.csv").exists()


def test_training_lowers_the_loss(data: Path, trained: Path) -> None:
    history = checkpoint(trained)["position"]["history"]
    assert len(history["loss"]) == len(history["dev_loss"]) == 4
    assert history["loss"][-1] < history["loss"][0]


def test_the_same_seed_gives_the_same_weights(data: Path, trained: Path, tmp_path: Path) -> None:
    works(fit(data, tmp_path / "same", "--train", "--save", *SHORT))
    works(fit(data, tmp_path / "other", "--train", "--save", "--seed", 1, *SHORT))
    assert same(checkpoint(tmp_path / "same"), checkpoint(trained))
    assert not same(checkpoint(tmp_path / "other")["network"], checkpoint(trained)["network"])


def test_compiled_steps_give_the_same_weights(data: Path, trained: Path, tmp_path: Path) -> None:
    works(fit(data, tmp_path / "model", "--train", "--save", "--compile", "--max_steps", 33, *SHORT))
    works(fit(data, tmp_path / "model", "--resume", "--save", "--compile"))
    assert same(checkpoint(tmp_path / "model"), checkpoint(trained))


@pytest.mark.parametrize("steps", [20, 33])  # between two epochs, and within one
def test_a_stopped_and_resumed_run_is_the_unbroken_run(
    data: Path, trained: Path, tmp_path: Path, steps: int
) -> None:
    works(fit(data, tmp_path / "model", "--train", "--save", "--max_steps", steps, *SHORT))
    assert checkpoint(tmp_path / "model")["position"]["steps"] == steps
    works(fit(data, tmp_path / "model", "--resume", "--save"))
    assert same(checkpoint(tmp_path / "model"), checkpoint(trained))


def interrupted(data: Path, model: Path, *arguments: object) -> str:
    """Run until the first epoch is reported, press Ctrl-C; what was printed."""
    given = ["--data_dir", data, "--model_save_dir", model, "--log-every", 1, *arguments]
    command = [sys.executable, str(ROOT / "fit_func.py"), *map(str, given)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, env=ENVIRONMENT, **pipes) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        text, errors = process.communicate(timeout=60)
    assert process.returncode == 130, first + text + errors
    assert "Traceback" not in errors
    return first + text


def test_ctrl_c_leaves_a_checkpoint_that_resumes_to_the_same_weights(data: Path, tmp_path: Path) -> None:
    long = ("--train_batch_size", 4, "--train_epoch_num", 40)
    long += ("--optimizer", "rmsprop", "--scheduler", "plateau")
    works(fit(data, tmp_path / "whole", "--train", "--save", *long))
    model = tmp_path / "broken"
    assert "--resume" in interrupted(data, model, "--train", *long)
    assert [path.name for path in model.iterdir()] == ["model.ckpt"]
    assert checkpoint(model)["position"]["epoch"] < 40
    assert "--resume" in interrupted(data, model, "--resume")
    works(fit(data, model, "--resume", "--save"))
    assert same(checkpoint(model), checkpoint(tmp_path / "whole"))


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop", "adagrad"])
def test_every_optimizer(data: Path, tmp_path: Path, optimizer: str) -> None:
    works(fit(data, tmp_path / "model", "--train", "--save", "--optimizer", optimizer, "--max-steps", 3))
    works(fit(data, tmp_path / "model", "--predict"))


@pytest.mark.parametrize("scheduler", ["cosine", "linear", "step", "plateau", "constant"])
def test_every_scheduler(data: Path, tmp_path: Path, scheduler: str) -> None:
    text = works(fit(data, tmp_path / "model", "--train", "--scheduler", scheduler, "--log_every", 2, *SHORT))
    lines = [line for line in text.splitlines() if line.startswith("epoch ")]
    assert [line.split(",")[0] for line in lines] == ["epoch 2", "epoch 4"]


def test_live_without_a_display_says_so_and_goes_on(data: Path, tmp_path: Path) -> None:
    text = works(fit(data, tmp_path / "model", "--train", "--live", "--max_steps", 2))
    assert len([line for line in text.splitlines() if "--live: no window" in line]) == 1


def test_the_bar_shows_epoch_losses_and_speed(data: Path, tmp_path: Path) -> None:
    done = fit(data, tmp_path / "model", "--train", *SHORT)
    assert works(done)
    for words in ("epoch 4/4", "80/80", "step/s", "loss ", "dev loss "):
        assert words in done.stderr


def test_pictures_before_the_first_epoch_is_over(data: Path, tmp_path: Path) -> None:
    images = tmp_path / "images"
    works(fit(data, tmp_path / "model", "--train", "--draw", "--max_steps", 2, "--image_dir", images))
    assert {path.name for path in images.iterdir()} == PICTURES - {"loss.png", "fit.gif"}


def test_no_matplotlib_and_no_tqdm_before_they_are_needed() -> None:
    code = "import sys, fit_func, data_generator; print({'matplotlib', 'tqdm'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "set()"


# ---- fit_func.py: bad input ---------------------------------------------------------------------------
def nothing_written(folder: Path) -> None:
    assert not (folder / "model").exists()


NO_FILE = (None, ["no such file", "data_generator.py"])
NO_NUMBER = (b"1,2,3\n\n4,five,6\n", [":3:", "'five'", "not a number"])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [(name, *case) for case in (NO_FILE, NO_NUMBER) for name in ("dev", "test")] + [("train", *case) for case in (
        NO_FILE,
        NO_NUMBER,
        (b"", ["no data"]),
        (b"\n\n", ["no data"]),
        (b"x1,x2,y\n", ["no data"]),
        (b"1,2,3\n4,5\n", [":2:", "2 columns", "expected 3"]),
        (b"x1,x2,y\n1,2,3\n1,2,3,4\n", [":3:", "4 columns"]),
        (b"1,2\n3,4\n", [":1:", "2 columns"]),
        (b"1 2 3\n", [":1:", "1 column,"]),
        (b"a,b,c\n1,2,3\n", [":1:", "'a'"]),
        (b"1,,3\n", [":1:", "''", "not a number"]),
        (b"1,2,3\n1_000,2,3\n", [":2:", "'1_000'"]),
        (b"1,2,3\n4,nan,6\n", [":2:", "'nan'", "not a finite number"]),
        (b"1,2,3\n4,5,-inf\n", [":2:", "'-inf'", "not a finite number"]),
        (b"1,2,1e39\n", [":1:", "'1e39'", "float32"]),
        (b"\x89PNG\r\n\x00\xff\xfe", ["not a text file"]),
        (b"1,2,3\n#4,5,6\n", [":2:", "'#4'"]),
    )],
)  # fmt: skip
def test_bad_data(data: Path, tmp_path: Path, name: str, content: bytes | None, words: list[str]) -> None:
    shutil.copytree(data, tmp_path / "data")
    path = tmp_path / f"data/{name}.csv"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    fails(fit(tmp_path / "data", tmp_path / "model", "--train", "--save", "--predict"), f"{name}.csv", *words)
    nothing_written(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["nothing to do"]),
        (["--save"], ["nothing to do"]),
        (["--train", "--optimizer", "newton"], ["--optimizer", "newton", "adam"]),
        (["--train", "--scheduler", "never"], ["--scheduler", "never", "cosine"]),
        (["--train", "--lr", "0"], ["--lr"]),
        (["--train", "--lr", "nan"], ["--lr"]),
        (["--train", "--lr", "fast"], ["--lr", "fast"]),
        (["--train", "--train_epoch_num", "0"], ["--train_epoch_num", "at least 1"]),
        (["--train", "--train-batch-size", "0"], ["--train_batch_size", "at least 1"]),
        (["--train", "--max_steps", "0"], ["--max_steps", "at least 1"]),
        (["--predict", "--predict_batch_size", "-1"], ["--predict_batch_size", "-1"]),
        (["--train", "--seed", "-1"], ["--seed"]),
        (["--train", "--log-every", "-1"], ["--log_every"]),
        (["--train", "--epochs", "3"], ["--epochs"]),
    ],
)
def test_wrong_options_of_the_fit(data: Path, tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    fails(fit(data, tmp_path / "model", *arguments), *words)
    nothing_written(tmp_path)


class Bomb:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def damage(path: Path, how: str) -> None:
    """A checkpoint that is no good, in one of many ways."""
    whole = path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "text":
        path.write_text("not a checkpoint\n")
    elif how == "truncated":
        path.write_bytes(whole[: len(whole) // 2])
    elif how == "last byte lost":
        path.write_bytes(whole[:-1])
    elif how == "bit flipped":
        path.write_bytes(whole[:3000] + bytes([whole[3000] ^ 1]) + whole[3001:])
    elif how == "arrays":
        with open(path, "wb") as file:
            np.savez(file, weight=np.ones(3))
    elif how == "pickle":
        path.write_bytes(pickle.dumps(Bomb(path.with_name("exploded"))))
    elif how == "pickled array":
        with open(path, "wb") as file:
            np.savez(file, weight=np.array([Bomb(path.with_name("exploded"))], object))
    elif how == "a tensor":
        mini_torch.save(mini_torch.ones(3), path)
    elif how == "a Model of another script":
        mini_torch.model.Model(nn.Linear(2, 1), nn.MSELoss()).save(path)
    elif how == "without frames":
        saved = mini_torch.load(path)
        del saved["extra"]["frames"]
        mini_torch.save(saved, path)
    elif how == "another network":
        saved = mini_torch.load(path)
        saved["network"] = nn.Linear(2, 1).state_dict()
        mini_torch.save(saved, path)
    elif how == "other layers":
        saved = mini_torch.load(path)
        saved["network"]["0.weight"] = mini_torch.ones(100, 2)
        mini_torch.save(saved, path)


@pytest.mark.parametrize("action", ["--predict", "--resume"])
@pytest.mark.parametrize(
    "how",
    ["missing", "empty", "text", "truncated", "last byte lost", "bit flipped", "arrays", "pickle",
     "pickled array", "a tensor", "a Model of another script", "without frames", "another network",
     "other layers"],
)  # fmt: skip
def test_bad_checkpoints(data: Path, trained: Path, tmp_path: Path, how: str, action: str) -> None:
    copy = shutil.copytree(trained, tmp_path / "model")
    damage(copy / "model.ckpt", how)
    before = sorted((path.name, path.stat().st_size) for path in copy.iterdir())
    fails(fit(data, copy, action, "--save"), str(copy / "model.ckpt"))
    assert sorted((path.name, path.stat().st_size) for path in copy.iterdir()) == before


def test_resuming_with_another_setting(data: Path, trained: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(trained, tmp_path / "model")
    fails(fit(data, copy, "--resume", "--lr", 0.1), "--lr 0.1", "--lr 0.0003", "model.ckpt")


def test_a_run_that_lost_its_way(data: Path, tmp_path: Path) -> None:
    done = fit(data, tmp_path / "model", "--train", "--save", "--optimizer", "sgd", "--lr", 1e9, *SHORT)
    assert done.returncode == 2
    *bar, error = done.stderr.strip().splitlines()
    assert re.search("error: the loss is (nan|inf) .* smaller --lr", error)
    assert all("step/s" in line for line in bar)
    nothing_written(tmp_path)


# ---- run.sh -------------------------------------------------------------------------------------------
@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, its path with a space, whose .venv is ready as far as run.sh can tell."""
    project = tmp_path / "a project"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "mini_torch", project / "mini_torch", ignore=ignore)
    for name in ("data_generator.py", "fit_func.py", "utils.py", "run.sh", "requirements.txt"):
        shutil.copy(ROOT / name, project)
    python = project / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    version = subprocess.check_output([sys.executable, "-V"], text=True).strip()
    with open(project / "requirements.txt") as file:
        summed = subprocess.check_output(["cksum"], stdin=file, text=True).strip()
    (project / ".venv/stamp").write_text(f"{version} {summed}\n")
    return project


def run_sh(project: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """run.sh, called from another folder."""
    elsewhere = project.parent / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    command = ["bash", str(project / "run.sh"), *map(str, arguments)]
    env = {**ENVIRONMENT, "PYTHON": sys.executable, **environment}
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=elsewhere, timeout=300)


def test_run_sh_does_the_whole_job_and_makes_data_only_once(project: Path) -> None:
    text = works(run_sh(project, "--train_epoch_num", 1))
    assert loss_in(text) > 0
    assert {path.name for path in (project / "images").iterdir()} == PICTURES
    assert {path.name for path in (project / "data").iterdir()} == {"train.csv", "dev.csv", "test.csv"}
    assert {path.name for path in (project / "model").iterdir()} == {"model.ckpt", "predictions.csv"}
    assert len(read_rows(project / "data/train.csv")) == 4000
    (project / "data/train.csv").write_text("1,2,3\n")
    assert run_sh(project, "--max-steps", 0).returncode == 2
    assert (project / "data/train.csv").read_text() == "1,2,3\n"
    assert not list((project.parent / "elsewhere").iterdir())


def test_run_sh_passes_errors_on(project: Path) -> None:
    done = run_sh(project, "--optimizer", "newton")
    assert done.returncode == 2
    assert "newton" in done.stderr
    done = run_sh(project, PYTHON="no-such-python")
    assert done.returncode == 2
    assert done.stderr.startswith("run.sh: no Python 3.10 or newer")
