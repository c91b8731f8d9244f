"""PyTorch's `torch.autograd.graph`. A door: it defines nothing."""

from ..graph import Node as Node
from ..saved import disable_saved_tensors_hooks as disable_saved_tensors_hooks
from ..saved import save_on_cpu as save_on_cpu
from ..saved import saved_tensors_hooks as saved_tensors_hooks
