#!/usr/bin/env python3
"""Fit y = sin(x1) - cos(x2) with a network of seven layers.

    python fit_func.py --train --save --predict --draw

Training reads train.csv and dev.csv (see data_generator.py), prediction and pictures read test.csv.
Ctrl-C ends a run after the step at work and leaves a checkpoint; `--resume` goes on from there, to the
same weights, bit for bit, as a run that was never stopped.
"""
from __future__ import annotations

import argparse
import math
import os
import signal
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

# Layers this small get slower on several threads, ten times so on a busy machine. NumPy reads this once.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

import mini_torch
import utils
from data_generator import DEFAULT, InputError, Parser, read_rows, replacing, run, write_rows
from mini_torch import nn
from mini_torch.errors import CheckpointError
from mini_torch.loss import SquaredError
from mini_torch.model import Callback, History, Model
from mini_torch.network import Network
from mini_torch.optim import lr_scheduler

WIDTHS = (2, 200, 100, 100, 80, 50, 30, 1)
OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop", "adagrad")
SCHEDULERS: dict[str, Callable[[Any, int], Any] | None] = {  # of the optimizer and the number of epochs
    "cosine": lr_scheduler.CosineAnnealingLR,
    "linear": lambda optimizer, epochs: lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 - epoch / epochs),
    "step": lambda optimizer, epochs: lr_scheduler.StepLR(optimizer, math.ceil(epochs / 3), 0.1),
    "plateau": lambda optimizer, epochs: lr_scheduler.ReduceLROnPlateau(optimizer, patience=10),
    "constant": None,
}
SETTINGS: dict[str, Any] = {  # what makes a run the run it is; a checkpoint carries it
    "optimizer": "adam", "scheduler": "cosine", "lr": 3e-4,
    "train_epoch_num": 300, "train_batch_size": 64, "seed": 0,
}
CHECKPOINT, PREDICTIONS = "model.ckpt", "predictions.csv"
FRAMES = 36  # pictures in the animation, close to each other at the beginning


# -------------------------------------------------------------------------------------- the network

def make_model(settings: dict[str, Any]) -> Model:
    """The untrained model; the seed decides its weights and the order of the batches."""
    mini_torch.manual_seed(settings["seed"])
    layers: list[Any] = []
    for inputs, outputs in pairwise(WIDTHS):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return Model(Network(*layers[:-1]), SquaredError(), settings["optimizer"], lr=settings["lr"])


def fit(model: Model, data: dict[str, np.ndarray], settings: dict[str, Any], **options: Any) -> History:
    """Train on the rows (x1, x2, y) of data["train"]; `options` go to `Model.fit`."""
    epochs, schedule = settings["train_epoch_num"], SCHEDULERS[settings["scheduler"]]
    return model.fit(
        split(data["train"]), epochs, validation=split(data["dev"]), batch_size=settings["train_batch_size"],
        scheduler=schedule and (lambda optimizer: schedule(optimizer, epochs)), **options)


def split(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows (x1, x2, y) as inputs (n, 2) and targets (n, 1)."""
    return np.ascontiguousarray(rows[:, :2]), np.ascontiguousarray(rows[:, 2:])


class Frames(Callback):
    """Keeps the fitted surface after some of the epochs, for the animation."""

    def __init__(self, epochs: int, saved: dict[str, Any] | None = None) -> None:
        self.wanted = set(np.unique(np.geomspace(1, epochs, FRAMES).round().astype(int)).tolist())
        self.x = utils.grid(64)
        self.epochs: list[int] = list(saved["epochs"]) if saved else []
        self.values: list[np.ndarray] = list(saved["values"].numpy()) if saved else []

    def on_epoch(self, model: Model, logs: dict[str, Any]) -> None:
        if logs["epoch"] in self.wanted:
            self.epochs.append(logs["epoch"])
            self.values.append(model.predict(self.x).numpy().ravel())

    def state(self) -> dict[str, Any]:
        """For the checkpoint."""
        values = np.array(self.values, np.float32).reshape(-1, len(self.x))
        return {"epochs": self.epochs, "values": mini_torch.from_numpy(values)}


class Watch(Callback):
    """Stops a run whose loss is no number; prints a line every `every` epochs; feeds the live window."""

    def __init__(self, every: int, window: utils.LiveFit | None) -> None:
        self.every, self.window, self.drawn = every, window, 0.0

    def on_epoch(self, model: Model, logs: dict[str, Any]) -> None:
        if not math.isfinite(logs["loss"]):
            raise InputError(f"the loss is {logs['loss']} in epoch {logs['epoch']}: take a smaller --lr")
        if self.every and logs["epoch"] % self.every == 0:
            self._print(logs)
        if self.window and time.perf_counter() > self.drawn + 0.5:
            history = model.position.history
            self.window.update(lambda x: model.predict(x).numpy(), history["loss"], history["dev_loss"])
            self.drawn = time.perf_counter()

    @staticmethod
    def _print(logs: dict[str, Any]) -> None:
        from tqdm import tqdm

        line = "epoch {epoch}, step {step}, loss {loss:.6f}, dev loss {dev_loss:.6f}, lr {lr:.3g}"
        tqdm.write(line.format(**logs))


# --------------------------------------------------------------------------------------------- runs

class Run:
    """A model with the settings it is trained with and the frames of its animation."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings, self.model = settings, make_model(settings)
        self.frames = Frames(settings["train_epoch_num"])

    @classmethod
    def load(cls, path: Path, given: dict[str, Any]) -> Run:
        """The run that a checkpoint holds. Options that were `given` must be the ones it was begun with."""
        if not path.exists():
            raise InputError(f"{path}: no such checkpoint; --train --save makes it")
        try:
            saved = mini_torch.load(path)["extra"]
            loaded = cls({name: saved["settings"][name] for name in SETTINGS})
            loaded.frames = Frames(loaded.settings["train_epoch_num"], saved["frames"])
            loaded.model.load(path)
        except (AttributeError, LookupError, TypeError, ValueError):
            raise InputError(f"{path}: not a checkpoint of fit_func.py") from None
        for name, value in given.items():
            if value != loaded.settings[name]:
                made = f"made with --{name} {loaded.settings[name]}"
                raise InputError(f"--{name} {value} does not fit {path}, {made}")
        return loaded

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.model.save(path, settings=self.settings, frames=self.frames.state())
        print(f"checkpoint: {path}")

    def train(self, data: dict[str, np.ndarray], options: argparse.Namespace) -> None:
        """Trains to the end, or until Ctrl-C, which leaves a checkpoint and ends the script."""
        callbacks = [self.frames, Watch(options.log_every, _window(options.live))]
        start, before = time.perf_counter(), self.model.position.steps
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # Watch looks at the loss and says it in words
                fit(self.model, data, self.settings, callbacks=callbacks, max_steps=options.max_steps,
                    resume=options.resume, compile=options.compile)
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the impatient second Ctrl-C must not cost the run
            if self.model.position.steps:
                self.save(options.model_save_dir / CHECKPOINT)
                print(f"stopped after step {self.model.position.steps:,}; --resume goes on from there")
            raise
        steps, seconds = self.model.position.steps - before, time.perf_counter() - start
        print(f"trained {steps:,} steps in {seconds:.1f} s")

    def predict(self, rows: np.ndarray, path: Path, batch_size: int) -> None:
        """Prints the mean loss on `rows` and writes them with the network's values."""
        x, y = split(rows)
        values = self.model.predict(x, batch_size).numpy()
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as beside:
            write_rows(beside, np.hstack([rows, values]), "x1,x2,y,prediction")
        print(f"predictions: {path}")
        print(f"mean test loss: {self.model.evaluate((x, y), batch_size):.6f}")

    def draw(self, data: dict[str, np.ndarray], folder: Path) -> None:
        """Draws everything into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        history, epochs = self.model.position.history, self.frames.epochs
        utils.plot_points(folder / "training_data.png", data["train"], "Training data")
        utils.plot_points(folder / "test_data.png", data["test"], "Test data")
        utils.plot_fit(folder / "fit.png", lambda x: self.model.predict(x).numpy())
        utils.plot_model(folder / "model.png", self.model.network)
        utils.plot_graph(folder / "graph.png", *utils.example_graph())
        utils.plot_initializers(folder / "initializers.png")
        if epochs:
            dev, test = history["dev_loss"], self.model.evaluate(split(data["test"]))
            utils.plot_loss(folder / "loss.png", history["loss"], dev, test)
            frames = np.array(self.frames.values)
            utils.animate_fit(folder / "fit.gif", epochs, frames, [dev[epoch - 1] for epoch in epochs])
        else:
            print("no epoch was finished: no loss.png and no fit.gif")
        print(f"pictures: {folder}")


def _window(wanted: bool) -> utils.LiveFit | None:
    if not wanted:
        return None
    missing = utils.LiveFit.missing()
    if missing:
        print(f"--live: no window ({' '.join(missing.split())}); going on without")
        return None
    return utils.LiveFit()


# ------------------------------------------------------------------------------------------- script

def parse(args: Sequence[str] | None = None) -> tuple[argparse.Namespace, dict[str, Any]]:
    """The command line, checked; and the settings of a run that it names."""
    parser = Parser("Fit y = sin(x1) - cos(x2) with a network of seven layers.")
    option, setting = parser.add_argument, partial(_add_setting, parser)
    option("--train", action="store_true", help="train the network")
    option("--predict", action="store_true", help="print the mean loss on test.csv, write predictions")
    option("--save", action="store_true", help="write a checkpoint at the end")
    option("--draw", action="store_true", help="draw the pictures")
    option("--resume", action="store_true", help="go on with the run in the checkpoint; implies --train")
    option("--compile", action="store_true", help="train with compiled steps: the same numbers, sooner")
    option("--live", action="store_true", help="a window that follows the fit, where there is a display")
    option("--data_dir", type=Path, default=Path("data"), help="where the data is" + DEFAULT)
    option("--model_dir", type=Path, help="where to load from, if not --model_save_dir")
    option("--model_save_dir", type=Path, default=Path("model"), help="where results go" + DEFAULT)
    option("--image_dir", type=Path, default=Path("images"), help="where the pictures go" + DEFAULT)
    setting("lr", "learning rate", type=float)
    setting("train_epoch_num", "epochs", type=int)
    setting("train_batch_size", "rows per step", type=int)
    setting("optimizer", "what updates the weights", choices=OPTIMIZERS)
    setting("scheduler", "how the learning rate goes down over the epochs", choices=tuple(SCHEDULERS))
    setting("seed", "decides the first weights and the order of the rows", type=int)
    option("--max_steps", type=int, help="stop after this many steps in all, as Ctrl-C would")
    option("--predict_batch_size", type=int, default=1024, help="rows per pass in prediction" + DEFAULT)
    option("--log_every", type=int, default=0, help="print a line every so many epochs; 0: only the bar")
    options = parser.parse_args(args)
    given = {name: getattr(options, name) for name in SETTINGS if hasattr(options, name)}
    _check(options, given)
    options.train |= options.resume
    options.model_dir = options.model_dir or options.model_save_dir
    return options, given


def _add_setting(parser: Parser, name: str, words: str, **kind: Any) -> None:
    """A setting is absent unless it is given: a checkpoint may know it."""
    words = f"{words} (default: {SETTINGS[name]})"
    parser.add_argument(f"--{name}", default=argparse.SUPPRESS, help=words, **kind)


def _check(options: argparse.Namespace, given: dict[str, Any]) -> None:
    values = {**vars(options), **given}
    if not any(values[name] for name in ("train", "resume", "predict", "draw")):
        raise InputError("nothing to do: give some of --train, --resume, --predict, --draw (see --help)")
    for name in ("train_epoch_num", "train_batch_size", "predict_batch_size", "max_steps"):
        if values.get(name) is not None and values[name] < 1:
            raise InputError(f"--{name} must be at least 1, got {values[name]}")
    for name in ("seed", "log_every"):
        if values.get(name, 0) < 0:
            raise InputError(f"--{name} must not be negative, got {values[name]}")
    if not 0 < values.get("lr", 1) < math.inf:
        raise InputError(f"--lr must be a positive number, got {values['lr']}")


def work(options: argparse.Namespace, given: dict[str, Any]) -> None:
    """Read everything first, so that what is wrong is said before any work is done."""
    names = ["train", "dev"] * options.train + ["test"] * options.predict + ["train", "test"] * options.draw
    data = {name: read_rows(options.data_dir / f"{name}.csv") for name in dict.fromkeys(names)}
    fresh = options.train and not options.resume
    job = Run({**SETTINGS, **given}) if fresh else Run.load(options.model_dir / CHECKPOINT, given)
    if options.train:
        job.train(data, options)
    if options.save:
        job.save(options.model_save_dir / CHECKPOINT)
    if options.draw:
        job.draw(data, options.image_dir)
    if options.predict:
        folder = options.model_save_dir if options.train else options.model_dir
        job.predict(data["test"], folder / PREDICTIONS, options.predict_batch_size)


def main(args: Sequence[str] | None = None) -> None:
    try:
        work(*parse(args))
    except CheckpointError as error:
        raise InputError(str(error)) from None


if __name__ == "__main__":
    run(main)
