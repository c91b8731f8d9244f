"""The rooms that programs for PyTorch open now and then: scripting, processes, hub, profiler, timing, set-up."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

import mini_torch as torch
from mini_torch import hub as torch_hub
from mini_torch import jit, multiprocessing, nn
from mini_torch.processes import ProcessExitedException, ProcessRaisedException
from mini_torch.profiling import ProfilerAction, profile, record_function, schedule
from mini_torch.timing import Measurement, Timer


# ---- jit ----------------------------------------------------------------------------------------------------
def test_scripted_things_are_themselves() -> None:
    @jit.script
    def f(x: torch.Tensor) -> torch.Tensor:
        return x + 1 if float(x.sum()) > 0 else x - 1

    class Net(jit.ScriptModule):
        @jit.script_method
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return f(x)

        @jit.ignore
        def a(self) -> int:
            return 1

        @jit.ignore(drop=True)
        def b(self) -> int:
            return 2

        @jit.unused
        def c(self) -> int:
            return 3

    net = Net()
    assert jit.script(net) is jit.trace(net, torch.ones(1)) is jit.freeze(net.eval()) is net
    assert (net(torch.ones(1)).item(), net(-torch.ones(1)).item()) == (2, -2)
    assert (net.a(), net.b(), net.c(), jit.is_scripting(), jit.annotate(int, 3)) == (1, 2, 3, False, 3)
    assert jit.wait(jit.fork(f, torch.ones(1))).item() == 2
    assert jit.isinstance([1], list[int])
    with pytest.raises(RuntimeError, match="evaluation mode"):
        jit.freeze(net.train())
    with pytest.raises(AttributeError, match="no TorchScript files; save the state_dict"):
        jit.save(net, "net.pt")


# ---- processes ------------------------------------------------------------------------------------------------
def write_rank(rank: int, folder: str) -> None:
    Path(folder, str(rank)).write_text(str(torch.full((2,), float(rank)).sum().item()))


def fail(rank: int, how: str) -> None:
    if how == "raise":
        raise ValueError(f"from {rank}")
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="starts processes by fork, which is quick")
def test_spawn(tmp_path: Path) -> None:
    multiprocessing.start_processes(write_rank, (str(tmp_path),), nprocs=2, start_method="fork")
    assert sorted(path.read_text() for path in tmp_path.iterdir()) == ["0.0", "2.0"]
    with pytest.raises(ProcessRaisedException, match=r"(?s)Process 0 terminated.*ValueError: from 0") as raised:
        multiprocessing.spawn(fail, ("raise",), start_method="fork")
    assert raised.value.error_index == 0
    with pytest.raises(ProcessExitedException, match="signal SIGKILL") as ended:
        multiprocessing.spawn(fail, ("die",), start_method="fork")
    assert (ended.value.exit_code, ended.value.signal_name) == (-9, "SIGKILL")
    assert multiprocessing.spawn(fail, (), nprocs=0) is None
    context = multiprocessing.spawn(write_rank, (str(tmp_path),), join=False, start_method="fork")
    assert context is not None
    assert len(context.pids()) == 1
    assert context.join(30)


def test_sharing_strategies() -> None:
    multiprocessing.set_sharing_strategy("file_system")
    assert multiprocessing.get_sharing_strategy() == "file_system"
    with pytest.raises(AssertionError, match="choose one of file_descriptor, file_system"):
        multiprocessing.set_sharing_strategy("none")
    multiprocessing.set_sharing_strategy("file_descriptor")
    assert multiprocessing.Queue  # Python's own are there


# ---- hub --------------------------------------------------------------------------------------------------------
def test_hub_fetches_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    assert torch_hub.get_dir() == str(tmp_path / "home" / "hub")
    torch.save(nn.Linear(2, 1).state_dict(), tmp_path / "net.pth")
    digest = hashlib.sha256((tmp_path / "net.pth").read_bytes()).hexdigest()
    source = (tmp_path / "net.pth").rename(tmp_path / f"net-{digest[:8]}.pth")
    for _ in range(2):
        state = torch_hub.load_state_dict_from_url(source.as_uri(), check_hash=True)
        assert list(state) == ["weight", "bias"]
    assert capsys.readouterr().err.count("Downloading") == 1
    assert [path.name for path in (tmp_path / "home/hub/checkpoints").iterdir()] == [source.name]
    with pytest.raises(RuntimeError, match="invalid hash value"):
        torch_hub.download_url_to_file(source.as_uri(), str(tmp_path / "other"), "0123")
    assert not list(tmp_path.glob("other*"))


def test_hub_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "hubconf.py").write_text('def net(n):\n    "A net."\n    return n + 1\n_hidden = print\n')
    assert torch_hub.list(str(tmp_path), source="local") == ["net"]
    assert torch_hub.help(str(tmp_path), "net", source="local") == "A net."
    assert torch_hub.load(str(tmp_path), "net", 2, source="local", trust_repo=True) == 3
    with pytest.raises(RuntimeError, match="Cannot find callable other"):
        torch_hub.load(str(tmp_path), "other", source="local")
    with pytest.raises(NotImplementedError, match="git clone"):
        torch_hub.load("someone/something", "net")


# ---- profiler -----------------------------------------------------------------------------------------------------
def test_profiler_counts(tmp_path: Path) -> None:
    with profile(activities=[torch.profiler.ProfilerActivity.CPU], record_shapes=True) as prof:
        for _ in range(3):
            with record_function("step"):
                torch.ones(10).exp().sum()
    averages = {event.key: event for event in prof.key_averages()}
    assert averages["step"].count == 3
    assert 0 < averages["step"].cpu_time <= averages["step"].cpu_time_total
    table = prof.key_averages().table(sort_by="cuda_time_total", row_limit=5)
    assert len(table.splitlines()) == 3 + 5 + 2
    assert table.splitlines()[1].split() == ["Name", "Self", "CPU", "CPU", "total", "#", "of", "Calls"]
    prof.export_chrome_trace(str(tmp_path / "trace.json"))
    assert [e["name"] for e in json.loads((tmp_path / "trace.json").read_text())["traceEvents"]] == 3 * ["step"]


def test_profiler_follows_its_schedule(tmp_path: Path) -> None:
    plan = schedule(wait=1, warmup=1, active=2, repeat=1, skip_first=1)
    assert [plan(step).name for step in range(7)] == [
        "NONE", "NONE", "WARMUP", "RECORD", "RECORD_AND_SAVE", "NONE", "NONE",
    ]  # fmt: skip
    rounds: list[int] = []

    def ready(prof: profile) -> None:
        rounds.append(sum(event.count for event in prof.key_averages() if event.key == "work"))

    with profile(schedule=schedule(wait=1, warmup=0, active=2), on_trace_ready=ready) as prof:
        for _ in range(6):
            with record_function("work"):
                pass
            prof.step()
    assert rounds == [2, 2]
    with profile(enabled=False) as off:
        pass
    assert off.key_averages() == []
    assert ProfilerAction.NONE.value == 0
    handler = torch.profiler.tensorboard_trace_handler(str(tmp_path / "log"))
    with profile(on_trace_ready=handler):
        record_function("f")(lambda: None)()
    (written,) = (tmp_path / "log").iterdir()
    assert [e["name"] for e in json.loads(written.read_text())["traceEvents"]] == ["f"]


# ---- storage ---------------------------------------------------------------------------------------------------------
def test_storage_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "numbers"
    path.write_bytes(bytes(range(12)))
    storage = torch.UntypedStorage.from_file(str(path), shared=False, nbytes=12)
    part = storage.untyped()[4:8]
    x = torch.asarray(part, dtype=torch.uint8)
    assert (x.tolist(), len(part), storage[3]) == ([4, 5, 6, 7], 4, 3)
    x.fill_(0)
    assert storage.tolist()[3:9] == [3, 0, 0, 0, 0, 8]  # shared memory
    assert path.read_bytes() == bytes(range(12))  # but not with the file
    torch.asarray(torch.UntypedStorage.from_file(str(path), True, 2), dtype=torch.uint8).fill_(9)
    assert path.read_bytes()[:3] == bytes([9, 9, 2])
    assert torch.asarray(part, dtype=torch.uint8).view(dtype=torch.int32).tolist() == [0]


def test_the_core_has_what_libraries_call() -> None:
    assert torch._C._log_api_usage_once("something") is None
    with pytest.raises(AttributeError, match="compiled core"):
        torch._C._jit_pass_inline  # noqa: B018


# ---- timing, set-up --------------------------------------------------------------------------------------------------
def test_timer() -> None:
    class Clock:
        now = 0.0

        def __call__(self) -> float:
            return self.now

    clock = Clock()

    def wait(seconds: float) -> None:
        clock.now += seconds

    timer = Timer("wait(2e-3)", timer=clock, globals={"wait": wait}, label="waiting")
    measured = timer.timeit(5)
    assert (measured.number_per_run, measured.median) == (5, pytest.approx(2e-3))
    assert "waiting\n  2.00 ms\n  1 measurement, 5 runs per measurement" in repr(measured)
    for many in (timer.blocked_autorange(min_run_time=0.1), timer.adaptive_autorange()):
        assert many.mean == pytest.approx(2e-3)
        assert many.iqr == pytest.approx(0, abs=1e-9)
    assert Measurement(2, [2.0, 4.0, 6.0]).iqr == 1.0


def test_set_up_that_turns_nothing() -> None:
    torch._dynamo.config.suppress_errors = True
    torch._inductor.config.coordinate_descent_tuning = True
    torch._dynamo.reset()
    from mini_torch.autograd import grad_mode
    from mini_torch.utils import benchmark, dlpack, model_zoo

    doors: list[Any] = [grad_mode.no_grad, benchmark.Timer, dlpack.from_dlpack, model_zoo.load_url]
    assert doors == [torch.no_grad, Timer, torch.from_dlpack, torch_hub.load_state_dict_from_url]
    assert not torch.is_anomaly_enabled()
    assert (torch.get_autocast_gpu_dtype(), torch.is_autocast_cpu_enabled()) == (torch.float16, False)


def test_trees() -> None:
    from mini_torch.utils import _pytree as trees

    tree = {"a": 1, "b": (2, [3, None])}
    leaves, shape = trees.tree_flatten(tree)
    assert (leaves, shape.num_leaves, shape.unflatten(leaves)) == ([1, 2, 3, None], 4, tree)
    assert trees.tree_map(lambda x, y: (x, y), [1, 2], [3, 4]) == [(1, 3), (2, 4)]
    assert trees.tree_map_only(int, lambda x: -x, tree) == {"a": -1, "b": (-2, [-3, None])}
    assert trees.tree_structure([1, 2]) == trees.tree_structure([3, 4]) != trees.tree_structure((3, 4))
    assert trees.tree_any(lambda x: x is None, tree)
    assert not trees.tree_all(lambda x: x is None, tree)
    with pytest.raises(ValueError, match="1 leaves for a tree of 2"):
        trees.tree_unflatten([1], trees.tree_structure([1, 2]))
    with pytest.raises(ValueError, match="different shapes"):
        trees.tree_map(max, [1], [1, 2])
