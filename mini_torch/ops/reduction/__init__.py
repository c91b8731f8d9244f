
from .logic import *  # noqa: F403
from .moments import *  # noqa: F403
from .products import *  # noqa: F403
from .running import *  # noqa: F403
from .sums import *  # noqa: F403
