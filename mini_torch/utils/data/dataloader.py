"""PyTorch's `utils.data.dataloader`. A door: it defines nothing."""

from ...data_loader import DataLoader as DataLoader
from ...data_loader import default_collate as default_collate
