"""PyTorch's `torch.hub`. A door: it defines nothing."""

from .download import download_url_to_file as download_url_to_file
from .download import get_dir as get_dir
from .download import help as help
from .download import list as list
from .download import load as load
from .download import load_state_dict_from_url as load_state_dict_from_url
from .download import set_dir as set_dir
