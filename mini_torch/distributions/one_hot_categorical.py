"""PyTorch's `torch.distributions.one_hot_categorical`. A door: it defines nothing."""

from ..distribution.discrete import OneHotCategorical as OneHotCategorical
from ..distribution.discrete import OneHotCategoricalStraightThrough as OneHotCategoricalStraightThrough
