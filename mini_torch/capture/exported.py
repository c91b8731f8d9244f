"""What every exported file has around its program: the head, reading and writing its arrays, and `__main__`."""

from __future__ import annotations

from typing import Any

__all__ = ["files", "head", "main"]

_HEAD = '''"""{title}

Needs NumPy alone. The arrays are in the .npz file of the same name beside this one: `save` writes them as they are
now, `load` reads them.
"""

from __future__ import annotations

{imports}
{numpy}
FILE = Path(__file__).with_suffix(".npz")
with np.load(FILE) as file:
    ARRAYS = dict(file)
GENERATORS = {{}}


def given(name, x, shape, dtype, strides=None):
    """An argument as the program has it: its type and shape, and its order in memory."""
    x = np.asarray(x)
    if x.shape != shape:
        raise ValueError(f"{{name}} has the shape {{list(x.shape)}}, and this program is for {{list(shape)}}")
    if strides is None:
        return np.ascontiguousarray(x, dtype).reshape(shape)
    if x.strides == strides and x.dtype == dtype:
        return x
    axes = sorted(range(len(shape)), key=lambda axis: -strides[axis])
    out = np.empty([shape[axis] for axis in axes], dtype).transpose(np.argsort(axes))
    out[...] = x
    return out


def aligned(nbytes):
    """Bytes from a cache line's start on."""
    raw = np.empty(nbytes + 64, np.uint8)
    start = -raw.__array_interface__["data"][0] % 64
    return raw[start : start + nbytes]


def quietly():
    """`run(function, *args)` without NumPy's warnings: infinities and nan are values, and no news."""
    if np.__version__.startswith("1."):
        return np.errstate(all="ignore")(lambda function, *args: function(*args))
    context = contextvars.Context()
    context.run(np.seterr, all="ignore")
    context.run(np.setbufsize, 1024)
    return context.run
'''

_FILES = '''def save(path=FILE):
    """Writes all arrays to a file; it is written beside the path and then renamed, so there is always a whole one."""
{take}    path = Path(path)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "wb") as file:
        np.savez(file, **ARRAYS)
    os.replace(beside, path)


def load(path=FILE):
    """Takes all arrays from a file that `save` wrote, or export."""
    with np.load(path) as file:
        for name, array in ARRAYS.items():
            array[...] = file[name]
{put}'''

_GENERATORS = '''def put_generators():
    """Sets the generators to where `ARRAYS` says: 624 words of the twister's state, and the place in them."""
    for name, generator in GENERATORS.items():
        words, spare = ARRAYS[name], float(ARRAYS[name + "_spare"])
        generator._bits = np.random.MT19937(0)
        generator._bits.state = {"bit_generator": "MT19937", "state": {"key": words[:624], "pos": int(words[624])}}
        generator._spare = None if spare != spare else spare


def take_generators():
    """Notes in `ARRAYS` where the generators are."""
    for name, generator in GENERATORS.items():
        state = generator._bits.state["state"]
        ARRAYS[name][:624], ARRAYS[name][624] = state["key"], state["pos"]
        ARRAYS[name + "_spare"][...] = np.nan if generator._spare is None else generator._spare
'''

_MAIN = '''def main():
    """Runs on arrays from .npy files, or on random ones."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\\n")[0])
    parser.add_argument("inputs", nargs="*", help=".npy files, for: {names}; without them, random numbers")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--save", action="store_true", help="write the arrays at the end")
    options = parser.parse_args()
    random = np.random.default_rng(0)
    inputs = [np.load(path) for path in options.inputs] or [
        random.standard_normal(shape).astype(dtype) if dtype[:5] == "float" else np.zeros(shape, dtype)
        for shape, dtype in {kinds}
    ]
    for _ in range(options.runs):
        print({name}(*inputs))
    if options.save:
        save()


if __name__ == "__main__":
    main()'''

_IMPORTS = ["import argparse", "import contextvars", "import os", "import tempfile", "from pathlib import Path"]


def head(title: str, imports: list[str], numpy: list[str]) -> str:
    """The file's beginning; `numpy` are the functions that the program calls by their names alone."""
    plain = sorted({line for line in [*imports, *_IMPORTS] if line.startswith("import ") and " np" not in line})
    lines = [*plain, "from pathlib import Path", "", "import numpy as np"]
    names = ""
    if numpy:
        rows, row = [], ""
        for name in numpy:
            if len(row) + len(name) > 100:
                rows.append(row)
                row = ""
            row += f"{name}, "
        rows.append(row)
        names = "from numpy import (\n" + "".join(f"    {each.rstrip()}\n" for each in rows) + ")\n"
    return _HEAD.format(title=title, imports="\n".join(lines), numpy=names)


def files(draws: bool) -> str:
    """Reading and writing the arrays; `draws` says that there are generators among them."""
    take, put = ("    take_generators()\n", "    put_generators()\n") if draws else ("", "")
    return _FILES.format(take=take, put=put).rstrip()


def generators() -> str:
    """Where the generators are in their streams."""
    return _GENERATORS.rstrip()


def main(name: str, kinds: list[tuple[str, Any, str]], trains: bool) -> str:
    """What the file does when it is run."""
    return _MAIN.format(name=name, names=" ".join(each[0] for each in kinds) or "nothing", kinds=[k[1:] for k in kinds])
