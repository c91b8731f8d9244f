"""PyTorch's `nn.attention.bias`. A door: it defines nothing."""

from ...ops.causal_bias import CausalBias as CausalBias
from ...ops.causal_bias import CausalVariant as CausalVariant
from ...ops.causal_bias import causal_lower_right as causal_lower_right
from ...ops.causal_bias import causal_upper_left as causal_upper_left
