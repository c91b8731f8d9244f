"""PyTorch's `torch.signal.windows`. A door: it defines nothing."""

from ...ops.window_function import bartlett as bartlett
from ...ops.window_function import blackman as blackman
from ...ops.window_function import cosine as cosine
from ...ops.window_function import exponential as exponential
from ...ops.window_function import gaussian as gaussian
from ...ops.window_function import general_cosine as general_cosine
from ...ops.window_function import general_hamming as general_hamming
from ...ops.window_function import hamming as hamming
from ...ops.window_function import hann as hann
from ...ops.window_function import kaiser as kaiser
from ...ops.window_function import nuttall as nuttall

__all__ = [
    "bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine", "general_hamming", "hamming",
    "hann", "kaiser", "nuttall",
]  # fmt: skip
