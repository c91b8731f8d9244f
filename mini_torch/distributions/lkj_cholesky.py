"""PyTorch's `torch.distributions.lkj_cholesky`. A door: it defines nothing."""

from ..distribution.matrices import LKJCholesky as LKJCholesky
