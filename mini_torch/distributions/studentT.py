"""PyTorch's `torch.distributions.studentT`. A door: it defines nothing."""

from ..distribution.heavy_tailed import StudentT as StudentT
