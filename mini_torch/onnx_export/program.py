"""`ONNXProgram`: what `export` gives."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import MissingExtraError, OnnxExporterError
from ..serialization.whole_file import replacing
from ..tensor import Tensor, wrap
from ..tree import unflatten
from .file import onnx_package

__all__ = ["ONNXProgram"]


class ONNXProgram:
    """An exported model: `model_proto` is the `onnx.ModelProto`, `save` writes it, a call runs it in onnxruntime.

    Source: PyTorch's `torch.onnx.ONNXProgram`.
    """

    def __init__(
        self, model_proto: Any, flat: Callable[[Any], list[Tensor]], structure: Any
    ) -> None:
        self.model_proto = model_proto
        self._flat, self._structure = flat, structure
        self._session: Any = None

    def __repr__(self) -> str:
        graph = self.model_proto.graph
        return f"ONNXProgram({graph.name}: {len(graph.node)} nodes, {len(graph.initializer)} initializers)"

    def save(self, destination: Any, **_: Any) -> None:
        """Writes the file, to a path (in one go: it is there whole or not at all) or to an open binary file."""
        data = self.model_proto.SerializeToString()
        if hasattr(destination, "write"):
            destination.write(data)
            return
        with replacing(os.fspath(destination)) as file:
            file.write(data)

    def check(self) -> None:
        """`onnx`' own check, with inference of all shapes. Errors: OnnxExporterError."""
        onnx = onnx_package()
        try:
            onnx.checker.check_model(self.model_proto, full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            raise OnnxExporterError(f"the file would not be valid, which is a fault of mini_torch: {error}") from error

    def initialize_inference_session(self, **_: Any) -> None:
        """Opens the model in onnxruntime, as a call does by itself. Errors: MissingExtraError without onnxruntime."""
        try:
            import onnxruntime  # type: ignore[import-untyped]
        except ImportError as error:
            raise MissingExtraError("onnxruntime", "onnx", "running an ONNXProgram") from error
        self._session = onnxruntime.InferenceSession(
            self.model_proto.SerializeToString(), providers=["CPUExecutionProvider"]
        )

    def release(self) -> None:
        """Lets go of onnxruntime's session."""
        self._session = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the model's call gives for these arguments, computed by onnxruntime."""
        results = iter([wrap(np.asarray(x)) for x in self._run(self._flat((args, kwargs)))])
        count = _count(self._structure)
        return unflatten([next(results, None) for _ in range(count)], self._structure)

    def verify(self, tensors: Sequence[Tensor], expected: Sequence[Tensor]) -> None:
        """Compares onnxruntime's results with ours. Errors: OnnxExporterError for a difference beyond rounding."""
        for i, (found, ours) in enumerate(zip(self._run(tensors), expected, strict=True)):
            wanted = ours._array
            loose = 1e-3 if wanted.dtype.itemsize == 2 else 1e-5
            scale = loose * max(1.0, float(np.abs(wanted).max(initial=0)))
            if found.shape != wanted.shape or not np.allclose(found, wanted, rtol=1e-4, atol=scale, equal_nan=True):
                raise OnnxExporterError(
                    f"onnxruntime gives another result {i}: of shape {list(found.shape)} for {list(wanted.shape)}, or "
                    "of other numbers. This is a fault of mini_torch or of onnxruntime: please report it with the model"
                )

    def _run(self, tensors: Sequence[Tensor]) -> list[Any]:
        if self._session is None:
            self.initialize_inference_session()
        names = [x.name for x in self._session.get_inputs()]
        feeds = {name: np.array(x._array, order="C") for name, x in zip(names, tensors)}
        found: list[Any] = self._session.run(None, feeds)
        return found


def _count(structure: Any) -> int:
    if structure is None:
        return 1
    return sum(_count(x) for x in (structure.values() if isinstance(structure, dict) else structure))
