"""Messages between a loader and its workers: large arrays lie in memory that both see, the rest is pickled.

Pickle's protocol 5 takes the arrays out of a message, however deep in tuples, dicts or objects they are. The large ones
are written into one anonymous file in memory (`memfd_create`), whose descriptor goes with the message; the receiver
maps it and builds its arrays right there. The file has no name, so nothing can be left behind: the memory is free as
soon as the last array over it is, however the processes end. Where there is no such file, all is pickled.
"""

from __future__ import annotations

import copyreg
import io
import mmap
import os
import pickle
import struct
import sys
from collections.abc import Sequence
from multiprocessing.reduction import recv_handle, send_handle
from typing import Any

from ..tensor import Tensor

__all__ = ["packed", "receive", "send", "send_packed"]

_THROUGH_PIPE = 1 << 17  # bytes of a message's arrays that a pipe takes in less time than a file in memory costs
_ALIGNED = 64
_CAN_SHARE = hasattr(os, "memfd_create")
_MOST_MAPPED = 256  # maps alive at once, where each keeps a file open: before Python 3.13


class Mapped(mmap.mmap):
    """A map of shared memory, counted as long as it is alive."""

    alive = 0

    def __new__(cls, descriptor: int, size: int) -> Mapped:
        options: dict[str, Any] = {"trackfd": False} if sys.version_info >= (3, 13) else {}
        out = super().__new__(cls, descriptor, size, mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0), **options)
        cls.alive += 1
        return out

    def __del__(self) -> None:
        type(self).alive -= 1


def packed(message: Any) -> tuple[bytes, list[memoryview]]:
    """The message as bytes, and the large arrays in it, which are not among these bytes."""
    large: list[memoryview] = []
    inside = 0

    def belongs_inside(buffer: pickle.PickleBuffer) -> bool:
        nonlocal inside
        memory = buffer.raw()
        if inside + memory.nbytes <= _THROUGH_PIPE or not _CAN_SHARE:
            inside += memory.nbytes
            return True
        large.append(memory)
        return False

    out = io.BytesIO()
    pickler = pickle.Pickler(out, 5, buffer_callback=belongs_inside)
    pickler.dispatch_table = {**copyreg.dispatch_table, Tensor: _tensor_parts}
    pickler.dump(message)
    sizes = [memory.nbytes for memory in large]
    return struct.pack(f"<{len(sizes) + 1}q", len(sizes), *sizes) + out.getbuffer(), large


def send(connection: Any, message: Any) -> None:
    """Sends a message. What cannot be pickled is an error before anything is sent."""
    send_packed(connection, *packed(message))


def send_packed(connection: Any, body: bytes, large: Sequence[memoryview] = ()) -> None:
    """Sends what `packed` gave."""
    connection.send_bytes(body)
    if large:
        descriptor = os.memfd_create("batch")
        try:
            for memory, start in zip(large, _starts([memory.nbytes for memory in large])):
                _write(descriptor, memory, start)
            send_handle(connection, descriptor, None)
        finally:
            os.close(descriptor)


def receive(connection: Any) -> Any:
    """The next message. Errors: EOFError or OSError where the other side is gone."""
    body = memoryview(connection.recv_bytes())
    (count,) = struct.unpack_from("<q", body)
    if not count:
        return pickle.loads(body[8:])
    sizes = struct.unpack_from(f"<{count}q", body, 8)
    starts = _starts(sizes)
    descriptor = recv_handle(connection)
    try:
        memory = memoryview(_memory(descriptor, starts[-1]))
    finally:
        os.close(descriptor)
    arrays = [memory[start : start + size] for start, size in zip(starts, sizes)]
    return pickle.loads(body[8 * (count + 1) :], buffers=arrays)


def _starts(sizes: Sequence[int]) -> list[int]:
    """Where in the file each array begins, and after the last one where the file ends."""
    starts = [0]
    for size in sizes:
        starts.append(starts[-1] + -(-size // _ALIGNED) * _ALIGNED)
    return starts


def _write(descriptor: int, memory: memoryview, start: int) -> None:
    while memory.nbytes:  # one call writes 2 GB at most
        written = os.pwrite(descriptor, memory, start)
        memory, start = memory[written:], start + written
    os.ftruncate(descriptor, -(-start // _ALIGNED) * _ALIGNED)


def _memory(descriptor: int, size: int) -> Any:
    """The file's contents: mapped, or copied where too many maps would keep too many files open."""
    if Mapped.alive < _MOST_MAPPED or sys.version_info >= (3, 13):
        return Mapped(descriptor, size)
    copied = bytearray(size)
    done = 0
    while done < size:
        done += os.preadv(descriptor, [memoryview(copied)[done:]], done)
    return copied


def _tensor_parts(x: Tensor) -> Any:
    if x.requires_grad and not x.is_leaf:
        raise RuntimeError(
            "Cowardly refusing to serialize non-leaf tensor which requires_grad, since autograd does not support "
            "crossing process boundaries. If you just want to transfer the data, call detach() on the tensor before "
            "a worker returns it."
        )
    return x.__reduce_ex__(pickle.HIGHEST_PROTOCOL)
