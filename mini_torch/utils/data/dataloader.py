"""PyTorch's `utils.data.dataloader`. A door: it defines nothing."""

from ...data_loader import DataLoader as DataLoader
from ...data_loader import default_collate as default_collate
from ...data_loader import default_convert as default_convert
from ...data_loader import get_worker_info as get_worker_info
