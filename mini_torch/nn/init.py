"""PyTorch's `nn.init`: functions that fill a tensor in place. A door: it defines nothing."""

from ..initializer import _fan as _calculate_correct_fan  # noqa: F401
from ..initializer import _fans as _calculate_fan_in_and_fan_out  # noqa: F401
from ..initializer import calculate_gain as calculate_gain
from ..initializer import constant as constant
from ..initializer import constant_ as constant_
from ..initializer import dirac as dirac
from ..initializer import dirac_ as dirac_
from ..initializer import eye as eye
from ..initializer import eye_ as eye_
from ..initializer import kaiming_normal as kaiming_normal
from ..initializer import kaiming_normal_ as kaiming_normal_
from ..initializer import kaiming_uniform as kaiming_uniform
from ..initializer import kaiming_uniform_ as kaiming_uniform_
from ..initializer import normal as normal
from ..initializer import normal_ as normal_
from ..initializer import ones_ as ones_
from ..initializer import orthogonal as orthogonal
from ..initializer import orthogonal_ as orthogonal_
from ..initializer import sparse as sparse
from ..initializer import sparse_ as sparse_
from ..initializer import trunc_normal_ as trunc_normal_
from ..initializer import uniform as uniform
from ..initializer import uniform_ as uniform_
from ..initializer import xavier_normal as xavier_normal
from ..initializer import xavier_normal_ as xavier_normal_
from ..initializer import xavier_uniform as xavier_uniform
from ..initializer import xavier_uniform_ as xavier_uniform_
from ..initializer import zeros_ as zeros_
