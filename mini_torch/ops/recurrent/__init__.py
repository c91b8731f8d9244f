"""Recurrent networks: Elman's, LSTM and GRU, one operation per layer and direction.

The inputs' part of all gates is one matrix product over the whole sequence (`linear`). What is left is a sweep over
time in place, with what backward needs written down on the way; backward sweeps the other way, and the gradient of the
recurrent weight is one product again. Sequences lie flat, step after step: `sizes` says how many rows each step has.
They never grow, so the sequences that are over are the last rows of the state, which stay as they are. (Of a padded
batch all sizes are equal.)

Asked on tensors (`create_graph=True`), the gradient is that of the plain loop, made of recorded operations.

Source: Elman 1990; Hochreiter and Schmidhuber 1997; Sak, Senior, Beaufays 2014 (projections); Cho et al. 2014.
"""

from .network import gru as gru
from .network import gru_cell as gru_cell
from .network import lstm as lstm
from .network import lstm_cell as lstm_cell
from .network import rnn_relu as rnn_relu
from .network import rnn_relu_cell as rnn_relu_cell
from .network import rnn_tanh as rnn_tanh
from .network import rnn_tanh_cell as rnn_tanh_cell

__all__ = ["gru", "gru_cell", "lstm", "lstm_cell", "rnn_relu", "rnn_relu_cell", "rnn_tanh", "rnn_tanh_cell"]
