"""PyTorch's `nn.modules.utils`. A door: it defines nothing."""

from ...network.state import consume_prefix_in_state_dict_if_present as consume_prefix_in_state_dict_if_present
from ...ops.spatial import ntuple as _ntuple  # noqa: F401
from ...ops.spatial import pair as _pair  # noqa: F401
from ...ops.spatial import quadruple as _quadruple  # noqa: F401
from ...ops.spatial import reverse_repeat_tuple as _reverse_repeat_tuple  # noqa: F401
from ...ops.spatial import single as _single  # noqa: F401
from ...ops.spatial import triple as _triple  # noqa: F401
