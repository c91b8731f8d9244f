"""PyTorch's `utils.benchmark`. A door: it defines nothing."""

from ..timing import Measurement as Measurement
from ..timing import Timer as Timer
