"""What loading a state does: cases that record_state.py records from PyTorch and test_state.py compares.

Each case is a comment and a few lines of program; the last line is an expression, whose repr, or else the error, is
what is recorded, with the warnings that there were.
"""

from __future__ import annotations

import ast
import re
import warnings
from types import ModuleType
from typing import Any

SETUP = """
from collections import OrderedDict
import copy
import numpy
nn = torch.nn

def net():
    return nn.Sequential(OrderedDict(a=nn.Linear(2, 3), bn=nn.BatchNorm1d(3)))

def state(*without, **changed):
    out = net().state_dict()
    for name in without:
        del out[name]
    out.update({name.replace("__", "."): value for name, value in changed.items()})
    return out

def assigned(weight, requires_grad=True):
    layer = nn.Linear(2, 3)
    before = layer.weight.requires_grad_(requires_grad)
    layer.load_state_dict({"weight": weight, "bias": torch.ones(3)}, assign=True)
    now = layer.weight
    return [type(now).__name__, now is before, now is weight, now.dtype, now.requires_grad,
            now.data_ptr() == weight.data_ptr(), now.is_contiguous()]

def named(args):
    return [sorted(x) if isinstance(x, dict) else type(x).__name__ if isinstance(x, nn.Module) else x for x in args]

class WithExtra(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1)
        self.register_buffer("passing", torch.ones(1), persistent=False)
        self.register_buffer("nothing", None)
        self.extra = 5

    def get_extra_state(self):
        return {"extra": self.extra}

    def set_extra_state(self, state):
        self.extra = state["extra"]

class Versioned(nn.Module):
    _version = 3

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(1))
        self.seen = []

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, strict, missing, unexpected, errors):
        self.seen.append([prefix, dict(local_metadata), strict])
        if local_metadata.get("version") is None:
            state_dict[prefix + "w"] = state_dict.pop(prefix + "old")
        super()._load_from_state_dict(state_dict, prefix, local_metadata, strict, missing, unexpected, errors)

class Complains(nn.Module):
    def _load_from_state_dict(self, state_dict, prefix, local_metadata, strict, missing, unexpected, errors):
        errors.append("an error of mine")
        missing.append("a key of mine")

def trained(kind, **options):
    layer = nn.Linear(2, 1)
    optimizer = kind(layer.parameters(), **options)
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return layer, optimizer
"""

CASES = """
# all keys
net().load_state_dict(state())

# everything that can be wrong, at once
one = torch.zeros(1)
net().load_state_dict(state("a.bias", "bn.weight", a__weight=torch.zeros(3, 5), bn__bias=one, x=one, a__foo=one,
                            bn__q__r=one, bn=one))

# another shape, not strict
net().load_state_dict(state("a.bias", a__weight=torch.zeros(3, 5), x=torch.zeros(1)), strict=False)

# other keys, not strict
net().load_state_dict(state("a.bias", x=torch.zeros(1), a__foo=1), strict=False)

# no dict
net().load_state_dict([1])

# nothing
net().load_state_dict(None)

# values of other kinds
net().load_state_dict(state(a__weight=[1, 2], a__bias=3.0, bn__weight=None))

# an array
net().load_state_dict(state(a__bias=numpy.ones(3)))

# a 0-d value from one of shape (1,)
one = net()
one.load_state_dict(state(bn__num_batches_tracked=torch.tensor([3])))
one.bn.num_batches_tracked

# a 0-d value from one of shape (1, 1)
net().load_state_dict(state(bn__num_batches_tracked=torch.tensor([[3]])))

# shape (1,) from a 0-d value
nn.Linear(1, 1).load_state_dict({"weight": torch.ones(1, 1), "bias": torch.tensor(2.0)})

# what would broadcast
nn.Linear(2, 2).load_state_dict({"weight": torch.ones(1, 2), "bias": torch.ones(2)})

# batch norm before it counted batches: no versions at all
old = OrderedDict(state("bn.num_batches_tracked"))
net().load_state_dict(old)

# batch norm before it counted batches: version 1
old, one = state("bn.num_batches_tracked"), net()
old._metadata["bn"]["version"] = 1
[one.load_state_dict(old), one.bn.num_batches_tracked]

# batch norm of today without its count
net().load_state_dict(state("bn.num_batches_tracked"))

# versions
{name: dict(value) for name, value in state()._metadata.items()}

# other types
one = net()
one.load_state_dict(state(a__weight=torch.ones(3, 2, dtype=torch.float64), a__bias=torch.tensor([1, 2, 3])))
[one.a.weight.dtype, one.a.bias]

# sources that are not contiguous
one = nn.Linear(2, 3)
one.load_state_dict({"weight": torch.arange(6.0).reshape(2, 3).t(), "bias": torch.ones(1).expand(3)})
[one.weight.tolist(), one.weight.is_contiguous()]

# the parameter stays the same
one = nn.Linear(2, 3)
weight, place = one.weight, one.weight.data_ptr()
one.load_state_dict(nn.Linear(2, 3).state_dict())
[one.weight is weight, weight.data_ptr() == place, weight.requires_grad, weight._version]

# frozen ones stay frozen
one = nn.Linear(1, 1).requires_grad_(False)
[one.load_state_dict(nn.Linear(1, 1).state_dict()), one.weight.requires_grad]

# a source that requires grad
one = nn.Linear(1, 1)
[one.load_state_dict(nn.Linear(1, 1).state_dict(keep_vars=True)), one.weight.grad_fn, one.weight.is_leaf]

# assign a tensor
assigned(torch.ones(3, 2))

# assign another type
assigned(torch.ones(3, 2, dtype=torch.float64))

# assign to a frozen parameter
assigned(torch.ones(3, 2), False)

# assign a parameter
assigned(nn.Parameter(torch.ones(3, 2)))

# assign a frozen parameter
assigned(nn.Parameter(torch.ones(3, 2), requires_grad=False))

# assign a parameter to a frozen one
assigned(nn.Parameter(torch.ones(3, 2)), False)

# assign whole numbers
assigned(torch.ones(3, 2, dtype=torch.int64))

# assign whole numbers to a frozen parameter
assigned(torch.ones(3, 2, dtype=torch.int64), False)

# assign what was computed
assigned(torch.ones(3, 2, requires_grad=True) * 2)

# assign another shape
assigned(torch.ones(3, 3))

# assign what is not contiguous
assigned(torch.ones(2, 3).t())

# assign a buffer
one, given = net(), state(bn__running_mean=torch.ones(3, dtype=torch.float64))
one.load_state_dict(given, assign=True)
[one.bn.running_mean is given["bn.running_mean"], one.bn.running_mean.dtype, "running_mean" in one.bn._buffers]

# assign a 0-d value from one of shape (1,)
one = net()
one.load_state_dict(state(bn__num_batches_tracked=torch.tensor([3])), assign=True)
one.bn.num_batches_tracked

# a parameter that two layers share
two = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
two[1].weight = two[0].weight
given = {name: torch.full_like(x, float(name[0])) for name, x in two.state_dict().items()}
two.load_state_dict(given)
copied = [two[0].weight is two[1].weight, two[0].weight.tolist()]
two.load_state_dict(given, assign=True)
[copied, two[0].weight is two[1].weight]

# its own state
one = nn.Linear(2, 2)
one.load_state_dict(one.state_dict())

# keep_vars
one = nn.Linear(2, 3)
[one.state_dict(keep_vars=True)["weight"] is one.weight, one.state_dict()["weight"].requires_grad]

# prefix and destination
given = {}
nn.Linear(1, 1).state_dict(destination=given, prefix="q.")
[list(given), dict(nn.Linear(1, 1).state_dict(prefix="q.")._metadata)]

# by position
list(nn.Linear(1, 1).state_dict(OrderedDict(), "p."))

# extra state
one = WithExtra()
given = one.state_dict()
given["_extra_state"] = {"extra": 9}
[list(given), one.load_state_dict(given), one.extra]

# extra state missing
given = WithExtra().state_dict()
del given["_extra_state"]
WithExtra().load_state_dict(given)

# extra state missing, not strict
given = WithExtra().state_dict()
del given["_extra_state"]
WithExtra().load_state_dict(given, strict=False)

# extra state that nobody asked for
nn.Sequential(nn.Linear(1, 1)).load_state_dict({"0.weight": torch.ones(1, 1), "0.bias": torch.ones(1),
                                                "0._extra_state": 1, "_extra_state": 3})

# buffers that are not in the state
WithExtra().load_state_dict({**WithExtra().state_dict(), "passing": torch.ones(1), "nothing": torch.ones(1)})

# all hooks, and what they get
seen, two = [], nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
note = lambda name: lambda *args: seen.append([name, *named(args)])
handles = [two[0]._register_load_state_dict_pre_hook(note("pre")),
           two[0]._register_load_state_dict_pre_hook(note("pre with module"), with_module=True),
           two[1].register_load_state_dict_pre_hook(note("public pre")),
           two.register_load_state_dict_post_hook(note("post")),
           two[0].register_load_state_dict_post_hook(lambda module, keys: seen.append(["post 0", *keys])),
           two.register_state_dict_pre_hook(note("state pre")),
           two[1].register_state_dict_pre_hook(note("state pre 1")),
           two.register_state_dict_post_hook(note("state post")),
           two[1]._register_state_dict_hook(note("state hook"))]
two.load_state_dict(two.state_dict())
count = [handle.remove() for handle in handles] and len(seen)
two.load_state_dict(two.state_dict())
[len(seen) == count, seen]

# a hook that renames keys
def rename(given, prefix, *rest):
    given[prefix + "weight"] = given.pop(prefix + "old")
one = nn.Linear(1, 1)
one._register_load_state_dict_pre_hook(rename)
given = {"0.old": torch.full((1, 1), 8.0), "0.bias": torch.ones(1)}
[nn.Sequential(one).load_state_dict(given), one.weight.item(), list(given)]

# a hook that forgives
one = nn.Linear(1, 1)
one.register_load_state_dict_post_hook(lambda module, keys: [each.clear() for each in keys] and None)
one.load_state_dict({"x": 1})

# a post hook that returns something
one = nn.Linear(1, 1)
one.register_load_state_dict_post_hook(lambda module, keys: 1)
one.load_state_dict(one.state_dict())

# a state dict's post hook that returns something
one = nn.Linear(1, 1)
one.register_state_dict_post_hook(lambda *args: {})
one.state_dict()

# a hook that returns another state dict
one = nn.Linear(1, 1)
one._register_state_dict_hook(lambda *args: {"z": 1})
[one.state_dict(), list(nn.Sequential(one).state_dict())]

# the same hook as both kinds
one, hook = nn.Linear(1, 1), lambda *args: None
one.register_state_dict_post_hook(hook)
one._register_state_dict_hook(hook)

# an old version
one = Versioned()
[nn.Sequential(one).load_state_dict({"0.old": torch.full((1,), 2.0)}), one.w.item(), one.seen]

# today's version
one = Versioned()
[nn.Sequential(one).load_state_dict(nn.Sequential(Versioned()).state_dict()), one.seen]

# today's version, assigned
one = Versioned()
[nn.Sequential(one).load_state_dict(nn.Sequential(Versioned()).state_dict(), strict=False, assign=True), one.seen]

# a module with errors of its own
nn.Sequential(Complains(), Complains()).load_state_dict({})

# a prefix of all keys
given = OrderedDict(("module." + name, x) for name, x in state().items())
given._metadata = OrderedDict({"": {"version": 1}, "module": {"version": 1}, "module.bn": {"version": 2}})
nn.modules.utils.consume_prefix_in_state_dict_if_present(given, "module.")
[list(given), dict(given._metadata)]

# a lazy layer from a whole one
one = nn.LazyLinear(3)
loaded = one.load_state_dict(nn.Linear(2, 3).state_dict())
[loaded, one.weight.shape, type(one.weight), type(one), one(torch.ones(1, 2)).shape, type(one)]

# a whole layer from a lazy one
nn.Linear(2, 3).load_state_dict(nn.LazyLinear(3).state_dict())

# a lazy layer from a lazy one
one = nn.LazyLinear(3)
[one.load_state_dict(nn.LazyLinear(3).state_dict()), type(one.weight).__name__]

# a lazy layer, assigned
one = nn.LazyLinear(3)
[one.load_state_dict(nn.Linear(2, 3).state_dict(), assign=True), type(one.weight), one.weight.requires_grad]

# names that are no texts
nn.Sequential(nn.Linear(1, 1)).load_state_dict({1: 2, "0.weight": torch.ones(1, 1), "0.bias": torch.ones(1)})

# attention without anything
nn.MultiheadAttention(4, 2).load_state_dict({})

# old names of weight normalisation
one = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
given = {"weight_g": torch.ones(3, 1), "weight_v": torch.ones(3, 2), "bias": torch.ones(3)}
[one.load_state_dict(given), list(one.state_dict())]

# an optimizer with another number of groups
trained(torch.optim.Adam)[1].load_state_dict({"state": {}, "param_groups": []})

# an optimizer with a group of another size
trained(torch.optim.Adam)[1].load_state_dict({"state": {}, "param_groups": [{"params": [0]}]})

# an optimizer's state without groups
trained(torch.optim.Adam)[1].load_state_dict({"state": {}})

# an optimizer's state
layer, optimizer = trained(torch.optim.Adam, lr=0.5)
optimizer.load_state_dict(trained(torch.optim.Adam, lr=0.1)[1].state_dict())
[optimizer.param_groups[0]["lr"], {name: [x.dtype, x.shape] for name, x in optimizer.state[layer.weight].items()},
 optimizer.param_groups[0]["params"][0] is layer.weight]

# an optimizer's state in another type
layer, optimizer = trained(torch.optim.Adam)
given = copy.deepcopy(optimizer.state_dict())
given["state"] = {key: {name: x.double() for name, x in slots.items()} for key, slots in given["state"].items()}
optimizer.load_state_dict(given)
{name: x.dtype for name, x in optimizer.state[layer.weight].items()}

# an optimizer's hooks
seen, (layer, optimizer) = [], trained(torch.optim.SGD, lr=0.1, momentum=0.9)
optimizer.register_load_state_dict_pre_hook(lambda optimizer, given: seen.append(["pre", sorted(given)]))
optimizer.register_load_state_dict_post_hook(lambda optimizer: seen.append("post"))
optimizer.register_state_dict_pre_hook(lambda optimizer: seen.append("state pre"))
optimizer.register_state_dict_post_hook(lambda optimizer, given: seen.append("state post"))
optimizer.load_state_dict(optimizer.state_dict())
seen

# a scheduler's state
layer, optimizer = trained(torch.optim.SGD, lr=0.1)
scheduler, other = torch.optim.lr_scheduler.StepLR(optimizer, 2), torch.optim.lr_scheduler.StepLR(optimizer, 5)
optimizer.step()
scheduler.step()
other.load_state_dict(scheduler.state_dict())
[scheduler.state_dict(), other.step_size, other.last_epoch]
"""


def cases() -> dict[str, str]:
    """Name → program."""
    blocks = (block.partition("\n") for block in CASES.strip().split("\n\n"))
    return {name.removeprefix("# "): code for name, _, code in blocks}


def result(torch: ModuleType, code: str) -> str:
    """What a case gives, in words that do not depend on where it ran."""
    names: dict[str, Any] = {"torch": torch, "__name__": "cases"}
    exec(SETUP, names)
    torch.manual_seed(0)
    *statements, last = ast.parse(code).body
    assert isinstance(last, ast.Expr)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            exec(compile(ast.Module(statements, []), "case", "exec"), names)
            out = repr(eval(compile(ast.Expression(last.value), "case", "eval"), names))
        except Exception as error:
            out = f"{type(error).__name__}: {error}"
    out += "".join(f"\n{each.category.__name__}: {each.message}" for each in warned)
    out = re.sub(r"<class '[\w.]+\.(\w+)'>", r"<class '\1'>", out)  # classes, without the modules that they are in
    return re.sub(r"0x[0-9a-f]+", "0x", out)
