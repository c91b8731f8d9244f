"""Wrong calls end in PyTorch's exception type, with the shapes or values at fault in the message.

Each line runs on mini_torch, and on PyTorch too where it is installed: the table cannot drift from it.
"""

from __future__ import annotations

import copy
import importlib
from types import ModuleType
from typing import Any

import numpy as np
import pytest

AGAIN = "Trying to backward through the graph a second time"
CHANGED = "one of the variables needed for gradient computation has been modified by an inplace operation"
LEAF = "a leaf Variable that requires grad is being used in an in-place operation."
VIEW_OF_LEAF = "a view of a leaf Variable that requires grad is being used in an in-place operation."
DIM = "Dimension out of range (expected to be in range of [-2, 1], but got {})"
SECOND = "is at version 1; expected version 0 instead"

# What is run, the exception, words of its message. `t(2, 3)` is a tensor of ones that requires grad.
WRONG: list[tuple[str, type[Exception], str]] = [
    # shapes
    ("t(2, 3) + t(4)", RuntimeError, "The size of tensor a (3) must match the size of tensor b (4)"),
    ("t(2, 3) * t(4)", RuntimeError, "at non-singleton dimension 1"),
    ("torch.maximum(t(2, 3), t(3, 3))", RuntimeError, "tensor a (2) must match the size of tensor b (3)"),
    ("t(2, 3) < t(4)", RuntimeError, "The size of tensor a (3) must match the size of tensor b (4)"),
    ("torch.where(t(2) > 0, t(3), 1.0)", RuntimeError, "must match the size of tensor b (3)"),
    ("torch.mm(t(2, 3), t(4, 5))", RuntimeError, "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"),
    ("torch.mm(t(3), t(4, 5))", RuntimeError, "self must be a matrix"),
    ("t(2, 3) @ t(4, 5)", RuntimeError, "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"),
    ("t(7, 2, 3) @ t(7, 4, 5)", RuntimeError, "to be: [7, 3] but got: [7, 4]"),
    ("t(7, 2, 3) @ t(6, 3, 5)", RuntimeError, "The size of tensor a (7) must match the size of tensor b (6)"),
    ("torch.tensor(1.0) @ t(4, 5)", RuntimeError, "need to be at least 1D, but they are 0D and 2D"),
    ("torch.mv(t(2, 3), t(4))", RuntimeError, "size mismatch, got input (2), mat (2x3), vec (4)"),
    ("torch.dot(t(3), t(4))", RuntimeError, "tensor [3] and src [4] to have the same number of elements"),
    ("torch.dot(t(3, 3), t(4))", RuntimeError, "1D tensors expected, but got 2D and 1D tensors"),
    ("torch.bmm(t(2, 3, 4), t(3, 4, 5))", RuntimeError, "to be: [2, 4] but got: [3, 4]"),
    ("torch.outer(t(2, 2), t(2))", RuntimeError, "Expected 1-D argument self, but got 2-D"),
    ("torch.einsum('ij,jk->ik', t(2, 3), t(4, 5))", RuntimeError, "subscript j has size 4 for operand 1"),
    ("torch.einsum('ij,jk->iz', t(2, 3), t(3, 5))", RuntimeError, "output subscript z does not appear"),
    ("F.linear(t(2, 3), t(5, 4))", RuntimeError, "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"),
    ("nn.Linear(3, 4)(t(2, 5))", RuntimeError, "mat1 and mat2 shapes cannot be multiplied (2x5 and 3x4)"),
    ("t(2, 3).reshape(4, 2)", RuntimeError, "shape '[4, 2]' is invalid for input of size 6"),
    ("t(2, 3).reshape(4, -1)", RuntimeError, "shape '[4, -1]' is invalid for input of size 6"),
    ("t(2, 3).reshape(-1, -1)", RuntimeError, "only one dimension can be inferred"),
    ("t(2, 3).t().view(6)", RuntimeError, "Use .reshape(...) instead"),
    ("t(2, 3).expand(4, 3)", RuntimeError, "Target sizes: [4, 3].  Tensor sizes: [2, 3]"),
    ("t(2, 3).expand(3)", RuntimeError, "the number of sizes provided (1) must be greater or equal"),
    ("t(2, 3).repeat(2)", RuntimeError, "can not be smaller than number of dimensions of tensor"),
    ("t(2, 3).flatten(1, 0)", RuntimeError, "start_dim cannot come after end_dim"),
    ("torch.cat([t(2, 3), t(2, 4)])", RuntimeError, "Expected size 3 but got size 4 for tensor number 1"),
    ("torch.cat([t(2, 3), t(2)])", RuntimeError, "same number of dimensions: got 2 and 1"),
    ("torch.cat([])", ValueError, "expected a non-empty list of Tensors"),
    ("torch.stack([t(2, 3), t(2, 4)])", RuntimeError, "but got [2, 3] at entry 0 and [2, 4] at entry 1"),
    ("torch.stack([])", RuntimeError, "expects a non-empty TensorList"),
    ("t(5).split([2, 2])", RuntimeError, "to sum exactly to 5"),
    ("t(5).chunk(0)", RuntimeError, "greater than 0, got: 0"),
    ("torch.tril(t(3))", RuntimeError, "must have at least 2 dimensions"),
    ("t(1, 2, 3).t()", RuntimeError, "expects a tensor with <= 2 dimensions, but self is 3D"),
    ("F.mse_loss(t(2, 3), t(4))", RuntimeError, "tensor a (3) must match the size of tensor b (4)"),
    ("F.binary_cross_entropy(0.5 * t(2, 3), t(2))", ValueError, "target size (torch.Size([2]))"),
    ("F.binary_cross_entropy_with_logits(t(2, 3), t(2))", ValueError, "Target size (torch.Size([2]))"),
    ("F.cross_entropy(t(2, 3), ints(1))", ValueError, "input batch_size (2) to match target batch_size (1)"),
    ("torch.zeros(-1)", RuntimeError, "-negative"),
    ("torch.zeros(4)[5:].max()", RuntimeError, "reduction dim to be specified for input.numel() == 0"),
    ("torch.ones(0, 3).max(0)", IndexError, "Expected reduction dim 0 to have non-zero size"),
    ("torch.ones(0).argmax()", IndexError, "Expected reduction dim to be specified"),
    # dimensions and indices
    ("t(2, 3).sum(2)", IndexError, DIM.format(2)),
    ("t(2, 3).mean(-3)", IndexError, DIM.format(-3)),
    ("torch.softmax(t(2, 3), 5)", IndexError, DIM.format(5)),
    ("t(2, 3).squeeze(3)", IndexError, DIM.format(3)),
    ("t(2, 3).unsqueeze(4)", IndexError, "(expected to be in range of [-3, 2], but got 4)"),
    ("t(2, 3).transpose(0, 2)", IndexError, DIM.format(2)),
    ("t(2, 3).argmax(2)", IndexError, DIM.format(2)),
    ("t(2, 3).cumsum(2)", IndexError, DIM.format(2)),
    ("torch.cat([t(2, 3), t(2, 3)], 2)", IndexError, DIM.format(2)),
    ("t(2, 3).permute(0, 0)", RuntimeError, "duplicate dims are not allowed"),
    ("t(2, 3).permute(0)", RuntimeError, "is not equal to len(dims) = 1"),
    ("t(2, 3)[2]", IndexError, "index 2 is out of bounds for dimension 0 with size 2"),
    ("t(2, 3)[0, -4]", IndexError, "index -4 is out of bounds for dimension 1 with size 3"),
    ("t(2, 3)[0, 0, 0]", IndexError, "too many indices for tensor of dimension 2"),
    ("t(2, 3)[ints(0, 5)]", IndexError, "index 5 is out of bounds for dimension 0 with size 2"),
    ("t(2, 3)[[-3]]", IndexError, "index -3 is out of bounds for dimension 0 with size 2"),
    ("t(2, 3)[torch.tensor([True, False, True])]", IndexError, "The shape of the mask [3] at index 0"),
    ("t(2, 3)[1.5]", IndexError, "only integers, slices (`:`), ellipsis (`...`), None and"),
    ("t(2, 3)[torch.tensor([1.0])]", IndexError, "indices must be long, int, byte or bool tensors"),
    ("t(4)[::-1]", ValueError, "step must be greater than zero"),
    ("torch.tensor(1.0)[0]", IndexError, "invalid index of a 0-dim tensor. Use `tensor.item()`"),
    ("list(torch.tensor(1.0))", TypeError, "iteration over a 0-d tensor"),
    ("len(torch.tensor(1.0))", TypeError, "len() of a 0-d tensor"),
    ("t(2, 3).gather(1, ints([3]))", RuntimeError, "index 3 is out of bounds for dimension 1 with size 3"),
    ("t(2, 3).gather(1, ints(1))", RuntimeError, "must have the same number of dimensions as input tensor"),
    ("t(2, 3).index_select(0, ints(2))", IndexError, "index out of range"),
    ("torch.zeros(2, 3).scatter(1, ints([3]), 1.0)", RuntimeError, "index 3 is out of bounds for dimension"),
    ("torch.zeros(4).__setitem__(5, 1.0)", IndexError, "index 5 is out of bounds for dimension 0 with"),
    ("torch.zeros(2, 3).__setitem__(0, t(4))", RuntimeError, "Target sizes: [3].  Tensor sizes: [4]"),
    ("torch.zeros(4).__setitem__(slice(0, 2), t(3))", RuntimeError, "Target sizes: [2].  Tensor sizes: [3]"),
    ("torch.zeros(4).__setitem__(ints(0, 1), t(3))", RuntimeError, "of shape [3] cannot be broadcast to"),
    ("torch.zeros(4).__setitem__(0, 'a')", TypeError, "can't assign a str to a torch.FloatTensor"),
    ("F.cross_entropy(t(2, 3), ints(1, 3))", IndexError, "Target 3 is out of bounds."),
    ("F.nll_loss(t(2, 3), ints(1, 3))", IndexError, "Target 3 is out of bounds."),
    # types
    ("torch.ones(2, dtype=torch.int64).mean()", RuntimeError, "could not infer output dtype"),
    ("torch.ones(2, 2) @ torch.ones(2, 2, dtype=torch.float64)", RuntimeError, "have the same dtype"),
    ("F.linear(torch.ones(2, 2, dtype=torch.float64), torch.ones(2, 2))", RuntimeError, "same dtype"),
    ("ints(1, 2).add_(1.5)", RuntimeError, "result type Float can't be cast to the desired output type Long"),
    ("ints(1, 2).div_(2)", RuntimeError, "result type Float can't be cast to the desired output type Long"),
    ("torch.ones(2).add_(torch.ones(3, 2))", RuntimeError, "doesn't match the broadcast shape [3, 2]"),
    ("(t(2) > 0) - (t(2) > 0)", RuntimeError, "with two bool tensors is not supported"),
    ("1 - (t(2) > 0)", RuntimeError, "with a bool tensor is not supported"),
    ("t(2) - True", RuntimeError, "with a bool tensor is not supported"),
    ("torch.ones(2) & torch.ones(2)", Exception, "bitwise"),
    ("-(t(2) > 0)", RuntimeError, "on a bool tensor is not supported"),
    ("~torch.ones(2)", TypeError, "only implemented on integer and Boolean-type tensors"),
    ("ints(1, 2) ** -1", RuntimeError, "Integers to negative integer powers are not allowed"),
    ("t(2).gather(0, torch.ones(1))", RuntimeError, "Expected dtype int"),
    ("t(2).masked_fill(torch.ones(2), 0.0)", RuntimeError, "only supports boolean masks"),
    ("t(2).masked_fill(t(2) > 0, t(3))", RuntimeError, "only supports a 0-dimensional value tensor"),
    ("torch.where(t(2), t(2), t(2))", RuntimeError, "expected condition to be a boolean tensor"),
    ("F.cross_entropy(t(2, 3), torch.tensor([1, 2], dtype=torch.int32))", RuntimeError, "but got Int"),
    ("torch.ones(2, dtype=torch.int64, requires_grad=True)", RuntimeError, "Only Tensors of floating point"),
    ("ints(1, 2).requires_grad_()", RuntimeError, "only Tensors of floating point"),
    ("torch.set_default_dtype(torch.int64)", TypeError, "only floating-point types are supported"),
    ("torch.tensor([[1, 2], [3]])", ValueError, "expected sequence of length 2 at dim 1 (got 1)"),
    ("torch.tensor('a')", TypeError, "invalid data type 'str'"),
    ("torch.tensor(None)", RuntimeError, "Could not infer dtype of NoneType"),
    ("torch.from_numpy([1])", TypeError, "expected np.ndarray (got list)"),
    ("torch.from_numpy(np.array(['a']))", TypeError, "can't convert np.ndarray of type"),
    ("t(2) + 'a'", TypeError, "unsupported operand type(s) for +: 'Tensor' and 'str'"),
    ("t(2) + None", TypeError, "unsupported operand type(s) for +: 'Tensor' and 'NoneType'"),
    ("torch.exp([1])", TypeError, "must be Tensor, not list"),
    ("torch.zeros(1.5)", TypeError, "not float"),
    # values
    ("torch.ones(2).clamp()", RuntimeError, "At least one of 'min' or 'max' must not be None"),
    ("F.binary_cross_entropy(torch.tensor([1.5]), t(1))", RuntimeError, "should be between 0 and 1"),
    ("F.mse_loss(t(2), t(2), reduction='avg')", ValueError, "avg is not a valid value for reduction"),
    ("F.dropout(t(2), 1.5)", ValueError, "dropout probability has to be between 0 and 1, but got 1.5"),
    ("nn.Dropout(-1)", ValueError, "dropout probability has to be between 0 and 1, but got -1"),
    ("torch.arange(3, 0)", RuntimeError, "upper bound and lower bound inconsistent with step sign"),
    ("torch.arange(0, 3, 0)", RuntimeError, "step must be nonzero"),
    ("torch.randperm(-1)", RuntimeError, "-1"),
    ("torch.randint(3, 3, (2,))", RuntimeError, "from=3 >= to=3"),
    # one value out of many
    ("t(2).item()", RuntimeError, "a Tensor with 2 elements cannot be converted to Scalar"),
    ("bool(t(2))", RuntimeError, "Boolean value of Tensor with more than one value is ambiguous"),
    ("bool(torch.ones(0))", RuntimeError, "Boolean value of Tensor with no values is ambiguous"),
    ("float(t(2))", ValueError, "only one element tensors can be converted to Python scalars"),
    ("int(t(2))", ValueError, "only one element tensors can be converted to Python scalars"),
    # the graph
    ("t(2).numpy()", RuntimeError, "Can't call numpy() on Tensor that requires grad."),
    ("np.asarray(t(2))", RuntimeError, "Can't call numpy() on Tensor that requires grad."),
    ("(t(2) * 2).backward()", RuntimeError, "grad can be implicitly created only for scalar outputs"),
    ("torch.ones(2).sum().backward()", RuntimeError, "does not require grad and does not have a grad_fn"),
    ("(t(2) * 2).backward(t(3))", RuntimeError, "grad_output[0] has a shape of torch.Size([3])"),
    ("torch.autograd.grad(t(2).sum(), t(2))", RuntimeError, "appears to not have been used in the graph"),
    ("torch.autograd.grad(t(2).sum(), torch.ones(2))", RuntimeError, "does not require grad"),
    ("torch.ones(2).retain_grad()", RuntimeError, "can't retain_grad on Tensor that has requires_grad=False"),
    ("torch.ones(2).register_hook(print)", RuntimeError, "doesn't require gradient"),
    ("copy.deepcopy(t(2) * 2)", RuntimeError, "Only Tensors created explicitly by the user (graph leaves)"),
    ("t(2).add_(1)", RuntimeError, LEAF),
    ("t(2).zero_()", RuntimeError, LEAF),
    ("t(2).__setitem__(0, 1.0)", RuntimeError, VIEW_OF_LEAF),
    ("t(2)[0:1].add_(1)", RuntimeError, VIEW_OF_LEAF),
    ("t(2).view(2).zero_()", RuntimeError, VIEW_OF_LEAF),
    ("setattr(t(2), 'data', 3)", TypeError, "data has to be a tensor, but got int"),
    ("setattr(t(2), 'grad', torch.ones(3))", RuntimeError, "size '[3]' to a tensor of size '[2]'"),
    ("setattr(t(2), 'grad', 3)", TypeError, "assigned grad expected to be a Tensor or None but got"),
    ("setattr(t(2) * 2, 'requires_grad', False)", RuntimeError, "requires_grad flags of leaf variables"),
    # optimizers
    ("torch.optim.SGD([], lr=0.1)", ValueError, "optimizer got an empty parameter list"),
    ("torch.optim.SGD([t(2)], lr=-1)", ValueError, "Invalid learning rate: -1"),
    ("torch.optim.SGD(t(2), lr=0.1)", TypeError, "iterable of Tensors or dicts, but got torch.FloatTensor"),
    ("torch.optim.SGD([t(2) * 2], lr=0.1)", ValueError, "can't optimize a non-leaf Tensor"),
    ("torch.optim.SGD([3], lr=0.1)", TypeError, "can only optimize Tensors, but one of the params is int"),
    ("torch.optim.Adam([t(2)], betas=(1.0, 0.9))", ValueError, "Invalid beta parameter at index 0: 1.0"),
    # modules
    ("nn.Linear(2, 3).foo", AttributeError, "'Linear' object has no attribute 'foo'"),
    ("setattr(nn.Linear(2, 3), 'weight', t(2))", TypeError, "as parameter 'weight' (torch.nn.Parameter"),
    ("nn.Linear(2, 3).load_state_dict({'weight': t(3, 3)})", RuntimeError, 'key(s) in state_dict: "bias"'),
    ("nn.Linear(2, 3).load_state_dict({'weight': t(3, 3), 'bias': t(3)})", RuntimeError, "Size([3, 2])"),
    ("nn.Linear(2, 3).load_state_dict({'weight': t(3, 2), 'bias': t(3), 'x': t(1)})", RuntimeError, '"x"'),
    ("nn.Module()(1)", NotImplementedError, 'is missing the required "forward" function'),
]  # fmt: skip


def names_of(library: str) -> dict[str, Any]:
    torch = importlib.import_module(library)
    return {
        "torch": torch, "nn": torch.nn, "F": torch.nn.functional, "np": np, "copy": copy,
        "t": lambda *shape: torch.ones(*shape, requires_grad=True),
        "ints": lambda *values: torch.tensor(values),
    }  # fmt: skip


@pytest.mark.filterwarnings("ignore:Using a target size", "ignore:Converting a tensor with requires_grad")
@pytest.mark.parametrize(("code", "error", "words"), WRONG, ids=[code for code, *_ in WRONG])
def test_wrong_call(torch: ModuleType, code: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        eval(code, names_of(torch.__name__))
    assert words in str(caught.value)


def changed_saved_value(torch: ModuleType) -> Any:
    x = torch.ones(2, requires_grad=True)
    y = x.exp()
    y.add_(1)
    return y.sum()


def changed_saved_input(torch: ModuleType) -> Any:
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    z = y * y
    y.mul_(2)
    return z.sum()


def changed_through_a_view(torch: ModuleType) -> Any:
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    z = y * y
    y[0].zero_()
    return z.sum()


def changed_by_assignment(torch: ModuleType) -> Any:
    x, w = torch.ones(2, requires_grad=True), torch.ones(2)
    z = x * w
    w[1] = 5.0
    return z.sum()


@pytest.mark.parametrize(
    "make", [changed_saved_value, changed_saved_input, changed_through_a_view, changed_by_assignment],
)
def test_a_changed_saved_value_is_caught(torch: ModuleType, make: Any) -> None:
    with pytest.raises(RuntimeError, match=CHANGED) as caught:
        make(torch).backward()
    assert SECOND in str(caught.value)


@pytest.mark.parametrize("op", ["exp", "sin", "sqrt", "tanh"])
def test_backward_twice(torch: ModuleType, op: str) -> None:
    y = getattr(torch.ones(2, requires_grad=True), op)().sum()
    y.backward()
    with pytest.raises(RuntimeError, match=AGAIN):
        y.backward()


def test_forward_of_a_module_without_init(torch: ModuleType) -> None:
    class Net(torch.nn.Module):  # type: ignore[name-defined]
        def __init__(self) -> None:
            self.linear = torch.nn.Linear(2, 3)

    with pytest.raises(AttributeError, match=r"cannot assign module before Module.__init__\(\) call"):
        Net()


def test_step_without_gradients_changes_nothing(torch: ModuleType) -> None:
    w = torch.ones(3, requires_grad=True)
    for name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad"):
        getattr(torch.optim, name)([w], lr=0.1).step()
    assert w.tolist() == [1.0, 1.0, 1.0]


def test_a_failed_call_changes_nothing(torch: ModuleType) -> None:
    """An in-place op that is refused leaves the tensor and its version as they were."""
    x = torch.ones(2)
    for wrong in ("x.add_(torch.ones(3))", "x.__setitem__(7, 1.0)", "x.mul_(torch.ones(4, 2))"):
        with pytest.raises((RuntimeError, IndexError)):
            eval(wrong, {"x": x, "torch": torch})
    assert x.tolist() == [1.0, 1.0]
    assert x._version == 0
