"""`Model`: fit, evaluate, predict, save and load."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np

from .. import serialization
from ..capture.compiled import Compiled
from ..data_loader import DataLoader, TensorDataset
from ..dtype import default_numpy_dtype
from ..errors import CheckpointError
from ..graph import no_grad
from ..network import Module, is_lazy
from ..optimizer import Optimizer, by_name
from ..tensor import Tensor, wrap
from .fit import Fit, as_callbacks
from .history import History, Position, read_generators
from .summary import record, summary

__all__ = ["Model"]

FORMAT = "mini_torch.Model"


class Model:
    """A network, the loss it is to make small, and the optimizer that does it.

    `optimizer` is an optimizer, or the name ("sgd", "adam", "adamw", "rmsprop", "adagrad"), the class, or a
    function of the parameters that makes one; `lr` and other options go to it. One that is made here is made
    when first needed, so a network whose layers take their input size from the first batch is fine.

    Errors: ValueError for an unknown name; TypeError for options beside an optimizer that is ready.

    >>> import mini_torch as torch
    >>> from mini_torch import nn
    >>> x = torch.linspace(-1, 1, 64).reshape(64, 1)
    >>> model = Model(nn.Sequential(nn.Linear(1, 20), nn.Tanh(), nn.Linear(20, 1)), nn.MSELoss(), "adam", lr=0.01)
    >>> history = model.fit((x, x * x), epochs=60, batch_size=16, progress=False)
    >>> history["loss"][-1] < history["loss"][0]
    True
    >>> model.predict(x).shape
    torch.Size([64, 1])
    """

    def __init__(
        self, network: Module, loss: Callable[[Any, Any], Tensor], optimizer: Any = "adam", **options: Any
    ) -> None:
        if isinstance(optimizer, Optimizer) and options:
            raise TypeError(f"options {sorted(options)} are for an optimizer that Model makes; this one is ready")
        self.network = network
        self.loss = loss
        self.scheduler: Any = None
        self.position = Position()
        self.stop = False
        self._optimizer = optimizer if isinstance(optimizer, Optimizer) else None
        self._make_optimizer = by_name(optimizer) if isinstance(optimizer, str) else optimizer
        self._options = options
        self._loader: Any = None  # the one that fit is at work on
        self._to_resume: dict[str, Any] | None = None  # what a checkpoint said and only a continued fit can use
        self._programs: Programs | None = None  # those of the last fit with `compile`
        self._compiles = False  # whether such a fit is at work

    # ---- one step ------------------------------------------------------------------------------------------
    @property
    def optimizer(self) -> Optimizer:
        """The optimizer of all the network's parameters."""
        if self._optimizer is None:
            self._optimizer = self._make_optimizer(self.network.parameters(), **self._options)
        return self._optimizer

    def forward(self, *inputs: Any) -> Any:
        """The network's output, recorded for backward."""
        return self.network(*inputs)

    __call__ = forward

    def zero_grad(self) -> None:
        """Forgets the gradients of all parameters."""
        self.network.zero_grad()

    def step(self) -> None:
        """One step of the optimizer along the gradients that are there."""
        self.optimizer.step()

    def train_step(self, x: Any, y: Any) -> float:
        """Forward, backward and one step of the optimizer on one batch; its mean loss."""
        value: float
        if self._compiles and self._optimizer is not None:
            value = self._program().step(x, y).item()
            return value
        loss = self.loss(self.network(x), y)
        optimizer = self.optimizer  # after the forward pass, which may have made parameters
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        value = loss.item()
        return value

    def _program(self) -> Programs:
        """The compiled step and loss of the network, the loss and the optimizer that there are now."""
        parts = (self.network, self.loss, self.optimizer)
        if self._programs is None or any(a is not b for a, b in zip(parts, self._programs.parts)):
            self._programs = Programs(*parts)
        return self._programs

    # ---- training ------------------------------------------------------------------------------------------
    def fit(
        self,
        data: Any,
        epochs: int,
        validation: Any = None,
        callbacks: Any = (),
        max_steps: int | None = None,
        scheduler: Any = None,
        progress: bool | None = None,
        *,
        batch_size: int = 64,
        scheduler_interval: str = "epoch",
        resume: bool = False,
        compile: bool = False,
    ) -> History:
        """Trains for `epochs` passes over `data`, or until `max_steps` steps are done.

        `data` and `validation` are loaders of (x, y) batches, or pairs (x, y) of tensors or arrays; of a pair,
        training batches have `batch_size` rows in a new order each epoch. `scheduler` is one of this
        optimizer's, or a function of the optimizer that makes it; it steps after each epoch, or each "step"
        (`scheduler_interval`). `progress`: a tqdm bar; None shows it where tqdm is installed. `callbacks`: see
        `Callback`.

        Ctrl-C lets the step at work end and then raises KeyboardInterrupt. So a run is stopped and continued
        like this, to the same weights, bit for bit, as if it had never stopped:

            try:
                model.fit(loader, epochs=300)
            except KeyboardInterrupt:
                model.save("model.ckpt")
            ...
            model.load("model.ckpt")                      # a new process: same network, optimizer and data
            model.fit(loader, epochs=300, resume=True)    # epochs and max_steps count from the run's start

        The checkpoint has the position (epoch, steps done in it, its sum of losses, the history), the
        generators' states at that epoch's beginning and at the cut, and the scheduler's state; `Position` says
        how they are used. Random numbers from elsewhere (Python's `random`, `np.random`) are not covered.

        With `compile`, the step and the evaluation are recorded once per shape of a batch and then run as
        straight-line NumPy (`mini_torch.compile`), to the same numbers. What cannot be recorded runs as it is,
        and a warning says why.

        Errors: RuntimeError for `resume=True` where there is no run to continue.
        """
        if scheduler_interval not in ("epoch", "step"):
            raise ValueError(f"scheduler_interval is 'epoch' or 'step', not {scheduler_interval!r}")
        if not resume:
            self.position, self._to_resume = Position(), None
        elif not self.position.steps:
            raise RuntimeError("there is no run to resume: load a checkpoint of one first, or leave resume=True out")
        loader = self._as_loader(data, batch_size)
        self._attach(scheduler, resume)
        self.stop = False
        fit = Fit(self, loader, validation, epochs, max_steps, as_callbacks(callbacks), scheduler_interval, progress)
        self._loader, self._compiles = loader, compile
        try:
            return fit.run()
        finally:
            self._loader, self._compiles = None, False

    def _attach(self, scheduler: Any, resume: bool) -> None:
        """Takes the scheduler, and gives it the state it had when the run was cut."""
        if not resume:
            self.scheduler = None
        if hasattr(scheduler, "step"):
            self.scheduler = scheduler
        elif scheduler is not None and self.scheduler is None:
            self.scheduler = scheduler(self.optimizer)
        if self._to_resume is None:
            return
        state, groups = self._to_resume["scheduler"], self._to_resume["groups"]
        if (state is None) != (self.scheduler is None):
            raise RuntimeError(f"the run to resume had {'no' if state is None else 'a'} scheduler: give fit the same")
        if self.scheduler is not None:
            self.scheduler.load_state_dict(state)
        for group, saved in zip(self.optimizer.param_groups, groups):  # making a scheduler may have set the rates
            group.update(saved)
        self._to_resume = None

    def _as_loader(self, data: Any, batch_size: int) -> Any:
        if not isinstance(data, tuple | list):
            return data
        dataset = TensorDataset(*[self._as_tensor(part) for part in data])
        return DataLoader(dataset, batch_size=batch_size, shuffle=True)

    def _as_tensor(self, data: Any) -> Tensor:
        """`data` as a tensor; floating arrays in the network's own type."""
        if isinstance(data, Tensor):
            return data
        array = np.asarray(data)
        if array.dtype.kind == "f":
            kinds = [p.dtype.numpy for p in self.network.parameters() if p.is_floating_point()]
            array = array.astype(kinds[0] if kinds else default_numpy_dtype(), copy=False)
        return wrap(array)

    # ---- use -----------------------------------------------------------------------------------------------
    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        """Evaluation mode, nothing recorded; after it each layer is in the mode it was in."""
        before = [(module, module.training) for module in self.network.modules()]
        self.network.eval()
        try:
            with no_grad():
                yield
        finally:
            for module, training in before:
                module.training = training

    def evaluate(self, data: Any, batch_size: int = 1024) -> float:
        """The mean loss over all rows of `data`, a loader of (x, y) batches or a pair of tensors or arrays.

        Errors: ValueError where there are no rows.
        """
        if isinstance(data, tuple | list):
            whole = [self._as_tensor(part) for part in data]
            starts = range(0, len(whole[0]), batch_size)
            data = (tuple(part[start : start + batch_size] for part in whole) for start in starts)
        total, rows = 0.0, 0
        mean_loss = self._program().loss if self._compiles else lambda x, y: self.loss(self.network(x), y)
        with self._evaluating():
            for x, y in data:
                total += mean_loss(x, y).item() * len(y)
                rows += len(y)
        if not rows:
            raise ValueError("there is no data to evaluate on: got 0 rows")
        return total / rows

    def predict(self, x: Any, batch_size: int = 1024) -> Tensor:
        """The network's outputs for all rows of `x`, a tensor or an array, computed `batch_size` rows at a time."""
        x = self._as_tensor(x)
        with self._evaluating():
            parts = [self.network(x[i : i + batch_size])._array for i in range(0, max(len(x), 1), batch_size)]
        return wrap(np.concatenate(parts))

    # ---- to and from files ---------------------------------------------------------------------------------
    def save(self, path: Any, **extra: Any) -> None:
        """Writes a checkpoint: weights, optimizer, scheduler, position of the run, and what you add by name.

        It is written to a file beside `path` and then renamed, so `path` always holds a whole checkpoint.
        """
        position = self.position.state_dict()
        if self._loader is not None:  # fit is at work
            position["rng"] = read_generators(self._loader)
        optimizer = self._optimizer
        serialization.save(
            {
                "format": FORMAT,
                "network": self.network.state_dict(),
                "optimizer": None if optimizer is None else [type(optimizer).__name__, optimizer.state_dict()],
                "scheduler": None if self.scheduler is None else self.scheduler.state_dict(),
                "position": position,
                "extra": extra,
            },
            path,
        )

    def load(self, path: Any) -> dict[str, Any]:
        """Takes everything from a checkpoint that `save` wrote; returns what was added to it by name.

        Errors: `CheckpointError` (a RuntimeError) where the file is damaged, not a Model's, or of another
        network or optimizer, with the first difference. Nothing has changed then.
        """
        saved = serialization.load(path)
        if not isinstance(saved, dict) or saved.get("format") != FORMAT:
            raise CheckpointError(f"{path}: not a checkpoint of a Model; load it with mini_torch.load")
        if difference := _first_difference(self.network.state_dict(), saved["network"]):
            raise CheckpointError(f"{path}: a checkpoint of another network: {difference}")
        if saved["optimizer"] is not None:
            self._load_optimizer(path, *saved["optimizer"])
        self.network.load_state_dict(saved["network"])
        self._programs = None  # the optimizer's state is in other memory now
        self.position = Position.from_state_dict(saved["position"])
        groups = [] if saved["optimizer"] is None else saved["optimizer"][1]["param_groups"]
        groups = [{key: value for key, value in group.items() if key != "params"} for group in groups]
        self._to_resume = {"scheduler": saved["scheduler"], "groups": groups}
        extra: dict[str, Any] = saved["extra"]
        return extra

    def _load_optimizer(self, path: Any, name: str, state: dict[str, Any]) -> None:
        if name != type(self.optimizer).__name__:
            raise CheckpointError(
                f"{path}: saved with the optimizer {name}, this model has {type(self.optimizer).__name__}"
            )
        try:
            self.optimizer.load_state_dict(state)
        except ValueError as error:
            raise CheckpointError(f"{path}: {error}") from None

    # ---- looking inside ------------------------------------------------------------------------------------
    def summary(self, input_shape: Any = None) -> str:
        """A table of the layers with output shapes and parameter counts, to print.

        `input_shape` is that of one row, without the batch dimension; without it there are no output shapes.

        >>> from mini_torch import nn
        >>> print(Model(nn.Sequential(nn.Linear(2, 3), nn.ReLU()), nn.MSELoss()).summary((2,)))
        layer  kind    output shape  parameters
        ---------------------------------------
        0      Linear  (N, 3)                 9
        1      ReLU    (N, 3)                 0
        ---------------------------------------
        total                                 9, all trainable
        """
        with self._evaluating():
            return summary(self.network, None if input_shape is None else tuple(input_shape))

    def record(self, *layer_names: str) -> AbstractContextManager[dict[str, Tensor]]:
        """Inside, each forward pass puts the outputs of these layers (all, if none is named) into the given dict.

        Names are those of `network.named_modules()`. Errors: KeyError for a name that is not there, with those
        that are.

        >>> import mini_torch as torch
        >>> from mini_torch import nn
        >>> model = Model(nn.Sequential(nn.Linear(2, 3), nn.ReLU()), nn.MSELoss())
        >>> with model.record("1") as outputs:
        ...     out = model(torch.ones(5, 2))
        >>> outputs["1"].shape
        torch.Size([5, 3])
        """
        return record(self.network, layer_names)


class Programs:
    """A training step and a mean loss as compiled functions; `parts` is what they are of."""

    def __init__(self, network: Module, loss: Callable[[Any, Any], Tensor], optimizer: Optimizer) -> None:
        self.parts = (network, loss, optimizer)

        def step(x: Any, y: Any) -> Tensor:
            value = loss(network(x), y)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            return value

        step.__qualname__ = "the step of Model.fit"  # as warnings have it
        self.step = Compiled(step)
        self.loss = Compiled(lambda x, y: loss(network(x), y))


def _first_difference(own: dict[str, Any], saved: dict[str, Any]) -> str | None:
    """What is different between two state dicts, in words; None where one fits the other."""
    for name, value in own.items():
        if name not in saved:
            return f"it has no {name!r}, which this network has"
        if not is_lazy(value) and saved[name].shape != value.shape:
            return f"{name!r} has shape {list(saved[name].shape)} in it and {list(value.shape)} in this network"
    for name in saved:
        if name not in own:
            return f"it has {name!r}, which this network has not"
    return None
