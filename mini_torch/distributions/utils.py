"""PyTorch's `torch.distributions.utils`. A door: it defines nothing."""

from ..distribution.parameter import broadcast_all as broadcast_all
from ..distribution.parameter import clamp_probs as clamp_probs
from ..distribution.parameter import lazy_property as lazy_property
from ..distribution.parameter import logits_to_probs as logits_to_probs
from ..distribution.parameter import probs_to_logits as probs_to_logits
from ..distribution.parameter import tril_matrix_to_vec as tril_matrix_to_vec
from ..distribution.parameter import vec_to_tril_matrix as vec_to_tril_matrix
