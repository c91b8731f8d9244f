"""`compiled.export`: the file runs where there is only NumPy, and gives the same numbers, bit for bit."""

from __future__ import annotations

import os
import shutil
import subprocess
import venv
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch import nn
from mini_torch.errors import NotExported

F = nn.functional


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of a fresh environment that has NumPy and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    venv.EnvBuilder(symlinks=True).create(folder)
    packages = next(folder.glob("lib/python*/site-packages"))
    installed = Path(np.__file__).parents[1]
    for name in ("numpy", "numpy.libs"):
        if (installed / name).exists():
            (packages / name).symlink_to(installed / name)
    return str(folder / "bin" / "python")


class Exported:
    """An exported file, and what it gives there."""

    def __init__(self, python: str, folder: Path) -> None:
        self.python, self.folder, self.path = python, folder, folder / "program.py"

    def run(self, code: str, **arrays: Any) -> dict[str, Any]:
        """Runs the code there with the file as `program` and arrays as `given`; what it put into `out`."""
        np.savez(self.folder / "given.npz", **arrays)
        lines = ["import importlib.util", "import numpy as np", "assert importlib.util.find_spec('mini_torch') is None",
                 "import program", "given, out = np.load('given.npz'), {}", code, "np.savez('out.npz', **out)"]
        self.python_of("-W", "error", "-c", "\n".join(lines))
        with np.load(self.folder / "out.npz") as file:
            return dict(file)

    def python_of(self, *arguments: str) -> str:
        """Runs Python there; what it prints."""
        environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
        ran = subprocess.run(
            [self.python, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


@pytest.fixture
def exported(python: str, tmp_path: Path) -> Exported:
    return Exported(python, tmp_path)


def training(network: Any, optimizer: Any, loss: Callable[[Any, Any], Any] = F.mse_loss) -> Any:
    @torch.compile(fullgraph=True)
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        value = loss(network(x), y)
        value.backward()
        optimizer.step()
        return value

    return step


def goes_on_alike(exported: Exported, network: Any, step: Any, x: Any, y: Any, runs: int = 20) -> None:
    """Exports the step after two of them, and compares losses and parameters of the next ones."""
    step(x, y)
    step(x, y)
    step.export(exported.path)
    run = "program.step(given['x'], given['y'])"
    code = f"out['loss'] = np.array([{run} for _ in range({runs})])\nout |= program.ARRAYS"
    there = exported.run(code, x=x.numpy(), y=y.numpy())
    assert np.array_equal(there["loss"], [step(x, y).item() for _ in range(runs)])
    for name, p in network.named_parameters():
        path, _, last = name.rpartition(".")
        key = f"{last}_{path}" if path.isdigit() else name.replace(".", "_")
        assert np.array_equal(there[key], p.detach().numpy()), name


def seed_network() -> Any:
    torch.manual_seed(0)
    widths = (2, 200, 100, 100, 80, 50, 30, 1)
    layers = [layer for a, b in pairwise(widths) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


# ---- what CI promises ------------------------------------------------------------------------------------------------
def test_inference_of_a_small_network(exported: Exported) -> None:
    network, x = seed_network(), torch.rand(64, 2)
    compiled = torch.compile(network)
    with torch.no_grad():
        expected = compiled(x).numpy()
        compiled.export(exported.path)
    there = exported.run("out['y'] = program.forward(given['x'])", x=x.numpy())
    assert np.array_equal(there["y"], expected)
    lines = exported.path.read_text().splitlines()
    assert not [line for line in lines if "mini_torch" in line and "import" in line]


def test_a_training_step_with_another_learning_rate_at_each(exported: Exported) -> None:
    network, x, y = seed_network(), torch.rand(64, 2), torch.rand(64, 1)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    step = training(network, optimizer)
    step(x, y)
    step.export(exported.path)
    code = """
losses = []
for i in range(20):
    program.adam.lr = 1e-3 * 0.9**i
    losses.append(program.step(given["x"], given["y"]))
out |= {"losses": np.array(losses), **program.ARRAYS}
"""
    there = exported.run(code, x=x.numpy(), y=y.numpy())
    losses = []
    for i in range(20):
        optimizer.param_groups[0]["lr"] = 1e-3 * 0.9**i
        losses.append(step(x, y).item())
    assert np.array_equal(there["losses"], losses)
    assert losses[-1] < losses[0]
    for i in range(0, 14, 2):
        assert np.array_equal(there[f"weight_{i}"], network[i].weight.detach().numpy())


def test_inference_of_a_convolution_network(exported: Exported) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3), nn.ReLU(),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(54, 10), nn.Softmax(-1),
    )  # fmt: skip
    network(torch.randn(5, 1, 16, 16))  # averages that are not those of the beginning
    compiled, x = torch.compile(network.eval()), torch.randn(3, 1, 16, 16)
    with torch.no_grad():
        expected = compiled(x).numpy()
        compiled.export(exported.path)
    there = exported.run("out['y'] = program.forward(given['x'])", x=x.numpy())
    assert np.array_equal(there["y"], expected)


def test_a_training_step_with_layer_norm_and_dropout(exported: Exported) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 16), nn.LayerNorm(16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 3))
    step = training(network, torch.optim.AdamW(network.parameters(), lr=0.01), F.cross_entropy)
    goes_on_alike(exported, network, step, torch.randn(7, 4), torch.randint(0, 3, (7,)))


# ---- further networks and optimizers ---------------------------------------------------------------------------------
def test_a_convolution_network_learns(exported: Exported) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 3)
    )
    step = training(network, torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3))
    goes_on_alike(exported, network, step, torch.randn(5, 1, 8, 8), torch.randn(5, 3), 5)


def test_a_recurrent_network_learns(exported: Exported) -> None:
    torch.manual_seed(0)
    network = nn.LSTM(3, 4, batch_first=True)
    step = training(network, torch.optim.RMSprop(network.parameters()), lambda out, y: F.mse_loss(out[0], y))
    goes_on_alike(exported, network, step, torch.randn(2, 6, 3), torch.randn(2, 6, 4), 5)


class Attending(nn.Module):
    """One block of a character model: embeddings, attention, GELU."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(11, 16), nn.Embedding(6, 16)
        self.norm, self.three, self.back = nn.LayerNorm(16), nn.Linear(16, 48), nn.Linear(16, 16)
        self.gate, self.head = nn.GELU(), nn.Linear(16, 11)

    def forward(self, x: Any) -> Any:
        h = self.tokens(x) + self.places.weight
        q, k, v = (part.view(*x.shape, 4, 4).transpose(1, 2) for part in self.three(self.norm(h)).split(16, 2))
        found = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        h = h + self.back(found.transpose(1, 2).reshape(h.shape))
        return self.head(self.gate(h)).flatten(0, 1)


def test_attention(exported: Exported) -> None:
    torch.manual_seed(0)
    network = Attending()
    step = training(network, torch.optim.AdamW(network.parameters()), lambda out, y: F.cross_entropy(out, y.flatten()))
    x = torch.randint(0, 11, (4, 7))
    goes_on_alike(exported, network, step, x[:, :-1].contiguous(), x[:, 1:].contiguous(), 5)


def test_optimizers(exported: Exported) -> None:
    names = ["Adadelta", "Adagrad", "Adamax", "ASGD", "NAdam", "Rprop", "SGD"]
    x, y, expected = torch.randn(5, 3), torch.randn(5, 2), {}
    for name in names:
        network = nn.Linear(3, 2)
        step = training(network, getattr(torch.optim, name)(network.parameters()))
        step(x, y)
        step.export(exported.folder / f"by_{name}.py")
        expected[name] = [step(x, y).item() for _ in range(5)]
    shutil.copy(exported.folder / "by_SGD.py", exported.path)
    shutil.copy(exported.folder / "by_SGD.npz", exported.path.with_suffix(".npz"))
    code = f"""
for name in {names}:
    step = importlib.import_module("by_" + name).step
    out[name] = np.array([step(given["x"], given["y"]) for _ in range(5)])
"""
    there = exported.run(code, x=x.numpy(), y=y.numpy())
    assert {name: losses.tolist() for name, losses in there.items()} == expected


def test_an_optimizer_whose_formula_changes_on_the_way(exported: Exported) -> None:
    network, x, y = nn.Linear(3, 2), torch.rand(5, 3), torch.rand(5, 2)
    step = training(network, torch.optim.RAdam(network.parameters()))
    for _ in range(6):
        step(x, y)
    with pytest.raises(NotExported, match="RAdam is another one than when it was recorded"):
        step.export(exported.path)
    step.reset()
    goes_on_alike(exported, network, step, x, y, 5)


def test_groups_have_options_of_their_own(exported: Exported) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    groups = [{"params": network[0].parameters()}, {"params": network[2].parameters(), "lr": 0.5}]
    step = training(network, torch.optim.SGD(groups, lr=0.1))
    goes_on_alike(exported, network, step, torch.randn(5, 3), torch.randn(5, 2), 5)
    assert "sgd_2 = types.SimpleNamespace(lr=0.5" in exported.path.read_text()


def test_parameters_larger_than_a_block(exported: Exported) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(400, 500), nn.ReLU(), nn.Linear(500, 1))
    step = training(network, torch.optim.Adam(network.parameters()))
    goes_on_alike(exported, network, step, torch.randn(4, 400), torch.randn(4, 1), 3)


def test_results_in_a_tree_and_constants_of_the_function(exported: Exported) -> None:
    table = torch.arange(40.0).reshape(4, 10)

    @torch.compile
    def function(x: Any, power: int) -> Any:
        return {"y": x @ table, "all": [x, (table, (x**power).sum())], "n": 3}

    x = torch.rand(2, 4)
    expected = function(x, 2)
    function.export(exported.path)
    code = """
r = program.function(given["x"])
x, (table, s) = r["all"]
out |= {"y": r["y"], "x": x, "table": table, "s": s, "n": r["n"]}
"""
    there = exported.run(code, x=x.numpy())
    assert np.array_equal(there["y"], expected["y"].numpy())
    assert np.array_equal(there["x"], x.numpy())
    assert np.array_equal(there["table"], table.numpy())
    assert there["s"] == expected["all"][1][1].item()
    assert there["n"] == 3


# ---- the file by itself ----------------------------------------------------------------------------------------------
def test_the_state_is_saved_and_loaded(exported: Exported) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))
    step = training(network, torch.optim.Adam(network.parameters()))
    x, y = torch.randn(6, 3), torch.randn(6, 1)
    step(x, y)
    step.export(exported.path)
    code = """
run = lambda: [program.step(given["x"], given["y"]) for _ in range(3)]
run()
program.save()
first = run()
program.load()
out |= {"first": np.array(first), "second": np.array(run())}
"""
    there = exported.run(code, x=x.numpy(), y=y.numpy())
    assert np.array_equal(there["first"], there["second"])
    code = "out['loss'] = [program.step(given['x'], given['y']) for _ in range(3)]"
    third = exported.run(code, x=x.numpy(), y=y.numpy())
    assert np.array_equal(third["loss"], there["first"])
    assert [step(x, y).item() for _ in range(6)][3:] == there["first"].tolist()
    assert {file.name for file in exported.folder.iterdir()} >= {"program.py", "program.npz"}


def test_it_runs_by_itself(exported: Exported) -> None:
    step = training(network := nn.Linear(3, 1), torch.optim.SGD(network.parameters(), lr=0.1))
    x, y = torch.randn(6, 3), torch.randn(6, 1)
    step(x, y)
    step.export(exported.path)
    np.save(exported.folder / "x.npy", x.numpy())
    np.save(exported.folder / "y.npy", y.numpy())
    shown = exported.python_of("program.py", "x.npy", "y.npy", "--runs", "3", "--save").split()
    assert [float(word) for word in shown] == pytest.approx([step(x, y).item() for _ in range(3)], rel=1e-6)
    assert len(exported.python_of("program.py").split()) == 1  # on random numbers


def test_arguments_are_checked(exported: Exported) -> None:
    compiled = torch.compile(lambda x: x.T @ x)
    compiled(torch.rand(4, 3).T)  # not in order
    compiled.export(exported.path)
    code = """
try:
    program.forward(np.zeros((2, 3)))
except ValueError as error:
    out["error"] = str(error)
out["y"] = program.forward(np.arange(12.0).reshape(3, 4))
"""
    name = "lambda" if "def lambda" in exported.path.read_text() else "forward"
    there = exported.run(code.replace("forward", name))
    assert str(there["error"]) == "x has the shape [2, 3], and this program is for [3, 4]"
    x = np.arange(12.0, dtype=np.float32).reshape(3, 4)
    assert np.array_equal(there["y"], x.T @ x)
    assert there["y"].dtype == np.float32


# ---- what cannot be --------------------------------------------------------------------------------------------------
def test_nothing_to_export(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="nothing is compiled yet"):
        torch.compile(nn.Linear(2, 2)).export(tmp_path / "x.py")
    compiled = torch.compile(nn.Linear(2, 2))
    compiled(torch.rand(1, 2))
    with pytest.raises(ValueError, match=r"'x.txt' does not end in .py"):
        compiled.export(tmp_path / "x.txt")
    assert not [*tmp_path.iterdir()]


def test_a_scheduler_inside_is_named(tmp_path: Path) -> None:
    network = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2)

    @torch.compile
    def step(x: Any) -> Any:
        optimizer.zero_grad()
        loss = network(x).sum()
        loss.backward()
        optimizer.step()
        scheduler.step()
        return loss

    step(torch.rand(2, 3))
    with pytest.raises(NotExported, match="StepLR"):
        step.export(tmp_path / "step.py")
    assert not [*tmp_path.iterdir()]


def test_an_optimizer_that_is_no_formula_is_named(tmp_path: Path) -> None:
    network = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    optimizer.register_step_post_hook(lambda *args: None)
    step = training(network, optimizer)
    step(torch.rand(2, 3), torch.rand(2, 1))
    with pytest.raises(NotExported, match="SGD"):
        step.export(tmp_path / "step.py")


def test_types_that_numpy_does_not_have_are_named(tmp_path: Path) -> None:
    pytest.importorskip("ml_dtypes")
    compiled = torch.compile(lambda x: x + x)
    compiled(torch.ones(3, dtype=torch.bfloat16))
    with pytest.raises(NotExported, match="bfloat16 is no type of NumPy's"):
        compiled.export(tmp_path / "x.py")


def test_gradients_of_earlier_calls_are_named(tmp_path: Path) -> None:
    network = nn.Linear(3, 1)

    @torch.compile
    def more(x: Any) -> None:
        network(x).sum().backward()

    for _ in range(2):
        more(torch.rand(2, 3))
    assert more.explain().total.cost.calls > 0
    with pytest.raises(NotExported, match="zero_grad"):
        more.export(tmp_path / "more.py")


def test_the_plan_is_as_it_was(tmp_path: Path) -> None:
    network = nn.Linear(3, 1)
    step = training(network, torch.optim.Adam(network.parameters()))
    x, y = torch.rand(2, 3), torch.rand(2, 1)
    step(x, y)
    step.export(tmp_path / "step.py")
    for _ in range(3):
        step(x, y)
    assert sum(map(len, step.plans.values())) == 1
