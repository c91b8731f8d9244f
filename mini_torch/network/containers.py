"""Modules that hold modules or parameters: in order, in a list, in a dictionary."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, NoReturn, TypeVar

from ..tensor import Tensor
from .module import Module, indent, repr_of_lines
from .parameter import Parameter

__all__ = ["ModuleDict", "ModuleList", "Network", "ParameterDict", "ParameterList", "Sequential"]

Self = TypeVar("Self", bound="_ModuleSequence")

_call = Module.__call__


class _ModuleSequence(Module):
    """What `Sequential` and `ModuleList` share: children named "0", "1" … that behave as a Python list."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __getitem__(self, idx: int | slice) -> Any:
        if isinstance(idx, slice):
            return self._of(list(self._modules.items())[idx])
        return self._modules[self._key(idx)]

    def _of(self: Self, items: list[tuple[str, Any]]) -> Self:
        raise NotImplementedError

    def _key(self, idx: int) -> str:
        position, n = operator.index(idx), len(self)
        if not -n <= position < n:
            raise IndexError(f"index {idx} is out of range")
        return list(self._modules)[position]

    def __setitem__(self, idx: int, module: Module) -> None:
        setattr(self, self._key(idx), module)

    def __delitem__(self, idx: int | slice) -> None:
        for key in list(self._modules)[idx] if isinstance(idx, slice) else [self._key(idx)]:
            del self._modules[key]
        self._renumber(list(self._modules.values()))

    def _renumber(self, modules: list[Any]) -> None:
        self._modules.clear()
        self._modules.update((str(i), module) for i, module in enumerate(modules))

    def append(self: Self, module: Module) -> Self:
        """Adds `module` at the end; returns this container."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self: Self, modules: Iterable[Module]) -> Self:
        """Adds all of `modules` at the end; returns this container."""
        if not isinstance(modules, Iterable):
            kind = type(self).__name__
            raise TypeError(f"{kind}.extend should be called with an iterable, but got {type(modules).__name__}")
        for module in list(modules):
            self.append(module)
        return self

    def insert(self: Self, index: int, module: Module) -> Self:
        """Adds `module` before position `index`; returns this container."""
        n = len(self)
        if not -n <= index <= n:
            raise IndexError(f"Index out of range: {index}")
        self.append(module)
        modules = list(self._modules.values())
        modules.insert(index + n if index < 0 else index, modules.pop())
        self._renumber(modules)
        return self

    def pop(self, key: int | slice) -> Any:
        """Removes the module at `key`, or a slice of them, and returns what was removed."""
        removed = self[key]
        del self[key]
        return removed


class Sequential(_ModuleSequence):
    """Modules in order; each one's output is the next one's input.

    Made of modules one by one, or of an OrderedDict of names to modules. PyTorch's `nn.Sequential`.

    >>> Sequential(nn.Identity(), nn.Identity())
    Sequential(
      (0): Identity()
      (1): Identity()
    )
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        named = args[0].items() if len(args) == 1 and isinstance(args[0], OrderedDict) else enumerate(args)
        for name, module in named:
            self.add_module(str(name), module)

    def forward(self, input: Any) -> Any:
        modules: list[Any] = [*self._modules.values()]
        joined = Module.__call__ is not _call  # somebody wants to see every call
        if joined:
            for module in modules:
                input = module(input)
            return input
        for module, follower in zip(modules, [*modules[1:], None]):
            if joined:  # with the one before
                joined = False
                continue
            after = None if follower is None else type(follower)._after
            both = None if after is None else after(follower, module, input)
            if both is not None:
                input, joined = both, True
            elif type(module).__call__ is not _call or module._has_hooks:
                input = module(input)
            else:  # what the call would do, by a shorter way
                input = module.forward(input)
        return input

    def _of(self, items: list[tuple[str, Any]]) -> Any:
        return type(self)(OrderedDict(items))

    def _check_sequential(self, other: Any) -> None:
        if not isinstance(other, Sequential):
            raise ValueError(f"add operator supports only objects of Sequential class, but {type(other)} is given.")

    def __add__(self, other: Sequential) -> Sequential:
        self._check_sequential(other)
        return Sequential(*self, *other)

    def __iadd__(self, other: Sequential) -> Sequential:
        self._check_sequential(other)
        return self.extend(other)

    def _check_factor(self, factor: Any) -> None:
        if not isinstance(factor, int):
            raise TypeError(f"unsupported operand type(s) for *: {type(self)} and {type(factor)}")
        if factor <= 0:
            raise ValueError(f"Non-positive multiplication factor {factor} for {type(self)}")

    def __mul__(self, other: int) -> Sequential:
        """The same modules, `other` times over: they share their parameters."""
        self._check_factor(other)
        return Sequential(*list(self) * other)

    __rmul__ = __mul__

    def __imul__(self, other: int) -> Sequential:
        self._check_factor(other)
        return self.extend(list(self) * (other - 1))


class Network(Sequential):
    """A network: layers in order, given one by one or as one list, and `add`ed later.

    >>> network = Network([nn.Identity()])
    >>> network.add(nn.Identity())
    >>> len(network)
    2
    """

    def __init__(self, *layers: Any) -> None:
        as_list = len(layers) == 1 and isinstance(layers[0], list | tuple | ModuleList)
        super().__init__(*(layers[0] if as_list else layers))

    def add(self, layer: Module) -> None:
        """Adds `layer` behind the last one."""
        self.append(layer)


class ModuleList(_ModuleSequence):
    """A Python list whose modules are registered. PyTorch's `nn.ModuleList`.

    >>> layers = ModuleList([nn.Identity()])
    >>> layers.append(nn.Identity())
    ModuleList(
      (0-1): 2 x Identity()
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def _of(self, items: list[tuple[str, Any]]) -> Any:
        return type(self)(module for _, module in items)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __iadd__(self, modules: Iterable[Module]) -> ModuleList:
        return self.extend(modules)

    def __repr__(self) -> str:
        runs: list[list[Any]] = []  # [first, last, text]: equal neighbours share a line
        for i, module in enumerate(self):
            text = repr(module)
            if runs and runs[-1][2] == text:
                runs[-1][1] = i
            else:
                runs.append([i, i, text])
        lines = [f"({a}): {text}" if a == b else f"({a}-{b}): {b - a + 1} x {text}" for a, b, text in runs]
        return repr_of_lines(self._get_name(), [indent(line) for line in lines])


class ModuleDict(Module):
    """A dictionary of names to modules, all registered. PyTorch's `nn.ModuleDict`.

    >>> choices = ModuleDict({"same": nn.Identity()})
    >>> choices["same"], list(choices)
    (Identity(), ['same'])
    """

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Removes all."""
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Removes and returns one."""
        return self._modules.pop(key)

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._modules.keys()

    def values(self) -> ValuesView[Any]:
        """The modules."""
        return self._modules.values()

    def items(self) -> ItemsView[str, Any]:
        """The pairs of both."""
        return self._modules.items()

    def update(self, modules: Any) -> None:
        """Takes over a mapping, another ModuleDict, or pairs of name and module."""
        for key, module in _pairs(modules, "ModuleDict"):
            self[key] = module


def _pairs(given: Any, owner: str) -> Iterable[tuple[str, Any]]:
    """(key, value) pairs of a mapping, of a module that acts as one, or of an iterable of pairs."""
    if isinstance(given, Mapping | ModuleDict | ParameterDict):
        return given.items()
    if not isinstance(given, Iterable):
        raise TypeError(
            f"{owner}.update should be called with an iterable of key/value pairs, but got {type(given).__name__}"
        )
    pairs = list(given)
    for i, pair in enumerate(pairs):
        if not isinstance(pair, Iterable):
            raise TypeError(f"{owner} update sequence element #{i} should be Iterable; is{type(pair).__name__}")
        if len(pair) != 2:  # type: ignore[arg-type]
            raise ValueError(f"{owner} update sequence element #{i} has length {len(pair)}; 2 is required")  # type: ignore[arg-type]
    return pairs


def _as_parameter(value: Any) -> Any:
    """A tensor as a parameter; anything else as it is."""
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


def _describe(name: Any, value: Any, number_type: Callable[[Tensor], Any]) -> str:
    if not isinstance(value, Tensor):
        return f"  ({name}): Object of type: {type(value).__name__}"
    kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
    return f"  ({name}): {kind} containing: [{number_type(value)} of size {'x'.join(map(str, value.shape))}]"


class ParameterList(Module):
    """A Python list whose tensors become registered parameters. PyTorch's `nn.ParameterList`.

    >>> [name for name, _ in ParameterList([mini_torch.zeros(2, 3)]).named_parameters()]
    ['0']
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def _key(self, idx: int) -> str:
        position = operator.index(idx)
        if not -self._size <= position < self._size:
            raise IndexError(f"index {idx} is out of range")
        return str(position % self._size)

    def __getitem__(self, idx: int | slice) -> Any:
        if isinstance(idx, slice):
            return type(self)(list(self)[idx])
        return getattr(self, self._key(idx))

    def __setitem__(self, idx: int, param: Any) -> None:
        setattr(self, self._key(idx), _as_parameter(param))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter([self[i] for i in range(self._size)])

    def __iadd__(self, values: Iterable[Any]) -> ParameterList:
        return self.extend(values)

    def append(self, value: Any) -> ParameterList:
        """Adds `value` at the end; returns this list."""
        self._size += 1
        self[-1] = value
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Adds all of `values` at the end; returns this list."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(f"ParameterList.extend should be called with an iterable, but got {type(values).__name__}")
        for value in list(values):
            self.append(value)
        return self

    def extra_repr(self) -> str:
        return "\n".join(_describe(i, value, lambda p: p.dtype) for i, value in enumerate(self))

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError("ParameterList should not be called.")


class ParameterDict(Module):
    """A dictionary whose tensors become registered parameters. PyTorch's `nn.ParameterDict`.

    >>> weights = ParameterDict({"left": mini_torch.zeros(2)})
    >>> weights["left"]
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(
                "Index given to ParameterDict cannot be used as a key as it is not a string (type is "
                f"'{type(key).__name__}')."
            )
        setattr(self, key, _as_parameter(value))
        self._keys[key] = None

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._keys)

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def __or__(self, other: ParameterDict) -> ParameterDict:
        merged = self.copy()
        merged.update(other)
        return merged

    def __ror__(self, other: Any) -> Any:
        merged = other.copy()
        merged.update(self)
        return merged

    def __ior__(self, other: ParameterDict) -> ParameterDict:
        self.update(other)
        return self

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._keys.keys()

    def values(self) -> Iterable[Any]:
        """The values."""
        return [self[key] for key in self._keys]

    def items(self) -> Iterable[tuple[str, Any]]:
        """The pairs of both."""
        return [(key, self[key]) for key in self._keys]

    def get(self, key: str, default: Any = None) -> Any:
        """The value of `key`, or `default`."""
        return self[key] if key in self else default  # noqa: SIM401

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value of `key`, which is `default` if it was not there."""
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: str) -> Any:
        """Removes one and returns its value."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Removes and returns the last pair."""
        key, _ = dict(self._keys).popitem()  # KeyError for an empty one
        return key, self.pop(key)

    def clear(self) -> None:
        """Removes all."""
        for key in list(self._keys):
            del self[key]

    def copy(self) -> ParameterDict:
        """A new dictionary of the same parameters."""
        return ParameterDict(OrderedDict(self.items()))

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A new dictionary in which every one of `keys` has the value `default`."""
        return ParameterDict((key, default) for key in keys)

    def update(self, parameters: Any) -> None:
        """Takes over a mapping, another ParameterDict, or pairs of name and value.

        The names of a plain dictionary come in the order of the alphabet, as in PyTorch, and with them `parameters()`;
        those of an OrderedDict in its own.
        """
        pairs = _pairs(parameters, "ParameterDict")
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            pairs = sorted(pairs, key=lambda pair: pair[0])
        for key, value in pairs:
            self[key] = value

    def extra_repr(self) -> str:
        return "\n".join(_describe(key, value, lambda p: Tensor.type(p)) for key, value in self.items())

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError("ParameterDict should not be called.")
