"""A compiled function as a file of its own: the program, its weights beside it, and NumPy as all that it needs."""

from __future__ import annotations

import ctypes
import keyword
import math
import re
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import NotExported
from ..optimizer.flat import options_of
from ..optimizer.sheet import factors, flags_of
from ..serialization.whole_file import replacing
from . import exported
from .inline import Inliner
from .plan import Plan
from .record import Output
from .update import RunUpdate
from .values import Call
from .write import Writer, indented

__all__ = ["export"]

Array = np.ndarray[Any, Any]

_SMALL = 16  # elements of an array that is written out
_LEFT_OUT = {"params", "foreach", "fused", "capturable", "differentiable"}  # options that change no number
_NAMES = {
    "ARRAYS", "FILE", "GENERATORS", "Generator", "Path", "aligned", "annotations", "argparse", "contextvars", "file",
    "functools", "given", "load", "main", "math", "np", "os", "program", "put_generators", "quiet", "quietly", "save",
    "take_generators", "tempfile", "types",
}  # fmt: skip


def export(plan: Plan, name: str, path: Any) -> None:
    """Writes the plan's program to `path`, and its arrays to an .npz beside it; see `Compiled.export`."""
    path = Path(path)
    if path.suffix != ".py":
        raise ValueError(f"export writes a Python file, and {path.name!r} does not end in .py")
    if len(plan.program.inputs) > len(plan.writer.arguments) or plan._grads_given:
        raise NotExported("export: a program that adds to earlier gradients: have it begin with zero_grad()")
    for value in {id(v): v for call in plan.program.calls for v in call.touched()}.values():
        if value.dtype.isbuiltin == 2:
            raise NotExported(f"export: {value.dtype} is no type of NumPy's, and the file is to need NumPy alone")
    page = _Page(plan, name)
    try:
        text = page.text()
        compile(text, str(path), "exec")  # a mistake is ours, and is to be seen here
        with replacing(path.with_suffix(".npz")) as file:
            np.savez(file, **page.arrays)  # type: ignore[arg-type]
        with replacing(path) as file:
            file.write(text.encode())
    finally:
        page.let_go()


class _Writer(Writer):
    """The program as the file has it: an optimizer's numbers are computed there, and there is no other way to step."""

    may_share = False

    def __init__(self, plan: Plan, names: dict[int, str], arguments: list[str], taken: set[str]) -> None:
        self.updates: list[tuple[str, str, RunUpdate]] = []  # (function of the numbers, optimizer, run)
        self.taken = taken
        super().__init__(plan, names, arguments)

    def _new(self, wish: str) -> str:
        """A name that nobody has, in the file neither."""
        self._used |= self.taken
        return super()._new(wish)

    def update(self, call: Call) -> list[str]:
        """An optimizer's step."""
        runs = self.plan.updates[id(call)]
        optimizer = call.function.__self__
        if runs is None:
            raise NotExported(f"export: a step of {type(optimizer).__name__} is no formula that could be written out")
        params = {id(v.owner): v for v in call.args[0]}
        grads = {id(p.owner): g for p, g in zip(call.args[0], call.args[1])}
        prefix = type(optimizer).__name__.lower()
        lines = []
        for run in runs:
            put = self._new(f"{prefix}_numbers")
            self.updates.append((put, prefix, run))
            weights = [self.name(params[id(p)]) for p in run.params]
            gradients = [self.name(grads[id(p)]) for p in run.params]
            slots = all(self.memory.fixed.get(id(grads[id(p)])) is slot for p, slot in zip(run.params, run.slots))
            lines += [f"{put}()  # puts this step's numbers in place", *self._small(run, weights, gradients, slots)]
        return lines



class _Page:
    """The file's text, part by part, and its `arrays`."""

    def __init__(self, plan: Plan, name: str) -> None:
        self.plan = plan
        self.arrays: dict[str, Array] = {}
        self.name = name if name.isidentifier() and not keyword.iskeyword(name) and name not in _NAMES else "forward"
        self.writer = _Writer(plan, plan.writer._owners, plan.writer.arguments, {*_NAMES, self.name})
        self.inliner = Inliner({*self.writer._used, *self.writer.scope}, self._constant)
        self.state: list[str] = []  # lines that give the arrays their names
        self.results = self._results(plan.tree)

    def let_go(self) -> None:
        """Forgets the arrays: a plan goes by who else has them."""
        for each in (self.writer, self.inliner, self):
            vars(each).clear()

    # ---- the whole ---------------------------------------------------------------------------------------------------
    def text(self) -> str:
        """All of it."""
        writer = self.writer
        shown = "\n".join([*writer.body, *writer.setup, self.results])
        used = [name for name in dict.fromkeys(re.findall(r"\w+", shown)) if name in writer.scope]
        things = self._things(used)
        self._name_arrays([name for name in used if isinstance(writer.scope[name], np.ndarray)])
        numbers = [line for update in writer.updates for line in self._numbers(*update)]
        arguments = ", ".join(writer.arguments)
        check = [f'    {name} = given("{name}", {name}, {v.shape}, "{v.dtype}"{self._steps(v)})'
                 for name, v in zip(writer.arguments, self.plan.program.inputs)]  # fmt: skip
        buffers = [f"buffer_{b.index} = aligned({b.nbytes})" for b in self.plan.memory.buffers]
        parts = {
            "": ["quiet = quietly()", *(["", "", exported.generators()] if self.inliner.generators else [])],
            "what the program calls that is not NumPy's": things["ours"],
            "arrays": [*self.state, *self._generators()],
            "memory for what is in between, used again and again": [*buffers, *writer.setup],
            "the optimizer's numbers: they change from step to step": numbers,
            "the program": [f"def program({arguments}):", *indented([*writer.body, f"return {self.results}"])],
            "how it is called": [
                f"def {self.name}({arguments}):", f'    """{self._says()}"""', *check,
                f"    return quiet({', '.join(['program', *writer.arguments])})",
                "", "", exported.files(bool(self.inliner.generators)), "", "", self._main(),
            ],
        }  # fmt: skip
        head = exported.head(self._title(), [*self.inliner.imports], things["numpy"])
        lines = [head]
        for title, part in parts.items():
            if part:
                lines += ["", "", f"# ---- {title} ".ljust(120, "-")] if title else ["", ""]
                lines += part
        return _spaced("\n".join([*lines, ""]))

    def _title(self) -> str:
        what = "training step" if self.writer.updates else "function"
        return f"{self.name}: a {what} as straight-line NumPy, exported by mini_torch."

    def _says(self) -> str:
        inputs = ", ".join(f"{name} {v.dtype} {list(v.shape)}"
                           for name, v in zip(self.writer.arguments, self.plan.program.inputs))  # fmt: skip
        return f"Of {inputs or 'nothing'}: one run of the program."

    @staticmethod
    def _steps(value: Any) -> str:
        """The strides of an argument that is not laid out in order."""
        in_order = np.empty(value.shape, value.dtype).strides
        return "" if value.strides == in_order or 0 in value.shape else f", {value.strides}"

    def _main(self) -> str:
        kinds = [(name, v.shape, str(v.dtype)) for name, v in zip(self.writer.arguments, self.plan.program.inputs)]
        return exported.main(self.name, kinds, bool(self.writer.updates))

    # ---- what it calls -----------------------------------------------------------------------------------------------
    def _things(self, used: list[str]) -> dict[str, list[str]]:
        """Functions and other things that the program has names for: NumPy's, and the lines that define ours."""
        scope, numpy, lines = self.writer.scope, [], []
        inliner = self.inliner
        for name in used:
            x = scope[name]
            if isinstance(x, np.ndarray):
                continue
            if inliner.define(x, name):
                continue
            written = inliner.expression(x, name)
            if written == f"np.{name}" and "." not in name:
                numpy.append(name)
            elif written != name:
                lines.append(f"{name} = {written}")
        drawing = [inliner.generator_class()] if inliner.generators else []
        made = [f"{name} = Generator()" for name in inliner.generators]
        ours = [*inliner.definitions, *drawing]
        return {"numpy": sorted(numpy), "ours": [*ours, *made, *lines]}

    def _constant(self, array: Array, wish: str) -> str:
        """An array that a function has: written out if it is small."""
        written = _written_out(array)
        if written is None:
            key = self.inliner.new(wish)
            self.arrays[key] = array
            written = f'ARRAYS["{key}"]'
        return written

    # ---- arrays ------------------------------------------------------------------------------------------------------
    def _name_arrays(self, names: list[str]) -> None:
        """A line for each array of the program: read from the file, written out, new, or a part of another one."""
        scope = self.writer.scope
        constants = self._constants()
        plain = []
        for name in names:
            array = scope[name]
            written = _written_out(array) if id(array) in constants else None
            if written:
                self.state.append(f"{name} = {written}")
            else:
                plain.append(name)
        for lo, hi, members in _overlapping([(name, scope[name]) for name in plain]):
            self._cluster(lo, hi, members)

    def _constants(self) -> set[int]:
        """The ids of the arrays that nobody writes to."""
        found = {id(a) for a in self.writer.scope.values() if isinstance(a, np.ndarray) and not a.flags.writeable}
        for call in self.plan.program.calls:
            found |= {id(v.array) for v in call.reads() if v.kind == "constant" and not v.root.written}
            found -= {id(v.array) for v in [*call.reads(), *call.writes] if v.kind == "tensor"}
        return found

    def _own_arrays(self, run: RunUpdate) -> list[Array]:
        return [*run.factors.values(), *run.program.numbers.values()]

    def _cluster(self, lo: int, hi: int, members: list[tuple[str, Array]]) -> None:
        """Arrays that lie in the same memory, from address `lo` to `hi`."""
        whole = next(((n, a) for n, a in members if a.nbytes == hi - lo and a.flags.c_contiguous), None)
        name = self.inliner.new("memory") if whole is None else whole[0]
        if whole is None:
            kinds = {a.dtype for _, a in members}
            kind = kinds.pop() if len(kinds) == 1 else np.dtype(np.uint8)
            array = np.frombuffer((ctypes.c_uint8 * (hi - lo)).from_address(lo), kind)
        else:
            array = whole[1]
        if any(low <= lo and hi <= high for low, high in self._scratch()):
            self.state.append(f"{name} = np.zeros({array.shape}, {_kind(array)})")
        else:
            self.arrays[name] = array
            self.state.append(f'{name} = ARRAYS["{name}"]  # {array.dtype} {list(array.shape)}')
        for other, part in members:
            if other != name:
                self.state.append(f"{other} = {_as_part(name, array, lo, part)}")

    def _scratch(self) -> list[tuple[int, int]]:
        """The memory that every run writes to before it reads it."""
        arrays = [a for _, _, run in self.writer.updates
                  for a in [*run.run.sheet.scratch.values(), run.gradient, *self._own_arrays(run)]]  # fmt: skip
        return [_bounds(array) for array in arrays]

    def _generators(self) -> list[str]:
        lines = []
        for name, generator in self.inliner.generators.items():
            self.arrays[name] = generator.place()
            self.arrays[f"{name}_spare"] = np.array(np.nan if generator._spare is None else generator._spare)
            lines.append(f"GENERATORS[{name!r}] = {name}")
        return [*lines, "put_generators()"] if lines else []

    # ---- optimizers --------------------------------------------------------------------------------------------------
    def _numbers(self, put: str, prefix: str, run: RunUpdate) -> list[str]:
        """A function that computes a step's numbers and puts them where the calls find them."""
        optimizer, inliner = run.optimizer, self.inliner
        group = optimizer.param_groups[run.group]
        options = {k: v for k, v in vars(options_of(group)).items() if k not in _LEFT_OUT}
        before = len(inliner.definitions)
        known = self.__dict__.setdefault("_options", {})
        lines: list[str] = []
        inliner.imports["import types"] = None
        if (id(optimizer), run.group) not in known:
            held = known[id(optimizer), run.group] = inliner.new(prefix)
            words = ", ".join(f"{key}={inliner.expression(value)}" for key, value in options.items())
            lines.append(f"{held} = types.SimpleNamespace({words})")
        held = known[id(optimizer), run.group]
        numbers = self._terms(type(optimizer)._numbers, prefix)
        shared = inliner.expression(factors, "factors")
        own = {name: inliner.new(f"{prefix}_{name}") for name in run.run.own}
        for name, key in own.items():
            self.arrays[key] = run.run.own[name][:1].reshape(()).copy()
            lines.append(f'{key} = ARRAYS["{key}"]')
        _, k = run.run.counted(options_of(group), optimizer._count)
        flags = {n: v for n, v in k.items() if isinstance(v, bool)}
        if flags_of(k) != run.flags:
            raise NotExported(
                f"export: the step of {type(optimizer).__name__} is another one than when it was recorded, by its "
                "options or its count of steps: reset the compiled function and call it again"
            )
        lines += _put(put, held, numbers, shared, own, flags, self._places(run), run.by)
        return [*inliner.definitions[before:], *lines]

    def _terms(self, function: Any, prefix: str) -> str:
        """The name of the function of an optimizer's numbers, which is a method there and has no self here."""
        known = self.__dict__.setdefault("_methods", {})
        if function not in known:
            known[function] = self.inliner.new(f"{prefix}_terms")
            self.inliner.define(function, known[function])
            text = self.inliner.definitions[-1]
            if len(re.findall(r"\bself\b", text)) > 1:
                raise NotExported(f"export: the numbers of {function.__qualname__} depend on the optimizer")
            self.inliner.definitions[-1] = text.replace("(self, ", "(")
        return str(known[function])

    def _places(self, run: RunUpdate) -> list[tuple[str, str]]:
        """(name of the array, expression) of each number."""
        names = {id(x): name for name, x in self.writer.scope.items()}
        found = [(names.get(id(a)), f'k["{name}"]') for name, a in run.program.numbers.items()]
        found += [(names.get(id(a)), f"by_{name}") for name, a in run.factors.items()]
        return [(name, value) for name, value in found if name is not None]

    # ---- results -----------------------------------------------------------------------------------------------------
    def _results(self, tree: Any) -> str:
        """What the function returns."""
        if isinstance(tree, Output):
            return self._result(tree)
        if isinstance(tree, dict):
            return "{" + ", ".join(f"{key!r}: {self._results(each)}" for key, each in tree.items()) + "}"
        if isinstance(tree, tuple | list):
            parts = [self._results(each) for each in tree]
            if isinstance(tree, list):
                return f"[{', '.join(parts)}]"
            return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
        return self.inliner.expression(tree)

    def _result(self, x: Output) -> str:
        if x.index is not None:
            return self.writer._handed_out(self.plan.program.outputs[x.index])
        for name, value in zip(self.writer.arguments, self.plan.program.inputs):
            if value.owner is x.tensor:
                return name
        tensor: Any = x.tensor
        for call in self.plan.program.calls:
            for value in [*call.reads(), *call.writes]:
                if value.kind == "tensor" and value.owner is tensor:
                    return self.writer.name(value)
        return self.writer.object(tensor._array, "result")


def _put(
    put: str, held: str, numbers: str, shared: str, own: dict[str, str], flags: dict[str, bool],
    places: list[tuple[str, str]], by: tuple[Any, ...],
) -> list[str]:  # fmt: skip
    """The lines of such a function."""
    says = f'    """The numbers of the next step, by the options in `{held}` and the steps so far."""'
    lines = ["", "", f"def {put}():", says]
    lines.append("    own = {" + ", ".join(f'"{name}": float({key})' for name, key in own.items()) + "}")
    if "step" in own:
        lines.append('    own["step"] += 1')
    lines.append(f'    k = {{"new": {flags.pop("new")}, **{numbers}({held}, own)}}')
    lines.append(f"    by_scale, by_decay, by_shrink = {shared}({held}, k)")
    tests = [f'k["{name}"] is not {value}' for name, value in flags.items()]
    tests += [f"by_{name} is {'not ' if value is None else ''}None" for name, value in zip(("decay", "shrink"), by[1:])]
    lines.append(f"    if {' or '.join(tests)}:")
    lines.append(f'        raise ValueError("{held}: these options need another program: export it anew")')
    lines += [f'    {key}[...] = own["{name}"]' for name, key in own.items()]
    return lines + [f"    {name}[...] = {value}" for name, value in places]


def _spaced(text: str) -> str:
    """The text with two empty lines around each definition, as Python's files have them."""
    text = re.sub(r"\n*\n(?=(@\S.*\n)*(def|class) )", "\n\n\n", text)
    text = re.sub(r"(?<=\n)(    .*|\)|\):)\n+(?=\S)(?!\)|#)", r"\1\n\n\n", text)
    text = re.sub(r"^(@.*)\n+(?=def |class |@)", r"\1\n", text, flags=re.MULTILINE)
    return re.sub(r"\n{4,}", "\n\n\n", text)


def _written_out(array: Array) -> str | None:
    """A small array, or one of equal numbers, as an expression."""
    if array.dtype.kind not in "biufc":
        return None
    kind = _kind(array)

    def number(x: Any) -> str:
        return repr(x) if isinstance(x, bool | int) or (not isinstance(x, complex) and math.isfinite(x)) else (
            f"complex({number(x.real)}, {number(x.imag)})" if isinstance(x, complex) else f'float("{x}")')  # fmt: skip

    if array.ndim == 0:
        return f"np.array({number(array.item())}, {kind})"
    if not array.size or not array.flags.c_contiguous:
        return None
    flat = array.reshape(-1)
    if flat.tobytes() == flat[:1].tobytes() * flat.size:
        return f"np.full({array.shape}, {number(flat[0].item())}, {kind})"
    if array.size <= _SMALL:
        numbers = f"[{', '.join(map(number, flat.tolist()))}]"
        shaped = "" if array.ndim == 1 else f".reshape({array.shape})"
        return f"np.array({numbers}, {kind}){shaped}"
    return None


def _kind(array: Array) -> str:
    return f'"{array.dtype}"'


def _bounds(array: Array) -> tuple[int, int]:
    """The addresses of an array's first byte and of the one after its last."""
    start = array.__array_interface__["data"][0]
    steps = [(n - 1) * step for n, step in zip(array.shape, array.strides)]
    if not array.size:
        return start, start
    return start + sum(step for step in steps if step < 0), start + sum(s for s in steps if s > 0) + array.itemsize


def _overlapping(arrays: list[tuple[str, Array]]) -> list[tuple[int, int, list[tuple[str, Array]]]]:
    """Arrays that share memory together, with the bounds of it, in the order of the first of each."""
    order = {name: i for i, (name, _) in enumerate(arrays)}
    found: list[tuple[int, int, list[tuple[str, Array]]]] = []
    for name, array in sorted(arrays, key=lambda item: _bounds(item[1])):
        lo, hi = _bounds(array)
        if found and lo < found[-1][1] and array.size:
            low, high, members = found[-1]
            found[-1] = (low, max(high, hi), [*members, (name, array)])
        else:
            found.append((lo, hi, [(name, array)]))
    return sorted(found, key=lambda cluster: min(order[name] for name, _ in cluster[2]))


def _as_part(name: str, whole: Array, lo: int, part: Array) -> str:
    """An array in another one's memory."""
    start = part.__array_interface__["data"][0] - lo
    if part.flags.c_contiguous and part.dtype == whole.dtype and start % part.itemsize == 0:
        first = start // part.itemsize
        if (part.shape, part.size) == (whole.shape, whole.size):
            return name
        flat = name if whole.ndim == 1 else f"{name}.reshape(-1)"
        shaped = "" if part.ndim == 1 else f".reshape({part.shape})"
        return f"{flat}[{first}:{first + part.size}]{shaped}"
    return f"np.ndarray({part.shape}, {_kind(part)}, {name}, {start}, {part.strides})"
