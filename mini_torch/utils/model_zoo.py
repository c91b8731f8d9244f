"""PyTorch's `utils.model_zoo`: the old name of `hub`. A door: it defines nothing."""

from ..download import load_state_dict_from_url as load_url  # noqa: F401
