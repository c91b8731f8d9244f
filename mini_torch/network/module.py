"""`Module`: what holds parameters, buffers and other modules, and can be called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from ..creation import empty_like
from ..dtype import bfloat16, check_device, float16, float32, float64
from ..dtype import dtype as _DType
from ..graph import RemovableHandle, changes
from ..late import find
from ..tensor import Tensor
from . import conversion, registry, state
from .hooks import as_it_is, call_with_hooks, common, register
from .parameter import Buffer, Parameter

__all__ = ["Module"]

Self = TypeVar("Self", bound="Module")
Hook = Callable[..., Any]

_HOOKS = ("_forward_pre_hooks", "_forward_pre_hooks_with_kwargs", "_forward_hooks", "_forward_hooks_with_kwargs",
          "_forward_hooks_always_called", "_backward_pre_hooks", "_backward_hooks", "_state_dict_pre_hooks",
          "_state_dict_hooks", "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks")  # fmt: skip


def _empty() -> dict[str, Any]:
    """The registries and hooks of a new module."""
    return {**{name: {} for name in (*registry.REGISTRIES, *_HOOKS)}, "_non_persistent_buffers_set": set()}


class Module:
    """The base of all layers, losses and networks.

    A parameter, buffer or module that is assigned to an attribute is registered: `parameters()`, `state_dict()`,
    `to()` and `train()` find it, in the order of registration. Subclasses call `super().__init__()` first and say in
    `forward` what they compute. PyTorch's `nn.Module`.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.slope = Parameter(mini_torch.tensor(2.))
    ...
    ...     def forward(self, x):
    ...         return self.slope * x
    >>> line = Line()
    >>> line(3.), [name for name, _ in line.named_parameters()]
    (tensor(6., grad_fn=<MulBackward0>), ['slope'])
    """

    _version = 1  # of what `state_dict` holds; a subclass that changes its content counts up
    _has_hooks = False  # one flag for all kinds that concern a call, so that a call asks once; of the class: all have
    _is_full_backward_hook: bool | None = None  # which of the two kinds of backward hooks there are
    _compiled_call_impl: Callable[..., Any] | None = None  # what calls go to after `compile`
    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]
    _forward_pre_hooks: dict[int, Hook]
    _forward_pre_hooks_with_kwargs: dict[int, bool]
    _forward_hooks: dict[int, Hook]
    _forward_hooks_with_kwargs: dict[int, bool]
    _forward_hooks_always_called: dict[int, bool]
    _backward_pre_hooks: dict[int, Hook]
    _backward_hooks: dict[int, Hook]
    _state_dict_pre_hooks: dict[int, Hook]
    _state_dict_hooks: dict[int, tuple[Hook, bool]]  # the flag: whether the hook may return another state dict
    _load_state_dict_pre_hooks: dict[int, tuple[Hook, bool]]  # the flag: whether the hook gets the module
    _load_state_dict_post_hooks: dict[int, Hook]

    def __init__(self) -> None:
        self.__dict__["training"] = True
        self.__dict__.update(_empty())

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Takes over what was pickled; registries that an older version did not have start empty."""
        self.__dict__.update({**_empty(), **state})

    def __getstate__(self) -> dict[str, Any]:
        """What is copied and pickled: all but a compiled program."""
        return {name: value for name, value in vars(self).items() if name != "_compiled_call_impl"}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._has_hooks:
            return call_with_hooks(self, args, kwargs)
        if len(args) == 1 and not kwargs:  # the usual call, by a shorter way
            return self.forward(args[0])
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes. Call the module, not this: hooks run only then."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    _after: Any = None
    """`_after(module, input)`: what this module makes of what `module` makes of the input, if one step does both."""

    # ---- registration -----------------------------------------------------------------------------------------------
    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        for kind in registry.REGISTRIES:
            members = own.get(kind)
            if members and name in members:
                return members[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'", name=name, obj=self)

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        changes[0] += 1
        if isinstance(value, Parameter):
            registry.make_room(self, name, "_parameters")
            self.register_parameter(name, value)
        elif name in own.get("_parameters", ()):
            registry.check_is_none(value, "parameter", name, "torch.nn.Parameter")
            self.register_parameter(name, None)
        elif isinstance(value, Module):
            registry.make_room(self, name, "_modules")
            own["_modules"][name] = common.registered("_modules", self, name, value)
        elif name in own.get("_modules", ()):
            registry.check_is_none(value, "child module", name, "torch.nn.Module")
            own["_modules"][name] = common.registered("_modules", self, name, None)
        elif isinstance(value, Buffer):
            registry.make_room(self, name, "_buffers")
            self.register_buffer(name, value, value.persistent)
        elif name in own.get("_buffers", ()):
            if not isinstance(value, Tensor):
                registry.check_is_none(value, "buffer", name, "torch.nn.Buffer, torch.Tensor")
            own["_buffers"][name] = common.registered("_buffers", self, name, value)
        else:
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        changes[0] += 1
        for kind in registry.REGISTRIES:
            if name in self.__dict__.get(kind, ()):
                del self.__dict__[kind][name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = [*dir(type(self)), *self.__dict__, *self._parameters, *self._modules, *self._buffers]
        return sorted({name for name in names if not name[0].isdigit()})

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Adds a parameter, or None for one that this module could have and has not.

        Errors: TypeError for what is no parameter, KeyError for a name that is taken, empty or has a dot in it,
        ValueError for a computed tensor.
        """
        registry.check_name(self, name, "parameter", "_parameters")
        changes[0] += 1
        if param is not None:
            registry.check_parameter(name, param)
            param = common.registered("_parameters", self, name, param)
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Adds a tensor that belongs to the state but is not trained; `persistent` ones are in `state_dict()`.

        Errors as `register_parameter`.
        """
        registry.check_name(self, name, "buffer", "_buffers")
        changes[0] += 1
        registry.check_buffer(name, tensor)
        self._buffers[name] = common.registered("_buffers", self, name, tensor)
        (self._non_persistent_buffers_set.discard if persistent else self._non_persistent_buffers_set.add)(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Adds a child. Errors as `register_parameter`."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{registry.typename(module)} is not a Module subclass")
        registry.check_name(self, name, "module", "_modules")
        changes[0] += 1
        self._modules[name] = common.registered("_modules", self, name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """`add_module`."""
        self.add_module(name, module)

    # ---- finding ----------------------------------------------------------------------------------------------------
    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """(dotted name, module) of this module and all below it; one that occurs twice is given once."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it; one that occurs twice is given once."""
        return (module for _, module in self.named_modules(remove_duplicate=remove_duplicate))

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """(name, module) of the modules directly below."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules directly below."""
        return (module for _, module in self.named_children())

    def _named_members(
        self, kind: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        seen = set()
        for path, module in modules:
            for name, member in module.__dict__[kind].items():
                if member is None or member in seen:
                    continue
                if remove_duplicate:
                    seen.add(member)
                yield (f"{path}.{name}" if path else name), member

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(dotted name, parameter), in the order of registration; a shared one is given once."""
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters of this module and, with `recurse`, of all below it."""
        return (param for _, param in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """(dotted name, buffer), in the order of registration; a shared one is given once."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers of this module and, with `recurse`, of all below it."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module at the dotted path `target` ("" is this one); AttributeError where there is none."""
        module = self
        for name in target.split(".") if target else ():
            module = module._member(name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Puts `module` at the dotted path `target`; with `strict` only where one is already.

        Errors: ValueError for an empty path or what is no module, AttributeError where the path leads nowhere.
        """
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if (strict or hasattr(parent, name)) and not isinstance(parent._member(name), Module):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at the dotted path `target`; AttributeError where there is none."""
        path, _, name = target.rpartition(".")
        found = self.get_submodule(path)._member(name)
        if not isinstance(found, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return found

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at the dotted path `target`; AttributeError where there is none."""
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        found = owner._member(name)
        if name not in owner._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return found

    def _member(self, name: str) -> Any:
        if not hasattr(self, name):
            raise AttributeError(f"{self._get_name()} has no attribute `{name}`")
        return getattr(self, name)

    # ---- all at once ------------------------------------------------------------------------------------------------
    def apply(self: Self, fn: Callable[[Module], Any]) -> Self:
        """Calls `fn` on every module below and then on this one; returns this one."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self: Self, mode: bool = True) -> Self:
        """Sets training mode here and in all modules below; it concerns dropout, batch normalisation and their kind."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self: Self) -> Self:
        """`train(False)`."""
        return self.train(False)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Sets whether the parameters require grad: `False` freezes them."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Removes the parameters' gradients, or fills them with zeros."""
        for param in self.parameters():
            if set_to_none:
                param.grad = None
            elif (grad := param.grad) is not None:
                grad.detach_() if grad.grad_fn is not None else grad.requires_grad_(False)
                grad.zero_()

    def _apply(self: Self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replaces every parameter's, gradient's and buffer's value by `fn` of it; parameters stay the same objects."""
        for module in self.children() if recurse else ():
            module._apply(fn)
        conversion.apply_to_own(self, fn)
        return self

    def to(self: Self, *args: Any, **kwargs: Any) -> Self:
        """Casts floating and complex parameters and buffers, in place: `to(dtype)`, `to(device, dtype)`, `to(tensor)`.

        The device can only be the CPU. Errors: TypeError for a number type that cannot hold gradients.
        """
        kind = conversion.dtype_of_to(*args, **kwargs)
        if kind is None:
            return self
        return self._apply(lambda t: t.to(kind) if t.is_floating_point() or t.is_complex() else t)

    def to_empty(self: Self, *, device: Any, recurse: bool = True) -> Self:
        """Gives all parameters and buffers new memory with nothing in it, in place."""
        check_device(device)
        return self._apply(empty_like, recurse)

    def type(self: Self, dst_type: _DType | str) -> Self:
        """Casts all parameters and buffers, in place."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self: Self) -> Self:
        """Casts floating parameters and buffers to float32, in place."""
        return self._cast_floats(float32)

    def double(self: Self) -> Self:
        """Casts floating parameters and buffers to float64, in place."""
        return self._cast_floats(float64)

    def half(self: Self) -> Self:
        """Casts floating parameters and buffers to float16, in place."""
        return self._cast_floats(float16)

    def bfloat16(self: Self) -> Self:
        """Casts floating parameters and buffers to bfloat16, in place, which needs the package ml_dtypes."""
        return self._cast_floats(bfloat16)

    def _cast_floats(self: Self, kind: _DType) -> Self:
        return self._apply(lambda t: t.to(kind) if t.is_floating_point() else t)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Has later calls run as a compiled program, in place; the arguments are those of `mini_torch.compile`.

        Parameters and the names of the state dict stay what they are. A copy of the module is not compiled.

        >>> layer = mini_torch.nn.Linear(3, 2)
        >>> layer.compile()
        >>> layer(mini_torch.ones(5, 3)).shape, [name for name, _ in layer.named_parameters()]
        (torch.Size([5, 2]), ['weight', 'bias'])
        """
        compiled = find("compile", {}, {"compile": "capture.interface"})(as_it_is(self), *args, **kwargs)
        self.__dict__.update(_compiled_call_impl=compiled, _has_hooks=True)
        changes[0] += 1

    def share_memory(self: Self) -> Self:
        """Moves all parameters and buffers to memory that processes share. See `Tensor.share_memory_`."""
        return self._apply(lambda t: t.share_memory_())

    def cpu(self: Self) -> Self:
        """This module: everything is on the CPU."""
        return self

    def cuda(self: Self, device: Any = None) -> Self:
        """AssertionError: there is no GPU here."""
        check_device("cuda")
        return self

    def xpu(self: Self, device: Any = None) -> Self:
        """AssertionError: there is no GPU here."""
        check_device("xpu")
        return self

    # ---- state ------------------------------------------------------------------------------------------------------
    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """Dotted name → tensor, of all parameters and persistent buffers: the tensors' own memory, outside the graph.

        With `keep_vars` the parameters themselves. The result is an OrderedDict that has the modules' versions in
        `_metadata`. Arguments by position are an old way, with a warning. PyTorch's `Module.state_dict`.
        """
        if args:
            destination, prefix, keep_vars = state.by_position(args, destination, prefix, keep_vars)
        return state.save(self, destination, prefix, keep_vars)

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        """This module's own part of `state_dict`."""
        for name, tensor in state.own_state(self).items():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if self._overrides("get_extra_state"):
            destination[prefix + state.EXTRA_STATE] = self.get_extra_state()

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> state.IncompatibleKeys:
        """Copies the values of `state_dict` into parameters and buffers, or, with `assign`, puts its tensors in place.

        Returns the missing and the unexpected keys. Errors: RuntimeError with everything that does not fit, in one
        list: other shapes always; with `strict` missing and unexpected keys. PyTorch's `Module.load_state_dict`.
        """
        return state.load(self, state_dict, strict, assign)

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: dict[str, Any], strict: bool,
        missing_keys: list[str], unexpected_keys: list[str], error_msgs: list[str],
    ) -> None:  # fmt: skip
        """This module's own part of `load_state_dict`; subclasses override it to read what older versions wrote."""
        state.load_own(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)

    def get_extra_state(self) -> Any:
        """What a subclass wants in its state besides tensors; override it together with `set_extra_state`."""
        raise RuntimeError(f"{type(self).__name__} has no extra state: override get_extra_state()")

    def set_extra_state(self, state: Any) -> None:
        """Takes back what `get_extra_state` gave."""
        raise RuntimeError(f"{type(self).__name__} has no extra state: override set_extra_state()")

    def _overrides(self, name: str) -> bool:
        return getattr(type(self), name) is not getattr(Module, name)

    # ---- hooks ------------------------------------------------------------------------------------------------------
    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """`hook(module, args)` runs before `forward` and may return other arguments.

        With `with_kwargs` it is `hook(module, args, kwargs)` and returns both or None.
        """
        self._has_hooks = True
        return register(self._forward_pre_hooks, hook, prepend, *[self._forward_pre_hooks_with_kwargs] * with_kwargs)

    def register_forward_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """`hook(module, args, output)` runs after `forward` and may return another output.

        With `with_kwargs` it is `hook(module, args, kwargs, output)`; with `always_call` it runs also after an error.
        """
        self._has_hooks = True
        marks = [self._forward_hooks_with_kwargs] * with_kwargs + [self._forward_hooks_always_called] * always_call
        return register(self._forward_hooks, hook, prepend, *marks)

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """`hook(module, grad_input, grad_output)` runs when the gradients of the module's inputs have been computed.

        Both are tuples; the hook may return another `grad_input`. Errors: RuntimeError after `register_backward_hook`.
        """
        return self._register_backward(hook, prepend, full=True)

    def register_backward_hook(self, hook: Hook) -> RemovableHandle:
        """The old kind, which sees the gradients of the last operation only: use `register_full_backward_hook`."""
        return self._register_backward(hook, prepend=False, full=False)

    def _register_backward(self, hook: Hook, prepend: bool, full: bool) -> RemovableHandle:
        if self._is_full_backward_hook is (not full):
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only "
                "one of them."
            )
        self._has_hooks, self._is_full_backward_hook = True, full
        return register(self._backward_hooks, hook, prepend)

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """`hook(module, grad_output)` runs before the module's backward and may return another `grad_output`."""
        self._has_hooks = True
        return register(self._backward_pre_hooks, hook, prepend)

    def register_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """`hook(module, prefix, keep_vars)` runs before `state_dict`."""
        return RemovableHandle(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """`hook(module, state_dict, prefix, local_metadata)` may change the state dict in place."""
        return RemovableHandle(self._state_dict_hooks, (hook, False))

    def _register_state_dict_hook(self, hook: Hook) -> RemovableHandle:
        """As `register_state_dict_post_hook`, but the hook may return another state dict. Much used, if private."""
        if (hook, False) in self._state_dict_hooks.values():
            raise RuntimeError(
                "Cannot register the same function as the state dict post hook that was previously registered via "
                "register_state_dict_post_hook"
            )
        return RemovableHandle(self._state_dict_hooks, (hook, True))

    def register_load_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """`hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)`."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(self, hook: Hook, with_module: bool = False) -> RemovableHandle:
        """As `register_load_state_dict_pre_hook`, but the hook does not get the module. Much used, if private."""
        return RemovableHandle(self._load_state_dict_pre_hooks, (hook, with_module))

    def register_load_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """`hook(module, incompatible_keys)` may change the two lists of keys in place."""
        return RemovableHandle(self._load_state_dict_post_hooks, hook)

    # ---- repr -------------------------------------------------------------------------------------------------------
    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What the repr says of this module besides its children: its sizes and options."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr().split("\n") if self.extra_repr() else []
        children = [f"({name}): " + indent(repr(module)) for name, module in self._modules.items()]
        if len(extra) == 1 and not children:
            return f"{self._get_name()}({extra[0]})"
        return repr_of_lines(self._get_name(), extra + children)


def repr_of_lines(name: str, lines: list[str]) -> str:
    """`name(…)` with one line per entry."""
    return f"{name}(\n  " + "\n  ".join(lines) + "\n)" if lines else f"{name}()"


def indent(text: str) -> str:
    """All lines but the first, two columns to the right."""
    return text.replace("\n", "\n  ")
