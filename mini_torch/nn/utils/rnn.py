"""PyTorch's `nn.utils.rnn`. A door: it defines nothing."""

from ...network.sequences import PackedSequence as PackedSequence
from ...network.sequences import _Parts as PackedSequence_  # noqa: F401
from ...network.sequences import invert_permutation as invert_permutation
from ...network.sequences import pack_padded_sequence as pack_padded_sequence
from ...network.sequences import pack_sequence as pack_sequence
from ...network.sequences import pad_packed_sequence as pad_packed_sequence
from ...network.sequences import pad_sequence as pad_sequence
from ...network.sequences import unpack_sequence as unpack_sequence
from ...network.sequences import unpad_sequence as unpad_sequence
