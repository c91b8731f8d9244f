"""PyTorch's `torch.distributions.relaxed_categorical`. A door: it defines nothing."""

from ..distribution.relaxed import ExpRelaxedCategorical as ExpRelaxedCategorical
from ..distribution.relaxed import RelaxedOneHotCategorical as RelaxedOneHotCategorical
