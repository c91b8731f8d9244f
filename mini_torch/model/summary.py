"""Looking inside a network: the table of its layers, and the outputs of any of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from ..dtype import default_numpy_dtype
from ..network import Module, is_lazy
from ..tensor import Tensor, wrap

__all__ = ["record", "summary"]


@contextmanager
def record(network: Module, names: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """Inside, every forward pass puts the outputs of the layers `names` into the dict that is given."""
    modules = dict(network.named_modules())
    missing = [name for name in names if name not in modules]
    if missing:
        raise KeyError(f"no layer {missing[0]!r} in this network; it has {', '.join(map(repr, filter(None, modules)))}")
    outputs: dict[str, Any] = {}
    with ExitStack() as hooks:
        for name in names or _layers(network):
            hooks.enter_context(modules[name].register_forward_hook(_keeper(outputs, name)))
        yield outputs


def _keeper(outputs: dict[str, Any], name: str) -> Any:
    def keep(module: Module, args: Any, output: Any) -> None:
        outputs[name] = output

    return keep


def _layers(network: Module) -> list[str]:
    """The names of the modules that hold no others, or parameters of their own, in order."""
    return [
        name
        for name, module in network.named_modules()
        if not list(module.children()) or list(module.parameters(recurse=False))
    ]


def summary(network: Module, input_shape: tuple[int, ...] | None) -> str:
    """The table; `input_shape` is that of one row."""
    shapes = {} if input_shape is None else _output_shapes(network, input_shape)
    modules = dict(network.named_modules())
    rows = [("layer", "kind", "output shape", "parameters")]
    for name in _layers(network):
        count = _count(modules[name].parameters(recurse=False))
        rows.append((name, type(modules[name]).__name__, shapes.get(name, ""), f"{count:,}"))
    total = _count(network.parameters())
    trained = _count(p for p in network.parameters() if p.requires_grad)
    note = ", all trainable" if trained == total else f", {trained:,} trainable"
    return _table(rows, ("total", "", "", f"{total:,}"), note)


def _count(parameters: Iterable[Tensor]) -> int:
    """How many numbers they hold; those whose shape is not known yet, none."""
    return sum(p.numel() for p in parameters if not is_lazy(p))


def _output_shapes(network: Module, input_shape: tuple[int, ...]) -> dict[str, str]:
    kinds = [p.dtype.numpy for p in network.parameters()] or [default_numpy_dtype()]
    with record(network, ()) as outputs:
        network(wrap(np.zeros((1, *input_shape), kinds[0])))
    return {name: _batch_shape(out) for name, out in outputs.items()}


def _batch_shape(output: Any) -> str:
    if not isinstance(output, Tensor):
        return "(" + ", ".join(_batch_shape(part) for part in output) + ")"
    return f"({', '.join(['N', *map(str, output.shape[1:])])})"


def _table(rows: Sequence[tuple[str, ...]], last: tuple[str, ...], note: str) -> str:
    widths = [max(len(row[i]) for row in [*rows, last]) for i in range(4)]
    lines = ["  ".join([*map(str.ljust, row[:3], widths), row[3].rjust(widths[3])]).rstrip() for row in [*rows, last]]
    rule = "-" * (sum(widths) + 6)
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1] + note])
