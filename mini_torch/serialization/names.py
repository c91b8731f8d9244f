"""The names in a checkpoint and what they mean here: the whole list of what a file may ask for, one line each.

The same list serves both ways: `find` says what loading does with a name, `name_of` by what name saving writes a thing.
Source: PyTorch's `torch/_weights_only_unpickler.py` has the list of what PyTorch allows.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

from ..dtype import (
    Size,
    bfloat16,
    bool,
    complex64,
    complex128,
    device,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)  # fmt: skip
from ..errors import UnpicklingError
from ..network import Parameter
from ..tensor import Tensor
from . import rebuild
from .storage import Float8, StorageType

__all__ = ["ALLOWED", "STORAGE_TYPES", "UNTYPED", "Allowed", "check_here", "name_of"]


class Allowed(NamedTuple):
    """What a name stands for, and what calling it (REDUCE) and making an object of it (NEWOBJ) do, if they may."""

    value: Any
    call: Callable[..., Any] | None = None
    new: Callable[..., Any] | None = None


# The number types that have a storage of their own name; the others lie in an UntypedStorage.
STORAGE_TYPES = {
    kind: (f"{name}Storage", StorageType(kind))
    for name, kind in {
        "Double": float64, "Float": float32, "Half": float16, "BFloat16": bfloat16, "Long": int64, "Int": int32,
        "Short": int16, "Char": int8, "Byte": uint8, "Bool": bool, "ComplexDouble": complex128,
        "ComplexFloat": complex64,
    }.items()
}  # fmt: skip
UNTYPED = StorageType(uint8)  # bytes, whose number type the tensor says

ALLOWED: dict[str, Allowed] = {
    "collections.OrderedDict": Allowed(OrderedDict, rebuild.ordered_dict, rebuild.ordered_dict),
    "collections.Counter": Allowed(Counter, rebuild.counter, rebuild.counter),
    "builtins.set": Allowed(set, rebuild.set_of),
    "builtins.complex": Allowed(complex, rebuild.complex_of),
    "builtins.bytearray": Allowed(bytearray, rebuild.bytearray_of),
    "builtins.bytes": Allowed(bytes, rebuild.no_bytes),
    "_codecs.encode": Allowed(rebuild.encoded, rebuild.encoded),
    "torch.Size": Allowed(Size, rebuild.size_of, rebuild.size_of),
    "torch.device": Allowed(device, rebuild.device_of),
    "torch.serialization._get_layout": Allowed(rebuild.layout_named, rebuild.layout_named),
    "torch.Tensor": Allowed(Tensor, rebuild.empty_tensor),
    "torch.nn.parameter.Parameter": Allowed(Parameter, rebuild.new_parameter, rebuild.new_parameter),
    "torch._tensor._rebuild_from_type_v2": Allowed(rebuild.rebuild_from_type_v2, rebuild.rebuild_from_type_v2),
    "torch.storage.UntypedStorage": Allowed(UNTYPED),
}
_rebuilds: dict[str, Callable[..., Any]] = {
    "_rebuild_tensor": rebuild.rebuild_tensor,
    "_rebuild_tensor_v2": rebuild.rebuild_tensor_v2,
    "_rebuild_tensor_v3": rebuild.rebuild_tensor_v3,
    "_rebuild_parameter": rebuild.rebuild_parameter,
    "_rebuild_parameter_with_state": rebuild.rebuild_parameter_with_state,
    "_rebuild_device_tensor_from_cpu_tensor": rebuild.rebuild_moved_tensor,
}
for _name, _function in _rebuilds.items():
    ALLOWED[f"torch._utils.{_name}"] = Allowed(_function, _function)
for _name, _code in {"e4m3fn": "F8_E4M3", "e5m2": "F8_E5M2", "e4m3fnuz": "F8_E4M3FNUZ", "e5m2fnuz": "F8_E5M2FNUZ",
                     "e8m0fnu": "F8_E8M0"}.items():  # fmt: skip
    ALLOWED[f"torch.float8_{_name}"] = Allowed(Float8(_code))
for _kind in (*STORAGE_TYPES, uint16, uint32, uint64):
    ALLOWED[f"torch.{_kind.name}"] = Allowed(_kind)
for _name, _storage_type in STORAGE_TYPES.values():
    ALLOWED[f"torch.{_name}"] = Allowed(_storage_type)
    ALLOWED[f"torch.cuda.{_name}"] = Allowed(_storage_type)
    ALLOWED[f"torch.{_name.replace('Storage', 'Tensor')}"] = Allowed(Tensor, rebuild.empty_tensor)

# What PyTorch allows and mini_torch has not got.
_NOT_HERE = {
    "torch._utils._rebuild_sparse_tensor": "sparse tensors; save x.to_dense()",
    "torch._utils._rebuild_qtensor": "quantized tensors; save x.dequantize()",
    "torch._utils._rebuild_nested_tensor": "nested tensors; save x.to_padded_tensor(0.)",
    "torch._utils._rebuild_meta_tensor_no_storage": "tensors of the device meta, which have no numbers",
    "torch._utils._rebuild_wrapper_subclass": "tensors that stand for others; save plain ones",
    "torch._utils._rebuild_device_tensor_from_numpy": "tensors of the device xla; save x.cpu()",
    "torch.complex32": "complex numbers of 32 bits; save x.to(torch.complex64)",
}

_NAMES = {id(allowed.value): name for name, allowed in reversed(ALLOWED.items()) if name.startswith("torch.")}


def check_here(full: str) -> None:
    """UnpicklingError for what PyTorch allows and mini_torch has not got, with what to save instead."""
    if full in _NOT_HERE:
        raise UnpicklingError(f"it asks for {full}: mini_torch has no {_NOT_HERE[full]}")


def name_of(value: Any) -> tuple[str, str] | None:
    """(module, name) by which PyTorch has this class, function or number type; None for what is not on the list."""
    name = _NAMES.get(id(value))
    if name is None:
        return None
    module, _, last = name.rpartition(".")
    return module, last
