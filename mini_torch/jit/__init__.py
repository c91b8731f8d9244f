"""PyTorch's `torch.jit`: what is scripted stays Python. A door: it defines nothing."""

from typing import Any
from typing import Final as Final

from .. import late as _late
from ..hardware import nothing as set_fusion_strategy  # noqa: F401
from ..scripting import Error as Error
from ..scripting import Future as Future
from ..scripting import ScriptFunction as ScriptFunction
from ..scripting import ScriptModule as ScriptModule
from ..scripting import TracerWarning as TracerWarning
from ..scripting import annotate as annotate
from ..scripting import fork as fork
from ..scripting import freeze as freeze
from ..scripting import ignore as ignore
from ..scripting import is_scripting as is_scripting
from ..scripting import is_tracing as is_tracing
from ..scripting import isinstance_of as isinstance  # noqa: F401
from ..scripting import itself as enable_onednn_fusion  # noqa: F401
from ..scripting import itself as export  # noqa: F401
from ..scripting import itself as interface  # noqa: F401
from ..scripting import itself as optimize_for_inference  # noqa: F401
from ..scripting import itself as script_if_tracing  # noqa: F401
from ..scripting import itself as script_method  # noqa: F401
from ..scripting import itself as unused  # noqa: F401
from ..scripting import other_fuser as fuser  # noqa: F401
from ..scripting import other_fuser as optimized_execution  # noqa: F401
from ..scripting import other_fuser as strict_fusion  # noqa: F401
from ..scripting import script as script
from ..scripting import trace as trace
from ..scripting import trace_module as trace_module
from ..scripting import wait as wait


def __getattr__(name: str) -> Any:
    """An error that says why."""
    return _late.find(name, globals())
