"""PyTorch's `torch.backends.mha`: attention is computed in one way here. A door: it defines nothing."""

from ..hardware import switch as switch

get_fastpath_enabled, set_fastpath_enabled = switch(True)
