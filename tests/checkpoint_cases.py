"""What the recorded checkpoints hold, for PyTorch of every version and for mini_torch; and how two are compared.

Also runs on the Pythons of old PyTorch versions, hence the plain style.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import Any

NEW_TYPES = ("uint16", "uint32", "uint64")


def plain(torch: Any) -> Any:
    return {
        "numbers": [0, 1, -5, 255, 256, 70000, 2**31, -(2**31), 2**40, 2**200, 1.5, -0.0, float("inf"), 1 + 2j],
        "constants": [None, True, False],
        "text": ["", "x", "\u00fc\U0001f600", "a" * 300],
        "bytes": [b"hi\xff", bytearray(b"abc")],
        "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
        "nested": {"a": {"b": [{"c": (1, [2])}]}, 3: "int", None: 1, (1, "x"): 2, 1.5: 3, True: 4},
        "sets": [set(), {1, 2}],
        "ordered": OrderedDict([("z", 1), ("a", 2)]),
        "counted": Counter("abca"),
        "torch": [torch.float32, torch.int64, torch.device("cpu"), torch.device("cuda:1"), torch.Size([2, 3])],
        "strided": torch.strided,
    }


def types(torch: Any) -> Any:
    names = ["uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
    new = ["bool", "bfloat16", "complex64", "complex128", *NEW_TYPES]
    # the versions that have only some of the new ones cannot compute with them, or not save them
    names += new if hasattr(torch, "uint16") else new[:4] if hasattr(torch, "inference_mode") else []
    values = [1.0, 2.0, 3.0]
    return {name: torch.tensor(values, dtype=torch.float32).to(getattr(torch, name)) for name in names}


def views(torch: Any) -> Any:
    x = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    shared = torch.arange(3)
    return {
        "whole": x,
        "transposed": x.t(),
        "part": x[1:3, 2:4],
        "steps": x[::2, 1::2],
        "row": x[2],
        "element": x[1, 1],
        "expanded": torch.ones(1, 3).expand(4, 3),
        "channels last": torch.arange(16, dtype=torch.float32).reshape(1, 2, 2, 4).permute(0, 3, 1, 2),
        "empty": torch.empty(0),
        "none of three": torch.empty(0, 3),
        "number": torch.tensor(2.5),
        "one thing twice": [shared, shared, shared.view(3, 1)],
    }


def parameters(torch: Any) -> Any:
    leaf = torch.ones(2, requires_grad=True)
    return {
        "parameter": torch.nn.Parameter(torch.ones(2, 2)),
        "frozen": torch.nn.Parameter(torch.zeros(1), requires_grad=False),
        "leaf": leaf,
        "computed": leaf * 2,
    }


def attributes(torch: Any) -> Any:
    noted, parameter = torch.ones(2), torch.nn.Parameter(torch.ones(2))
    noted.note = "a note"
    parameter.decay = False
    return [noted, parameter]


def buffers(torch: Any) -> Any:
    return torch.nn.Buffer(torch.ones(2))


def filled(torch: Any, module: Any) -> Any:
    """The module with numbers that are the same in every version."""
    with torch.no_grad():
        for i, p in enumerate(module.parameters()):
            p.copy_(((torch.arange(p.numel()) % 13).float() / 8 - 0.5 - i % 3 / 16).reshape(p.shape))
    return module


def network(torch: Any) -> Any:
    nn = torch.nn
    layers = nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(8, 3), nn.LSTM(3, 2), nn.Embedding(4, 2)
    return filled(torch, nn.Sequential(*layers)).state_dict()


def training(torch: Any) -> Any:
    torch.manual_seed(5)
    model = filled(torch, torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)))
    state = {}
    for name, options in (("SGD", {"momentum": 0.5}), ("Adam", {})):
        optimizer = getattr(torch.optim, name)(model.parameters(), lr=0.25, **options)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2)
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.ones(4, 2)).sum().backward()
            optimizer.step()
            scheduler.step()
        state[name] = {"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}
    return {"model": model.state_dict(), **state, "epoch": 3, "rng": torch.get_rng_state()}


def module(torch: Any) -> Any:
    """A whole module, which is loaded only by those who trust the file."""
    nn = torch.nn
    layers = nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2)
    return filled(torch, nn.Sequential(OrderedDict(features=nn.Sequential(*layers), head=nn.Linear(8, 2)))).eval()


def fed(torch: Any, model: Any) -> Any:
    """What the module of `module` makes of an image."""
    image = torch.arange(16, dtype=torch.float32).reshape(1, 1, 4, 4) / 16
    return model.head(model.features(image).flatten(1)).detach()


def storages(torch: Any) -> Any:
    """Storages by themselves."""
    return {"bytes": torch.arange(3).untyped_storage(), "numbers": torch.arange(4.0).storage()}


CASES = {f.__name__: f for f in (plain, types, views, parameters, attributes, buffers, network, training, module)}


class Describer:
    """Says in JSON what an object is: types, numbers, and which tensors share memory."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch
        self.storages: list[int] = []

    def __call__(self, obj: Any) -> Any:
        if isinstance(obj, self.torch.Tensor):
            return self.tensor(obj)
        if isinstance(obj, self.torch.nn.Module):
            return self.tensor(fed(self.torch, obj))
        kind = type(obj).__name__
        if isinstance(obj, dict):
            items = [[self(key), self(value)] for key, value in obj.items()]
            return {kind: items, "attributes": self(dict(vars(obj))) if hasattr(obj, "__dict__") else {}}
        if isinstance(obj, (list, tuple)):
            return {kind: [self(item) for item in obj]}
        if isinstance(obj, set):
            return {kind: sorted(map(repr, obj))}
        return {kind: repr(obj)}

    def tensor(self, x: Any) -> Any:
        storage = x.untyped_storage() if hasattr(x, "untyped_storage") else x.storage()
        address = storage.data_ptr() if x.numel() else -1
        if address not in self.storages:
            self.storages.append(address)
        values = x.detach().to(self.torch.float64 if "complex" not in str(x.dtype) else self.torch.complex128)
        flat = values.reshape(-1).tolist()
        if len(flat) > 100:  # the state of the generator
            flat = [*flat[:10], sum(flat), sum(i * v for i, v in enumerate(flat))]
        kind = "Tensor" if hasattr(x, "persistent") else type(x).__name__  # PyTorch's buffers are of no class of theirs
        return {
            kind: str(x.dtype),
            "layout": [list(x.shape), list(x.stride()), x.storage_offset(), x.requires_grad],
            "storage": self.storages.index(address),
            "values": [[v.real, v.imag] if isinstance(v, complex) else v for v in flat],
            "attributes": {k: repr(v) for k, v in vars(x).items() if k[0] != "_"} if hasattr(x, "__dict__") else {},
        }
