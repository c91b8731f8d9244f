"""PyTorch's `torch.backends.cuda`: switches that programs set. They turn nothing."""

from types import SimpleNamespace

from ..hardware import cufft_plan_cache as cufft_plan_cache
from ..hardware import for_a_while as sdp_kernel  # noqa: F401
from ..hardware import is_available as is_built  # noqa: F401
from ..hardware import is_available as is_flash_attention_available  # noqa: F401
from ..hardware import is_available_for as can_use_cudnn_attention  # noqa: F401
from ..hardware import is_available_for as can_use_efficient_attention  # noqa: F401
from ..hardware import is_available_for as can_use_flash_attention  # noqa: F401
from ..hardware import nothing as preferred_blas_library  # noqa: F401
from ..hardware import nothing as preferred_linalg_library  # noqa: F401
from ..hardware import switch as switch

matmul = SimpleNamespace(
    allow_tf32=False, allow_fp16_reduced_precision_reduction=True, allow_bf16_reduced_precision_reduction=True,
    allow_fp16_accumulation=False, fp32_precision="none",
)  # fmt: skip
flash_sdp_enabled, enable_flash_sdp = switch(True)
mem_efficient_sdp_enabled, enable_mem_efficient_sdp = switch(True)
math_sdp_enabled, enable_math_sdp = switch(True)
cudnn_sdp_enabled, enable_cudnn_sdp = switch(True)
fp16_bf16_reduction_math_sdp_allowed, allow_fp16_bf16_reduction_math_sdp = switch(False)
