"""`Optimizer`: the books that every optimizer keeps: parameter groups, state, hooks, checkpoints."""

from __future__ import annotations

import copy
import functools
import warnings
from collections import defaultdict
from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np

from ..graph import RemovableHandle, enable_grad, mode
from ..tensor import Tensor, wrap

__all__ = ["Optimizer", "register_optimizer_step_post_hook", "register_optimizer_step_pre_hook", "required"]

StateDict = dict[str, Any]


class _Required:
    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()  # the default of an option that each group must give


class Optimizer:
    """Keeps the parameters to optimize, in groups with options of their own, and the state of each.

    A subclass gives the options' defaults and a `step`; it may use `state[p]`, a dict for each parameter.
    `params` is an iterable of tensors, of (name, tensor) pairs, or of dicts {"params": …, options …}.

    Errors: TypeError for what holds no tensors; ValueError for an empty list, a tensor that is no leaf, a
    parameter in two groups. PyTorch's `torch.optim.Optimizer`.
    """

    _opt_called: bool | None = None  # None: no scheduler wants to know whether `step` was called

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):
            cls.step = _with_hooks(cls.step)  # type: ignore[method-assign]

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                f"{params.type()}"
            )
        self.defaults = defaults
        self.state: defaultdict[Any, Any] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._make_hooks()
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _make_hooks(self) -> None:
        self._step_pre_hooks: dict[int, Any] = {}
        self._step_post_hooks: dict[int, Any] = {}
        self._state_dict_pre_hooks: dict[int, Any] = {}
        self._state_dict_post_hooks: dict[int, Any] = {}
        self._load_pre_hooks: dict[int, Any] = {}
        self._load_post_hooks: dict[int, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "_step_pre_hooks" not in self.__dict__:
            self._make_hooks()
        for group in self.param_groups:  # a state from before an option was there
            for name, value in self.defaults.items():
                group.setdefault(name, value)

    def __repr__(self) -> str:
        text = f"{type(self).__name__} ("
        for i, group in enumerate(self.param_groups):
            options = "".join(f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params")
            text += f"\nParameter Group {i}\n{options}"
        return text + ")"

    # ---- parameter groups ----------------------------------------------------------------------------------
    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds a group: a dict with "params" and any options that differ from the defaults. The dict is kept."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        given = param_group["params"]
        if isinstance(given, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
                "will change between runs. Please use a list instead."
            )
        given = [given] if isinstance(given, Tensor) else list(given)
        names = [item[0] for item in given if isinstance(item, tuple)]
        params = [item[1] if isinstance(item, tuple) else item for item in given]
        if names and len(names) != len(params):
            raise ValueError("all optimizer params should be with/without names. Some param names are missing")
        self._check_params(params)
        param_group["params"] = params
        if names:
            param_group["param_names"] = names
        for name, value in self.defaults.items():
            if value is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, value)
        self._check_names(param_group)
        self.param_groups.append(param_group)

    def _check_params(self, params: list[Any]) -> None:
        for param in params:
            if not isinstance(param, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {_name(param)}")
            if not (self.defaults.get("differentiable") or param.is_leaf or param.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        if len(params) != len(set(params)):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; "
                "see github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=4,
            )
        present = set(chain.from_iterable(group["params"] for group in self.param_groups))
        if not present.isdisjoint(params):
            raise ValueError("some parameters appear in more than one parameter group")

    def _check_names(self, param_group: dict[str, Any]) -> None:
        named = "param_names" in param_group
        if any(("param_names" in group) != named for group in self.param_groups):
            raise ValueError(
                "all optimizer param groups should be with/without names. cannot add param group "
                f"{'with' if named else 'without'} names to the optimizer"
            )

    # ---- steps ---------------------------------------------------------------------------------------------
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Updates the parameters. `closure` computes the loss and the gradients anew, where an optimizer needs that."""
        raise NotImplementedError(f"{type(self).__name__} does not define step")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets all gradients, or sets them to zero in place."""
        for p in [p for group in self.param_groups for p in group["params"]]:
            if set_to_none:
                p._grad = None
            elif p.grad is not None:
                if p.grad.requires_grad:
                    p.grad = p.grad.detach()
                p.grad._array[...] = 0
                p.grad._bump()

    # ---- checkpoints ---------------------------------------------------------------------------------------
    def state_dict(self) -> StateDict:
        """The state and the groups as plain dicts, with parameters as numbers in the order of the groups.

        {"state": {0: {"step": …, …}, …}, "param_groups": [{"lr": …, "params": [0, 1]}, …]}. The tensors in it
        are the optimizer's own: copy it (`copy.deepcopy`) to keep a moment.
        """
        for pre_hook in self._state_dict_pre_hooks.values():
            pre_hook(self)
        numbers: dict[int, int] = {}
        groups = []
        start = 0
        for group in self.param_groups:
            numbers.update({id(p): i for i, p in enumerate(group["params"], start)})
            start += len(group["params"])
            packed = {key: value for key, value in group.items() if key != "params"}
            groups.append({**packed, "params": [numbers[id(p)] for p in group["params"]]})
        state = {numbers[id(p)] if isinstance(p, Tensor) else p: value for p, value in self.state.items()}
        result: StateDict = {"state": state, "param_groups": groups}
        for post_hook in self._state_dict_post_hooks.values():
            changed = post_hook(self, result)
            result = result if changed is None else changed
        return result

    def load_state_dict(self, state_dict: StateDict) -> None:
        """Takes a copy of the state and the options of what `state_dict` gave, here or in PyTorch.

        (PyTorch's tensors may go on sharing memory with those of `state_dict`.)
        Errors: ValueError where the groups differ in number or length; nothing has changed then.
        """
        state_dict = state_dict.copy()
        for pre_hook in self._load_pre_hooks.values():
            changed = pre_hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        saved = copy.deepcopy(state_dict["param_groups"])
        if len(saved) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(new["params"]) != len(old["params"]) for new, old in zip(saved, self.param_groups)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        numbers = chain.from_iterable(group["params"] for group in saved)
        param_of = dict(zip(numbers, chain.from_iterable(group["params"] for group in self.param_groups)))
        state: defaultdict[Any, Any] = defaultdict(dict)
        for number, value in state_dict["state"].items():
            param = param_of.get(number)
            state[number if param is None else param] = _own(value, param)
        for new, old in zip(saved, self.param_groups):
            new["params"] = old["params"]
            if "param_names" in old:
                new.setdefault("param_names", old["param_names"])
        self.__setstate__({"state": state, "param_groups": saved})
        for post_hook in self._load_post_hooks.values():
            post_hook(self)

    # ---- hooks ---------------------------------------------------------------------------------------------
    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """`hook(optimizer, args, kwargs)` is called before each step and may return other (args, kwargs).

        The first of `args` is the optimizer itself, as in PyTorch.
        """
        return RemovableHandle(self._step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """`hook(optimizer, args, kwargs)` is called after each step."""
        return RemovableHandle(self._step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """`hook(optimizer)` is called before `state_dict` begins."""
        return _register(self._state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """`hook(optimizer, state_dict)` may change what `state_dict` returns, or return another."""
        return _register(self._state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """`hook(optimizer, state_dict)` may change what `load_state_dict` loads, or return another."""
        return _register(self._load_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """`hook(optimizer)` is called when `load_state_dict` is done."""
        return _register(self._load_post_hooks, hook, prepend)


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """`step` between the hooks of the optimizer."""

    @functools.wraps(step)
    def hooked(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        if self._opt_called is False:
            self._opt_called = True
        if "_step_pre_hooks" not in self.__dict__:  # a wrapper of another optimizer, without Optimizer.__init__
            self._make_hooks()
        if mode.recorder is not None:
            return mode.recorder.step(self, hooked, *args, **kwargs)
        if not has_hooks(self):
            return step(self, *args, **kwargs)
        args = (self, *args)
        for hook in [*_pre_hooks_of_all.values(), *self._step_pre_hooks.values()]:
            changed = hook(self, args, kwargs)
            if changed is None:
                continue
            if not isinstance(changed, tuple) or len(changed) != 2:
                raise RuntimeError(f"{step} must return None or a tuple of (new_args, new_kwargs), but got {changed}.")
            args, kwargs = changed
        result = step(*args, **kwargs)
        for hook in [*self._step_post_hooks.values(), *_post_hooks_of_all.values()]:
            hook(self, args, kwargs)
        return result

    return hooked


def has_hooks(optimizer: Optimizer) -> bool:
    """Whether anybody wants to be told of its steps."""
    return bool(
        optimizer._step_pre_hooks or optimizer._step_post_hooks or _pre_hooks_of_all or _post_hooks_of_all
    )


_pre_hooks_of_all: dict[int, Any] = {}
_post_hooks_of_all: dict[int, Any] = {}


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """`Optimizer.register_step_pre_hook` for all optimizers at once; called before those of the one that steps."""
    return RemovableHandle(_pre_hooks_of_all, hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """`Optimizer.register_step_post_hook` for all optimizers at once; called after those of the one that steps."""
    return RemovableHandle(_post_hooks_of_all, hook)


def evaluate(closure: Callable[[], Any] | None) -> Any:
    """The loss that a step's closure computes, with gradients; None without one."""
    if closure is None:
        return None
    with enable_grad():
        return closure()


def number(value: Any) -> float:
    """An option's value, given as a number or as a tensor of one element."""
    plain: float = value.item() if isinstance(value, Tensor) else value
    return plain


def check(name: str, value: Any, what: str | None = None) -> None:
    """ValueError unless `value`, a number or a tensor of one element, is at least 0."""
    if isinstance(value, Tensor) and value.numel() != 1:
        raise ValueError(f"Tensor {name} must be 1-element")
    if not number(value) >= 0.0:
        raise ValueError(f"Invalid {what or name + ' value'}: {value}")


def check_betas(betas: tuple[float, float]) -> None:
    """ValueError unless both are in [0, 1)."""
    for i, beta in enumerate(betas):
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}")


def _register(hooks: dict[int, Any], hook: Callable[..., Any], prepend: bool) -> RemovableHandle:
    later = dict(hooks) if prepend else {}
    for key in later:
        del hooks[key]
    handle = RemovableHandle(hooks, hook)
    hooks.update(later)
    return handle


def _own(value: Any, param: Any, key: Any = None) -> Any:
    """A copy of a loaded value; floating tensors in the parameter's type, except the count of steps."""
    if isinstance(value, Tensor):
        cast = isinstance(param, Tensor) and key != "step" and (param.is_floating_point() or param.is_complex())
        return wrap(np.array(value._array, dtype=param.dtype.numpy if cast else None))
    if isinstance(value, dict):
        return {k: _own(v, param, k) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_own(v, param) for v in value)
    return value


def _name(value: Any) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
