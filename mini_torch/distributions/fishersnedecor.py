"""PyTorch's `torch.distributions.fishersnedecor`. A door: it defines nothing."""

from ..distribution.powers import FisherSnedecor as FisherSnedecor
