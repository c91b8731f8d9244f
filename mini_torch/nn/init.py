"""PyTorch's `nn.init`: functions that fill a tensor in place. A door: it defines nothing."""

from ..initializer import calculate_gain as calculate_gain
from ..initializer import constant_ as constant_
from ..initializer import dirac_ as dirac_
from ..initializer import eye_ as eye_
from ..initializer import kaiming_normal_ as kaiming_normal_
from ..initializer import kaiming_uniform_ as kaiming_uniform_
from ..initializer import normal_ as normal_
from ..initializer import ones_ as ones_
from ..initializer import orthogonal_ as orthogonal_
from ..initializer import sparse_ as sparse_
from ..initializer import trunc_normal_ as trunc_normal_
from ..initializer import uniform_ as uniform_
from ..initializer import xavier_normal_ as xavier_normal_
from ..initializer import xavier_uniform_ as xavier_uniform_
from ..initializer import zeros_ as zeros_
