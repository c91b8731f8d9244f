"""Views: shared memory, strides, writing through to the base and its gradient, and what PyTorch refuses."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mini_torch
from mini_torch import Tensor

View = Callable[[Any], Any]

VIEWS: dict[str, View] = {
    "x.T": lambda x: x.permute(*range(x.ndim - 1, -1, -1)),
    "x[0]": lambda x: x[0],
    "x[1:]": lambda x: x[1:],
    "x[..., ::2]": lambda x: x[..., ::2],
    "x[:, None]": lambda x: x[:, None],
    "x.unsqueeze(-1)": lambda x: x.unsqueeze(-1),
    "x.squeeze()": lambda x: x.squeeze(),
    "x.flatten()": lambda x: x.flatten() if x.is_contiguous() else x,
    "x.diagonal(1)": lambda x: x.diagonal(1) if x.ndim > 1 else x,
    "x.unfold(0, 2, 2)": lambda x: x.unfold(0, 2, 2) if x.ndim and len(x) > 1 else x,
    "x.narrow(0, 0, 1)": lambda x: x.narrow(0, 0, 1) if x.ndim and len(x) else x,
    "x.split(2)[0]": lambda x: x.split(2)[0] if x.ndim else x,
    "x.chunk(2, -1)[-1]": lambda x: x.chunk(2, -1)[-1] if x.ndim else x,
    "x.unbind(-1)[0]": lambda x: x.unbind(-1)[0] if x.ndim and x.shape[-1] else x,
    "x.movedim(0, -1)": lambda x: x.movedim(0, -1),
    "x.view_as(x)": lambda x: x.view_as(x),
    "x.unflatten(0, (-1, 1))": lambda x: x.unflatten(0, (-1, 1)) if x.ndim and len(x) else x,
    "x.as_strided((2, 2), (1, 2))": lambda x: x.as_strided((2, 2), (1, 2)) if x.numel() > 5 and x._base is None else x,
}


def applied(names: list[str], x: Any) -> Any:
    for name in names:
        try:
            x = VIEWS[name](x)
        except IndexError:  # no such dimension after the views before
            continue
    return x


@given(
    st.lists(st.sampled_from(sorted(VIEWS)), min_size=1, max_size=4),
    st.sampled_from([(3, 4), (2, 3, 4), (6,), (1, 4), (4, 1, 2)]),
    st.sampled_from(["mul_", "copy_", "fill_", "item"]),
)
def test_a_write_through_views_reaches_the_base_and_its_gradient(
    names: list[str], shape: tuple[int, ...], how: str
) -> None:
    """Where a view's elements are in the base is asked of the same views of the base's positions."""
    places = applied(names, mini_torch.arange(math.prod(shape)).reshape(shape).clone())
    leaf = mini_torch.rand(shape, dtype=mini_torch.float64, requires_grad=True)
    value = mini_torch.rand(places.shape, dtype=mini_torch.float64, requires_grad=True)
    base = leaf * 1
    before = base.detach().numpy().reshape(-1).copy()
    view = applied(names, base)
    assert np.shares_memory(view.detach().numpy(), base.detach().numpy()) or not places.numel()
    at = places.numpy().reshape(-1)
    expected = before.copy()
    if how == "mul_":
        view.mul_(value)
        expected[at] *= value.detach().numpy().reshape(-1)
    elif how == "fill_":
        view.fill_(0.5)
        expected[at] = 0.5
    else:
        view.copy_(value) if how == "copy_" else view.__setitem__(..., value)
        expected[at] = value.detach().numpy().reshape(-1)
    np.testing.assert_allclose(base.detach().numpy().reshape(-1), expected)
    np.testing.assert_allclose(view.detach().numpy().reshape(-1), expected[at])

    g = np.random.default_rng(0).uniform(1.0, 2.0, shape)
    (base * mini_torch.tensor(g)).sum().backward()
    flat = g.reshape(-1)
    old, new = flat.copy(), flat[at]
    old[at] = flat[at] * value.detach().numpy().reshape(-1) if how == "mul_" else 0
    np.testing.assert_allclose(leaf.grad.numpy().reshape(-1), old)
    if how != "fill_":
        factor = before[at] if how == "mul_" else 1.0
        np.testing.assert_allclose(value.grad.numpy().reshape(-1), new * factor)


@given(st.lists(st.sampled_from(sorted(VIEWS)), min_size=1, max_size=4), st.sampled_from([(3, 4), (2, 3, 4), (6,)]))
def test_gradients_of_views_are_placed_back(names: list[str], shape: tuple[int, ...]) -> None:
    leaf = mini_torch.rand(shape, dtype=mini_torch.float64, requires_grad=True)
    if not applied(names, leaf).numel():
        return
    assert mini_torch.autograd.gradcheck(lambda x: applied(names, x) ** 2, leaf)
    assert mini_torch.autograd.gradgradcheck(lambda x: applied(names, x) ** 3, leaf)


# ---- strides ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("code", "stride", "offset"),
    [
        ("x", (12, 4, 1), 0),
        ("x.permute(2, 1, 0)", (1, 4, 12), 0),
        ("x.mT", (12, 1, 4), 0),
        ("x[1, 1:]", (4, 1), 16),
        ("x[..., 1::2]", (12, 4, 2), 1),
        ("x.expand(5, 2, 3, 4)", (0, 12, 4, 1), 0),
        ("x[:, :1].expand(2, 3, 4)", (12, 0, 1), 0),
        ("x.diagonal(1, 1, 2)", (12, 5), 1),
        ("x.unfold(2, 2, 2)", (12, 4, 2, 1), 0),
        ("x.unsqueeze(1)", (12, 12, 4, 1), 0),
        ("x.mT.unsqueeze(-1)", (12, 1, 4, 1), 0),
        ("x[1].as_strided((2, 2), (1, 2))", (1, 2), 12),
        ("x[1].as_strided((2, 2), (1, 2), 3)", (1, 2), 3),
        ("x.view(2, 2, 6)", (12, 6, 1), 0),
        ("x.permute(1, 0, 2).view(3, 2, 2, 2)", (4, 12, 2, 1), 0),
        ("x[:, :, :2].reshape(6, 2)", (4, 1), 0),
        ("x.mT.reshape(-1)", (1,), 0),
        ("x.mT.contiguous()", (12, 3, 1), 0),
        ("x.mT.clone()", (12, 1, 4), 0),
        ("x[:1].expand(2, 3, 4).clone()", (12, 4, 1), 0),
        ("x[:1].expand(2, 3, 4).double()", (12, 4, 1), 0),
        ("torch.zeros_like(x.mT)", (12, 1, 4), 0),
        ("x[:, torch.tensor([0, 2])]", (8, 4, 1), 0),
        ("x.view(1, 2, 3, 4).contiguous(memory_format=torch.channels_last)", (24, 1, 8, 2), 0),
        ("torch.empty_permuted((2, 3, 4), (2, 0, 1))", (3, 1, 6), 0),
        ("torch.empty_strided((2, 3), (1, 2))", (1, 2), 0),
        ("x.view(torch.float64)", (6, 2, 1), 0),
        ("x.mT.detach()[0]", (1, 4), 0),
        ("torch.view_as_complex(x.view(2, 6, 2)[:, 1:])", (6, 1), 1),
        ("torch.view_as_real(torch.zeros(2, 3, dtype=torch.complex64).T)", (2, 6, 1), 0),
        ("torch.zeros(2, 3, dtype=torch.complex64)[1].imag", (2,), 7),
    ],
)
def test_strides(torch: ModuleType, code: str, stride: tuple[int, ...], offset: int) -> None:
    view = eval(code, {"torch": torch, "x": torch.zeros(2, 3, 4)})
    assert (tuple(view.stride()), view.storage_offset()) == (stride, offset)


@pytest.mark.parametrize(
    ("code", "fits"),
    [
        ("x.view(-1)", True), ("x.mT.view(-1)", False), ("x.mT.view(2, 12)", False), ("x.mT.view(2, 2, 2, 3)", True),
        ("x[:, ::2].view(2, 2, 2, 2)", True), ("x[:, ::2].view(-1)", False), ("x[:, :2].view(2, 8)", True),
        ("x[:, :2].view(16)", False), ("x.expand(2, 2, 3, 4).view(2, 24)", True),
        ("x.expand(2, 2, 3, 4).view(48)", False), ("x[:0].mT.view(0)", True), ("x[:, :1].view(8)", False),
        ("x[:1].view(12)", True), ("x[:, :, :1].view(6)", True),
    ],
)  # fmt: skip
def test_view_fits_where_pytorchs_does(torch: ModuleType, code: str, fits: bool) -> None:
    x = torch.zeros(2, 3, 4)
    if fits:
        eval(code, {"x": x})
        return
    with pytest.raises(RuntimeError, match="view size is not compatible with input tensor's size and stride"):
        eval(code, {"x": x})
    copied = eval(code.replace("view", "reshape"), {"x": x})
    copied.fill_(1)
    assert not x.any()


def test_memory_formats(torch: ModuleType) -> None:
    x = torch.zeros(2, 3, 4, 5)
    y = x.to(memory_format=torch.channels_last)
    assert y.shape == x.shape
    assert y.is_contiguous(memory_format=torch.channels_last)
    assert not y.is_contiguous()
    assert y.contiguous(memory_format=torch.channels_last) is y
    assert y.contiguous().is_contiguous()
    with pytest.raises(RuntimeError, match="required rank 4 tensor to use channels_last format"):
        x[0].contiguous(memory_format=torch.channels_last)


# ---- writing ---------------------------------------------------------------------------------------------------------
def test_expanded_elements_are_not_written_to(torch: ModuleType) -> None:
    x = torch.zeros(3).expand(2, 3)
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor refers to a single memory"):
        x.add_(1)
    torch.zeros(3).expand(1, 3).add_(1)  # nothing is repeated here


def test_a_view_of_a_leaf_that_wants_a_gradient_is_not_written_to(torch: ModuleType) -> None:
    x = torch.zeros(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad is being used in an in-place"):
        x[0] = 1
    with torch.no_grad():
        x[0] = 1
    assert x.tolist() == [1, 0, 0]


def test_a_write_makes_what_was_saved_stale(torch: ModuleType) -> None:
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    z = y**2
    y[1:].mul_(3)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_the_version_is_that_of_the_base(torch: ModuleType) -> None:
    x = torch.zeros(2, 3)
    y = x.T[0]
    y.add_(1)
    x.diagonal().fill_(2)
    y.detach().zero_()
    assert (x._version, y._version) == (3, 3)
    assert y._base is x


def test_as_strided_adds_up_what_meets(torch: ModuleType) -> None:
    x = torch.arange(5.0, dtype=torch.float64).requires_grad_()
    windows = x.as_strided((4, 2), (1, 1))
    windows.sum().backward()
    assert x.grad.tolist() == [1, 2, 2, 2, 1]
    y = x * 1
    y.as_strided((2,), (3,), 1).mul_(10)
    (g,) = torch.autograd.grad(y.sum(), x)
    assert g.tolist() == [1, 10, 1, 1, 10]
    with pytest.raises(RuntimeError, match="out of bounds for storage of size 40"):
        x.as_strided((3, 3), (2, 1))


def test_views_in_place(torch: ModuleType) -> None:
    leaf = torch.arange(6.0, requires_grad=True)
    x = (leaf * 1).view(2, 3)
    assert x.t_() is x
    assert x.shape == (3, 2)
    x.unsqueeze_(0).squeeze_().transpose_(0, 1)
    (x * torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])).sum().backward()
    assert leaf.grad.tolist() == [1, 2, 3, 4, 5, 6]
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        leaf.unsqueeze_(0)


def test_resize_and_set(torch: ModuleType) -> None:
    x = torch.arange(6)
    assert x.resize_(2, 2).tolist() == [[0, 1], [2, 3]]
    assert x.resize_(6).tolist() == [0, 1, 2, 3, 4, 5]  # the memory was kept
    y = torch.zeros(3)
    z = torch.ones(2)
    y.set_(z)
    z.add_(1)
    assert y.tolist() == [2, 2]
    assert y.untyped_storage().data_ptr() == z.untyped_storage().data_ptr()
    with pytest.raises(RuntimeError, match="cannot resize variables that require grad"):
        torch.zeros(3, requires_grad=True).resize_(2)


def test_another_type_of_the_same_bytes(torch: ModuleType) -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    bits = x.view(torch.int32)
    bits[0, 0] = 0
    assert x[0, 0] == 0
    assert x.view(torch.uint8).shape == (2, 8)
    with pytest.raises(RuntimeError, match=r"self.size\(-1\) must be divisible by 2 to view Float as Double"):
        x[:, :1].view(torch.float64)
    with pytest.raises(RuntimeError, match=r"self.stride\(-1\) must be 1 to view Float as Half"):
        x.T.view(torch.float16)


# ---- complex numbers as pairs ----------------------------------------------------------------------------------------
def test_parts_are_views(torch: ModuleType) -> None:
    z = torch.tensor([1 + 2j, 3 + 4j])
    z.real.mul_(10)
    z.imag[1] = -1
    z.real = z.real + 1
    assert z.tolist() == [11 + 2j, 31 - 1j]
    pairs = torch.view_as_real(z)
    pairs[:, 0] = 0
    assert torch.view_as_complex(pairs).tolist() == [2j, -1j]
    with pytest.raises(RuntimeError, match="imag is not implemented for tensors with non-complex dtypes"):
        pairs.imag  # noqa: B018
    assert pairs.real is pairs


@pytest.mark.parametrize(
    "code",
    ["z.real**3", "z.imag * z.imag", "torch.view_as_real(z)[:, 0] ** 2", "torch.view_as_complex(x) ** 2",
     "torch.view_as_real(torch.view_as_complex(x) * z)"],
)  # fmt: skip
def test_gradients_of_parts(code: str) -> None:
    x = mini_torch.rand(3, 2, dtype=mini_torch.float64, requires_grad=True)
    z = mini_torch.rand(3, dtype=mini_torch.complex128, requires_grad=True)

    def run(x: Tensor, z: Tensor) -> Tensor:
        return eval(code, {"torch": mini_torch, "x": x, "z": z})

    assert mini_torch.autograd.gradcheck(run, (x, z))
    assert mini_torch.autograd.gradgradcheck(run, (x, z))


def test_a_write_into_a_part_reaches_the_gradient(torch: ModuleType) -> None:
    leaf = torch.tensor([1 + 2j, 3 + 4j], dtype=torch.complex128, requires_grad=True)
    value = torch.tensor([5.0, 6.0], dtype=torch.float64, requires_grad=True)
    z = leaf * 1
    z.imag.copy_(value)
    (z * z).real.sum().backward()  # Σ re² - im²
    assert leaf.grad.tolist() == [2, 6]
    assert value.grad.tolist() == [-10, -12]


# ---- copies, and writing without writing -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("copy", "view"),
    [
        ("view_copy(x, (4, 3))", "x.view(4, 3)"), ("t_copy(x)", "x.t()"), ("diagonal_copy(x)", "x.diagonal()"),
        ("as_strided_copy(x, (2, 2), (1, 2))", "x.as_strided((2, 2), (1, 2))"), ("alias_copy(x)", "x"),
        ("expand_copy(x, (2, 3, 4))", "x.expand(2, 3, 4)"), ("permute_copy(x, (1, 0))", "x.permute(1, 0)"),
        ("unfold_copy(x, 1, 2, 2)", "x.unfold(1, 2, 2)"), ("select_copy(x, 1, 2)", "x.select(1, 2)"),
        ("narrow_copy(x, 1, 1, 2)", "x.narrow(1, 1, 2)"), ("unsqueeze_copy(x, 0)", "x.unsqueeze(0)"),
        ("squeeze_copy(x)", "x"), ("transpose_copy(x, 0, 1)", "x.T"), ("unbind_copy(x)[1]", "x[1]"),
        ("split_with_sizes_copy(x, [1, 2])[1]", "x[1:]"),
    ],
)  # fmt: skip
def test_copies_of_views(torch: ModuleType, copy: str, view: str) -> None:
    x = torch.arange(12.0).reshape(3, 4)
    copied, viewed = eval(f"torch.{copy}", {"torch": torch, "x": x}), eval(view, {"x": x})
    assert copied.tolist() == viewed.tolist()
    copied.fill_(-1)
    assert x.min() == 0


@pytest.mark.parametrize(
    "code",
    ["torch.select_scatter(x, v, 0, -1)", "torch.slice_scatter(x, m, 1, 1, 4, 2)", "torch.diagonal_scatter(x, d)",
     "torch.as_strided_scatter(x, d, (3,), (4,), 1)"],
)  # fmt: skip
def test_written_into_a_copy(code: str) -> None:
    """The values are those of writing into the view; derivatives of both orders are right (PyTorch's own first
    derivative of `as_strided_scatter` is not)."""
    sizes = {"x": (3, 4), "v": (4,), "m": (3, 2), "d": (3,)}
    inputs = {name: mini_torch.rand(size, dtype=mini_torch.float64, requires_grad=True) for name, size in sizes.items()}
    used = [name for name in inputs if f"{name}," in code or f"{name})" in code]

    def run(*values: Tensor) -> Tensor:
        return eval(code, {"torch": mini_torch, **dict(zip(used, values))}) ** 2

    start = inputs["x"].detach().clone()
    changed = eval(code, {"torch": mini_torch, **inputs})
    assert mini_torch.equal(inputs["x"].detach(), start)
    assert (changed != start).sum() == inputs[used[-1]].numel()
    assert mini_torch.autograd.gradcheck(run, [inputs[name] for name in used])
    assert mini_torch.autograd.gradgradcheck(run, [inputs[name] for name in used])


def test_diagonals_filled_in_place(torch: ModuleType) -> None:
    assert torch.zeros(3, 2).fill_diagonal_(1).tolist() == [[1, 0], [0, 1], [0, 0]]
    assert torch.zeros(5, 2).fill_diagonal_(1, wrap=True).tolist() == [[1, 0], [0, 1], [0, 0], [1, 0], [0, 1]]
    assert torch.zeros(2, 2, 2).fill_diagonal_(1).sum() == 2
    with pytest.raises(RuntimeError, match="all dimensions of input must be of equal length"):
        torch.zeros(2, 3, 4).fill_diagonal_(1)


def test_who_shares_what(torch: ModuleType) -> None:
    x = torch.zeros(2, 3)
    assert x.T.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    assert x[1:].untyped_storage().nbytes() == 24
    assert x.is_set_to(x.view(2, 3))
    assert not x.is_set_to(x.clone())
    assert (x.T.dim_order(), x.layout) == ((1, 0), torch.strided)
    assert x.apply_(lambda v: v + 2).map_(torch.ones(3), lambda a, b: a - b).sum() == 6


@pytest.mark.parametrize(
    "code",
    ["torch.cat([x, y], out=x)", "torch.cat([x, y], out=x[:2])", "torch.gather(y, 0, i, out=y)",
     "torch.cumsum(x[1:], 0, out=x[:-1])", "torch.index_select(x, 0, i, out=x[:1].expand(3))"],
)  # fmt: skip
def test_out_is_apart_from_the_inputs(torch: ModuleType, code: str) -> None:
    names = {"torch": torch, "x": torch.zeros(4), "y": torch.zeros(3), "i": torch.tensor([2, 1, 0])}
    with pytest.raises(RuntimeError, match="unsupported operation"):
        eval(code, names)


def test_out_may_be_an_input_where_elements_stay_in_place(torch: ModuleType) -> None:
    x = torch.tensor([3.0, 1.0])
    assert torch.cumsum(x, 0, out=x) is x
    assert torch.clamp(x, 0, 3.5, out=x).tolist() == [3, 3.5]
