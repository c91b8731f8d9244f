"""PyTorch's `torch.cuda.random`. A door: it defines nothing."""

from ..hardware import no_states as get_rng_state_all  # noqa: F401
from ..hardware import nothing as manual_seed  # noqa: F401
from ..hardware import nothing as manual_seed_all  # noqa: F401
from ..hardware import nothing as seed  # noqa: F401
from ..hardware import nothing as seed_all  # noqa: F401
from ..hardware import nothing as set_rng_state  # noqa: F401
from ..hardware import nothing as set_rng_state_all  # noqa: F401
from ..hardware import refused as get_rng_state  # noqa: F401
from ..hardware import refused as initial_seed  # noqa: F401
