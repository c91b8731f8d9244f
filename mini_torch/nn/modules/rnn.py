"""PyTorch's `nn.modules.rnn`. A door: it defines nothing."""

from ...layer import GRU as GRU
from ...layer import LSTM as LSTM
from ...layer import RNN as RNN
from ...layer import GRUCell as GRUCell
from ...layer import LSTMCell as LSTMCell
from ...layer import RNNBase as RNNBase
from ...layer import RNNCell as RNNCell
from ...layer import RNNCellBase as RNNCellBase
