"""`import torch` gives mini_torch, inside a program and by `python -m mini_torch`, as if Python had run the program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mini_torch.torch_version import TorchVersion

ROOT = Path(__file__).parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
INSTALL = "import mini_torch\nmini_torch.install_as_torch()\n"


def python(*arguments: str, folder: Path = ROOT, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, input=given,
                          cwd=folder, env=ENVIRONMENT, timeout=60)  # fmt: skip


def run(*arguments: str, folder: Path = ROOT, given: str = "") -> subprocess.CompletedProcess[str]:
    return python("-m", "mini_torch", *arguments, folder=folder, given=given)


# ---- inside a program --------------------------------------------------------------------------------------
def test_the_modules_are_the_same() -> None:
    code = """
import sys, importlib.util, importlib.metadata
import torch, torch.nn as nn, torch.nn.functional as F, torch.optim as optim, torch.backends.cudnn as cudnn
import torch.distributed as dist
from torch import Tensor
from torch.cuda.amp import autocast
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader
import mini_torch.nn.functional, mini_torch.utils.data
assert torch is mini_torch and F is mini_torch.nn.functional and DataLoader is mini_torch.utils.data.DataLoader
assert isinstance(mini_torch.nn.Linear(1, 1), torch.nn.Module) and isinstance(torch.ones(1), mini_torch.Tensor)
assert not [n for n in sys.modules if n.startswith("torch.") and sys.modules[n] is not sys.modules["mini_" + n]]
assert all(m.__spec__.name == n for n, m in list(sys.modules.items()) if n.startswith("mini_torch.nn"))
mini_torch.install_as_torch()  # once more
assert sum(type(finder).__module__ == "mini_torch.as_torch.install" for finder in sys.meta_path) == 1
assert importlib.util.find_spec("torch") and importlib.util.find_spec("torch.fft").name == "torch.fft"
assert importlib.util.find_spec("torch.no_such") is None
assert type(torch.__version__).__name__ == "TorchVersion" and torch.__version__ >= (2, 0)
assert torch.__version__ == torch.version.__version__ == importlib.metadata.version("torch")
assert importlib.metadata.version("numpy")
assert torch.version.cuda is None
"""
    done = python("-W", "error", "-c", INSTALL + code)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_not_there_says_so() -> None:
    code = """
import torch
for statement in ("import torch.sparse", "from torch import sparse", "from torch.ao import quantization",
                  "import torch.distributed.fsdp", "import torch.no_such", "from torch import no_such"):
    try:
        exec(statement)
    except ImportError as error:
        print(error)
assert not hasattr(torch, "sparse_coo_tensor") and not hasattr(torch.ones(1), "to_sparse")
try:
    torch.ones(1).to_sparse()
except AttributeError as error:
    print(error)
"""
    done = python("-c", INSTALL + code)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in said[:5]] == [
        "No module named 'torch.sparse'", "No module named 'torch.sparse'", "No module named 'torch.ao'",
        "No module named 'torch.distributed.fsdp'", "No module named 'torch.no_such'",
    ]  # fmt: skip
    assert "keep matrices dense" in said[0] == said[1]
    assert "in one process" in said[3]
    assert said[5].startswith("cannot import name 'no_such'")
    assert said[6].startswith("'Tensor' object has no attribute 'to_sparse': there are no sparse tensors")


def test_the_page_about_it() -> None:
    """In a process of its own: it installs."""
    done = python("-m", "doctest", "-o", "ELLIPSIS", "-o", "NORMALIZE_WHITESPACE", "docs/torch-programs.md")
    assert (done.returncode, done.stdout) == (0, ""), done.stdout
    assert (ROOT / "docs" / "torch-programs.md").read_text(encoding="utf-8").count(">>> ") > 5


def test_refuses_where_pytorch_is_imported(tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("__version__ = '9'\n")
    done = python("-c", "import torch\n" + INSTALL, folder=tmp_path)
    assert done.returncode == 1
    assert "RuntimeError: install_as_torch: PyTorch is imported already" in done.stderr
    assert str(tmp_path / "torch") in done.stderr
    first = python("-c", INSTALL + "import torch; print(torch is mini_torch)", folder=tmp_path)
    assert first.stdout == "True\n"  # installed beside us, but not imported yet


# ---- python -m mini_torch ----------------------------------------------------------------------------------
SCRIPT = """
import sys, torch
print(__name__, __file__ == sys.argv[0] or __file__, sys.argv[1:], sys.path[0], __spec__ and __spec__.name)
print(sorted(globals()))
"""


def test_a_script_sees_what_it_sees_in_python(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("")  # so that Python can run it, too
    script = tmp_path / "program" / "script.py"
    script.parent.mkdir()
    script.write_text(SCRIPT.replace(", torch", ""))
    for arguments in ((str(script), "-a", "--help"), (os.path.join("program", "script.py"),)):
        ours, theirs = run(*arguments, folder=tmp_path), python(*arguments, folder=tmp_path)
        assert (ours.stdout, ours.returncode) == (theirs.stdout, 0), ours.stderr
    module = ("-m", "program.script", "x")
    assert run(*module, folder=tmp_path).stdout == python(*module, folder=tmp_path).stdout != ""
    code = ("-c", "print(__name__, __spec__, sorted(globals()))")
    assert run(*code).stdout == python(*code).stdout != ""
    done = run("-", "x", given="import sys, torch; print(sys.argv, torch.ones(1))")
    assert done.stdout == "['-', 'x'] tensor([1.])\n"


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    1 / 0\nf()\n", "import sys\nsys.exit(3)\n", "raise SystemExit('bye')\n", "1 +\n",
        "import no_such\n",
        "import sys\nsys.excepthook = lambda *_: print('hook')\nraise ValueError\n", "raise KeyboardInterrupt\n",
        "import atexit\natexit.register(lambda: print(__name__, len(globals()) > 3))\n",
    ],
    ids=["error", "exit", "message", "syntax", "import", "hook", "interrupt", "atexit"],
)  # fmt: skip
def test_a_script_ends_as_it_ends_in_python(tmp_path: Path, text: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(text)
    ours, theirs = run(str(script)), python(str(script))
    assert (ours.returncode, ours.stdout, ours.stderr) == (theirs.returncode, theirs.stdout, theirs.stderr)


def test_code_module_and_mistakes() -> None:
    done = run("-c", "import torch, sys; print(torch.__version__, sys.argv)", "x")
    assert done.stdout == "2.13.0+mini_torch ['-c', 'x']\n"
    for arguments, said in (
        ((), "usage: python -m mini_torch"), (("-m",), "usage: "), (("-x",), "unknown option -x"),
        (("no_such.py",), "can't open file"),
    ):  # fmt: skip
        done = run(*arguments)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    done = run("-m", "no_such")
    assert (done.returncode, done.stderr.strip()) == (1, f"{sys.executable}: No module named no_such")
    done = run("-c", "import torchvision")
    assert done.returncode == 1
    if "No module named 'torchvision'" in done.stderr:
        assert "read images with Pillow" in done.stderr.splitlines()[-1]


def test_ctrl_c_stops_it(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import time, torch\nprint('ready', flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen([sys.executable, "-m", "mini_torch", str(script)], env=ENVIRONMENT, cwd=ROOT, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert said.splitlines()[0] == "Traceback (most recent call last):"
    assert said.splitlines()[1] in [f'  File "{script}", line {line}, in <module>' for line in (2, 3)]
    assert said.splitlines()[-1] == "KeyboardInterrupt"


WORKERS = """
import subprocess, sys, torch
from torch.utils.data import DataLoader, Dataset

class Squares(Dataset):
    def __len__(self):
        return 5
    def __getitem__(self, i):
        assert torch.__version__ == "2.13.0+mini_torch"
        return torch.tensor(float(i)) ** 2

if __name__ == "__main__":
    for method in ("fork", "spawn"):
        loader = DataLoader(Squares(), 2, num_workers=1, multiprocessing_context=method)
        print([batch.tolist() for batch in loader])
    print(subprocess.run([sys.executable, "-c", "import torch; print(torch.__name__)"], stdout=subprocess.PIPE).stdout)
"""


def test_processes_that_a_script_starts(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(WORKERS)
    done = run(str(tmp_path / "script.py"))  # mini_torch comes from the working folder alone where it is not installed
    assert done.stdout.splitlines() == [*2 * ["[[0.0, 1.0], [4.0, 9.0], [16.0]]"], "b'mini_torch\\n'"], done.stderr


def test_safetensors_for_pytorch() -> None:
    """The package's own module for PyTorch, whose reader asks torch for a mapped storage."""
    pytest.importorskip("safetensors")
    code = """
import os, tempfile, torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
path = os.path.join(tempfile.mkdtemp(), "a.safetensors")
state = {"w": torch.arange(6.).reshape(2, 3), "i": torch.tensor([1, 2]), "b": torch.tensor([True])}
state["z"] = torch.zeros(0, 3)
save_file(state, path, metadata={"by": "us"})
assert all(torch.equal(value, state[key]) and value.dtype is state[key].dtype for key, value in load_file(path).items())
with safe_open(path, framework="pt") as file:
    print(sorted(file.keys()), file.metadata(), file.get_slice("w")[:1, 1:].tolist())
"""
    done = run("-c", code)
    assert done.stdout == "['b', 'i', 'w', 'z'] {'by': 'us'} [[1.0, 2.0]]\n", done.stderr


# ---- versions ----------------------------------------------------------------------------------------------
ORDERED = ["1.0.dev1", "1.0a1.dev2", "1.0a1", "1.0b2", "1.0rc1", "1.0", "1.0+cpu", "1.0.post1", "1.2", "1.10", "2.13.0"]


def test_versions_compare_as_versions() -> None:
    for i, smaller in enumerate(ORDERED):
        for larger in ORDERED[i + 1 :]:
            assert TorchVersion(smaller) < larger
            assert TorchVersion(larger) > smaller
            assert not TorchVersion(smaller) >= TorchVersion(larger)
            assert TorchVersion(smaller) != larger
    version = TorchVersion("2.13.0+mini_torch")
    assert (version >= (1, 8), version > "2.9", version <= "2.13", version == "2.13.0", version == (2, 13, 0)) == (
        True, True, False, False, False,
    )  # fmt: skip
    assert isinstance(version, str)
    assert hash(version) == hash("2.13.0+mini_torch")
    assert (version > "abc", version == 3, version == None) == ("2.13" > "abc", False, False)  # noqa: E711
    with pytest.raises(TypeError, match="'>=' not supported between instances of 'TorchVersion' and 'int'"):
        version >= 3  # noqa: B015
