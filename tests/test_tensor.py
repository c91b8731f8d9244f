"""The tensor as a Python object: what it is, views, conversion, copying, and NumPy's protocols."""

from __future__ import annotations

import copy
import pickle
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import mini_torch


# ---- what it is ------------------------------------------------------------------------------------------------------
def test_facts(torch: ModuleType) -> None:
    x = torch.zeros(2, 3, 4)
    assert x.shape == x.size() == (2, 3, 4)
    assert (x.size(1), x.size(-1), x.shape[0], x.shape[1:]) == (3, 4, 2, torch.Size([3, 4]))
    assert (x.ndim, x.dim(), x.ndimension(), x.numel(), x.nelement(), len(x)) == (3, 3, 3, 24, 24, 2)
    assert (x.element_size(), x.itemsize, x.nbytes) == (4, 4, 96)
    assert (x.dtype, x.device, x.is_floating_point(), x.is_complex()) == (
        torch.float32, torch.device("cpu"), True, False,
    )  # fmt: skip
    assert (x.is_leaf, x.requires_grad, x.grad, x.grad_fn) == (True, False, None, None)
    assert (x.is_cuda, x.is_sparse, x.is_quantized, x.is_signed()) == (False, False, False, True)
    assert repr(x.shape) == "torch.Size([2, 3, 4])"
    assert x.type() == "torch.FloatTensor"


def test_strides_and_storage(torch: ModuleType) -> None:
    x = torch.zeros(2, 3)
    assert (x.stride(), x.stride(0), x.t().stride(), x[1, 1:].storage_offset()) == ((3, 1), 3, (1, 3), 4)
    assert (x.is_contiguous(), x.t().is_contiguous(), x.t().contiguous().is_contiguous()) == (True, False, True)
    assert x.expand(4, 2, 3).stride() == (0, 3, 1)
    assert torch.zeros(0, 3).stride() == (3, 1)
    assert x.data_ptr() == x.view(6).data_ptr()
    assert x[1].data_ptr() == x.data_ptr() + 12


def test_views_know_their_base(torch: ModuleType) -> None:
    x = torch.zeros(4)
    part = x[1:].view(3, 1)
    assert part._base is x
    assert x._base is None


@pytest.mark.parametrize("view", [
    "x[1]", "x[:, 1:3]", "x[::2]", "x.t()", "x.T", "x.view(-1)", "x.reshape(4, 3)", "x.transpose(0, 1)",
    "x.permute(1, 0)",
    "x.unsqueeze(0)", "x[None].squeeze(0)", "x.expand(2, 3, 4)", "x.flatten()", "x.narrow(1, 1, 2)", "x.select(0, 1)",
    "x.split(2)[0]", "x.chunk(2, 1)[1]", "x.unbind(1)[2]", "x.diagonal()", "x.detach()", "x.data", "x.view_as(x)",
    "x.unfold(1, 2, 1)", "x.swapaxes(0, 1)", "x.movedim(0, 1)", "x.unflatten(1, (2, 2))", "x[...]",
])  # fmt: skip
def test_views_share_memory(torch: ModuleType, view: str) -> None:
    x = torch.arange(12.0).reshape(3, 4).clone()
    part = eval(view, {"x": x})
    before = part.clone()
    x.add_(100)
    assert part.tolist() == (before + 100).tolist()


@pytest.mark.parametrize("made", [
    "x.clone()", "x[[0, 1, 2]]", "x[x > -1]", "x + 0", "x.t().reshape(-1)", "x.repeat(1, 1)", "x.t().contiguous()",
    "torch.tensor(x.numpy())", "x.to(torch.float32, copy=True)", "x.double().float()", "torch.cat([x])", "x.flip(0)",
])  # fmt: skip
def test_copies_do_not(torch: ModuleType, made: str) -> None:
    x = torch.arange(12.0).reshape(3, 4).clone()
    part = eval(made, {"x": x, "torch": torch})
    before = part.tolist()
    x.add_(100)
    assert part.tolist() == before


def test_what_needs_no_copy_is_the_same_object(torch: ModuleType) -> None:
    x = torch.zeros(2, 2)
    assert all(same is x for same in (x.float(), x.to(torch.float32), x.contiguous(), x.cpu(), x.to("cpu")))
    assert x.expand(2, 2) is not x


# ---- values in and out -----------------------------------------------------------------------------------------------
def test_numbers_out(torch: ModuleType) -> None:
    x = torch.tensor([[1.5]])
    assert (x.item(), float(x), int(x), bool(x), complex(x)) == (1.5, 1.5, 1, True, 1.5 + 0j)
    assert (torch.tensor([[1, 2], [3, 4]]).tolist(), torch.tensor(3).tolist()) == ([[1, 2], [3, 4]], 3)
    assert [10, 20, 30][torch.tensor(1)] == 20
    assert list(range(torch.tensor(3))) == [0, 1, 2]
    assert isinstance(torch.tensor(True).item(), bool)


def test_a_float_is_no_index(torch: ModuleType) -> None:
    for x in (torch.tensor(1.0), torch.tensor([1, 2])):
        with pytest.raises(TypeError, match="only integer tensors of a single element can be converted to an index"):
            [1, 2, 3][x]


def test_iteration_and_membership(torch: ModuleType) -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert [row.tolist() for row in x] == [[1.0, 2.0], [3.0, 4.0]]
    first, _ = x
    assert first.tolist() == [1.0, 2.0]
    assert (2.0 in x, 5.0 in x, torch.tensor(3.0) in x) == (True, False, True)
    with pytest.raises(RuntimeError, match="only supports Tensor or scalar"):
        "a" in x  # noqa: B015


def test_format(torch: ModuleType) -> None:
    assert f"{torch.tensor(1.23456):.2f} {torch.tensor(7):d} {torch.tensor(0.5):>6}" == "1.23 7    0.5"
    assert f"{torch.tensor([1, 2])}" == "tensor([1, 2])"
    with pytest.raises(TypeError):
        f"{torch.tensor([1, 2]):.2f}"


def test_hash_and_equality(torch: ModuleType) -> None:
    x, y = torch.zeros(2), torch.zeros(2)
    assert len({x, y, x}) == 2
    assert (x == y).tolist() == [True, True]
    assert x.equal(y)


def test_constructors(torch: ModuleType) -> None:
    assert torch.Tensor(2, 3).shape == torch.Tensor(torch.Size([2, 3])).shape == (2, 3)
    assert torch.Tensor().shape == (0,)
    x = torch.Tensor([1, 2])
    assert (x.tolist(), x.dtype) == ([1.0, 2.0], torch.float32)
    assert isinstance(x, torch.Tensor)


def test_tensor_keeps_what_it_is_given(torch: ModuleType) -> None:
    kinds = [torch.tensor(v).dtype for v in (1, 1.0, True, 1j, [1, 2.5], np.float64(1), np.array([1], np.int16))]
    assert kinds == [
        torch.int64, torch.float32, torch.bool, torch.complex64, torch.float32, torch.float64, torch.int16,
    ]  # fmt: skip
    assert torch.tensor([]).dtype is torch.float32
    assert torch.tensor([torch.tensor(1.0), torch.tensor(2.0)]).tolist() == [1.0, 2.0]
    assert torch.tensor([[1, 2], [3, 4]], dtype=torch.float64).sum().item() == 10.0
    assert torch.tensor(range(3)).tolist() == [0, 1, 2]
    with pytest.raises((RuntimeError, ValueError), match="Overflow when unpacking long"):
        torch.tensor(2**70)


def test_from_numpy_shares_memory(torch: ModuleType) -> None:
    array = np.arange(3.0)
    x = torch.from_numpy(array)
    x[0] = 7.0
    array[1] = 8.0
    assert (array.tolist(), x.tolist(), x.numpy().tolist()) == ([7.0, 8.0, 2.0],) * 3
    y = torch.as_tensor(array)
    y[2] = 9.0
    assert array[2] == 9.0
    assert torch.as_tensor(x) is x


def test_numpy_of_a_tensor_that_requires_grad(torch: ModuleType) -> None:
    x = torch.ones(2, requires_grad=True)
    assert x.detach().numpy().tolist() == x.numpy(force=True).tolist() == [1.0, 1.0]


def test_default_dtype(torch: ModuleType) -> None:
    torch.set_default_dtype(torch.float64)
    try:
        kinds = (torch.ones(1).dtype, torch.tensor(1.0).dtype, torch.tensor(1j).dtype, torch.rand(1).dtype)
        divided = (torch.tensor([1]) / 2).dtype
    finally:
        torch.set_default_dtype(torch.float32)
    assert (*kinds, divided) == (torch.float64, torch.float64, torch.complex128, torch.float64, torch.float64)


def test_dtypes_and_limits(torch: ModuleType) -> None:
    assert (repr(torch.float32), torch.float32.itemsize, torch.int8.is_signed) == ("torch.float32", 4, True)
    assert (torch.float32.is_floating_point, torch.complex64.is_complex, torch.bool.is_signed) == (True, True, False)
    assert (torch.float, torch.double, torch.half, torch.long, torch.int, torch.short) == (
        torch.float32, torch.float64, torch.float16, torch.int64, torch.int32, torch.int16,
    )  # fmt: skip
    assert (torch.float16.to_complex, torch.float64.to_complex(), torch.complex64.to_real())[1:] == (
        torch.complex128, torch.float32,
    )  # fmt: skip
    limits = torch.finfo(torch.float32)
    assert (limits.bits, limits.max, limits.eps) == (32, float(np.finfo(np.float32).max), float(np.finfo("f4").eps))
    assert (torch.iinfo(torch.int8).min, torch.iinfo(torch.uint8).max, torch.iinfo(torch.int16).bits) == (-128, 255, 16)
    assert pickle.loads(pickle.dumps(torch.int64)) is torch.int64
    with pytest.raises(TypeError, match="floating point"):
        torch.finfo(torch.int64)
    with pytest.raises(TypeError, match="integer"):
        torch.iinfo(torch.float32)
    with pytest.raises(TypeError, match="bool"):
        torch.iinfo(torch.bool)


def test_sizes(torch: ModuleType) -> None:
    size = torch.Size([2, 3])
    assert size + torch.Size([4]) == torch.Size([2, 3, 4])
    assert (size.numel(), size[-1], isinstance(size, tuple)) == (6, 3, True)
    assert isinstance(size[:1], torch.Size)
    assert pickle.loads(pickle.dumps(size)) == size
    assert torch.zeros(size).shape == torch.zeros(*size).shape == size


def test_devices(torch: ModuleType) -> None:
    cpu = torch.device("cpu")
    assert (str(cpu), repr(cpu), cpu.type, cpu.index) == ("cpu", "device(type='cpu')", "cpu", None)
    assert torch.device("cuda:1") == torch.device("cuda", 1) == torch.device(torch.device("cuda:1"))
    assert repr(torch.device("cuda:1")) == "device(type='cuda', index=1)"
    assert len({cpu, torch.device("cpu")}) == 1
    assert torch.zeros(1, device="cpu").to(cpu).device == cpu
    with pytest.raises(RuntimeError, match="at start of device string: gpu"):
        torch.device("gpu")


# ---- data, grad, detach ----------------------------------------------------------------------------------------------
def test_data_is_outside_the_graph(torch: ModuleType) -> None:
    w = torch.ones(2, requires_grad=True)
    w.data.mul_(3)
    w.data[0] = 5.0
    assert (w.tolist(), w.data.requires_grad, w._version) == ([5.0, 3.0], False, 0)
    w.data = torch.tensor([7.0, 8.0])
    assert (w.tolist(), w.requires_grad) == ([7.0, 8.0], True)


def test_detach(torch: ModuleType) -> None:
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    z = y.detach()
    assert (z.requires_grad, z.is_leaf, z.data_ptr() == y.data_ptr()) == (False, True, True)
    y.detach_()
    assert (y.requires_grad, y.is_leaf) == (False, True)
    part = (x * 2)[:1]
    with pytest.raises(RuntimeError, match="Can't detach views in-place"):
        part.detach_()


def test_grad_can_be_set(torch: ModuleType) -> None:
    x = torch.ones(2, requires_grad=True)
    x.grad = torch.tensor([1.0, 2.0])
    (x * 1).sum().backward()
    assert x.grad.tolist() == [2.0, 3.0]
    x.grad = None
    assert x.grad is None


def test_requires_grad_can_be_switched(torch: ModuleType) -> None:
    x = torch.ones(2)
    assert x.requires_grad_() is x
    assert x.requires_grad
    x.requires_grad = False
    assert not (x * 2).requires_grad
    with pytest.raises(RuntimeError):
        torch.ones(2, dtype=torch.int64).requires_grad = True


# ---- copying and pickling --------------------------------------------------------------------------------------------
def test_deepcopy(torch: ModuleType) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x * 3).sum().backward()
    other, same = copy.deepcopy([x, x])
    assert other is same
    assert (other.tolist(), other.grad.tolist(), other.requires_grad) == ([1.0, 2.0], [3.0, 3.0], True)
    other.data.add_(1)
    assert x.tolist() == [1.0, 2.0]
    assert copy.copy(x).data_ptr() == x.data_ptr()


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(torch: ModuleType, protocol: int) -> None:
    x = torch.arange(6.0).reshape(2, 3).t().requires_grad_()
    again = pickle.loads(pickle.dumps(x, protocol))
    assert (again.tolist(), again.requires_grad, again.dtype) == (x.tolist(), True, torch.float32)
    parameter = torch.nn.Parameter(torch.ones(2))
    assert isinstance(pickle.loads(pickle.dumps(parameter, protocol)), torch.nn.Parameter)


def test_attributes_of_ones_own(torch: ModuleType) -> None:
    x = torch.ones(2)
    x.note = "kept"
    assert (copy.deepcopy(x).note, pickle.loads(pickle.dumps(x)).note) == ("kept", "kept")


# ---- NumPy's protocols -----------------------------------------------------------------------------------------------
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_asarray_shares_memory(torch: ModuleType) -> None:
    x = torch.zeros(3)
    np.asarray(x)[0] = 5.0
    assert x.tolist() == [5.0, 0.0, 0.0]
    assert np.asarray(x, dtype=np.int64).tolist() == [5, 0, 0]
    copied = np.array(x)
    copied[1] = 7.0
    assert x.tolist() == [5.0, 0.0, 0.0]


def test_dlpack(torch: ModuleType) -> None:
    x = torch.arange(3.0)
    array = np.from_dlpack(x)
    x[0] = 9.0
    assert array.tolist() == [9.0, 1.0, 2.0]
    assert torch.from_dlpack(np.arange(3.0)).tolist() == [0.0, 1.0, 2.0]
    assert x.__dlpack_device__() == (1, 0)
    with pytest.raises((RuntimeError, BufferError), match="grad"):
        np.from_dlpack(torch.ones(1, requires_grad=True))


def test_an_array_on_the_left_gives_a_tensor() -> None:
    x = mini_torch.tensor([1.0, 2.0], requires_grad=True)
    for y in (np.array([3.0, 4.0], np.float32) * x, np.float32(3) * x, np.multiply(np.ones(2, np.float32), x)):
        assert isinstance(y, mini_torch.Tensor)
        assert (y.requires_grad, y.dtype) == (True, mini_torch.float32)


def test_numpy_functions_have_gradients() -> None:
    x = mini_torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = np.sum(np.exp(x) * np.sin(x), axis=0).sum() + np.mean(x)
    (y + np.concatenate([x, x]).sum() + np.where(x > 1, x, 0).sum()).backward()
    array = x.detach().numpy()
    expected = np.exp(array) * (np.sin(array) + np.cos(array)) + 0.25 + 2 + (array > 1)
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-5)


def test_what_numpy_cannot_do_with_tensors_says_so() -> None:
    x = mini_torch.ones(2)
    with pytest.raises(TypeError, match=r"np\.median has no counterpart for tensors"):
        np.median(x)
    with pytest.raises(TypeError, match=r"np\.spacing has no counterpart for tensors"):
        np.spacing(x)
    with pytest.raises(TypeError, match=r"np\.multiply\.outer has no counterpart"):
        np.multiply.outer(x, x)
    with pytest.raises(TypeError, match="cannot write into a tensor"):
        np.exp(x, out=np.zeros(2))


def test_the_module_is_callable() -> None:
    import mini_torch.tensor as module
    from mini_torch.tensor import Tensor

    assert mini_torch.tensor is module
    assert isinstance(mini_torch.tensor([1.0]), Tensor)
    assert module.Tensor is mini_torch.Tensor


def test_for_programs_that_move_tensors_about() -> None:
    x = mini_torch.ones(2)
    assert x.cpu() is x.pin_memory() is x.share_memory_() is x
    for move in (x.cuda, lambda: x.to("cuda"), lambda: mini_torch.zeros(1, device="cuda")):
        with pytest.raises(AssertionError, match=r"not compiled with CUDA.*computes on the CPU"):
            move()
    with pytest.raises(RuntimeError, match="computes on the CPU"):
        x.to("mps")
    with pytest.raises(RuntimeError, match="Cannot access accelerator"):
        x.to(0)
    with mini_torch.device("cpu") as device:
        assert mini_torch.ones(1).device == device


def test_names_complete() -> None:
    assert {"exp", "shape", "backward", "reshape"} <= set(dir(mini_torch.ones(1)))


# ---- old names -------------------------------------------------------------------------------------------------
def test_new(torch: ModuleType) -> None:
    x = torch.ones(2, 3, dtype=torch.float64)
    assert [tuple(x.new(*size).shape) for size in ((), (2,), (2, 3), (torch.Size([4, 1]),))] == [
        (0,), (2,), (2, 3), (4, 1),
    ]  # fmt: skip
    made = x.new([1, 2])
    assert (made.tolist(), made.dtype) == ([1, 2], torch.float64)
    assert x.new(x).data_ptr() == x.data_ptr()
    with pytest.raises(TypeError):
        x.new(x.float())
    with pytest.raises(TypeError, match=r"new\(\): data must be a sequence \(got float\)"):
        x.new(2.5)


def test_as_subclass_and_reversed(torch: ModuleType) -> None:
    class Special(torch.Tensor):  # type: ignore[name-defined, misc]
        pass

    x = torch.ones(2, requires_grad=True)
    y = x.as_subclass(Special)
    assert (type(y), y.data_ptr()) == (Special, x.data_ptr())
    (y * 3).sum().backward()
    assert x.grad.tolist() == [3, 3]
    with pytest.raises(TypeError, match="class that does not inherit from Tensor"):
        x.as_subclass(int)
    assert reversed(torch.arange(3)).tolist() == [2, 1, 0]
    assert reversed(torch.tensor(3)).item() == 3
    assert torch.newaxis is None
    assert not isinstance(x, torch.BFloat16Tensor)


NUMPYS_NUMBERS: list[tuple[Any, str]] = [
    ([np.float64(2), 1], "float64"), ([[np.int8(1)]], "int8"), ([np.float32(2), 2.5], "float32"),
    ([np.uint8(3)], "uint8"), ([np.uint8(1), np.int8(1)], "int16"), ((np.complex64(1),), "complex64"),
    ([np.int32(1), 2.5], "float32"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "kind"), NUMPYS_NUMBERS, ids=repr)
@pytest.mark.parametrize("library", ["mini_torch", "torch"])
def test_numpys_numbers_in_a_list_keep_their_type(library: str, data: Any, kind: str) -> None:
    torch = pytest.importorskip(library)
    assert torch.tensor(data).dtype == getattr(torch, kind)


# ---- in place --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["add_", "sub_", "mul_", "div_", "__iadd__", "__itruediv__", "copy_"])
@pytest.mark.parametrize("other", [2.5, 3, "tensor", "row", "double", "int", "self"])
def test_in_place_is_what_the_function_gives(torch: ModuleType, name: str, other: object) -> None:
    x = torch.arange(6.0).reshape(2, 3) + 1
    others = {"tensor": x.flip(0), "row": x[0].clone(), "double": x.double(), "int": x.long(), "self": x}
    second = others[other] if isinstance(other, str) else other
    if name == "copy_":
        second = second if isinstance(other, str) else torch.tensor(second)
        expected = (second + torch.zeros(2, 3)).tolist()
    else:
        expected = getattr(x.clone(), name.strip("_").removeprefix("i").replace("true", ""))(second).tolist()
    for start in (x.clone(), x.T.clone().T, torch.cat([x, x])[::2] * 0 + x):
        version, memory = start._version, start.data_ptr()
        assert getattr(start, name)(start if other == "self" else second) is start
        assert start.tolist() == pytest.approx(expected) if start.dim() == 1 else start.tolist() == expected
        assert (start._version, start.data_ptr(), start.dtype) == (version + 1, memory, torch.float32)


def test_in_place_by_multiples(torch: ModuleType) -> None:
    x, y = torch.ones(2, 2), torch.tensor([1.0, 2.0])
    assert x.add_(y, alpha=0.5).tolist() == [[1.5, 2], [1.5, 2]]
    assert x.sub_(y, alpha=2).tolist() == [[-0.5, -2], [-0.5, -2]]
    assert x.add_(1.0, alpha=2.0).tolist() == [[1.5, 0], [1.5, 0]]
    with pytest.raises(RuntimeError):
        y.add_(x)
    assert y.tolist() == [1, 2]


def test_in_place_and_history(torch: ModuleType) -> None:
    w = torch.ones(2, requires_grad=True)
    with torch.no_grad():
        w.mul_(3.0)
        w.copy_(w + 1)
        w.fill_(2.0)
        w.zero_()
        w.add_(torch.ones(2))
    assert (w.is_leaf, w.tolist(), w.requires_grad) == (True, [1, 1], True)
    x = torch.ones(2)
    y = w * x
    x.add_(1.0)  # w's gradient needs the old x
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
    base = torch.zeros(2, 2)
    base[0].add_(w * 2)  # a view of what has no history gets one
    assert base.requires_grad
    base.sum().backward()
    assert w.grad.tolist() == [2, 2]
