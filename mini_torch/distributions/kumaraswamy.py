"""PyTorch's `torch.distributions.kumaraswamy`. A door: it defines nothing."""

from ..distribution.powers import Kumaraswamy as Kumaraswamy
