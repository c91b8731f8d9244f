"""PyTorch's `special`. A door: it defines nothing."""

from ..ops import exp2 as exp2
from ..ops import expm1 as expm1
from ..ops import log1p as log1p
from ..ops import log_softmax as log_softmax
from ..ops import logit as logit
from ..ops import logsumexp as logsumexp
from ..ops import round as round
from ..ops import sigmoid as expit
from ..ops import sinc as sinc
from ..ops import softmax as softmax
from ..ops import xlogy as xlogy
from ..ops.special import digamma as digamma
from ..ops.special import digamma as psi
from ..ops.special import erf as erf
from ..ops.special import erfc as erfc
from ..ops.special import erfcx as erfcx
from ..ops.special import erfinv as erfinv
from ..ops.special import lgamma as gammaln
from ..ops.special import log_ndtr as log_ndtr
from ..ops.special import mvlgamma as multigammaln
from ..ops.special import ndtr as ndtr
from ..ops.special import ndtri as ndtri
from ..ops.special import polygamma as polygamma
from ..ops.special import zeta as zeta

__all__ = [
    "digamma", "erf", "erfc", "erfcx", "erfinv", "exp2", "expit", "expm1", "gammaln", "log1p", "log_ndtr",
    "log_softmax", "logit", "logsumexp", "multigammaln", "ndtr", "ndtri", "polygamma", "psi", "round", "sinc",
    "softmax", "xlogy", "zeta",
]  # fmt: skip
