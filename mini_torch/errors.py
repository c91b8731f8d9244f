"""The exceptions that are ours by name.

Wherever PyTorch raises a built-in type, so do we: `RuntimeError` for shapes, graphs and types that do not fit,
`IndexError` for a dimension or index out of range, `TypeError` and `ValueError` for arguments. The classes here are
subclasses of those, for what a caller may want to tell apart.
"""

from __future__ import annotations

import pickle

__all__ = [
    "CheckpointError", "GraphFreedError", "LeavesProgram", "LinAlgError", "MissingCheckpointError",
    "MissingExtraError", "NotExported", "OnnxExporterError", "StaleTensorError", "UnpicklingError",
    "UnsupportedOperatorError", "printable",
]  # fmt: skip

class GraphFreedError(RuntimeError):
    """Backward was asked to go through a graph whose saved values are already gone."""

    def __init__(self) -> None:
        super().__init__(
            "Trying to backward through the graph a second time (or directly access saved tensors after they have "
            "already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
            "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if "
            "you need to access saved tensors after calling backward."
        )


class StaleTensorError(RuntimeError):
    """A value that backward needs was changed in place after it had been saved."""

    def __init__(self, grad_fn: str, shape: tuple[int, ...], version: int, expected: int) -> None:
        super().__init__(
            "one of the variables needed for gradient computation has been modified by an inplace operation: "
            f"[a tensor of shape {list(shape)}], saved for {grad_fn}, is at version {version}; expected version "
            f"{expected} instead. Hint: use the out-of-place form of the operation, or change a .clone() of it."
        )


class LinAlgError(RuntimeError):
    """A matrix is not what the operation needs: singular, not positive definite, not of full rank."""


class CheckpointError(RuntimeError):
    """A file that should hold a checkpoint is damaged, of another kind, or of another network."""


class MissingCheckpointError(CheckpointError, FileNotFoundError):
    """There is no checkpoint of this name."""


class UnpicklingError(CheckpointError, pickle.UnpicklingError):
    """A checkpoint's pickle asks for what is not allowed, or makes no sense. Programs that catch what PyTorch raises
    there, `pickle.UnpicklingError`, catch this."""


def printable(error: Exception, longest: int = 2000) -> str:
    """What an error says, of which a file may have had a part: in one line that does nothing to a terminal."""
    words = str(error)
    words = words if len(words) <= longest else f"{words[:longest]}…"
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in words)


class MissingExtraError(ImportError):
    """An optional package is needed for what was asked; the message says what to install."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs {package}: pip install {package}, or pip install 'mini-torch[{extra}]'")


class NotExported(RuntimeError):
    """A compiled program has something in it that cannot be written into a file of its own."""


class OnnxExporterError(RuntimeError):
    """A model cannot be written as a file of ONNX. PyTorch's `torch.onnx.OnnxExporterError`."""


class UnsupportedOperatorError(OnnxExporterError):
    """An operation has no translation into ONNX. PyTorch's `torch.onnx.errors.UnsupportedOperatorError`."""


class LeavesProgram(RuntimeError):
    """While a program is recorded: an operation does what cannot be written down, and is to be taken as a unit."""
