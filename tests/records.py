"""Records of calls, in a form that needs no PyTorch: how they are kept, played and compared.

A record is a sample: a few steps (`[name, arguments, keywords]` in a library with PyTorch's names), its inputs, what
came out, and the gradients of both orders. `play` runs one in any such library: `record_database.py` plays it in
PyTorch to make the record, `test_database.py` in mini_torch to compare with it.

Arguments are JSON terms: plain values as they are, lists as lists, everything else as a dict with one key:
`{"x": k}` the k-th input, `{"r": [k, …]}` the k-th step's result (and the way into it), `{"a": k}` the k-th array of
the file, and `tuple`, `dict`, `named`, `slice`, `complex`, `size`, `torch` (a constant of the library), `device`,
`new` (an instance of a class of the library).
"""

from __future__ import annotations

import functools
import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

DATA = Path(__file__).parent / "data" / "database"
SEED = 42
Array = np.ndarray[Any, np.dtype[Any]]


# ---- files -----------------------------------------------------------------------------------------------------------
def write(path: Path, entries: dict[str, Any], arrays: list[Array]) -> None:
    """Numbers of one type lie together, their first bytes first, which packs to about half."""
    packed = {}
    for dtype in sorted({str(a.dtype) for a in arrays}):
        flat = np.concatenate([a.ravel() for a in arrays if str(a.dtype) == dtype])
        packed[dtype] = np.ascontiguousarray(flat.view(np.uint8).reshape(len(flat), -1).T)
    index = {"arrays": [[str(a.dtype), list(a.shape)] for a in arrays], "entries": entries}
    text = json.dumps(index, separators=(",", ":")).encode()
    np.savez_compressed(path, index=np.frombuffer(text, np.uint8), **packed)


class File(NamedTuple):
    entries: dict[str, Any]
    arrays: list[Array]


@functools.cache
def read(path: Path) -> File:
    with np.load(path) as file:
        index = json.loads(file["index"].tobytes())
        flat = {
            name: np.ascontiguousarray(file[name].T).view(name).reshape(-1) for name in file.files if name != "index"
        }
    at = dict.fromkeys(flat, 0)
    arrays = []
    for dtype, shape in index["arrays"]:
        size = int(np.prod(shape))
        arrays.append(flat[dtype][at[dtype] : at[dtype] + size].reshape(shape))
        at[dtype] += size
    return File(index["entries"], arrays)


def names() -> list[tuple[str, str]]:
    """(group, entry) of all that is recorded."""
    return [(path.stem, name) for path in sorted(DATA.glob("*.npz")) for name in read(path).entries]


# ---- terms -----------------------------------------------------------------------------------------------------------
def named(torch: ModuleType, name: str) -> Any:
    """`nn.functional.relu` or `Tensor.T.__get__` in this library; AttributeError where it has none."""
    found, way = torch, torch.__name__
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            try:
                found = importlib.import_module(f"{way}.{part}")
            except ImportError:
                raise AttributeError(f"no {name}") from None
        way = f"{way}.{part}"
    return found


def decode(torch: ModuleType, term: Any, inputs: list[Any], results: list[Any]) -> Any:
    again = functools.partial(decode, torch, inputs=inputs, results=results)
    if isinstance(term, list):
        return [again(t) for t in term]
    if not isinstance(term, dict):
        return term
    ((kind, value),) = term.items()
    if kind == "x":
        return inputs[value]
    if kind == "r":
        return functools.reduce(lambda found, step: found[step], value[1:], results[value[0]])
    if kind == "tuple":
        return tuple(again(t) for t in value)
    if kind == "dict":
        return {key: again(t) for key, t in value}
    if kind == "slice":
        return slice(*map(again, value))
    if kind == "ellipsis":
        return ...
    if kind == "complex":
        return complex(*value)
    if kind == "size":
        return torch.Size(value)
    if kind == "device":
        return torch.device(value)
    if kind == "new":
        return named(torch, value[0])(**{key: again(t) for key, t in value[1].items()})
    return named(torch, value)


def leaves(torch: ModuleType, tree: Any) -> Iterator[Any]:
    """The tensors of a result, in order."""
    if isinstance(tree, torch.Tensor):
        yield tree
    elif isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, tuple | list):
        for part in tree:
            yield from leaves(torch, part)


# ---- playing ---------------------------------------------------------------------------------------------------------
class Outcome(NamedTuple):
    out: Any
    first: list[Any]  # gradients of the inputs that want one
    second: list[Any]  # gradients of the first's, for the same inputs and for the cotangents
    inputs: list[Any]


def to_tensor(torch: ModuleType, array: Array, wants_gradient: bool = False) -> Any:
    return torch.from_numpy(np.array(array)).clone().requires_grad_(wants_gradient)  # PyTorch can resize the clone


def turned(torch: ModuleType, array: Array, wants_gradient: bool = False) -> Any:
    """The same numbers with gaps between them and the axes the other way round in memory."""
    room = np.zeros([2 * n for n in reversed(array.shape)], array.dtype).T
    view = room[(..., *(slice(0, None, 2) for _ in array.shape))]
    view[...] = array
    return torch.from_numpy(view).requires_grad_(wants_gradient)


def to_array(tensor: Any) -> Array:
    tensor = tensor.detach().clone()
    for method in ("resolve_conj", "resolve_neg"):  # PyTorch's conj, neg and zeros are lazy
        tensor = getattr(tensor, method, lambda t=tensor: t)()
    return np.asarray((tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy())


def cotangent(torch: ModuleType, out: Any, order: int) -> Any:
    """Something to send in: multiples of 1/8 without a pattern that an operation could share."""
    shape = tuple(out.shape)
    k = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    values = ((k * k * 3 + k * (7 + order) + 5 * order) % 31 - 14.5) / 8
    if out.is_complex():
        values = values + 1j * ((k * 11 + 3) % 29 - 13.5) / 8
    return to_tensor(torch, values).to(out.dtype)


def seed(torch: ModuleType) -> None:
    """As manual_seed, which in PyTorch takes two milliseconds to tell devices that are not there."""
    getattr(torch, "default_generator", torch).manual_seed(SEED)


def run(torch: ModuleType, sample: dict[str, Any], inputs: list[Any]) -> list[Any]:
    """The results of the sample's steps."""
    results: list[Any] = []
    seed(torch)
    for name, args, kwargs in sample["steps"]:
        args = decode(torch, args, inputs, results)
        kwargs = {key: decode(torch, term, inputs, results) for key, term in kwargs.items()}
        results.append(named(torch, name)(*args, **kwargs))
    return results


def differentiate(torch: ModuleType, graded: list[Any], wanted: list[Any], second: bool) -> tuple[list[Any], list[Any]]:
    outs = [out for out in graded if out.requires_grad]
    if not outs or not wanted:
        return [], []
    sent = [cotangent(torch, out, 1).requires_grad_(second) for out in outs]
    first = torch.autograd.grad(outs, wanted, sent, create_graph=second, allow_unused=True)
    outs = [g for g in first if g is not None and g.requires_grad]
    if not second or not outs:
        return list(first), []
    return list(first), list(
        torch.autograd.grad(outs, [*wanted, *sent], [cotangent(torch, g, 2) for g in outs], allow_unused=True)
    )


def play(
    torch: ModuleType, sample: dict[str, Any], arrays: list[Array], order: int = 0, to_tensor: Any = to_tensor
) -> Outcome:
    """Runs a sample on these input arrays, with gradients up to this order."""
    wanted = sample.get("wanted", []) if order else []
    inputs = [to_tensor(torch, array, k in wanted) for k, array in enumerate(arrays)]
    results = run(torch, sample, inputs)
    out = decode(torch, sample["result"], inputs, results)
    graded = decode(torch, sample["graded"], inputs, results) if "graded" in sample else out
    first, second = differentiate(torch, list(leaves(torch, graded)), [inputs[k] for k in wanted], order > 1)
    return Outcome(out, first, second, inputs)


def cast(sample: dict[str, Any], arrays: list[Array], dtype: str) -> list[Array]:
    """The inputs for the sample's variant of another type."""
    with np.errstate(all="ignore"):
        return [a.astype(t) if t else a for a, t in zip(arrays, sample["variants"][dtype]["types"])]


# ---- other ways to call ----------------------------------------------------------------------------------------------
def call_form(torch: ModuleType, sample: dict[str, Any], arrays: list[Array], form: str) -> tuple[Any, bool]:
    """The result of the sample's one step called as `form` says: `out`, or the name of an alias, a method or an
    in-place method; and whether it is the very object that was to be written to, where there is one."""
    ((name, args, kwargs),) = sample["steps"]
    inputs = [to_tensor(torch, array) for array in arrays]
    args = decode(torch, args, inputs, [])
    kwargs = {key: decode(torch, term, inputs, []) for key, term in kwargs.items()}
    seed(torch)
    if form != "out":
        result = named(torch, form)(*args, **kwargs)
        return result, result is inputs[0] or not writes(form)
    expected = named(torch, name)(*args, **kwargs)
    given = [torch.zeros_like(t) for t in leaves(torch, expected)]
    seed(torch)
    result = named(torch, name)(*args, **kwargs, out=given[0] if isinstance(expected, torch.Tensor) else tuple(given))
    return result, all(a is b for a, b in zip(leaves(torch, result), given, strict=True))


def writes(name: str) -> bool:
    """Whether the function of this name writes to its first argument."""
    return name.endswith("_") and not name.endswith("__")


# ---- comparing -------------------------------------------------------------------------------------------------------
SHORT = {"float32": 2e-5, "complex64": 2e-5, "float16": 4e-3, "bfloat16": 3e-2}


class Allowed(NamedTuple):
    """How far a number may be from the recorded one, relative to it and to its array's largest (at least 1); for types
    shorter than float64 not less than SHORT."""

    relative: float
    values: bool = True  # False: only structure, shapes and types


def check(torch: ModuleType, term: Any, found: Any, arrays: list[Array], allowed: Allowed, where: str = "out") -> None:
    """AssertionError unless what was found is what the term says."""
    if not isinstance(term, dict | list):
        assert type(found) is type(term), f"{where} is {found!r}, not {term!r}"
        assert not allowed.values or np.isclose(found, term, allowed.relative, equal_nan=True) if isinstance(
            term, float
        ) else found == term, f"{where} is {found!r}, not {term!r}"
        return
    kind, value = ("list", term) if isinstance(term, list) else next(iter(term.items()))
    if kind in ("a", "bfloat16"):
        dtype = str(arrays[value].dtype) if kind == "a" else kind
        check_tensor(torch, arrays[value], dtype, found, allowed, where)
    elif kind == "size":
        assert isinstance(found, torch.Size), f"{where} is a {type(found).__name__}, not a Size"
        assert list(found) == value, f"{where} is {found}, not {value}"
    elif kind in ("tuple", "list", "named"):
        assert isinstance(found, list if kind == "list" else tuple), f"{where} is a {type(found).__name__}"
        assert len(found) == len(value), f"{where} has {len(found)} parts, not {len(value)}"
        for k, part in enumerate(value):
            name, part = part if kind == "named" else (k, part)
            assert kind != "named" or getattr(found, name) is found[k], f"{where} has no field {name}"
            check(torch, part, found[k], arrays, allowed, f"{where}[{name}]")
    elif kind == "dict":
        assert list(found) == [key for key, _ in value], f"{where} has keys {list(found)}"
        for key, part in value:
            check(torch, part, found[key], arrays, allowed, f"{where}[{key!r}]")
    else:
        expected = decode(torch, term, [], [])
        assert found == expected, f"{where} is {found}, not {expected}"


def check_tensor(torch: ModuleType, array: Array, dtype: str, found: Any, allowed: Allowed, where: str) -> None:
    assert isinstance(found, torch.Tensor), f"{where} is a {type(found).__name__}, not a tensor"
    assert tuple(found.shape) == array.shape, f"{where} has shape {tuple(found.shape)}, not {array.shape}"
    assert str(found.dtype) == f"torch.{dtype}", f"{where} is of {found.dtype}, not {dtype}"
    if allowed.values:
        check_array(array, to_array(found), max(allowed.relative, SHORT.get(dtype, 0)), where)


def check_array(array: Array, found: Array, relative: float, where: str) -> None:
    apart = difference(array, found)
    if apart > relative:
        np.testing.assert_allclose(found, array, relative, relative * scale(array), err_msg=where)
        raise AssertionError(f"{where} is {apart:.1e} apart from PyTorch's, allowed are {relative:.1e}")


def scale(array: Array) -> float:
    """The largest number, within 1 and 1000."""
    size = np.abs(array[np.isfinite(array)])
    return float(np.clip(size, 1, 1e3).max(initial=1))


def difference(array: Array, found: Array) -> float:
    """The largest, relative to the number and to the array's largest; infinite where whole numbers differ."""
    if array.shape != found.shape:
        return np.inf
    if array.dtype.kind in "biu":
        return 0.0 if np.array_equal(array, found) else np.inf
    if array.dtype.kind == "c":
        array, found = (np.stack([a.real, a.imag]) for a in (array, found))
    array, found = array.astype(float), found.astype(float)
    with np.errstate(all="ignore"):
        apart = np.abs(array - found) / (np.abs(array) + scale(array))
    apart = np.where((array == found) | (np.isnan(array) & np.isnan(found)), 0.0, apart)
    return float(np.nan_to_num(apart, nan=np.inf).max(initial=0))


# ---- what is unique about a decomposition ----------------------------------------------------------------------------
def adjoint(a: Array) -> Array:
    return np.conj(np.swapaxes(a, -1, -2))


def of_svd(u: Array, s: Array, vh: Array) -> list[Array]:
    return [s, (u[..., : s.shape[-1]] * s[..., None, :]) @ vh[..., : s.shape[-1], :]]


UNIQUE = {
    "linalg.svd": lambda a, u, s, vh: of_svd(u, s, vh),
    "svd": lambda a, u, s, v: of_svd(u, s, adjoint(v)),
    "svd_lowrank": lambda a, u, s, v: of_svd(u, s, adjoint(v)),
    "pca_lowrank": lambda a, u, s, v: of_svd(u, s, adjoint(v)),
    "linalg.eigh": lambda a, w, v: [w, (v * w[..., None, :]) @ adjoint(v), adjoint(v) @ v],
    "linalg.eig": lambda a, w, v: [np.sort_complex(np.round(w, 9)), a @ v - v * w[..., None, :]],
    "linalg.eigvals": lambda a, w: [np.sort_complex(np.round(w, 9))],
    "linalg.qr": lambda a, q, r: [np.abs(r), np.abs(q), q @ r if q.size and q.shape[-1] == r.shape[-2] else q[:0]],
    "qr": lambda a, q, r: [np.abs(r), np.abs(q), q @ r if q.size and q.shape[-1] == r.shape[-2] else q[:0]],
}


TIES = {"argsort", "kthvalue", "max", "median", "min", "mode", "nanmedian", "sort", "topk"}


def made_by(sample: dict[str, Any]) -> str:
    """The name of the step whose result is the sample's."""
    way = sample["result"]["r"] if isinstance(sample["result"], dict) and "r" in sample["result"] else []
    return sample["steps"][way[0]][0] if len(way) == 1 else ""


def decomposition(sample: dict[str, Any]) -> Any:
    """What to compare of the sample's result, if that is a decomposition."""
    return UNIQUE.get(made_by(sample))


def equal_picks(a: Array, theirs: Array, ours: Array) -> bool:
    """Whether two arrays of indices, which may leave out one axis, pick the same numbers."""
    a, theirs, ours = np.atleast_1d(a, theirs, ours)
    for axis in range(a.ndim):
        x, y = (np.expand_dims(i, axis) if i.ndim < a.ndim else i for i in (theirs, ours))
        if all(n == m for k, (n, m) in enumerate(zip(a.shape, x.shape)) if k != axis) and np.array_equal(
            np.take_along_axis(a, x, axis), np.take_along_axis(a, y, axis), equal_nan=a.dtype.kind in "fc"
        ):
            return True
    return False


def as_ours(sample: dict[str, Any], a: Array, theirs: list[Array], ours: list[Array]) -> list[Array]:
    """Their results, with our indices where those pick equal numbers of `a`: which of equals is nobody's promise."""
    name, picks = made_by(sample), list(theirs)
    k = 0 if name == "argsort" else 1
    if name in TIES and k < len(ours) and theirs[k].shape == ours[k].shape and equal_picks(a, theirs[k], ours[k]):
        picks[k] = ours[k]
    return picks


def arrays_of(term: Any) -> list[int]:
    """The arrays in a result's term, in the order of `leaves`."""
    if isinstance(term, list):
        return [k for part in term for k in arrays_of(part)]
    if not isinstance(term, dict):
        return []
    kind, value = next(iter(term.items()))
    if kind in ("dict", "named"):
        value = [part for _, part in value]
    return arrays_of(value) if kind in ("dict", "named", "tuple") else [value] if kind in ("a", "bfloat16") else []


def check_result(
    torch: ModuleType, sample: dict[str, Any], found: Any, arrays: list[Array], allowed: Allowed, a: Array, where: str
) -> None:
    """A sample's result for the first input `a`; of a decomposition, what its parts say without the freedom that they
    have: signs, phases."""
    reduced = decomposition(sample)
    free = bool(reduced) or made_by(sample) in TIES
    check(torch, sample["out"], found, arrays, Allowed(0, values=False) if free else allowed, where)
    if not free:
        return
    outs = list(leaves(torch, found))
    ours, theirs = [to_array(t) for t in outs], [arrays[k] for k in arrays_of(sample["out"])]
    theirs = as_ours(sample, a, theirs, ours)
    short = SHORT.get(str(outs[0].dtype).removeprefix("torch."), 0)
    if reduced:
        ours, theirs, short = reduced(a, *ours), reduced(a, *theirs), max(5 * short, 1e-6)
    for x, y in zip(theirs, ours, strict=True):
        check_array(x, y, max(allowed.relative, short), where)
