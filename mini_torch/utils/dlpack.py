"""Door to `torch.utils.dlpack`'s names."""

from ..creation import from_dlpack as from_dlpack
from ..creation import to_dlpack as to_dlpack
from ..dlpack import DLDeviceType as DLDeviceType
