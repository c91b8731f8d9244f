"""PyTorch's `torch.distributions.transforms`. A door: it defines nothing."""

from ..distribution.joined import CatTransform as CatTransform
from ..distribution.joined import StackTransform as StackTransform
from ..distribution.transform import ComposeTransform as ComposeTransform
from ..distribution.transform import IndependentTransform as IndependentTransform
from ..distribution.transform import ReshapeTransform as ReshapeTransform
from ..distribution.transform import Transform as Transform
from ..distribution.transform import identity_transform as identity_transform
from ..distribution.transforms import AbsTransform as AbsTransform
from ..distribution.transforms import AffineTransform as AffineTransform
from ..distribution.transforms import CorrCholeskyTransform as CorrCholeskyTransform
from ..distribution.transforms import CumulativeDistributionTransform as CumulativeDistributionTransform
from ..distribution.transforms import ExpTransform as ExpTransform
from ..distribution.transforms import LowerCholeskyTransform as LowerCholeskyTransform
from ..distribution.transforms import PositiveDefiniteTransform as PositiveDefiniteTransform
from ..distribution.transforms import PowerTransform as PowerTransform
from ..distribution.transforms import SigmoidTransform as SigmoidTransform
from ..distribution.transforms import SoftmaxTransform as SoftmaxTransform
from ..distribution.transforms import SoftplusTransform as SoftplusTransform
from ..distribution.transforms import StickBreakingTransform as StickBreakingTransform
from ..distribution.transforms import TanhTransform as TanhTransform
