"""PyTorch's `nn.utils.stateless`. A door: it defines nothing."""

from ...network.stateless import functional_call as functional_call
