"""How an operation is declared, and the one door through which every operation goes.

A row is a forward and, per differentiable input, one formula for its gradient (a vector-Jacobian product), both in
plain NumPy:

    exp = unary("exp", np.exp, lambda g, out: g * out)
    mul = binary("mul", np.multiply, x=lambda g, y: g * y, y=lambda g, x: g * x)
    _sum = row("sum", lambda x, axis, keepdims: ..., x=lambda g, shape, axis, keepdims: ...)

A formula's parameter names say what it needs, and so what is saved: `g` (the gradient of the output), `out`, an input
by its name, an option of the forward by its name, and `shape` (its own input's shape). The engine sums a gradient over
broadcast axes and keeps its type; no formula does.

The same formula runs on arrays (eager backward) and on tensors (`create_graph=True`), so it uses NumPy's functions
only: `np.sum(g, axis=…)`, never `g.sum(…)`, never `+=`, `g[i] = …` or `out=`. What must write in place is a row of its
own, declared with its adjoint (take / scatter-add, window / overlap-add …). What `row` returns works on arrays, too, so
that one row's formula can call another.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import numpy as np

from .dtype import can_cast, default_numpy_dtype, from_numpy_dtype, promote_operands, scalar_dtype
from .errors import NO_COMPLEX_GRADIENTS
from .graph import InferenceCell, mode
from .plan import Plan
from .tensor import Tensor, alias, make, method, numpy_entries, wrap
from .view import View

__all__ = ["Row", "apply", "binary", "functions", "implements", "inplace", "public", "quiet", "row", "rows", "unary",
           "variadic"]  # fmt: skip

Forward = Callable[..., Any]
Formula = Callable[..., Any]

rows: dict[str, Row] = {}  # the table: every operation by its name
functions: dict[str, Callable[..., Any]] = {}  # every public function by its name

_ndarray = np.ndarray
_blank = object.__new__


class Row:
    """An operation's definition. `rules` has a formula (or None) per tensor input, in the forward's order."""

    __slots__ = ("broadcasts", "casts", "forward", "grad_name", "inputs", "lends", "name", "options", "plans", "rules",
                 "view")  # fmt: skip

    def __init__(
        self, name: str, forward: Forward, rules: dict[str, Formula | None], *, options: tuple[str, ...] = (),
        grad_name: str | None = None, view: bool = False, casts: bool = False, broadcasts: bool = False,
        lends: bool = False,
    ) -> None:  # fmt: skip
        self.name = name
        self.forward = forward
        self.rules = rules
        self.inputs = tuple(rules)
        self.options = options
        taken = {"g", "out", "shape"}.intersection(self.inputs + options)
        assert not taken, f"row {name}: {taken} have a meaning of their own in formulas"
        self.grad_name = grad_name or "".join(part.capitalize() for part in name.split("_")) + "Backward0"
        self.view = view  # the forward gives a view of its input's memory
        self.casts = casts  # gradients have another type than the output
        self.broadcasts = broadcasts  # inputs may have different shapes
        self.lends = lends  # a formula may return an array that somebody else holds
        self.plans: dict[int, Plan] = {}
        rows[name] = self

    def plan(self, key: int) -> Plan:
        """The plan for one kind of call.

        `key` has bit i set where input i wants a gradient, and the bit above the inputs' where one was broadcast.
        """
        wanted = [rule if key >> i & 1 else None for i, rule in enumerate(self.rules.values())]
        self.plans[key] = plan = Plan(
            self.grad_name, self.inputs, self.options, wanted, broadcast=bool(key >> len(wanted)), casts=self.casts,
            lends=self.lends,
        )  # fmt: skip
        return plan

    def __repr__(self) -> str:
        return f"<row {self.name}({', '.join(self.inputs + self.options)})>"


# ---- the one door ----------------------------------------------------------------------------------------------------
def apply(row: Row, inputs: tuple[Tensor, ...], options: tuple[Any, ...] = ()) -> Tensor:
    """Runs the row's forward on the inputs' arrays and, where a gradient is wanted, records a node."""
    array = row.forward(*map(_array_of, inputs), *options) if options else row.forward(*map(_array_of, inputs))
    if type(array) is not _ndarray:
        array = _as_array(array, inputs[0]._array.dtype)
    out = _blank(Tensor)  # `make`, written out: these are the hottest lines of the library
    out._array = array
    out._cell = [0, 0]
    out._requires_grad = False
    out._node = out._grad = out._view = None
    if mode.enabled:
        record(row, inputs, options, out)
    elif mode.inference:
        out._cell = make(Tensor, array)._cell
    if row.view:
        _make_view(row, inputs[0], options, out)
    return out


def _as_array(scalar: Any, kind: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """NumPy's scalar, which is what it makes of 0-d arrays, as an array; a float stays as wide as the input was
    (NumPy 1 makes a float64 of a 0-d float32 and a Python number)."""
    return np.asarray(scalar, kind if kind.kind == "f" == scalar.dtype.kind else None)


def record(row: Row, inputs: tuple[Tensor, ...], options: tuple[Any, ...], out: Tensor) -> None:
    """Puts a node behind `out` if one of the inputs wants a gradient."""
    key, bit = 0, 1
    for x in inputs:
        if x._view is not None and x._view.generation != x._cell[1]:
            x._view.refresh(x)
        if x._requires_grad:
            key += bit
        bit += bit
    if not key or not row.rules:
        return
    if row.broadcasts:
        shape = out._array.shape
        for x in inputs:
            if x._array.shape != shape and x._requires_grad:
                key += bit
                break
    (row.plans.get(key) or row.plan(key)).keep(inputs, options, out)
    if mode.anomaly:
        out._node.notes = {"traceback": _where_called()}


def _where_called() -> str:
    import traceback  # here: a millisecond of every program's start, for those few that look for a NaN

    return "".join(traceback.format_list(traceback.extract_stack()[:-4]))


_array_of = attrgetter("_array")


def _make_view(row: Row, x: Tensor, options: tuple[Any, ...], out: Tensor) -> None:
    step = (functions_of_rows[row.name], options)
    if x._view is not None:
        base, steps = x._view.base, (*x._view.steps, step)
    else:
        base, steps = x, (step,)
    out._cell = x._cell
    out._view = View(base, steps)


functions_of_rows: dict[str, Callable[..., Any]] = {}


def parameters_of(function: Any) -> tuple[str, ...]:
    """A function's positional parameters by name (`inspect.signature` would take a third of the import's time)."""
    code = inspect.unwrap(function).__code__
    return code.co_varnames[: code.co_argcount]


# ---- declaring -------------------------------------------------------------------------------------------------------
def row(name: str, forward: Forward, /, *, grad_name: str | None = None, view: bool = False, casts: bool = False,
        broadcasts: bool = False, lends: bool = False, **rules: Formula | None) -> Callable[..., Any]:  # fmt: skip
    """Declares an operation: the forward's first parameters are the tensors that `rules` names, the rest options.

    The result takes all of them by position. On tensors it runs and records; on arrays it only runs the forward. A
    rule of None is for an input that has no gradient (an index, say) but must not change before backward.
    """
    parameters = parameters_of(forward)
    count = len(rules)
    assert parameters[:count] == tuple(rules), f"row {name}: forward{parameters} does not start with {tuple(rules)}"
    new = Row(name, forward, rules, options=parameters[count:], grad_name=grad_name, view=view, casts=casts,
              broadcasts=broadcasts, lends=lends)  # fmt: skip

    def of_one(x: Any, *options: Any) -> Any:
        return apply(new, (x,), options) if isinstance(x, Tensor) else forward(x, *options)

    def of_several(*args: Any) -> Any:
        inputs = args[:count]
        for x in inputs:
            if not isinstance(x, Tensor):
                break
        else:
            return apply(new, inputs, args[count:])
        if not any(isinstance(x, Tensor) for x in inputs):
            return forward(*args)
        return apply(new, tuple([x if isinstance(x, Tensor) else wrap(x) for x in inputs]), args[count:])

    function = of_one if count == 1 else of_several
    function.__name__ = name
    functions_of_rows[name] = function
    return function


def variadic(name: str, forward: Forward, rule: Formula) -> Callable[..., Any]:
    """Declares an operation of any number of tensors, called as `f(tensors, *options)`.

    `forward(arrays, *options)`; `rule(i, g, *options)` is the gradient of the i-th. There is one row per number.
    """
    options = parameters_of(forward)[1:]

    @functools.cache
    def row_of(count: int) -> Row:
        rules: dict[str, Formula | None] = {f"x{i}": functools.partial(rule, i) for i in range(count)}
        return Row(name, lambda *args: forward(args[:count], *args[count:]), rules, options=options)

    def function(tensors: Any, *options: Any) -> Any:
        if not any(isinstance(x, Tensor) for x in tensors):
            return forward(tensors, *options)
        return apply(row_of(len(tensors)), tuple([x if isinstance(x, Tensor) else wrap(x) for x in tensors]), options)

    row_of(2)
    return function


def unary(
    name: str, forward: Forward, rule: Formula | None = None, *, floats: bool = True, doc: str = "",
    methods: tuple[str, ...] = (), aliases: tuple[str, ...] = (), export: bool = True,
) -> Callable[[Tensor], Tensor]:  # fmt: skip
    """Declares an elementwise operation of one tensor: function, method, in-place method, NumPy entry.

    With `floats`, integers are computed in the default floating type. `methods` are further method names.
    """
    new = Row(name, forward, {} if rule is None else {"x": rule})

    def function(input: Tensor) -> Tensor:
        if not isinstance(input, Tensor):
            if isinstance(input, _ndarray | np.generic):
                return forward(input)
            raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
        if floats and input._array.dtype.kind not in "fc":
            input = cast(input, default_numpy_dtype())
        return apply(new, (input,))

    _describe(function, name, doc)
    _publish(function, (name, *aliases), (name, *aliases, *methods), export)
    if rule is not None:
        _publish_inplace(function, (name, *aliases))
    _enter_ufunc(forward, function)
    return function


def binary(
    name: str, forward: Forward, *, x: Formula | None = None, y: Formula | None = None, floats: bool = False,
    result: type | None = None, operator: str | None = None, doc: str = "", aliases: tuple[str, ...] = (),
    export: bool = True, check: Callable[[Any, Any, Tensor, Tensor], None] | None = None,
) -> Callable[[Any, Any], Tensor]:  # fmt: skip
    """Declares an elementwise operation of two operands, tensors or numbers, with broadcasting and promotion.

    `operator` names Python's operator (`"add"`: `__add__`, `__radd__`, `__iadd__`). With `floats`, integers are
    computed in the default floating type. `result=bool` is for comparisons.
    """
    new = Row(name, forward, {} if x is None and y is None else {"x": x, "y": y}, broadcasts=True)
    slow = functools.partial(_binary_slow, new, floats, check)
    plain = not (floats or check)

    def function(input: Any, other: Any) -> Any:
        # Two tensors of one type need no promotion. A NumPy dtype is one object per type, so `is` will do.
        if isinstance(other, Tensor) and isinstance(input, Tensor):
            kind = input._array.dtype
            if kind is other._array.dtype and (plain or kind.kind == "f"):
                try:
                    return apply(new, (input, other))
                except ValueError as error:
                    raise shape_mismatch(input._array.shape, other._array.shape) from error
        elif (type(other) is float or type(other) is int) and other and isinstance(input, Tensor):
            kind = input._array.dtype
            if kind.kind == "f":  # a tensor and a number: the number as a tensor, made once
                constant = constants.get((other, kind))
                if constant is None:
                    constant = _constant(other, kind)
                return apply(new, (input, constant))
        return slow(input, other)

    _describe(function, name, doc)
    if operator:
        _install_operators(function, operator, in_place=result is None)

    def checked(input: Any, other: Any) -> Tensor:
        out = function(input, other)
        if out is NotImplemented:
            at = 2 if isinstance(input, Tensor) else 1
            bad = other if at == 2 else input
            raise TypeError(
                f"{name}(): argument '{('input', 'other')[at - 1]}' (position {at}) must be Tensor, not "
                f"{type(bad).__name__}"
            )
        return out

    _describe(checked, name, doc)
    if export:
        _publish(checked, (name, *aliases), (name, *aliases), True)
        _publish_inplace(function, (name, *aliases))
    _enter_ufunc(forward, checked)
    return function


constants: dict[tuple[float, np.dtype[Any]], Tensor] = {}


def _constant(number: float, kind: np.dtype[Any]) -> Tensor:
    """The number as a tensor of type `kind`, kept for the next time (making one costs as much as a small product)."""
    if len(constants) > 1000:
        constants.clear()
    made = constants[number, kind] = make(Tensor, np.array(number, kind))
    made._cell = [0, 0]  # it outlives an inference_mode that it may have been made in
    return made


def _binary_slow(new: Row, floats: bool, check: Any, input: Any, other: Any) -> Any:
    """A binary operation whose operands must be brought to one type first."""
    pair = operands(input, other, floats)
    if pair is None:
        return NotImplemented
    if check:
        check(input, other, *pair)
    try:
        return apply(new, pair)
    except ValueError as error:
        raise shape_mismatch(pair[0]._array.shape, pair[1]._array.shape) from error


def operands(input: Any, other: Any, floats: bool = False) -> tuple[Tensor, Tensor] | None:
    """Two operands as tensors of their common type; None if one is neither tensor nor number."""
    kinds = []
    for x in (input, other):
        if isinstance(x, Tensor):
            kinds.append((x._array.dtype, 2 if x._array.ndim else 1))
        elif isinstance(x, bool | int | float | complex):
            kinds.append((scalar_dtype(x), 0))
        elif isinstance(x, np.generic | _ndarray):
            from_numpy_dtype(x.dtype)
            kinds.append((x.dtype, 2 if x.ndim else 1))
        else:
            return None
    kind = promote_operands(tuple(kinds), default_numpy_dtype())
    if floats and kind.kind in "biu":
        kind = default_numpy_dtype()
    return as_operand(input, kind), as_operand(other, kind)


def as_operand(x: Any, kind: np.dtype[Any]) -> Tensor:
    """A tensor or number as a tensor of NumPy type `kind`."""
    if isinstance(x, Tensor):
        return x if x._array.dtype is kind else cast(x, kind)
    if kind.kind in "iu" and isinstance(x, int):
        limits = np.iinfo(kind)
        if not limits.min <= x <= limits.max:  # wraps around, as in PyTorch
            x = int(np.array(x & (2**64 - 1), np.uint64).astype(kind))
    return make(Tensor, np.array(x, kind))


def common_type(*values: Any) -> np.dtype[Any]:
    """The type that these tensors and numbers have together."""
    kinds = tuple(
        (x._array.dtype, 2 if x._array.ndim else 1) if isinstance(x, Tensor) else (scalar_dtype(x), 0) for x in values
    )
    return promote_operands(kinds, default_numpy_dtype())


def shape_mismatch(a: tuple[int, ...], b: tuple[int, ...]) -> RuntimeError:
    """PyTorch's error for shapes that do not broadcast."""
    for i in range(1, min(len(a), len(b)) + 1):
        if a[-i] != b[-i] and 1 not in (a[-i], b[-i]):
            at = max(len(a), len(b)) - i
            return RuntimeError(
                f"The size of tensor a ({a[-i]}) must match the size of tensor b ({b[-i]}) at non-singleton dimension "
                f"{at} (shapes {list(a)} and {list(b)})"
            )
    return RuntimeError(f"shapes {list(a)} and {list(b)} do not fit together")


# ---- names -----------------------------------------------------------------------------------------------------------
def public(
    function: Callable[..., Any] | None = None, /, *, name: str | None = None, method: bool = True,
    function_too: bool = True, aliases: tuple[str, ...] = (), inplace: bool = False,
) -> Any:  # fmt: skip
    """Decorator: enters a function into the table of public functions and makes it a method of Tensor."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        names = (name or function.__name__, *aliases)
        if "dim" in parameters_of(function):
            function = _with_numpy_names(function)
        _publish(function, names, names if method else (), function_too)
        if not method:
            return function
        if inplace:
            _publish_inplace(function, names)
        return function

    return enter if function is None else enter(function)


_NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim"}


def _with_numpy_names(function: Callable[..., Any]) -> Callable[..., Any]:
    """`axis=` and `keepdims=` are accepted for `dim=` and `keepdim=`, as PyTorch does."""

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            for theirs, ours in _NUMPY_NAMES.items():
                if theirs in kwargs:
                    kwargs[ours] = kwargs.pop(theirs)
        return function(*args, **kwargs)

    return called


def _publish(function: Any, names: tuple[str, ...], methods: tuple[str, ...], export: bool) -> None:
    for name in names:
        if export:
            functions[name] = function
    for name in methods:
        method(name, function)


def implements(*numpy_functions: Any) -> Any:
    """Decorator: the function stands in for NumPy's when that is called on tensors (it has NumPy's signature)."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        for each in numpy_functions:
            numpy_entries[each] = function
        return function

    return enter


def _enter_ufunc(forward: Any, function: Any) -> None:
    ufunc = getattr(forward, "__wrapped__", forward)
    if isinstance(ufunc, np.ufunc):
        numpy_entries.setdefault(ufunc, function)


def _describe(function: Any, name: str, doc: str) -> None:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{doc or name}\n\nElementwise, with PyTorch's promotion. Source: PyTorch's `torch.{name}`."


def quiet(ufunc: Any) -> Any:
    """The function without NumPy's floating-point warnings: log(0) is -inf in PyTorch, and no news.

    Only for what meets such values in normal use: the switch costs about half a microsecond a call.
    """

    @functools.wraps(ufunc)
    def silent(*args: Any) -> Any:
        with np.errstate(all="ignore"):
            return ufunc(*args)

    return silent


def _install_operators(function: Any, name: str, in_place: bool) -> None:
    method(f"__{name}__", function)
    if in_place:
        method(f"__r{name}__", lambda self, other: function(other, self))
        method(f"__i{name}__", inplace(function))


# ---- in-place forms --------------------------------------------------------------------------------------------------
def _publish_inplace(function: Any, names: tuple[str, ...]) -> None:
    for name in names:
        method(f"{name}_", inplace(function))


def inplace(function: Callable[..., Any]) -> Callable[..., Any]:
    """The in-place form of `function`: the result is written into the first argument, which it returns."""

    def in_place(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        check_writable(self)
        old = alias(self)
        if mode.enabled:  # what formulas read is the old value, which the write below would destroy
            old._array, old._cell = self._array.copy(), [0, 0]
        result = function(old, *args, **kwargs)
        if result is NotImplemented:
            return result
        if result is old:  # nothing to do, e.g. `positive_`
            return self
        if any(result is x for x in args):
            result = own_node(result)
        return overwrite(self, result)

    in_place.__doc__ = f"In-place form of `{getattr(function, '__name__', '')}`."
    return in_place


def own_node(x: Tensor) -> Tensor:
    """A tensor with x's memory and a node of its own behind it, so that what adopts its history is not x itself."""
    out: Tensor = make(Tensor, x._array)
    if mode.enabled:
        record(rows["clone"], (x,), (), out)
    return out


def check_writable(x: Tensor) -> None:
    """RuntimeError if `x` may not be changed in place now."""
    if not mode.inference and type(x._cell) is InferenceCell:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone to get a "
            "normal tensor before doing inplace update."
        )
    if mode.enabled and x._requires_grad and x._node is None:
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
    if mode.enabled and x._view is not None:
        base = x._view.base
        if base._requires_grad and base._node is None:
            raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
    if not x._array.flags.writeable:
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation."
        )


def overwrite(x: Tensor, result: Tensor) -> Tensor:
    """Writes `result`, computed from `x`'s old value, into `x`, and gives `x` its history."""
    old, new = x._array.shape, result._array.shape
    if new != old and np.broadcast_shapes(new, old) != old:
        raise RuntimeError(f"output with shape {list(old)} doesn't match the broadcast shape {list(new)}")
    if result._array.dtype != x._array.dtype:
        if not can_cast(result.dtype, x.dtype):
            raise RuntimeError(
                f"result type {type_name(result._array.dtype)} can't be cast to the desired output type "
                f"{type_name(x._array.dtype)}"
            )
        result = cast(result, x._array.dtype)
    x._array[...] = result._array
    return adopt(x, result)


TYPE_NAMES = {"bool": "Bool", "uint8": "Byte", "int8": "Char", "int16": "Short", "int32": "Int", "int64": "Long",
               "float16": "Half", "float32": "Float", "float64": "Double", "complex64": "ComplexFloat",
               "complex128": "ComplexDouble"}  # fmt: skip


def type_name(kind: np.dtype[Any]) -> str:
    """PyTorch's name of a type in messages: 'Float', 'Long' …"""
    return TYPE_NAMES[kind.name]


def adopt(x: Tensor, result: Tensor) -> Tensor:
    """After a write of `result` into `x`'s memory: counts it, and makes `result`'s history `x`'s.

    If `x` is a view, its base gets the history instead (the base with that region replaced), and every view of the
    base, `x` too, takes its own from there when it is next asked.
    """
    x._bump()
    if not mode.enabled or not (result._requires_grad or x._requires_grad):
        return x
    if x._view is not None:
        view, base = x._view, x._view.base
        new = make(Tensor, base._array)
        record(rows["copy_slices"], (alias(base), result), (view,), new)
        base._node, base._requires_grad = new._node, new._requires_grad
    else:
        x._node, x._requires_grad = result._node, result._requires_grad
    x._cell[1] += 1
    return x


def _without_region(x: Any, view: View) -> Any:
    out = np.array(x)
    view.replay(out)[...] = 0
    return out


_clear_region: Callable[..., Any] = row("clear_region", _without_region, x=lambda g, view: _clear_region(g, view))
row(
    "copy_slices", lambda base, value, view: base, grad_name="CopySlices",
    base=lambda g, view: _clear_region(g, view), value=lambda g, view: view.replay(g),
)  # fmt: skip


# ---- types -----------------------------------------------------------------------------------------------------------
def _as_type(x: Any, source: np.dtype[Any], kind: np.dtype[Any]) -> Any:
    if x.dtype.kind == "c" != kind.kind:
        x = x.real
    return x.astype(kind)


_cast: Callable[..., Any] = row("to_copy", _as_type, casts=True, x=lambda g, source, kind: _cast(g, kind, source))


def cast(x: Tensor, kind: np.dtype[Any]) -> Tensor:
    """A copy in the NumPy type `kind`; recorded if both types can have gradients, else outside the graph."""
    source = x._array.dtype
    if x._requires_grad and kind.kind in "fc":
        if kind.kind == "c":
            raise RuntimeError(NO_COMPLEX_GRADIENTS)
        return _cast(x, source, kind)
    return wrap(_as_type(x._array, source, kind))
