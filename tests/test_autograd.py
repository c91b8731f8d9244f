"""Backward and what surrounds it: arguments, hooks, custom functions, anomaly detection, inference mode, checks."""

from __future__ import annotations

import gc
import weakref
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import mini_torch
from mini_torch import nn


# ---- backward and grad -----------------------------------------------------------------------------------------------
def test_backward_adds_to_grad(torch: ModuleType) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    for _ in range(2):
        (x * 3).sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]


def test_backward_takes_the_outputs_gradient(torch: ModuleType) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x * x).backward(torch.tensor([1.0, 10.0]))
    assert x.grad.tolist() == [2.0, 40.0]


def test_backward_of_several(torch: ModuleType) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    torch.autograd.backward([y.sum(), y, x], [None, torch.ones(2), torch.tensor([5.0, 7.0])])
    assert x.grad.tolist() == [9.0, 11.0]


def test_backward_to_some_inputs_only(torch: ModuleType) -> None:
    x, w = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    y = x * w
    (y * y).sum().backward(inputs=[x, y])
    assert (x.grad.tolist(), w.grad) == ([2.0, 2.0], None)
    with pytest.raises(RuntimeError, match="cannot be empty"):
        (x * w).sum().backward(inputs=[])


def test_a_retained_graph_can_be_walked_again(torch: ModuleType) -> None:
    x = torch.tensor(2.0, requires_grad=True)
    y = x.exp()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == pytest.approx(2 * np.exp(2))
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


@pytest.mark.filterwarnings("ignore:Using backward")
def test_create_graph_gives_gradients_with_a_history(torch: ModuleType) -> None:
    x = torch.tensor(3.0, requires_grad=True)
    (x**3).backward(create_graph=True)
    assert x.grad.requires_grad
    first = x.grad
    x.grad = None
    first.backward()
    assert (first.item(), x.grad.item()) == (27.0, 18.0)


def test_grad_touches_no_leaf(torch: ModuleType) -> None:
    x, w = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    y = x * w * 3
    gx, gy = torch.autograd.grad(y.sum(), [x, y], retain_graph=True)
    assert (gx.tolist(), gy.tolist(), x.grad, w.grad) == ([3.0, 3.0], [1.0, 1.0], None, None)
    assert not gx.requires_grad


def test_grad_of_what_was_not_used(torch: ModuleType) -> None:
    x, w = torch.ones(2, requires_grad=True), torch.ones(3, requires_grad=True)
    assert torch.autograd.grad((x * 2).sum(), [x, w], allow_unused=True)[1] is None
    zeros = torch.autograd.grad((x * 2).sum(), [x, w], materialize_grads=True)[1]
    assert zeros.tolist() == [0.0, 0.0, 0.0]
    with pytest.raises(RuntimeError, match="to not have been used"):
        torch.autograd.grad((x * 2).sum(), [x, w])


def test_a_batch_of_gradients_gives_a_jacobian(torch: ModuleType) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = torch.stack([x[0] * x[1], x[0] ** 2])
    (jacobian,) = torch.autograd.grad(y, x, torch.eye(2), is_grads_batched=True)
    assert jacobian.tolist() == [[2.0, 1.0], [2.0, 0.0]]


def test_backward_inside_no_grad(torch: ModuleType) -> None:
    x = torch.tensor(2.0, requires_grad=True)
    y = x * x
    with torch.no_grad():
        y.backward()
    assert x.grad.item() == 4.0


def test_retain_grad_keeps_an_inner_gradient(torch: ModuleType) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    y.retain_grad()
    y.retain_grad()
    x.retain_grad()  # a leaf has its gradient anyway
    (y * y).sum().backward()
    assert (y.grad.tolist(), y.retains_grad, x.retains_grad) == ([4.0, 8.0], True, False)


def test_the_graph_can_be_looked_at(torch: ModuleType) -> None:
    x, w = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0)
    y = (x * w).sin()
    assert y.grad_fn.name() == "SinBackward0"
    inner = y.grad_fn.next_functions[0][0]
    assert inner.name() == "MulBackward0"
    (leaf, place), (nothing, _) = inner.next_functions
    assert (leaf.variable is x, place, nothing) == (True, 0, None)
    assert leaf.name().endswith("AccumulateGrad")
    assert "SinBackward0 object at 0x" in repr(y.grad_fn)
    assert len({leaf, inner.next_functions[0][0]}) == 1


# ---- hooks -----------------------------------------------------------------------------------------------------------
def test_a_hook_may_replace_the_gradient(torch: ModuleType) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: g + 1)
    y.sum().backward()
    assert x.grad.tolist() == [21.0, 21.0]


def test_hooks_run_in_order_and_can_be_removed(torch: ModuleType) -> None:
    seen: list[str] = []
    x = torch.ones(2, requires_grad=True)
    handle = x.register_hook(lambda g: seen.append("first"))
    x.register_hook(lambda g: seen.append("second"))
    (x * 1).sum().backward()
    handle.remove()
    handle.remove()
    (x * 1).sum().backward()
    with x.register_hook(lambda g: seen.append("third")):
        pass
    (x * 1).sum().backward()
    assert seen == ["first", "second", "second", "second"]


def test_a_leafs_hook_runs_once_on_the_whole_gradient(torch: ModuleType) -> None:
    seen: list[Any] = []
    x = torch.ones(2, requires_grad=True)
    x.register_hook(lambda g: seen.append(g.tolist()))
    (x * 2 + x * 3).sum().backward()
    assert seen == [[5.0, 5.0]]


def test_a_hook_after_accumulation(torch: ModuleType) -> None:
    seen: list[Any] = []
    x = torch.ones(2, requires_grad=True)
    handle = x.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad.tolist()))
    (x * 2).sum().backward()
    (x * 2).sum().backward()
    handle.remove()
    (x * 2).sum().backward()
    assert seen == [[2.0, 2.0], [4.0, 4.0]]
    with pytest.raises(RuntimeError, match="non-leaf"):
        (x * 2).register_post_accumulate_grad_hook(print)


def test_hooks_of_a_node(torch: ModuleType) -> None:
    x = torch.ones(2, requires_grad=True)
    y = x * 3
    y.grad_fn.register_prehook(lambda grads: (grads[0] * 10,))
    y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] + outputs[0], *inputs[1:]))
    y.sum().backward()
    assert x.grad.tolist() == [40.0, 40.0]


def test_a_hook_sees_tensors_with_a_history_under_create_graph(torch: ModuleType) -> None:
    seen: list[bool] = []
    x = torch.tensor(2.0, requires_grad=True)
    y = x * x
    y.register_hook(lambda g: seen.append(isinstance(g, type(x.detach()))))
    torch.autograd.grad(y * y, x, create_graph=True)
    assert seen == [True]


# ---- custom functions ------------------------------------------------------------------------------------------------
def functions_of(torch: ModuleType) -> dict[str, Any]:
    Function = torch.autograd.Function

    class Cube(Function):  # type: ignore[misc, valid-type]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 3 * x**2 * g

    class Exp(Function):  # type: ignore[misc, valid-type]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = x.exp()
            ctx.save_for_backward(y, None)
            return y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            y, nothing = ctx.saved_tensors
            assert nothing is None
            return g * y

    class Scale(Function):  # type: ignore[misc, valid-type]
        @staticmethod
        def forward(x: Any, factor: float) -> Any:
            return x * factor

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.factor = inputs[1]

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * ctx.factor, None

    class SumAndProduct(Function):  # type: ignore[misc, valid-type]
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            ctx.save_for_backward(x, y)
            return x + y, x * y

        @staticmethod
        def backward(ctx: Any, g_sum: Any, g_product: Any) -> Any:
            x, y = ctx.saved_tensors
            return g_sum + g_product * y, g_sum + g_product * x

    class Doubled(Function):  # type: ignore[misc, valid-type]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    class Largest(Function):  # type: ignore[misc, valid-type]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            place = x.argmax()
            rank = x * 0
            ctx.mark_non_differentiable(place, rank)
            ctx.place, ctx.size = place, x.numel()
            return x.max(), place, rank

        @staticmethod
        def backward(ctx: Any, g: Any, *_: Any) -> Any:
            grad = torch.zeros(ctx.size)
            grad[ctx.place] = g
            return grad

    return {f.__name__: f for f in (Cube, Exp, Scale, SumAndProduct, Doubled, Largest)}


def test_a_custom_function_of_any_order(torch: ModuleType) -> None:
    cube, x = functions_of(torch)["Cube"], torch.tensor(2.0, requires_grad=True)
    y = cube.apply(x)
    assert (y.item(), y.grad_fn.name()) == (8.0, "CubeBackward")
    found = []
    for _ in range(3):
        (y,) = torch.autograd.grad(y, x, create_graph=True)
        found.append(y.item())
    assert found == [12.0, 12.0, 6.0]


def test_a_custom_function_may_save_its_output(torch: ModuleType) -> None:
    x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    y = functions_of(torch)["Exp"].apply(x)
    (first,) = torch.autograd.grad(y, x, create_graph=True)
    first.backward()
    assert (first.item(), x.grad.item()) == (pytest.approx(np.e), pytest.approx(np.e))


def test_a_custom_function_with_its_context_apart(torch: ModuleType) -> None:
    x = torch.ones(2, requires_grad=True)
    functions_of(torch)["Scale"].apply(x, 5.0).sum().backward()
    assert x.grad.tolist() == [5.0, 5.0]


@pytest.mark.parametrize("used", [(0,), (1,), (0, 1)])
def test_a_custom_function_with_two_outputs(torch: ModuleType, used: tuple[int, ...]) -> None:
    x, y = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    outputs = functions_of(torch)["SumAndProduct"].apply(x, y)
    sum(outputs[i] for i in used).backward()
    assert x.grad.item() == sum([1.0, 3.0][i] for i in used)
    assert y.grad.item() == sum([1.0, 2.0][i] for i in used)


def test_second_gradients_through_two_outputs(torch: ModuleType) -> None:
    x, y = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    total, product = functions_of(torch)["SumAndProduct"].apply(x, y)
    (gx,) = torch.autograd.grad(total * product, x, create_graph=True)  # (x + y) x y
    (gxy,) = torch.autograd.grad(gx, y)
    assert (gx.item(), gxy.item()) == (21.0, 10.0)


def test_a_custom_function_may_write_into_its_input(torch: ModuleType) -> None:
    x = torch.ones(2, requires_grad=True)
    y = x * 3
    z = functions_of(torch)["Doubled"].apply(y)
    (y * y).sum().backward()
    assert (z is y, y.tolist(), x.grad.tolist()) == (True, [6.0, 6.0], [72.0, 72.0])


def test_outputs_without_gradient(torch: ModuleType) -> None:
    x = torch.tensor([1.0, 5.0, 2.0], requires_grad=True)
    value, place, rank = functions_of(torch)["Largest"].apply(x)
    assert (value.requires_grad, place.requires_grad, rank.requires_grad, place.item()) == (True, False, False, 1)
    value.backward()
    assert x.grad.tolist() == [0.0, 1.0, 0.0]


def test_a_custom_function_outside_the_graph(torch: ModuleType) -> None:
    cube = functions_of(torch)["Cube"]
    assert not cube.apply(torch.tensor(2.0)).requires_grad
    with torch.no_grad():
        assert not cube.apply(torch.tensor(2.0, requires_grad=True)).requires_grad


def wrong_function(torch: ModuleType, gradients: Any) -> Any:
    class Wrong(torch.autograd.Function):  # type: ignore[name-defined]
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x + y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return gradients(g)

    x = torch.ones(2, requires_grad=True)
    return Wrong.apply(x, torch.ones(2)).sum(), x


@pytest.mark.parametrize(
    ("gradients", "words"),
    [
        (lambda g: g, "returned an incorrect number of gradients (expected 2, got 1)"),
        (lambda g: (g, None, g), "returned an incorrect number of gradients (expected 2, got 3)"),
        (lambda g: (g[:1].repeat(3), None), "returned an invalid gradient at index 0 - got [3]"),
    ],
)
def test_a_wrong_backward_is_named(torch: ModuleType, gradients: Any, words: str) -> None:
    loss, _ = wrong_function(torch, gradients)
    with pytest.raises(RuntimeError) as caught:
        loss.backward()
    assert words in str(caught.value)
    assert "WrongBackward" in str(caught.value)


def test_surplus_nones_and_broadcast_gradients_are_fine(torch: ModuleType) -> None:
    loss, x = wrong_function(torch, lambda g: (g, None, None))
    loss.backward()
    assert x.grad.tolist() == [1.0, 1.0]
    loss, x = wrong_function(torch, lambda g: (g.double().expand(3, 2), None))
    loss.backward()
    assert (x.grad.tolist(), x.grad.dtype) == ([3.0, 3.0], torch.float32)


def test_an_unfinished_function_says_what_is_missing(torch: ModuleType) -> None:
    class Empty(torch.autograd.Function):  # type: ignore[name-defined]
        pass

    with pytest.raises(NotImplementedError, match="forward"):
        Empty.apply(torch.ones(1))

    class Half(torch.autograd.Function):  # type: ignore[name-defined]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1

    with pytest.raises(NotImplementedError, match="backward"):
        Half.apply(torch.ones(1, requires_grad=True)).backward()


def test_unused_outputs_give_zeros_or_none(torch: ModuleType) -> None:
    seen: list[Any] = []

    class Both(torch.autograd.Function):  # type: ignore[name-defined]
        @staticmethod
        def forward(ctx: Any, x: Any, materialize: bool) -> Any:
            ctx.set_materialize_grads(materialize)
            return x * 1, x * 2

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            seen.append(h if h is None else h.tolist())
            seen.append(ctx.needs_input_grad)
            return g, None

    x = torch.ones(2, requires_grad=True)
    for materialize in (True, False):
        Both.apply(x, materialize)[0].sum().backward()
    assert seen == [[0.0, 0.0], (True, False), None, (True, False)]


def test_once_differentiable(torch: ModuleType) -> None:
    class Square(torch.autograd.Function):  # type: ignore[name-defined]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 2 * x * g

    x = torch.tensor(3.0, requires_grad=True)
    Square.apply(x).backward()
    assert x.grad.item() == 6.0
    (first,) = torch.autograd.grad(Square.apply(x) * x, x, create_graph=True)
    with pytest.raises(RuntimeError, match="differentiate twice"):
        first.backward()


def test_a_saved_input_that_changed_is_caught(torch: ModuleType) -> None:
    x = torch.ones(2, requires_grad=True)
    y = x * 1
    z = functions_of(torch)["Cube"].apply(y)
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_a_custom_function_leaves_no_cycle() -> None:
    gc.collect()
    gc.disable()
    try:
        cube = functions_of(mini_torch)["Exp"]
        x = mini_torch.ones(2, requires_grad=True)
        y = cube.apply(x)
        alive = weakref.ref(y)
        y.sum().backward()
        del y
        assert alive() is None
    finally:
        gc.enable()


# ---- inference mode --------------------------------------------------------------------------------------------------
def test_inference_tensors_take_no_part_in_a_graph(torch: ModuleType) -> None:
    w = torch.ones(2, requires_grad=True)
    with torch.inference_mode():
        x = w * 2
        x.add_(1)
        assert torch.is_inference_mode_enabled()
        assert not torch.is_grad_enabled()
    assert (x.is_inference(), x.requires_grad, w.is_inference()) == (True, False, False)
    (w * x.clone()).sum().backward()
    assert w.grad.tolist() == [3.0, 3.0]
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        w * x
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor outside InferenceMode"):
        x.add_(1)


def test_inference_mode_allows_what_needs_no_history(torch: ModuleType) -> None:
    """Views, writes, random numbers, whole networks: and outside, reading and viewing."""
    normal = torch.zeros(2)
    with torch.inference_mode():
        x = torch.randn(4).fill_(1.0)
        x[1:].mul_(2)
        x[0] = 5.0
        x += 1
        part = x.view(2, 2).T[1]
        layer = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(inplace=True))
        assert layer(part).is_inference()
        normal[0].add_(1)
    assert (x.tolist(), part.tolist(), normal.tolist()) == ([6.0, 3.0, 3.0, 3.0], [3.0, 3.0], [1.0, 0.0])
    assert (x[1:].sum().item(), normal.is_inference(), normal._version) == (9.0, False, 1)
    with pytest.raises(RuntimeError, match="Setting requires_grad=True on inference tensor"):
        x.requires_grad_()


def test_inference_mode_as_decorator(torch: ModuleType) -> None:
    @torch.inference_mode()
    def forward(x: Any) -> Any:
        return x * 2

    assert forward(torch.ones(1, requires_grad=True)).is_inference()
    with torch.inference_mode(False):
        assert not torch.is_inference_mode_enabled()


def test_set_grad_enabled_at_once_and_for_a_block(torch: ModuleType) -> None:
    torch.set_grad_enabled(False)
    off = torch.is_grad_enabled()
    torch.set_grad_enabled(True)
    with torch.set_grad_enabled(False):
        inside = torch.is_grad_enabled()

    @torch.set_grad_enabled(False)
    def decorated() -> bool:
        return bool(torch.is_grad_enabled())

    assert (off, inside, decorated(), torch.is_grad_enabled()) == (False, False, False, True)


@pytest.mark.parametrize("guard", ["no_grad", "enable_grad"])
def test_a_guard_without_parentheses(torch: ModuleType, guard: str) -> None:
    @getattr(torch, guard)
    def decorated() -> bool:
        return bool(torch.is_grad_enabled())

    with torch.no_grad():
        assert decorated() is (guard == "enable_grad")


# ---- anomaly detection -----------------------------------------------------------------------------------------------
@pytest.mark.filterwarnings("ignore:Anomaly Detection has been enabled")
@pytest.mark.filterwarnings("ignore:Error detected in")
def test_anomaly_mode_names_the_operation_that_made_nan(torch: ModuleType) -> None:
    x = torch.tensor(0.0, requires_grad=True)
    with torch.autograd.detect_anomaly(), pytest.raises(RuntimeError, match="'SqrtBackward0' returned nan values"):
        (x.sqrt() * 0).backward()
    x.grad = None
    (x.sqrt() * 0).backward()
    assert np.isnan(x.grad.item())


@pytest.mark.filterwarnings("ignore:Anomaly Detection has been enabled")
@pytest.mark.filterwarnings("ignore:Error detected in")
def test_anomaly_mode_may_ignore_nan(torch: ModuleType) -> None:
    x = torch.tensor(0.0, requires_grad=True)
    with torch.autograd.detect_anomaly(check_nan=False):
        (x.sqrt() * 0).backward()
    with torch.autograd.set_detect_anomaly(True), pytest.raises(RuntimeError, match="returned nan"):
        (x.sqrt() * 0).backward()
    (x.sqrt() * 0).backward()


def test_anomaly_mode_shows_where_the_operation_was_called() -> None:
    x = mini_torch.tensor(0.0, requires_grad=True)
    with mini_torch.autograd.detect_anomaly(), pytest.raises(RuntimeError) as caught:
        (x.sqrt() * 0).backward()  # this line
    assert "(x.sqrt() * 0).backward()  # this line" in str(caught.value)
    assert __file__ in str(caught.value)


def test_anomaly_mode_shows_the_forward_of_a_failing_backward() -> None:
    x = mini_torch.ones(2, requires_grad=True)
    with mini_torch.autograd.detect_anomaly():
        y = (x * 1).exp()
        z = y * y  # this line
        y.add_(1)
        with pytest.raises(RuntimeError, match="modified by an inplace operation") as caught:
            z.sum().backward()
    said = str(caught.value) + "".join(getattr(caught.value, "__notes__", []))
    assert "z = y * y  # this line" in said


# ---- gradcheck -------------------------------------------------------------------------------------------------------
def doubles(torch: ModuleType, *values: float) -> Any:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def test_gradcheck_accepts_what_is_right(torch: ModuleType) -> None:
    x, y = doubles(torch, 1.0, 2.0), doubles(torch, 3.0, 4.0)
    assert torch.autograd.gradcheck(lambda a, b: (a * b, a.sin()), (x, y))
    assert torch.autograd.gradgradcheck(lambda a, b: a * a * b, (x, y))
    assert torch.autograd.gradgradcheck(lambda a: a * a, x, torch.ones(2, dtype=torch.float64, requires_grad=True))


def test_gradcheck_finds_what_is_wrong(torch: ModuleType) -> None:
    class Wrong(torch.autograd.Function):  # type: ignore[name-defined]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return x.detach() * g * 2.1

    x = doubles(torch, 1.0, 2.0)
    with pytest.raises(RuntimeError, match="Jacobian mismatch for output 0 with respect to input 0"):
        torch.autograd.gradcheck(Wrong.apply, (x,))
    assert not torch.autograd.gradcheck(Wrong.apply, (x,), raise_exception=False)
    assert not torch.autograd.gradgradcheck(Wrong.apply, (x,), raise_exception=False)


def test_gradcheck_wants_an_input_with_gradient(torch: ModuleType) -> None:
    with pytest.raises(ValueError, match="requires_grad=True"):
        torch.autograd.gradcheck(torch.sin, (torch.ones(2),))


def test_gradcheck_warns_of_single_precision(torch: ModuleType) -> None:
    with pytest.warns(UserWarning, match="not a double precision"):
        torch.autograd.gradcheck(lambda x: x * 2, (torch.ones(2, requires_grad=True),), eps=1e-2, atol=1e-2)


# ---- together with modules -------------------------------------------------------------------------------------------
def test_a_gradient_penalty_trains() -> None:
    """Second gradients through a whole network, as a physics-informed loss takes them."""
    network = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1)).double()
    x = mini_torch.linspace(0, 1, 9, dtype=mini_torch.float64).reshape(-1, 1).requires_grad_()
    (slope,) = mini_torch.autograd.grad(network(x).sum(), x, create_graph=True)
    (curve,) = mini_torch.autograd.grad(slope.sum(), x, create_graph=True)
    (curve**2).mean().backward()
    weight = network[0].weight

    def penalty(step: float) -> float:
        with mini_torch.no_grad():
            weight[0, 0] += step
        (s,) = mini_torch.autograd.grad(network(x).sum(), x, create_graph=True)
        (c,) = mini_torch.autograd.grad(s.sum(), x)
        with mini_torch.no_grad():
            weight[0, 0] -= step
        return float((c**2).mean().item())

    assert weight.grad[0, 0].item() == pytest.approx((penalty(1e-5) - penalty(-1e-5)) / 2e-5, rel=1e-4)


def test_gradients_that_meet_are_added_in_nobody_elses_memory() -> None:
    x = mini_torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    kept: list[Any] = []
    given = mini_torch.tensor([1.0, 10.0, 100.0])
    middle = x * 2
    branches = [middle * k for k in (1.0, 2.0, 3.0, 4.0)]
    for branch in branches:
        branch.grad_fn.register_hook(lambda inputs, outputs: kept.append(inputs[0]))
    total = branches[0] + branches[1] + branches[2] + branches[3]
    total.backward(given)
    assert x.grad.tolist() == [20.0, 200.0, 2000.0]
    assert given.tolist() == [1.0, 10.0, 100.0]
    assert sorted(g.tolist()[0] for g in kept) == [1.0, 2.0, 3.0, 4.0]
    (x + x + x + x).backward(given)
    assert given.tolist() == [1.0, 10.0, 100.0]
    assert x.grad.tolist() == [24.0, 240.0, 2400.0]
