"""PyTorch's `optim.adamw`. A door: it defines nothing."""

from ..optimizer import AdamW as AdamW
