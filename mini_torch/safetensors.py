"""Door to `safetensors.torch`'s names: tensors in safetensors files, through the package safetensors."""

from .serialization.safetensors import load as load
from .serialization.safetensors import load_file as load_file
from .serialization.safetensors import load_model as load_model
from .serialization.safetensors import safe_open as safe_open
from .serialization.safetensors import save as save
from .serialization.safetensors import save_file as save_file
from .serialization.safetensors import save_model as save_model
