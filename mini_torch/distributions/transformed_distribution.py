"""PyTorch's `torch.distributions.transformed_distribution`. A door: it defines nothing."""

from ..distribution.transformed import TransformedDistribution as TransformedDistribution
