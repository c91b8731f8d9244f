"""PyTorch's `utils.data._utils.worker`. A door: it defines nothing."""

from ....data_loader.worker_info import WorkerInfo as WorkerInfo
from ....data_loader.worker_info import get_worker_info as get_worker_info
