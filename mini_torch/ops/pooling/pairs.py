"""The forms of torch.* that always give values and places. A door: it defines nothing."""

from .adaptive import adaptive_max_pool1d_with_indices as adaptive_max_pool1d

__all__ = ["adaptive_max_pool1d"]
