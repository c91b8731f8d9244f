"""PyTorch's `torch.distributions.constraint_registry`. A door: it defines nothing."""

from ..distribution.transform_to import ConstraintRegistry as ConstraintRegistry
from ..distribution.transform_to import biject_to as biject_to
from ..distribution.transform_to import transform_to as transform_to
