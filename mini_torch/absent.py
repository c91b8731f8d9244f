"""What PyTorch has and mini_torch has not: for each name, what a person reads who asks for it, and the way around.

A name stands for all that is below it. Asking is an AttributeError, importing a ModuleNotFoundError, so that programs
which look before they leap (`hasattr`, `try: import …`) go on.
"""

from __future__ import annotations

__all__ = ["ABSENT", "BESIDE", "beside", "words"]

_SPARSE = "there are no sparse tensors in mini_torch; keep matrices dense, or sum along edges with index_add"
_QUANTIZED = "there are no quantized tensors in mini_torch; compute in float32, or export to ONNX and quantize there"
_FX = "mini_torch has no torch.fx; torch.compile records a function, and its `source` is the program to look at"
_EXPORT = "mini_torch has no torch.export; torch.onnx.export writes a network into a file"
_PROCESSES = "mini_torch runs in one process; start the program with one (WORLD_SIZE=1), or use PyTorch for several"
_CORE = "it is PyTorch's compiled core, and mini_torch is Python and NumPy alone; look for a public name"
_EXTENSION = "mini_torch has no compiled operators; write one in Python with torch.autograd.Function"
_NESTED = "there are no nested tensors in mini_torch; pad (torch.nn.utils.rnn.pad_sequence), or pack (pack_sequence)"
_SUBCLASS = "operations of mini_torch do not ask subclasses of Tensor (__torch_function__); write functions"
_RPC = "mini_torch calls no other processes; use multiprocessing, or PyTorch"
_JIT = (
    "mini_torch has no TorchScript files; save the state_dict (torch.save), and for other programs torch.onnx.export"
)

ABSENT: dict[str, str] = {
    **dict.fromkeys((
        "sparse", "sparse_bsc", "sparse_bsc_tensor", "sparse_bsr", "sparse_bsr_tensor", "sparse_compressed_tensor",
        "sparse_coo", "sparse_coo_tensor", "sparse_csc", "sparse_csc_tensor", "sparse_csr", "sparse_csr_tensor",
        "hspmm", "smm", "spmm", "sspaddmm", "saddmm", "dsmm", "hsmm", "resize_as_sparse_",
        "Tensor.to_sparse", "Tensor.to_sparse_coo", "Tensor.to_sparse_csr", "Tensor.to_sparse_csc", "Tensor.to_dense",
        "Tensor.coalesce", "Tensor.is_coalesced", "Tensor.sparse_mask", "Tensor.indices", "Tensor.values",
    ), _SPARSE),
    **dict.fromkeys((
        "ao", "quantization", "nn.qat", "nn.quantized", "nn.quantizable", "nn.intrinsic", "backends.quantized", "qint8",
        "quint8", "qint32", "quint4x2", "quint2x4", "quantize_per_channel", "quantize_per_tensor",
        "quantize_per_tensor_dynamic", "dequantize", "fake_quantize_per_channel_affine",
        "fake_quantize_per_tensor_affine", "per_tensor_affine", "per_channel_affine", "qscheme",
        "Tensor.dequantize", "Tensor.int_repr", "Tensor.q_scale", "Tensor.q_zero_point",
    ), _QUANTIZED),
    **dict.fromkeys(("fx",), _FX),
    **dict.fromkeys(("export.export", "export.load", "export.save", "_export"), _EXPORT),
    **dict.fromkeys(("_C", "_ops", "classes", "_prims", "_decomp", "_refs", "_subclasses"), _CORE),
    **dict.fromkeys(("library", "utils.cpp_extension", "_custom_ops"), _EXTENSION),
    **dict.fromkeys(("nested", "jagged"), _NESTED),
    "overrides": _SUBCLASS,
    **dict.fromkeys((
        "distributed.algorithms", "distributed.checkpoint", "distributed.device_mesh", "distributed.elastic",
        "distributed.fsdp", "distributed.launch", "distributed.optim", "distributed.pipelining", "distributed.run",
        "distributed.tensor", "distributed.init_device_mesh", "distributed.send", "distributed.recv",
        "distributed.isend", "distributed.irecv",
    ), _PROCESSES),
    **dict.fromkeys(("distributed.rpc", "distributed.autograd", "futures"), _RPC),
    **dict.fromkeys(("jit.save", "jit.load"), _JIT),
    "package": "mini_torch writes no packages with code in them; save the state_dict (torch.save)",
    "masked": "there are no masked tensors in mini_torch; use torch.where, or a mask beside the tensor",
    "autograd.forward_ad": "mini_torch differentiates backward only; torch.func.jvp and jacfwd give the same values",
    **dict.fromkeys(("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu"),
                    "NumPy has no 8-bit floats; use float16, or float32"),
    **dict.fromkeys(("chalf", "complex32"), "NumPy has no complex numbers of half precision; use complex64"),
    "Tensor.index": "mini_torch has no first-class dimensions; use einsum, or unsqueeze and expand",
    "_dynamo.export": _EXPORT,
    "_inductor.aoti_compile_and_package": _EXPORT,
}  # fmt: skip

# Packages that are made for PyTorch's compiled core: said after the traceback where one of them is missing.
BESIDE: dict[str, str] = {
    "torchvision": "torchvision needs PyTorch's compiled core and does not run on mini_torch; read images with Pillow, "
    "turn them into tensors with torch.from_numpy, and wrap them in a torch.utils.data.Dataset",
    "torchaudio": "torchaudio needs PyTorch's compiled core and does not run on mini_torch; read sounds with the "
    "modules wave or soundfile; torch.stft is there",
    "torchtext": "torchtext needs PyTorch's compiled core and does not run on mini_torch; read texts with Python",
    "torch_geometric": "torch_geometric is made for PyTorch's sparse operators; write layers with index_add or a "
    "dense adjacency matrix",
    "torch_scatter": "torch_scatter is a compiled extension of PyTorch; use Tensor.scatter_add_ and scatter_reduce_",
    "torch_sparse": "torch_sparse is a compiled extension of PyTorch; use dense matrices",
}


def words(name: str) -> str:
    """What to say of the name ("nn.quantized.Linear", without torch), or "" where there is nothing to say."""
    while name:
        if name in ABSENT:
            return ABSENT[name]
        name = name.rpartition(".")[0]
    return ""


def beside(name: str | None) -> str:
    """What to say of a package that is missing, or ""."""
    return BESIDE.get((name or "").partition(".")[0], "")
