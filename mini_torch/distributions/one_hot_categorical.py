"""PyTorch's `torch.distributions.one_hot_categorical`. A door: it defines nothing."""

from ..distribution import OneHotCategorical as OneHotCategorical
