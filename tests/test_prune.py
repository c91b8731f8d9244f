"""`nn.utils.prune`: masks, names, hooks. What is said here is said of PyTorch too, where it is installed."""

from __future__ import annotations

import copy
import importlib
import pickle
from types import ModuleType
from typing import Any

import pytest

VALUES = [[1.0, -2.0, 3.0], [-4.0, 5.0, -6.0]]


@pytest.fixture
def prune(torch: ModuleType) -> ModuleType:
    torch.manual_seed(0)
    return importlib.import_module(f"{torch.__name__}.nn.utils.prune")


def line(torch: ModuleType) -> Any:
    layer = torch.nn.Linear(3, 2)
    layer.weight.data = torch.tensor(VALUES)
    return layer


def test_names_and_gradients_of_a_pruned_layer(torch: ModuleType, prune: ModuleType) -> None:
    layer = line(torch)
    weight = layer.weight
    assert prune.l1_unstructured(layer, "weight", 2) is layer
    assert layer.weight.tolist() == [[0, 0, 3], [-4, 5, -6]]
    assert layer.weight_mask.tolist() == [[0, 0, 1], [1, 1, 1]]
    assert layer.weight_orig is weight
    assert list(layer.state_dict()) == ["bias", "weight_orig", "weight_mask"]
    assert [name for name, _ in layer.named_parameters()] == ["bias", "weight_orig"]
    layer(torch.ones(1, 3)).sum().backward()
    assert weight.grad.tolist() == [[0, 0, 1], [1, 1, 1]]
    with torch.no_grad():
        weight += 1
    layer(torch.ones(1, 3))
    assert layer.weight.tolist() == [[0, 0, 4], [-3, 6, -5]]


def test_removal(torch: ModuleType, prune: ModuleType) -> None:
    layer = prune.l1_unstructured(line(torch), "weight", 0.5)
    assert prune.is_pruned(torch.nn.Sequential(layer))
    kept = layer.weight_orig
    assert prune.remove(layer, "weight") is layer
    assert layer.weight is kept
    assert layer.weight.tolist() == [[0, 0, 0], [-4, 5, -6]]
    assert not prune.is_pruned(layer)
    assert sorted(layer.state_dict()) == ["bias", "weight"]
    with pytest.raises(ValueError, match=r"Parameter 'weight' of module Linear.* has to be pruned"):
        prune.remove(layer, "weight")


def test_by_chance(torch: ModuleType, prune: ModuleType) -> None:
    layer = prune.random_unstructured(line(torch), "weight", 3)
    assert layer.weight_mask.tolist() == [[0, 0, 1], [0, 1, 1]]
    layer = prune.random_structured(line(torch), "weight", 1, dim=1)
    assert layer.weight_mask.tolist() == [[0, 1, 1], [0, 1, 1]]
    assert prune.random_unstructured(line(torch), "bias", 1.0).bias.tolist() == [0, 0]


def test_by_norm(torch: ModuleType, prune: ModuleType) -> None:
    assert prune.ln_structured(line(torch), "weight", 1, n=2, dim=0).weight_mask.tolist() == [[0, 0, 0], [1, 1, 1]]
    assert prune.ln_structured(line(torch), "weight", 0.3, n=1, dim=-1).weight_mask.tolist() == [[0, 1, 1]] * 2
    scores = torch.tensor([[9.0, 9, 9], [0, 0, 1]])
    by_scores = prune.ln_structured(line(torch), "weight", 1, n=1, dim=0, importance_scores=scores)
    assert by_scores.weight_mask.tolist() == [[1, 1, 1], [0, 0, 0]]
    by_scores = prune.l1_unstructured(line(torch), "weight", 2, importance_scores=scores)
    assert by_scores.weight_mask.tolist() == [[1, 1, 1], [0, 0, 1]]


def test_nothing_to_prune(torch: ModuleType, prune: ModuleType) -> None:
    ones = [[1, 1, 1]] * 2
    assert prune.identity(line(torch), "weight").weight_mask.tolist() == ones
    assert prune.l1_unstructured(line(torch), "weight", 0).weight_mask.tolist() == ones
    assert prune.ln_structured(line(torch), "weight", 0.1, n=1, dim=1).weight_mask.tolist() == ones


def test_one_after_the_other(torch: ModuleType, prune: ModuleType) -> None:
    """What is gone counts no more: each method prunes what those before it have left."""
    layer = prune.l1_unstructured(line(torch), "weight", 2)
    prune.l1_unstructured(layer, "weight", 2)
    assert layer.weight_mask.tolist() == [[0, 0, 0], [0, 1, 1]]
    prune.ln_structured(layer, "weight", 1, n=1, dim=1)
    assert layer.weight_mask.tolist() == [[0, 0, 0], [0, 0, 1]]
    prune.custom_from_mask(layer, "weight", torch.zeros(2, 3))
    assert layer.weight_mask.sum() == 0
    (container,) = layer._forward_pre_hooks.values()
    assert isinstance(container, prune.PruningContainer)
    assert [type(method).__name__ for method in container] == [
        "L1Unstructured", "L1Unstructured", "LnStructured", "CustomFromMask",
    ]  # fmt: skip
    assert (len(container), container[2].dim) == (4, 1)


def test_several_parameters_as_one(torch: ModuleType, prune: ModuleType) -> None:
    net = torch.nn.Sequential(line(torch), torch.nn.Linear(2, 1))
    net[1].weight.data = torch.tensor([[0.5, 7.0]])
    places = [(net[0], "weight"), (net[1], "weight")]
    prune.global_unstructured(places, prune.L1Unstructured, amount=0.25)
    assert net[0].weight.tolist() == [[0, -2, 3], [-4, 5, -6]]
    assert net[1].weight.tolist() == [[0, 7]]
    scores = {(net[1], "weight"): torch.tensor([[0.0, 0.0]])}
    prune.global_unstructured(places, prune.L1Unstructured, importance_scores=scores, amount=1)
    assert net[1].weight.tolist() == [[0, 0]]
    with pytest.raises(TypeError, match='Only "unstructured" PRUNING_TYPE supported'):
        prune.global_unstructured(places, prune.LnStructured, amount=1, n=2)
    with pytest.raises(TypeError, match="parameters is not an Iterable"):
        prune.global_unstructured(3, prune.L1Unstructured, amount=1)
    with pytest.raises(TypeError, match="importance_scores must be of type dict"):
        prune.global_unstructured(places, prune.L1Unstructured, importance_scores=[1], amount=1)


def test_a_method_of_ones_own(torch: ModuleType, prune: ModuleType) -> None:
    class EverySecond(prune.BasePruningMethod):  # type: ignore[name-defined, misc]
        PRUNING_TYPE = "unstructured"

        def compute_mask(self, t: Any, default_mask: Any) -> Any:
            mask = default_mask.clone()
            mask.view(-1)[::2] = 0
            return mask

    layer = line(torch)
    EverySecond.apply(layer, "weight")
    assert layer.weight.tolist() == [[0, -2, 0], [-4, 0, -6]]
    EverySecond.apply(layer, "weight")
    assert layer.weight.tolist() == [[0, 0, 0], [-4, 0, 0]]
    assert EverySecond().prune(torch.ones(3)).tolist() == [0, 1, 0]
    kept = EverySecond().prune(torch.ones(3), default_mask=torch.tensor([1.0, 0, 1]))
    assert kept.tolist() == [0, 0, 0]
    with pytest.raises(AssertionError, match="importance_scores should have the same shape"):
        EverySecond().prune(torch.ones(3), importance_scores=torch.ones(2))
    with pytest.raises(TypeError, match="abstract"):
        prune.BasePruningMethod()


@pytest.mark.parametrize(
    ("kind", "dim", "error", "message"),
    [("odd", None, ValueError, "Unrecognized PRUNING_TYPE odd"),
     ("structured", None, AttributeError, "need to have the attribute `dim` defined"),
     ("structured", -3, IndexError, "Index is out of bounds for tensor with dimensions 2")],
)  # fmt: skip
def test_methods_that_cannot_be_joined(
    torch: ModuleType, prune: ModuleType, kind: str, dim: int | None, error: Any, message: str
) -> None:
    class Odd(prune.BasePruningMethod):  # type: ignore[name-defined, misc]
        PRUNING_TYPE = kind

        def compute_mask(self, t: Any, default_mask: Any) -> Any:
            return default_mask

    if dim is not None:
        Odd.dim = dim
    layer = line(torch)
    Odd.apply(layer, "weight")
    with pytest.raises(error, match=message):
        Odd.apply(layer, "weight")


def test_containers_check_what_they_get(prune: ModuleType) -> None:
    first, second = prune.L1Unstructured(1), prune.L1Unstructured(1)
    first._tensor_name, second._tensor_name = "weight", "bias"
    container = prune.PruningContainer(first)
    with pytest.raises(TypeError, match="is not a BasePruningMethod subclass"):
        container.add_pruning_method(3)
    with pytest.raises(ValueError, match="Can only add pruning methods acting on the parameter named 'weight'"):
        container.add_pruning_method(second)


@pytest.mark.parametrize(
    ("amount", "error", "message"),
    [(-1, ValueError, "amount=-1 should either be a float in the range"), (1.5, ValueError, "amount=1.5 should either"),
     ("1", TypeError, "Invalid type for amount: 1. Must be int or float."),
     (7, ValueError, "amount=7 should be smaller than the number of parameters to prune=6")],
)  # fmt: skip
def test_amounts_that_cannot_be(torch: ModuleType, prune: ModuleType, amount: Any, error: Any, message: str) -> None:
    layer = line(torch)
    with pytest.raises(error, match=message):
        prune.l1_unstructured(layer, "weight", amount)
    assert set(layer.state_dict()) == {"weight", "bias"}


def test_other_wrong_use(torch: ModuleType, prune: ModuleType) -> None:
    with pytest.raises(ValueError, match="Structured pruning can only be applied to multidimensional tensors"):
        prune.random_structured(line(torch), "bias", 1, 0)
    with pytest.raises(IndexError, match="Invalid index 5 for tensor of size"):
        prune.ln_structured(line(torch), "weight", 1, 2, 5)
    with pytest.raises(AssertionError, match="importance_scores should have the same shape"):
        prune.l1_unstructured(line(torch), "weight", 1, torch.ones(2))
    with pytest.raises(AssertionError, match=r"default_mask shape .* must match self.mask shape"):
        prune.custom_from_mask(line(torch), "weight", torch.ones(2))
    layer = prune.identity(line(torch), "weight")
    layer.register_forward_pre_hook(next(iter(layer._forward_pre_hooks.values())))
    with pytest.raises(AssertionError, match="Avoid adding multiple pruning hooks"):
        prune.identity(layer, "weight")


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_pruned_too(torch: ModuleType, prune: ModuleType, duplicate: Any) -> None:
    layer = prune.l1_unstructured(line(torch), "weight", 3)
    with torch.no_grad():
        layer(torch.ones(1, 3))  # now the computed weight is no part of a graph
    other = duplicate(layer)
    with torch.no_grad():
        other.weight_orig += 1
    other(torch.ones(1, 3))
    assert other.weight.tolist() == [[0, 0, 0], [-3, 6, -5]]
    assert layer.weight.tolist() == [[0, 0, 0], [-4, 5, -6]]


def test_a_checkpoint_of_a_pruned_layer(torch: ModuleType, prune: ModuleType) -> None:
    layer = prune.l1_unstructured(line(torch), "weight", 3)
    other = prune.identity(torch.nn.Linear(3, 2), "weight")
    other.load_state_dict(layer.state_dict())
    x = torch.ones(1, 3)
    assert other(x).tolist() == layer(x).tolist()
