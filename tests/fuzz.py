"""Damaged files, by the thousand: `python tests/fuzz.py --format npz --count 20000`.

Every file is made from a seed, so that a finding can be made again: `--only 1234` runs that one alone and shows the
error that it gives. A file must load, or be refused by a CheckpointError that names it; within a time, without memory
that the file does not account for, without running anything, and, where the format has checksums, without numbers that
nobody saved.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import re
import resource
import signal
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import mini_torch as torch
from mini_torch import safetensors
from mini_torch.errors import CheckpointError
from mini_torch.serialization import load_npz, save_npz

SECONDS = 2.0  # that a file may take; they are of a few kilobytes, and take a thousandth of it
MEMORY = 48 << 20  # bytes that the process may grow by: what deflate can make of 4 KB, and room for the interpreter
IN_MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None
RECORDED = Path(__file__).parent / "data" / "checkpoints"

Mutate = Callable[[random.Random, bytes, list[bytes]], bytes]


# ---- mutations of any file -------------------------------------------------------------------------------------------
LENGTHS = (0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 40, 1 << 62,
           (1 << 63) - 1, 1 << 63, (1 << 64) - 1)  # fmt: skip


def span(draw: random.Random, data: bytes, most: int = 64) -> tuple[int, int]:
    start = draw.randrange(len(data) + 1)
    return start, min(len(data), start + draw.randrange(1, most))


def flip(draw: random.Random, data: bytes, _: list[bytes]) -> bytes:
    out = bytearray(data)
    for _ in range(draw.choice((1, 1, 1, 2, 8))):
        out[draw.randrange(len(out))] ^= 1 << draw.randrange(8)
    return bytes(out)


def put_bytes(draw: random.Random, data: bytes, _: list[bytes]) -> bytes:
    out = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 4))):
        out[draw.randrange(len(out))] = draw.choice((0, 1, 0x7F, 0x80, 0xFF, 0x20, draw.randrange(256)))
    return bytes(out)


def put_length(draw: random.Random, data: bytes, _: list[bytes]) -> bytes:
    """A number of 1 to 8 bytes, of the kind that lengths and offsets are, somewhere."""
    width = draw.choice((1, 2, 4, 8))
    number = draw.choice((*LENGTHS, len(data), len(data) - 1, len(data) + 1)) & (1 << 8 * width) - 1
    at = draw.randrange(max(1, len(data) - width))
    return data[:at] + number.to_bytes(width, draw.choice(("little", "big"))) + data[at + width :]


def truncate(draw: random.Random, data: bytes, _: list[bytes]) -> bytes:
    return data[: draw.randrange(len(data))]


def insert(draw: random.Random, data: bytes, _: list[bytes]) -> bytes:
    at = draw.randrange(len(data) + 1)
    return data[:at] + draw.randbytes(draw.choice((1, 2, 8, 64))) + data[at:]


def remove(draw: random.Random, data: bytes, _: list[bytes]) -> bytes:
    start, stop = span(draw, data)
    return data[:start] + data[stop:]


def repeat(draw: random.Random, data: bytes, _: list[bytes]) -> bytes:
    start, stop = span(draw, data)
    return data[:stop] + data[start:stop] * draw.choice((1, 1, 2, 16)) + data[stop:]


def swap(draw: random.Random, data: bytes, _: list[bytes]) -> bytes:
    (a, b), (c, d) = sorted((span(draw, data), span(draw, data)))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:] if b <= c else data[b:] + data[:b]


def splice(draw: random.Random, data: bytes, files: list[bytes]) -> bytes:
    other = draw.choice(files)
    return data[: draw.randrange(len(data) + 1)] + other[draw.randrange(len(other) + 1) :]


def put_number(draw: random.Random, data: bytes, _: list[bytes]) -> bytes:
    """Another number for one that is written in digits, as shapes and offsets are in headers."""
    found = list(re.finditer(rb"-?\d+", data))
    if not found:
        return flip(draw, data, _)
    place = draw.choice(found)
    number = str(draw.choice((*LENGTHS, -1, -(1 << 63), int(place[0][:18]) + 1, "1e3", "-0", "9" * 30)))
    return data[: place.start()] + number.encode() + data[place.end() :]


ANY: tuple[Mutate, ...] = (flip, put_bytes, put_length, truncate, insert, remove, repeat, swap, splice)
TEXT: tuple[Mutate, ...] = (*ANY, put_number, put_number)


# ---- mutations that keep the container whole -------------------------------------------------------------------------
@cache
def members(data: bytes) -> tuple[tuple[str, bytes], ...]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return tuple((each.filename, archive.read(each)) for each in archive.infolist())


def zipped(parts: list[tuple[str, bytes]], compression: int) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", compression) as archive:
        warnings.simplefilter("ignore")  # "Duplicate name"
        for name, content in parts:
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return file.getvalue()


def inside_zip(draw: random.Random, data: bytes, files: list[bytes]) -> bytes:
    """A member changed, renamed, left out, put twice or taken from another file, in an archive whose sums are right."""
    parts = list(members(data))
    at = draw.randrange(len(parts))
    name, content = parts[at]
    what = draw.random()
    if what < 0.7:
        for _ in range(draw.choice((1, 1, 1, 3))):
            content = draw.choice(TEXT)(draw, content or b"\0", [content or b"\0"])
        parts[at] = (name, content)
    elif what < 0.8:
        del parts[at]
    elif what < 0.9:
        other = draw.choice(members(draw.choice(files)))
        parts[at] = (name, other[1]) if draw.random() < 0.5 else other
    else:
        renamed = draw.choice(("", "/", "../x", "a/b/c", name + "/x", name[1:], "\0", "x" * 300, parts[0][0]))
        parts[at] = (renamed or "x", content)
    return zipped(parts, draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))


def inside_header(draw: random.Random, data: bytes, files: list[bytes]) -> bytes:
    """A safetensors file whose header is changed, and says its own length right."""
    length = int.from_bytes(data[:8], "little")
    header = data[8 : 8 + length]
    if draw.random() < 0.3:
        described = json.loads(header)
        names = [name for name in described if name != "__metadata__"]
        entry = described[draw.choice(names)]
        key = draw.choice(list(entry))
        entry[key] = draw.choice((None, [], {}, "F32", "BF16", "F4", [0, 0], [1 << 62], [-4, -1], 3, entry[key] * 2))
        header = json.dumps(described).encode()
    else:
        header = draw.choice(TEXT)(draw, header, [header])
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data[8 + length :]


# ---- formats ---------------------------------------------------------------------------------------------------------
class Format(NamedTuple):
    """A format: its valid files, what changes them from inside and how often, and how a file is read."""

    files: list[bytes]
    inside: Mutate | None
    load: Callable[[str], Any]
    has_sums: bool


def state_dicts() -> list[dict[str, Any]]:
    plain = {"0.weight": torch.arange(6.0).reshape(2, 3), "0.bias": torch.tensor([0.5, -1.5])}
    kinds = {name: torch.tensor([1, 0]).to(getattr(torch, name)) for name in ("bool", "uint8", "int64", "float16")}
    return [plain, {**kinds, "scalar": torch.tensor(3), "empty": torch.zeros(0, 3), "c": torch.ones(1).cfloat()}]


def written(save: Callable[[Any, Any], Any], obj: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    save(obj, file, **options)
    return file.getvalue()


def npz() -> Format:
    files = [written(save_npz, state) for state in state_dicts()]
    files.append(written(save_npz, {"network": state_dicts()[0], "step": 7}))
    file = io.BytesIO()
    np.savez_compressed(file, weight=np.arange(64.0), order=np.asfortranarray(np.ones((2, 3))))
    return Format([*files, file.getvalue()], inside_zip, load_npz, has_sums=True)


def safetensors_format() -> Format:
    files = [safetensors.save(state, {"by": "fuzz"}) for state in state_dicts()]
    return Format(files, inside_header, mapped_and_read, has_sums=False)


def mapped_and_read(path: str) -> Any:
    """By both ways, which must give the same."""
    mapped, read = (safetensors.load_file(path, backend=backend) for backend in ("mmap", "pread"))
    assert list(map(fingerprint, arrays_in(mapped))) == list(map(fingerprint, arrays_in(read)))
    return mapped


def objects() -> list[Any]:
    """What programs save: state dicts, an optimizer's state, all that a pickle may hold, storages that are shared."""
    net = torch.nn.Linear(2, 1)
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    row = torch.arange(6.0)
    shared = [row, row[2:4], row.reshape(2, 3).t()]
    plain = {"size": torch.Size([2, 3]), "dtype": torch.float16, "device": torch.device("cpu"), "set": {1, 2},
             3: (4, 5), "long": 1 << 70, "text": "é" * 300, "none": None, "bytes": b"123", "z": 1 + 2j,
             "nested": [[[{}]]]}  # fmt: skip
    parameter = torch.nn.Parameter(torch.ones(2))
    return [*state_dicts(), net.state_dict(), optimizer.state_dict(), shared, plain, parameter]


def pt() -> Format:
    files = [written(torch.save, obj) for obj in objects()]
    return Format(recorded(b"PK") + files, inside_zip, torch.load, has_sums=False)


def legacy() -> Format:
    files = [written(torch.save, obj, _use_new_zipfile_serialization=False) for obj in objects()]
    return Format(recorded(b"\x80") + files, None, torch.load, has_sums=False)


def recorded(start: bytes) -> list[bytes]:
    """PyTorch's own files that begin so, the small ones."""
    files = (path.read_bytes() for path in sorted(RECORDED.glob("*.pt")))
    return [data for data in files if data.startswith(start) and len(data) < 4096]


FORMATS: dict[str, Callable[[], Format]] = {
    "pt": pt, "mapped": lambda: pt()._replace(load=lambda path: torch.load(path, mmap=True)), "legacy": legacy,
    "safetensors": safetensors_format, "npz": npz,
}  # fmt: skip


# ---- running ---------------------------------------------------------------------------------------------------------
class TooSlow(BaseException):
    """Not an Exception, so that no loader takes it for damage."""


def too_slow(*_: Any) -> None:
    raise TooSlow


FORBIDDEN = ("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.remove",
             "os.rename", "os.mkdir", "os.kill", "socket.connect", "pickle.find_class", "code.__new__",
             "ctypes.dlopen")  # fmt: skip
armed: list[str] = []  # while a file is read: what it did that it may not, after its first entry


def watch(event: str, args: tuple[Any, ...]) -> None:
    writes = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")
    if armed and (event in FORBIDDEN or writes):
        armed.append(f"{event} {args}")


def guard() -> None:
    """Watches what this process does, and limits its time for a file and its memory. Cannot be taken back."""
    sys.addaudithook(watch)
    signal.signal(signal.SIGALRM, too_slow)
    warnings.simplefilter("ignore")  # NumPy's, of headers from Python 2
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + 2 * MEMORY,) * 2)


def case(form: Format, seed: int) -> tuple[bytes, bool]:
    """A damaged file, and whether what checksums there are cover the damage."""
    draw = random.Random(seed)
    data = draw.choice(form.files)
    if form.inside and draw.random() < 0.5:
        return form.inside(draw, data, form.files), False
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        data = draw.choice(ANY)(draw, data or b"\0", form.files)
    return data, form.has_sums


def arrays_in(obj: Any) -> Iterator[np.ndarray[Any, Any]]:
    """All arrays, however deep; without recursion, as files may nest them deeper than Python goes."""
    todo, seen = [obj], set()
    while todo:
        x = todo.pop()
        if id(x) in seen:
            continue
        seen.add(id(x))
        if isinstance(x, torch.Tensor):
            yield x.detach().numpy()
        elif isinstance(x, np.ndarray):
            yield x
        elif isinstance(x, dict):
            todo += [*x.keys(), *x.values()]
        elif isinstance(x, list | tuple | set | frozenset):
            todo += x


def fingerprint(array: np.ndarray[Any, Any]) -> tuple[Any, ...]:
    """What tells an array from others; of one that repeats few numbers over a large shape, its corners."""
    if array.nbytes > 1 << 16:
        array = array[tuple(slice(None, None, max(1, n - 1)) for n in array.shape)]
        array = array[tuple(slice(0, 2) for _ in range(min(array.ndim, 8)))]
    return str(array.dtype), array.shape, array.tobytes()


def judge(form: Format, path: str, data: bytes, sums: bool, known: set[Any]) -> str:
    """Reads one file: "loaded", "refused", or what is wrong with how it went."""
    Path(path).write_bytes(data)
    armed[:] = ["reading"]
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        prints = [fingerprint(array) for array in arrays_in(form.load(path))]
    except CheckpointError as error:
        chain, text = error, str(error)
        while chain and not isinstance(chain, MemoryError):
            chain = chain.__cause__ or chain.__context__  # type: ignore[assignment]
        if chain:
            return f"wanted more memory than it has: {text}"
        return "refused" if path in text and "\n" not in text and len(text) < 2000 else f"unclear error: {text!r}"
    except TooSlow:
        return f"took more than {SECONDS} s"
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        done = armed[1:]
        armed.clear()
    if done:
        return f"did {done}"
    strange = [each for each in prints if each not in known] if sums else []
    return f"loaded numbers that nobody saved: {strange[0]}" if strange else "loaded"


def run(name: str, count: int, seed: int = 0) -> tuple[Counter[str], list[str]]:
    """Reads `count` damaged files: how many of them came to which end, and what went wrong."""
    form = FORMATS[name]()
    ends: Counter[str] = Counter()
    wrong = []
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        path = f"{folder}/damaged.{name}"
        known = set()
        for data in form.files:
            Path(path).write_bytes(data)
            known.update(map(fingerprint, arrays_in(form.load(path))))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        for k in range(seed, seed + count):
            end = judge(form, path, *case(form, k), known)
            ends[end if end in ("loaded", "refused") else "wrong"] += 1
            if end not in ("loaded", "refused"):
                wrong.append(f"--format {name} --only {k}: {end}")
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    if grown > MEMORY:
        wrong.append(f"{name}: memory grew by {grown >> 20} MB")
    return ends, wrong


def show(name: str, seed: int) -> None:
    """The file of one seed, and what reading it gives."""
    form = FORMATS[name]()
    data, _ = case(form, seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"damaged.{name}")
        path.write_bytes(data)
        print(data)
        print(form.load(str(path)))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--format", choices=FORMATS, action="append", help="all of them, unless said")
    parser.add_argument("--count", type=int, default=20_000, help="files of each format")
    parser.add_argument("--seed", type=int, default=0, help="of the first file; the others count on")
    parser.add_argument("--only", type=int, metavar="SEED", help="reads this one file, and shows it")
    chosen = parser.parse_args()
    if chosen.only is not None:
        show(chosen.format[0], chosen.only)
        return 0
    guard()
    failed = 0
    for name in chosen.format or FORMATS:
        start = time.process_time()
        ends, wrong = run(name, chosen.count, chosen.seed)
        failed += len(wrong)
        print(f"{name:12} {dict(ends)} in {time.process_time() - start:.1f} s", *wrong[:20], sep="\n  ")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
