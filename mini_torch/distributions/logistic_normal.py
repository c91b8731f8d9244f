"""PyTorch's `torch.distributions.logistic_normal`. A door: it defines nothing."""

from ..distribution.relaxed import LogisticNormal as LogisticNormal
