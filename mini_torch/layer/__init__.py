"""Layers: modules with parameters, or that act differently in training."""

from .distance import CosineSimilarity, PairwiseDistance
from .dropout import AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d, FeatureAlphaDropout
from .linear import Bilinear, Dense, LazyLinear, Linear
from .shape import Flatten, Identity, Unflatten

__all__ = [
    "AlphaDropout", "Bilinear", "CosineSimilarity", "Dense", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d",
    "FeatureAlphaDropout", "Flatten", "Identity", "LazyLinear", "Linear", "PairwiseDistance", "Unflatten",
]  # fmt: skip
