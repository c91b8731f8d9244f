"""PyTorch's `autograd.grad_mode`. A door: it defines nothing."""

from ..graph import enable_grad as enable_grad
from ..graph import inference_mode as inference_mode
from ..graph import no_grad as no_grad
from ..graph import set_grad_enabled as set_grad_enabled
