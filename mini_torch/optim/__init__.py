"""PyTorch's door `optim`: the optimizers, and the schedules in `optim.lr_scheduler`."""

from ..optimizer import SGD, Adadelta, Adagrad, Adam, AdamW, Optimizer, RMSprop
from . import lr_scheduler

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "lr_scheduler"]
