"""PyTorch's own database of operations, as samples that can be written down; needs PyTorch.

`torch.testing._internal.common_methods_invocations.op_db` lists PyTorch's operations with sample inputs, inputs that
must fail, and what is supported. Here each sample becomes steps: names and arguments (see records.py). Where the
database calls a lambda, the steps are what the lambda was seen to call.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import types
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch.overrides import TorchFunctionMode, resolve_name
from torch.testing._internal import common_methods_invocations as database

import records
from records import Array, to_array

torch.manual_seed = torch.default_generator.manual_seed  # the samples seed often, and this takes no milliseconds

MOST_SAMPLES = 400  # of an operation that are looked at
COMPLEX_ONLY = {"view_as_real", "imag", "istft"}
NO_VALUES = {"empty", "empty_like", "new_empty", "new_empty_strided", "empty_strided", "empty_permuted", "resize_",
             "resize_as_"}  # fmt: skip
SEEDED = {
    "cauchy", "exponential", "geometric", "log_normal", "normal", "uniform", "rand_like", "randn", "randn_like",
    "randint", "randint_like", "multinomial", "bernoulli",
}  # fmt: skip
KINDS = {"UnaryUfuncInfo": "unary", "BinaryUfuncInfo": "binary", "ReductionOpInfo": "reduction"}
ROOMS = ("nn.functional", "linalg", "fft", "special", "signal.windows")


class CannotSay(Exception):
    """A value that has no term: a sparse tensor, a function, a type that NumPy lacks."""


# ---- which entries ---------------------------------------------------------------------------------------------------
def why_not(entry: Any) -> str:
    """Why an entry of the database is none of our concern; empty where it is."""
    name = entry.name
    if name.startswith(("torch.", "jiterator", "masked.", "sparse.")) or name in ("slice", "to_sparse"):
        return "inside of PyTorch, CUDA, masked or sparse tensors"
    if name.startswith("_") and not name.startswith("__"):
        return "private name"
    if name.endswith("_backward") or name == "hash_tensor":
        return "inside of PyTorch"
    if entry.variant_test_name in ("triton_optimized", "without_cudnn"):
        return "CUDA"
    if entry.variant_test_name == "partial_views":
        return "about the memory under its inputs, which a record leaves out"
    if name == "chalf" or not (entry.dtypes & {torch.float32, torch.int64, torch.bool} or name in COMPLEX_ONLY):
        return "types that NumPy lacks"
    return ""


def group_of(entry: Any) -> str:
    if entry.name in SEEDED:
        return "random"
    rooms = [room for room in ROOMS if entry.name.startswith(room + ".")]
    return rooms[0] if rooms else KINDS.get(type(entry).__name__, "other")


def entries() -> dict[str, Any]:
    """What is in scope, by name; a name's second entry is `name (2)`."""
    found: dict[str, Any] = {}
    seen: Counter[str] = Counter()
    for entry in database.op_db:
        name = ".".join(filter(None, [entry.name, entry.variant_test_name]))
        seen[name] += 1
        if not why_not(entry):
            found[name if seen[name] == 1 else f"{name} ({seen[name]})"] = entry
    return found


def samples(entry: Any, dtype: torch.dtype, wants_gradient: bool = False) -> list[Any]:
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 - some of the database's samples draw from it
    made = entry.sample_inputs("cpu", dtype, requires_grad=wants_gradient)
    return list(itertools.islice(made, MOST_SAMPLES))


def errors(entry: Any) -> list[Any]:
    torch.manual_seed(0)
    return list(itertools.islice(entry.error_inputs("cpu"), 40)) if entry.error_inputs_func else []


def name_of(function: Any) -> str:
    """The public name of a function or method; empty for a lambda."""
    name = (resolve_name(function) or "").removeprefix("torch.").removeprefix("functional.")
    return "" if "<" in name or name.startswith("_") else name


# ---- seeing what is called -------------------------------------------------------------------------------------------
def public_name(entry: Any) -> str | None:
    """The name of what the entry calls, unless that is a lambda in the database."""
    if isinstance(entry.op, types.FunctionType) and entry.op.__module__.startswith("torch.testing"):
        return None
    if entry.name.startswith("__"):
        return f"Tensor.{entry.name}"
    for name in (entry.name, f"Tensor.{entry.name}", entry.op.__name__, f"Tensor.{entry.op.__name__}"):
        found: Any = torch
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is entry.op:
            return name
    raise CannotSay(f"{entry.name}: no public name")


UNSEEN = ("svd_lowrank", "pca_lowrank")  # written in Python, without a word to those who watch


class Watch(TorchFunctionMode):
    """Notes every call into PyTorch, but not what that calls in turn."""

    def __init__(self, script: Script) -> None:
        self.script = script

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self.script.seen(function, args, kwargs or {})


class Script:
    """The steps of a sample so far, and the terms of the tensors that they were seen to use and make."""

    def __init__(self) -> None:
        self.steps: list[list[Any]] = []
        self.inputs: list[torch.Tensor] = []
        self.arrays: list[Array] = []  # the inputs' values before the steps, some of which write to them
        self.made: dict[int, Any] = {}  # a tensor's id -> its term
        self.alive: list[Any] = []  # so that no id is used twice

    def call(self, function: Any, args: Any, kwargs: Any, name: str) -> Any:
        arguments = self.encode(list(args)), {key: self.encode(value) for key, value in kwargs.items()}
        self.steps.append([name, *arguments])
        result = function(*args, **kwargs)
        self.alive.append(result)
        self.note(result, [len(self.steps) - 1])
        return result

    def seen(self, function: Any, args: Any, kwargs: Any) -> Any:
        """A call of the database's lambda; what only asks for a shape or a type is no step."""
        name = name_of(function)
        result = self.call(function, args, kwargs, name)
        if not any(True for _ in tensors(result)) and name != "Tensor.item":
            self.steps.pop()
            self.alive.pop()
        return result

    def note(self, result: Any, way: list[Any]) -> None:
        if isinstance(result, torch.Tensor):
            self.made[id(result)] = {"r": way}
        elif isinstance(result, dict):
            for key, value in result.items():
                self.note(value, [*way, key])
        elif isinstance(result, tuple | list):
            for k, value in enumerate(result):
                self.note(value, [*way, k])

    def watch(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with contextlib.ExitStack() as stack:
            stack.enter_context(Watch(self))
            for name in UNSEEN:
                stack.enter_context(mock.patch.object(torch, name, self.whole(name, getattr(torch, name))))
            return function(*args, **kwargs)

    def whole(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function as one step."""

        def call(*args: Any, **kwargs: Any) -> Any:
            with torch._C.DisableTorchFunction():
                return self.call(function, args, kwargs, name)

        return call

    def encode(self, value: Any) -> Any:
        """The term of an argument."""
        if isinstance(value, torch.Tensor):
            return self.encode_tensor(value)
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, torch.Size):
            return {"size": list(value)}
        if isinstance(value, tuple):
            return {"tuple": [self.encode(v) for v in value]}
        if isinstance(value, list):
            return [self.encode(v) for v in value]
        if isinstance(value, dict):
            return {"dict": [[key, self.encode(v)] for key, v in value.items()]}
        if isinstance(value, slice):
            return {"slice": [self.encode(v) for v in (value.start, value.stop, value.step)]}
        return encode_rare(value)

    def encode_tensor(self, tensor: torch.Tensor) -> Any:
        if id(tensor) not in self.made:
            if tensor.layout is not torch.strided or tensor.device.type != "cpu" or tensor.is_quantized:
                raise CannotSay(f"a tensor of layout {tensor.layout} on {tensor.device}")
            if tensor.dtype not in NUMPY_TYPES:
                raise CannotSay(f"a tensor of {tensor.dtype}")
            self.made[id(tensor)] = {"x": len(self.inputs)}
            self.inputs.append(tensor)
            self.arrays.append(to_array(tensor).copy())
        return self.made[id(tensor)]


NUMPY_TYPES = {
    torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
    torch.float16, torch.float32, torch.float64, torch.complex64, torch.complex128,
}  # fmt: skip


def encode_rare(value: Any) -> Any:
    if isinstance(value, torch.dtype | torch.memory_format) or value is torch.strided:
        return {"torch": str(value).removeprefix("torch.")}
    if isinstance(value, complex):
        return {"complex": [value.real, value.imag]}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, torch.device) and value.type == "cpu":
        return {"device": str(value)}
    if value is ...:
        return {"ellipsis": 0}
    if isinstance(value, torch.nn.Module) and repr(value) == repr(type(value)()):
        return {"new": [f"nn.{type(value).__name__}", {}]}
    if dataclasses.is_dataclass(value) and hasattr(torch.nn, type(value).__name__):
        fields = dataclasses.asdict(value).items()
        return {"new": [f"nn.{type(value).__name__}", {name: encode_plain(field) for name, field in fields}]}
    raise CannotSay(f"{type(value).__name__}: {str(value)[:60]}")


def encode_plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else encode_rare(value)


def tensors(tree: Any) -> Iterator[torch.Tensor]:
    if isinstance(tree, torch.Tensor):
        yield tree
    elif isinstance(tree, tuple | list | dict):
        for part in tree.values() if isinstance(tree, dict) else tree:
            yield from tensors(part)


def perform(entry: Any, sample: Any, script: Script) -> Any:
    """The result of calling the entry on this sample, which the script notes; raises what the call raises."""
    arguments = (sample.input, *sample.args)
    name = public_name(entry)
    torch.default_generator.manual_seed(records.SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name:
            return script.call(entry.op, arguments, sample.kwargs, name)
        script.encode(list(arguments))  # inputs in the order of the arguments
        return script.watch(entry.op, *arguments, **sample.kwargs)


def fresh(tree: Any, memo: dict[int, torch.Tensor]) -> Any:
    """The arguments with new tensors, whose numbers have few digits; one tensor stays one, a view becomes its own."""
    if isinstance(tree, torch.Tensor):
        if tree.layout is not torch.strided or tree.device.type != "cpu":
            return tree
        if id(tree) not in memo:
            plain = tree.detach().resolve_conj().resolve_neg().contiguous()
            memo[id(tree)] = shortened(plain).requires_grad_(tree.requires_grad)
        return memo[id(tree)]
    if isinstance(tree, tuple | list) and type(tree) in (tuple, list):
        return type(tree)(fresh(part, memo) for part in tree)
    if isinstance(tree, dict):
        return {key: fresh(part, memo) for key, part in tree.items()}
    if isinstance(tree, slice):
        return slice(*(fresh(part, memo) for part in (tree.start, tree.stop, tree.step)))
    return tree


def shortened(tensor: torch.Tensor, digits: int = 14) -> torch.Tensor:
    """The numbers cut after this many binary digits, so that float32 holds them and that they pack well."""
    if tensor.dtype not in (torch.float64, torch.complex128):
        return tensor.clone()
    return torch.from_numpy(cut(tensor.numpy(), digits))


def cut(array: Array, digits: int) -> Array:
    bits = np.array(array).reshape(-1).view(np.int64) & ~((1 << 52 - digits) - 1)
    return bits.view(array.dtype).reshape(array.shape)


def spoken(entry: Any, sample: Any) -> tuple[dict[str, Any], list[Array]]:
    """The sample as steps (what to call, which term is the result, which results have gradients), and its inputs."""
    memo: dict[int, torch.Tensor] = {}
    sample.input, sample.args = fresh(sample.input, memo), fresh(tuple(sample.args), memo)
    sample.kwargs = fresh(sample.kwargs, memo)
    script = Script()
    out = perform(entry, sample, script)
    whole = script.alive and out is script.alive[-1]
    said = {"steps": script.steps, "result": {"r": [len(script.steps) - 1]} if whole else script.encode(out)}
    count = len(script.steps), len(script.inputs)
    graded = [script.encode(t) for t in tensors(script.watch(sample.output_process_fn_grad, out))]
    if len(script.steps) > count[0] or graded != [script.encode(t) for t in tensors(out)]:
        said["graded"] = graded
    if len(script.inputs) > count[1]:
        raise CannotSay("the result is of other tensors than the arguments")
    if wanted := [k for k, t in enumerate(script.inputs) if t.requires_grad]:
        said["wanted"] = wanted
    return said, script.arrays
