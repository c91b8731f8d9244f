"""Data loading: the items, the order, the errors are PyTorch's; batches of tensors are cut, not collected."""

from __future__ import annotations

import copy
import importlib
import itertools
import pickle
from collections import OrderedDict, namedtuple
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import mini_torch
from mini_torch import data_loader

Point = namedtuple("Point", ["x", "y"])


@pytest.fixture(params=["mini_torch", "torch"])
def torch(request: pytest.FixtureRequest) -> ModuleType:
    return pytest.importorskip(request.param)


@pytest.fixture
def data(torch: ModuleType) -> Any:
    return data_loader if torch is mini_torch else torch.utils.data


def plain(x: Any) -> Any:
    """Tensors as (type, values), containers with their type."""
    if hasattr(x, "detach"):
        return str(x.dtype), x.tolist()
    if isinstance(x, dict):
        return type(x).__name__, {key: plain(value) for key, value in x.items()}
    if isinstance(x, list | tuple):
        return type(x).__name__, [plain(value) for value in x]
    return x


# ---- the order ---------------------------------------------------------------------------------------------
RECORDED_ORDERS = {  # seed 3, batches of 4 of 10 items, two epochs
    "default generator": [
        [[6, 2, 0, 1], [8, 3, 5, 4], [7, 9]], [[3, 4, 0, 9], [6, 7, 1, 2], [5, 8]], 0.5944212079048157,
    ],
    "own generator": [[[7, 4, 2, 9], [1, 5, 0, 8], [6, 3]], [[1, 2, 0, 5], [9, 4, 8, 3], [6, 7]], 0.5824220776557922],
}


@pytest.mark.parametrize("kind", RECORDED_ORDERS)
def test_order_is_pytorchs(torch: ModuleType, data: Any, kind: str) -> None:
    torch.manual_seed(3)
    generator = torch.Generator().manual_seed(3) if kind == "own generator" else None
    loader = data.DataLoader(data.TensorDataset(torch.arange(10)), 4, shuffle=True, generator=generator)
    orders = [[x.tolist() for (x,) in loader] for _ in range(2)]
    assert [*orders, torch.rand(1, generator=generator).item()] == RECORDED_ORDERS[kind]


def epochs(library: Any, n: int, batch_size: int | None, drop_last: bool, kind: str, own: bool) -> Any:
    """Three epochs, the second one broken off, with other draws in between."""
    library.torch.manual_seed(3)
    generator = library.torch.Generator().manual_seed(5) if own else None
    dataset: Any = library.TensorDataset(library.torch.arange(n * 2.0).reshape(n, 2), library.torch.arange(n))
    options: dict[str, Any] = {}
    if kind == "items":
        dataset = list(range(n))
    if kind == "subset":
        dataset = library.random_split(dataset, [n - n // 3, n // 3])[0]
    if kind == "replacement":
        options["sampler"] = library.RandomSampler(dataset, True, n + 5, generator)
    elif kind == "more than there are":
        options["sampler"] = library.RandomSampler(dataset, False, 2 * n + 3, generator)
    elif kind == "weighted":
        options["sampler"] = library.WeightedRandomSampler(range(1, n + 1), n, generator=generator)
    elif kind == "some":
        options["sampler"] = library.SubsetRandomSampler(range(n // 2), generator)
    elif kind != "in order":
        options["shuffle"] = True
    loader = library.DataLoader(dataset, batch_size, drop_last=drop_last, generator=generator, **options)
    seen = [len(loader)]
    for epoch in range(3):
        for i, batch in enumerate(loader):
            seen.append(plain(batch))
            seen.append(library.torch.rand((), generator=generator if i % 2 else None).item())
            if epoch == 1 and i == 2:
                break
    return seen


@pytest.mark.filterwarnings("ignore:Length of split")
@pytest.mark.parametrize(
    "kind", ["rows", "items", "subset", "in order", "replacement", "more than there are", "weighted", "some"]
)
def test_everything_is_drawn_in_pytorchs_order(kind: str) -> None:
    torch = pytest.importorskip("torch")
    libraries = [SimpleNamespace(**vars(torch.utils.data), torch=torch),
                 SimpleNamespace(**{**vars(data_loader), "torch": mini_torch})]  # fmt: skip
    for n, batch_size, drop_last, own in itertools.product([7, 20], [1, 3, 5, 64, None], [False, True], [False, True]):
        if batch_size is not None or not drop_last:
            theirs, ours = (epochs(library, n, batch_size, drop_last, kind, own) for library in libraries)
            assert ours == theirs, (n, batch_size, drop_last, own)


def test_a_generators_state_repeats_the_epoch(torch: ModuleType, data: Any) -> None:
    generator = torch.Generator().manual_seed(1)
    loader = data.DataLoader(range(20), 3, shuffle=True, generator=generator)
    list(loader)
    state = generator.get_state()
    epoch = plain(list(loader))
    assert plain(list(loader)) != epoch
    generator.set_state(state)
    assert plain(list(loader)) == epoch


def test_two_passes_at_once(torch: ModuleType, data: Any) -> None:
    loader = data.DataLoader(range(10), shuffle=True)
    pairs = [(a.item(), b.item()) for a, b in zip(loader, loader)]
    first, second = zip(*pairs)
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second


# ---- batches -----------------------------------------------------------------------------------------------
def test_a_batch_is_a_copy(torch: ModuleType, data: Any) -> None:
    x = torch.arange(6.0).reshape(3, 2)
    for loader in (data.DataLoader(data.TensorDataset(x), 2), data.DataLoader(data.TensorDataset(x), 3, shuffle=True)):
        for (batch,) in loader:
            batch.mul_(0)
    assert x.tolist() == [[0, 1], [2, 3], [4, 5]]


def test_rows_are_cut_not_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = data_loader.TensorDataset(mini_torch.arange(10), mini_torch.arange(10.0))
    monkeypatch.setattr(mini_torch.Tensor, "__getitem__", None)
    for source in (dataset, data_loader.Subset(data_loader.Subset(dataset, [4, 3, 2]), [2, 1])):
        x, y = next(iter(data_loader.DataLoader(source, 2, shuffle=True)))
        assert x.tolist() == y.tolist()
        assert (x.dtype, y.dtype, x.is_contiguous()) == (mini_torch.int64, mini_torch.float32, True)


def test_a_dataset_with_its_own_items_is_asked_for_them(torch: ModuleType, data: Any) -> None:
    class Doubled(data.TensorDataset):  # type: ignore[misc, name-defined]
        def __getitem__(self, index: int) -> Any:
            return super().__getitem__(index)[0] * 2

    class Together(data.Dataset):  # type: ignore[misc, name-defined]
        def __len__(self) -> int:
            return 5

        def __getitems__(self, indices: list[int]) -> list[int]:
            return [10 * i for i in indices]

    def batches(dataset: Any) -> Any:
        return [batch.tolist() for batch in data.DataLoader(dataset, 2)]

    assert batches(Doubled(torch.arange(3))) == [[0, 2], [4]]
    assert batches(Together()) == [[0, 10], [20, 30], [40]]
    assert batches(data.Subset(Together(), [3, 1, 2])) == [[30, 10], [20]]
    assert batches(data.Subset([5, 6, 7], [2, 0])) == [[7, 5]]
    assert batches({0: 5, 1: 6}) == [[5, 6]]


def test_gradients_go_through_a_batch(torch: ModuleType, data: Any) -> None:
    x = torch.ones(3, requires_grad=True)
    ((batch,),) = data.DataLoader(data.TensorDataset(x), 3)
    (batch * 2).sum().backward()
    assert x.grad.tolist() == [2, 2, 2]


def test_samplers_of_ones_own(torch: ModuleType, data: Any) -> None:
    dataset = data.TensorDataset(torch.arange(5))

    def batches(**options: Any) -> Any:
        return [x.tolist() for (x,) in data.DataLoader(dataset, **options)]

    assert batches(sampler=[3, 1, -1], batch_size=2) == [[3, 1], [4]]
    assert batches(batch_sampler=[[1, 2], [0]]) == [[1, 2], [0]]
    assert batches(batch_sampler=data.BatchSampler(range(5), 2, True)) == [[0, 1], [2, 3]]
    assert batches(sampler=torch.tensor([2, 0]), batch_size=2) == [[2, 0]]
    assert batches(batch_size=None) == [0, 1, 2, 3, 4]
    with pytest.raises(IndexError, match="index 20 is out of bounds"):
        batches(sampler=[1, 20], batch_size=2)


def test_iterable_datasets(torch: ModuleType, data: Any) -> None:
    class Stream(data.IterableDataset):  # type: ignore[misc, name-defined]
        def __init__(self, n: int) -> None:
            self.n = n

        def __iter__(self) -> Iterator[int]:
            return iter(range(self.n))

    class Counted(Stream):
        def __len__(self) -> int:
            return self.n

    def batches(*args: Any, **options: Any) -> Any:
        return [plain(batch) for batch in data.DataLoader(*args, **options)]

    assert [values for _, values in batches(Stream(7), 3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [values for _, values in batches(Stream(7), 3, drop_last=True)] == [[0, 1, 2], [3, 4, 5]]
    assert batches(Stream(3), None) == [0, 1, 2]
    assert list(Stream(2) + Stream(3)) == [0, 1, 0, 1, 2]
    assert len(Counted(2) + Counted(3)) == 5
    lengths = [len(data.DataLoader(Counted(7), *options)) for options in [(3,), (None,)]]
    assert [*lengths, len(data.DataLoader(Counted(7), 3, drop_last=True))] == [3, 7, 2]
    with pytest.raises(TypeError, match="has no len"):
        len(data.DataLoader(Stream(7), 3))
    with pytest.raises(AssertionError, match="ChainDataset only supports IterableDataset"):
        list(data.ChainDataset([range(3)]))
    with pytest.raises(AssertionError, match="ConcatDataset does not support IterableDataset"):
        data.ConcatDataset([Stream(3)])
    for options in ({"shuffle": True}, {"sampler": [1]}, {"batch_sampler": [[1]]}):
        with pytest.raises(ValueError, match="DataLoader with IterableDataset: expected unspecified"):
            data.DataLoader(Stream(7), **options)


@pytest.mark.filterwarnings("ignore:This DataLoader will create", "ignore:This process:DeprecationWarning")
def test_workers_change_nothing() -> None:
    dataset = data_loader.TensorDataset(mini_torch.arange(10))
    alone, helped = (data_loader.DataLoader(dataset, 4, num_workers=n) for n in (0, 2))
    assert plain(list(alone)) == plain(list(helped))
    assert data_loader.get_worker_info() is None


def test_loaders_can_be_copied(torch: ModuleType, data: Any) -> None:
    generator = torch.Generator().manual_seed(1)
    loader = data.DataLoader(range(10), 4, shuffle=True, generator=generator)
    copies = [copy.deepcopy(loader), pickle.loads(pickle.dumps(loader))]
    expected = plain(list(loader))
    assert [plain(list(c)) for c in copies] == [expected, expected]


# ---- datasets ----------------------------------------------------------------------------------------------
def test_datasets(torch: ModuleType, data: Any) -> None:
    rows = data.TensorDataset(torch.arange(3), torch.arange(3) * 2)
    assert plain(rows[-1]) == ("tuple", [("torch.int64", 2), ("torch.int64", 4)])
    assert plain(rows[1:]) == ("tuple", [("torch.int64", [1, 2]), ("torch.int64", [2, 4])])
    both = rows + rows
    assert (len(both), plain(both[4]), plain(both[-6])) == (6, plain(rows[1]), plain(rows[0]))
    part = data.Subset(rows, [2, 0])
    assert (len(part), plain(part[0]), plain(part[[0, 1]])) == (2, plain(rows[2]), plain(rows[[2, 0]]))
    assert data.StackDataset([1, 2], [3, 4])[1] == (2, 4)
    assert data.StackDataset(a=[1, 2], b=[3, 4])[1] == {"a": 2, "b": 4}
    assert len(data.StackDataset([1, 2])) == 2


def test_items_of_a_stack_at_once(torch: ModuleType, data: Any) -> None:
    class Together(list):  # type: ignore[type-arg]
        def __getitems__(self, indices: list[int]) -> list[Any]:
            return [self[i] for i in indices if i < 3]

    items = Together("abcd")
    assert data.StackDataset(items, [1, 2, 3, 4]).__getitems__([2, 0]) == [("c", 3), ("a", 1)]
    assert data.StackDataset(a=items, b=[1, 2, 3, 4]).__getitems__([1]) == [{"a": "b", "b": 2}]
    with pytest.raises(ValueError, match="output size mismatch"):
        data.StackDataset(items).__getitems__([0, 3])

    class Half(data.Subset):  # type: ignore[misc, name-defined]
        def __getitem__(self, index: int) -> int:
            return 0

    with pytest.raises(NotImplementedError, match="Half overrides __getitem__ but not __getitems__"):
        Half(items, [0])
    with pytest.raises(AssertionError, match="ChainDataset only supports IterableDataset"):
        len(data.ChainDataset([items]))


@pytest.mark.parametrize(
    ("drop_last", "parts"), [(False, [[0, 3, 6], [1, 4, 0], [2, 5, 1]]), (True, [[0, 3], [1, 4], [2, 5]])]
)
def test_distributed_sampler(torch: ModuleType, data: Any, drop_last: bool, parts: list[list[int]]) -> None:
    def samplers(**options: Any) -> Any:
        return [data.DistributedSampler(range(7), 3, rank, drop_last=drop_last, **options) for rank in range(3)]

    assert [list(s) for s in samplers(shuffle=False)] == parts
    assert [len(s) for s in samplers()] == [len(part) for part in parts]
    recorded = {0: [5, 6, 1], 1: [3, 4, 6]}  # seed 3, rank 0
    for epoch, order in recorded.items():
        sampler = samplers(seed=3)[0]
        sampler.set_epoch(epoch)
        assert list(sampler) == order[: len(parts[0])]
    with pytest.raises(ValueError, match=r"Invalid rank 3, rank should be in the interval \[0, 2\]"):
        data.DistributedSampler(range(7), 3, 3)
    with pytest.raises((ValueError, RuntimeError), match=r"init_process_group|has not been initialized"):
        data.DistributedSampler(range(7))


def test_random_split(torch: ModuleType, data: Any) -> None:
    parts = data.random_split(range(11), [0.5, 0.3, 0.2], torch.Generator().manual_seed(2))
    assert [part.indices for part in parts] == [[3, 8, 10, 0, 1, 4], [5, 2, 7], [6, 9]]
    assert [len(part) for part in data.random_split(range(5), [3, 2])] == [3, 2]
    with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
        data.random_split(range(3), [0.9, 0.1, 0.0][:2])


def test_samplers(torch: ModuleType, data: Any) -> None:
    assert list(data.SequentialSampler(range(3))) == [0, 1, 2]
    assert sorted(data.SubsetRandomSampler([5, 6, 7])) == [5, 6, 7]
    assert list(data.WeightedRandomSampler([0.0, 1.0], 3)) == [1, 1, 1]
    assert list(data.BatchSampler("abcde", 2, False)) == [["a", "b"], ["c", "d"], ["e"]]
    assert sorted(data.RandomSampler(range(4))) == [0, 1, 2, 3]
    assert len(data.SequentialSampler(range(3))) == 3
    assert len(data.SubsetRandomSampler([5, 6])) == 2
    assert len(data.WeightedRandomSampler([1.0], 4)) == 4
    assert len(data.RandomSampler(range(3), num_samples=25)) == 25
    assert [len(data.BatchSampler(range(5), 2, drop_last)) for drop_last in (True, False)] == [2, 3]


# ---- collate -----------------------------------------------------------------------------------------------
BATCHES: list[Any] = [
    [np.float64(1)] * 2, [np.uint8(1)] * 2, [np.float16(1)] * 2, [np.float32(1), np.float64(2)], [1.5, True], [{}] * 2,
    [np.ones(2), np.ones(2, np.float32)], [np.ones((0, 2))] * 2, [np.ones(2, np.uint16)] * 2, [10**30 * 1.0] * 2,
    [1, 2], [1.5, 2], [True, False], ["a", "b"], [b"a"], [np.float32(1), np.float32(2)], [np.int32(3)], [np.bool_(1)],
    [np.ones(2, np.float32)] * 2, [np.ones((), np.float16)] * 2, [(1, 2.0), (3, 4.0)], [[1, 2], [3, 4]], [(), ()],
    [{"a": 1, "b": [2, 3]}] * 2, [Point(1, 2.0), Point(3, 4.0)], [OrderedDict(a=1)] * 2, [range(2)] * 2,
]  # fmt: skip


@pytest.mark.parametrize("batch", BATCHES, ids=repr)
def test_default_collate(batch: Any) -> None:
    torch = pytest.importorskip("torch")
    assert plain(data_loader.default_collate(batch)) == plain(torch.utils.data.default_collate(batch))


ITEMS = [batch[0] for batch in BATCHES] + [None, np.array(["a"]), Point(1, np.ones(2))]


@pytest.mark.parametrize("item", ITEMS, ids=repr)
def test_default_convert(item: Any) -> None:
    torch = pytest.importorskip("torch")
    assert plain(data_loader.default_convert(item)) == plain(torch.utils.data.default_convert(item))


def test_how_types_are_put_together_can_be_told(torch: ModuleType) -> None:
    collate = importlib.import_module(f"{torch.__name__}.utils.data._utils.collate")

    class Own:
        def __init__(self, x: int) -> None:
            self.x = x

    def own(batch: Any, *, collate_fn_map: Any = None) -> Any:
        return collate.collate([item.x for item in batch], collate_fn_map=collate_fn_map)

    def shapes(batch: Any, *, collate_fn_map: Any = None) -> Any:
        return [tuple(x.shape) for x in batch]

    with pytest.raises(TypeError, match=r"found <class .*Own'>"):
        collate.default_collate([Own(1)])
    kinds = {**collate.default_collate_fn_map, Own: own}
    assert collate.collate([(Own(1), "a"), (Own(2), "b")], collate_fn_map=kinds)[0].tolist() == [1, 2]
    for batch in ([torch.ones(2)], [np.ones(2)], [torch.nn.Parameter(torch.ones(2))]):
        assert collate.collate(batch, collate_fn_map={**kinds, torch.Tensor: shapes}) == [(2,)]
    with pytest.raises(TypeError, match="batch must contain tensors"):
        collate.collate([1, 2])


def test_rows_are_put_together_as_told(torch: ModuleType, data: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    collate = importlib.import_module(f"{torch.__name__}.utils.data._utils.collate")
    monkeypatch.setitem(collate.default_collate_fn_map, torch.Tensor, lambda batch, *, collate_fn_map: sum(batch))
    assert [plain(x) for (x,) in data.DataLoader(data.TensorDataset(torch.arange(4)), 3)] == [
        ("torch.int64", 3), ("torch.int64", 3),
    ]  # fmt: skip


def test_items_with_gradients_and_of_two_types(torch: ModuleType, data: Any) -> None:
    x = torch.ones(2, requires_grad=True)
    view = torch.zeros(4)[:2]
    view._base.mul_(x[0].expand(4)) if view._base is not None else None
    data.default_collate([x, torch.zeros(2), view]).sum().backward()
    assert x.grad.tolist() == [1, 1]
    assert data.default_collate([torch.ones(2), torch.ones(2).double()]).dtype == torch.float64
    with pytest.raises(RuntimeError, match="stack expects each tensor to be equal size"):
        data.default_collate([torch.ones(2), torch.ones(3)])


def test_bfloat16_is_stacked(torch: ModuleType, data: Any) -> None:
    pytest.importorskip("ml_dtypes")
    assert data.default_collate([torch.ones(2).bfloat16()] * 2).dtype == torch.bfloat16


def test_tensors_are_stacked(torch: ModuleType, data: Any) -> None:
    assert data.default_collate([torch.tensor([1, 2]), torch.tensor([3, 4])]).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("batch", "kind", "message"),
    [
        ([None], TypeError, "must contain tensors, numpy arrays, numbers, dicts or lists; found <class 'NoneType'>"),
        ([np.array(["a"])], TypeError, "must contain tensors, numpy arrays, numbers, dicts or lists; found <U1"),
        ([1 + 2j], TypeError, "found <class 'complex'>"),
        ([[1, 2], [3]], RuntimeError, "each element in list of batch should be of equal size"),
    ],
)
def test_what_cannot_be_collated(data: Any, batch: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        data.default_collate(batch)


# ---- errors ------------------------------------------------------------------------------------------------
ERRORS: dict[str, tuple[type[Exception], str]] = {
    "TensorDataset(ones(3), ones(4))": (AssertionError, "Size mismatch between tensors"),
    "StackDataset()": (ValueError, "at least one|At least one"),
    "StackDataset(rows, a=rows)": (ValueError, "either by position|but both types are given"),
    "StackDataset(rows, [1])": (ValueError, "Size mismatch between datasets"),
    "ConcatDataset([])": (AssertionError, "datasets should not be an empty iterable"),
    "ConcatDataset([rows])[-11]": (ValueError, "absolute value of index should not exceed dataset length"),
    "ConcatDataset([rows])[10]": (IndexError, "out of range"),
    "Dataset()[0]": (NotImplementedError, "Subclasses of Dataset should implement __getitem__"),
    "len(Dataset())": (TypeError, "has no len"),
    "iter(Sampler())": (NotImplementedError, "^($|Subclasses of Sampler)"),
    "random_split(rows, [3, 3])": (ValueError, "Sum of input lengths does not equal the length of the input dataset"),
    "random_split(rows, [0.5, 0.6])": (ValueError, "Sum of input lengths does not equal"),
    "random_split(rows, [1.5, -0.5])": (ValueError, "Fraction at index 0 is not between 0 and 1"),
    "RandomSampler(rows, replacement=1)": (TypeError, "replacement should be a boolean value"),
    "RandomSampler(rows, num_samples=0)": (ValueError, "num_samples should be a positive integer value"),
    "WeightedRandomSampler([1.0], 0)": (ValueError, "num_samples should be a positive integer value"),
    "WeightedRandomSampler([1.0], 1, 1)": (ValueError, "replacement should be a boolean value"),
    "WeightedRandomSampler([[1.0]], 1)": (ValueError, "weights should be a 1d sequence"),
    "BatchSampler(rows, 0, False)": (ValueError, "batch_size should be a positive integer value"),
    "BatchSampler(rows, True, False)": (ValueError, "batch_size should be a positive integer value"),
    "BatchSampler(rows, 1, 1)": (ValueError, "drop_last should be a boolean value"),
    "DataLoader(rows, 0)": (ValueError, "batch_size should be a positive integer value, but got batch_size=0"),
    "DataLoader(rows, 2.5)": (ValueError, "batch_size should be a positive integer value"),
    "DataLoader([], shuffle=True)": (ValueError, "num_samples should be a positive integer value"),
    "DataLoader(rows, shuffle=True, sampler=[1])": (ValueError, "sampler option is mutually exclusive with shuffle"),
    "DataLoader(rows, 2, batch_sampler=[[1]])": (ValueError, "batch_sampler option is mutually exclusive"),
    "DataLoader(rows, None, drop_last=True)": (ValueError, "batch_size=None option disables auto-batching"),
    "DataLoader(rows, num_workers=-1)": (ValueError, "num_workers option should be non-negative"),
    "DataLoader(rows, timeout=-1)": (ValueError, "timeout option should be non-negative"),
    "DataLoader(rows, prefetch_factor=2)": (ValueError, "prefetch_factor option could only be specified in multiproc"),
    "DataLoader(rows, num_workers=1, prefetch_factor=-1)": (ValueError, "option should be non-negative"),
    "DataLoader(rows, persistent_workers=True)": (ValueError, "persistent_workers option needs num_workers > 0"),
    "DataLoader(rows, multiprocessing_context='fork')": (ValueError, "multiprocessing_context can only be used"),
    "list(DataLoader(rows, timeout=1))": (AssertionError, "timeout"),
    "TensorDataset(ones(()))": (IndexError, "range|no dimensions"),
    "list(DataLoader(rows, generator=5))": (TypeError, "enerator"),
    "setattr(DataLoader(rows), 'batch_size', 3)": (ValueError, "batch_size attribute should not be set after"),
}


@pytest.mark.parametrize("code", ERRORS)
def test_errors(torch: ModuleType, data: Any, code: str) -> None:
    kind, message = ERRORS[code]
    names = {**vars(data), "rows": data.TensorDataset(torch.arange(10)), "ones": torch.ones}
    with pytest.raises(kind, match=message):
        eval(code, names)
