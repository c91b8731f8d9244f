"""PyTorch's `nn.utils.clip_grad`. A door: it defines nothing."""

from ...network.clipping import clip_grad_norm as clip_grad_norm
from ...network.clipping import clip_grad_norm_ as clip_grad_norm_
from ...network.clipping import clip_grad_value_ as clip_grad_value_
from ...network.clipping import clip_grads_with_norm_ as _clip_grads_with_norm_  # noqa: F401
from ...network.clipping import get_total_norm as _get_total_norm  # noqa: F401
