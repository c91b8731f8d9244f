"""What programs for PyTorch do now and then, each found in one; with PyTorch, where it is installed, beside us."""

from __future__ import annotations

import importlib
import warnings
from collections import defaultdict
from types import ModuleType
from typing import Any

import pytest


def test_split_names_its_size_otherwise_as_a_method(torch: ModuleType) -> None:
    x = torch.arange(5)
    assert [part.tolist() for part in x.split(split_size=[1, 4], dim=-1)] == [[0], [1, 2, 3, 4]]
    assert [part.tolist() for part in torch.split(x, split_size_or_sections=3)] == [[0, 1, 2], [3, 4]]
    with pytest.raises(TypeError):
        x.split(split_size_or_sections=3)


def test_an_optimizer_that_wraps_another_and_makes_no_books_of_its_own(torch: ModuleType) -> None:
    class Lookahead(torch.optim.Optimizer):  # type: ignore[name-defined]
        def __init__(self, inner: Any) -> None:
            self.inner, self.param_groups = inner, inner.param_groups
            self.state: Any = defaultdict(dict)
            self.defaults: Any = {}

        def step(self) -> None:
            self.inner.step()

    p = torch.ones(2, requires_grad=True)
    optimizer = Lookahead(torch.optim.SGD([p], lr=0.5))
    p.sum().backward()
    optimizer.step()
    optimizer.zero_grad()
    assert p.tolist() == [0.5, 0.5]
    assert p.grad is None


def test_assert_of_tensors(torch: ModuleType) -> None:
    torch._assert(torch.tensor(1) == 1, "is 1")
    with pytest.raises(AssertionError, match="no match"):
        torch._assert(torch.ones(1) > 1, "no match")


def test_autocast_for_what_is_not_there(torch: ModuleType) -> None:
    if torch.cuda.is_available():
        pytest.skip("it is there")
    with pytest.warns(UserWarning, match="not available.*Disabling autocast"):
        context = torch.autocast(device_type="cuda", dtype=torch.float16)
    with context:
        assert not torch.is_autocast_enabled()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        torch.amp.autocast("cuda", enabled=False)
    with pytest.warns(UserWarning, match="only supports dtypes of"):
        torch.autocast("cpu", dtype=torch.float64)
    with pytest.raises(ValueError, match="Expected `device_type` of type `str`"):
        torch.autocast(torch.device("cpu"))
    with pytest.raises(RuntimeError, match="device string: none"):
        torch.autocast("none")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.cuda.amp.autocast(enabled=True):
            assert not torch.is_autocast_enabled("cuda")
    assert torch.amp.is_autocast_available("cuda")


def test_autocast_is_in_force_inside(torch: ModuleType) -> None:
    assert not torch.is_autocast_enabled("cpu")
    with torch.autocast("cpu", dtype=torch.float16):
        assert torch.is_autocast_enabled("cpu")
        assert torch.get_autocast_dtype("cpu") is torch.float16
        with torch.autocast("cpu", enabled=False):
            assert not torch.is_autocast_enabled("cpu")
        assert torch.is_autocast_enabled("cpu")
    assert not torch.is_autocast_enabled("cpu")
    assert torch.get_autocast_dtype("cpu") is torch.bfloat16

    @torch.autocast("cpu")  # type: ignore[untyped-decorator,unused-ignore]
    def inside(x: Any) -> Any:
        return torch.is_autocast_enabled("cpu"), x + 1

    assert inside(1) == (True, 2)


def test_decorators_of_functions_under_autocast(torch: ModuleType) -> None:
    class Double(torch.autograd.Function):  # type: ignore[name-defined]
        @staticmethod
        @torch.amp.custom_fwd(device_type="cpu")  # type: ignore[untyped-decorator,unused-ignore]
        def forward(ctx: Any, x: Any) -> Any:
            return 2 * x

        @staticmethod
        @torch.amp.custom_bwd(device_type="cpu")  # type: ignore[untyped-decorator,unused-ignore]
        def backward(ctx: Any, g: Any) -> Any:
            return 2 * g

    x = torch.ones(2, requires_grad=True)
    Double.apply(x).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_only_inputs_of_grad(torch: ModuleType) -> None:
    x = torch.ones(2, requires_grad=True)
    g = torch.autograd.grad(outputs=(x * x).sum(), inputs=x, create_graph=True, retain_graph=True, only_inputs=True)[0]
    assert torch.autograd.grad(g.sum(), x)[0].tolist() == [2.0, 2.0]
    with pytest.warns(FutureWarning, match="only_inputs argument is deprecated"):
        torch.autograd.grad(x.sum(), x, None, None, False, False)


@pytest.mark.parametrize("n", [2, 7, 28, 33])
def test_an_affine_grid_that_moves_nothing_looks_where_pytorch_looks(torch: ModuleType, n: int) -> None:
    """To the last bit: interpolation has its kinks there; on them hangs a spatial transformer's first gradient."""
    grid = torch.nn.functional.affine_grid(torch.eye(2, 3)[None], (1, 1, n, n), align_corners=False)
    expected = torch.linspace(-1, 1, n) * (n - 1) / n
    assert torch.equal(grid[0, 0, :, 0], expected)
    assert torch.equal(grid[0, :, 0, 1], expected)


@pytest.mark.parametrize(
    ("door", "name"),
    [
        ("optim.adam", "Adam"), ("optim.sgd", "SGD"), ("optim.rmsprop", "RMSprop"), ("optim.sparse_adam", "SparseAdam"),
        ("optim.lbfgs", "LBFGS"), ("autograd.variable", "Variable"), ("amp.autocast_mode", "autocast"),
        ("amp.grad_scaler", "GradScaler"), ("cuda.amp", "custom_fwd"), ("cuda.amp", "custom_bwd"),
    ],
)  # fmt: skip
def test_files_that_programs_import_from(torch: ModuleType, door: str, name: str) -> None:
    found = getattr(importlib.import_module(f"{torch.__name__}.{door}"), name)
    parent = importlib.import_module(f"{torch.__name__}.{door.rpartition('.')[0]}")
    assert found is getattr(parent, name, found)


def test_decorators_of_functions_on_devices_that_are_not_there(torch: ModuleType) -> None:
    amp = importlib.import_module(f"{torch.__name__}.cuda.amp")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert amp.custom_fwd(cast_inputs=torch.float32)(lambda ctx, x: x + 1)(ModuleType("ctx"), 1) == 2


def test_a_layer_on_one_vector_is_one_operation(torch: ModuleType) -> None:
    """As agents ask for one state's action; with gradients of both orders."""
    x = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
    w = torch.tensor([[0.5, 1.0], [2.0, 3.0], [-1.0, 0.0]], dtype=torch.float64, requires_grad=True)
    b = torch.tensor([1.0, 0.0, 2.0], dtype=torch.float64, requires_grad=True)
    linear = torch.nn.functional.linear
    assert linear(x, w, b).tolist() == [-0.5, -4.0, 1.0]
    assert linear(x, w).tolist() == [-1.5, -4.0, -1.0]
    for function in (lambda *args: linear(*args).tanh(), lambda x, w, b: linear(x, w).tanh()):
        assert torch.autograd.gradcheck(function, (x, w, b))
        assert torch.autograd.gradgradcheck(function, (x, w, b))
    with pytest.raises(RuntimeError):
        linear(torch.ones(3, dtype=torch.float64), w, b)


def test_variables_are_tensors(torch: ModuleType) -> None:
    Variable = torch.autograd.Variable
    x = torch.ones(2, requires_grad=True)
    a, b = Variable(x), Variable(x * 2, requires_grad=True)
    assert (a.requires_grad, b.requires_grad, b.is_leaf) == (False, True, True)
    assert a.data_ptr() == x.data_ptr()
    assert Variable(torch.tensor([1, 2])).dtype is torch.int64
    assert Variable().shape == (0,)
    assert isinstance(x, Variable)
    assert not isinstance([], Variable)
    with pytest.raises(TypeError, match="Variable data has to be a tensor, but got list"):
        Variable([1.0])
    with pytest.raises(RuntimeError, match="floating point"):
        Variable(torch.tensor([1]), requires_grad=True)
    with pytest.warns(UserWarning, match="volatile was removed"):
        Variable(x, volatile=True)


def test_names_of_arguments(torch: ModuleType) -> None:
    x = torch.tensor([[1.0, -2.0, 3.0]])
    assert x.view(dtype=torch.int32).tolist() == [[1065353216, -1073741824, 1077936128]]
    assert x.view(size=(3, 1)).shape == x.reshape(shape=(3, 1)).shape == x.permute(dims=(1, 0)).shape == (3, 1)
    assert torch.linalg.vector_norm(x=x, ord=1, axis=1).item() == 6
    assert torch.sum(a=x, axis=1, keepdims=True).tolist() == [[2.0]]
    assert torch.matmul(x1=x, x2=x.T).item() == 14
    for wrong in (lambda: x.view(shape=(3, 1)), lambda: torch.sum(x, ax=1)):
        with pytest.raises(TypeError):
            wrong()
