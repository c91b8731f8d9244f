"""Losses as modules. What they compute is in `ops/loss.py`.

All take `reduction`: 'mean', 'sum', or 'none' for one value per element. The older arguments `size_average` and
`reduce` are understood as PyTorch does: with a warning.
"""

from __future__ import annotations

from .ops import catalog as ops
from .network import Module
from .ops.loss import reduction_of
from .tensor import Tensor

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "HalfSquaredError", "HuberLoss", "KLDivLoss", "L1Loss",
    "MSELoss", "NLLLoss", "SmoothL1Loss", "SquaredError",
]  # fmt: skip

Flag = bool | None


class _Loss(Module):
    """A loss with a reduction and, if it has one, a weight that moves with the module as a buffer."""

    reduction: str

    def __init__(self, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction_of(size_average, reduce, reduction)


class _WeightedLoss(_Loss):
    weight: Tensor | None

    def __init__(
        self, weight: Tensor | None = None, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class HalfSquaredError(_Loss):
    """Half the mean of (input - target)²: its derivative is the mean plain difference.

    >>> HalfSquaredError()(mini_torch.tensor([1., 2.]), mini_torch.tensor([1., 4.]))
    tensor(1.)
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return ops.half_squared_error(input, target, self.reduction)


SquaredError = HalfSquaredError


class MSELoss(_Loss):
    """The mean of (input - target)². PyTorch's `nn.MSELoss`.

    >>> MSELoss()(mini_torch.tensor([1., 2.]), mini_torch.tensor([1., 4.]))
    tensor(2.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return ops.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """The mean of |input - target|. PyTorch's `nn.L1Loss`."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return ops.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """The Huber loss divided by beta: squared near 0, straight beyond. PyTorch's `nn.SmoothL1Loss`."""

    def __init__(
        self, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean", beta: float = 1.0
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return ops.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """Half the squared error within delta, a straight line beyond. Source: Huber 1964; PyTorch's `nn.HuberLoss`."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        if not isinstance(delta, float | int):
            raise TypeError(f"delta must be a float or int, got: {type(delta)}")
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return ops.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class BCELoss(_WeightedLoss):
    """Binary cross entropy of probabilities. PyTorch's `nn.BCELoss`.

    Errors: ValueError where the sizes differ, RuntimeError for inputs that are no probabilities.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return ops.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_WeightedLoss):
    """Binary cross entropy of sigmoid(input), right for logits of any size. PyTorch's `nn.BCEWithLogitsLoss`.

    `pos_weight` weighs the positive class. Errors: ValueError where the sizes differ.

    >>> BCEWithLogitsLoss()(mini_torch.tensor([-1000.]), mini_torch.tensor([1.]))
    tensor(1000.)
    """

    pos_weight: Tensor | None

    def __init__(
        self, weight: Tensor | None = None, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:  # fmt: skip
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return ops.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class NLLLoss(_WeightedLoss):
    """The negative log-likelihood of log-probabilities. PyTorch's `nn.NLLLoss`.

    Shape: input (N, C, …), target (N, …) of classes. Errors: IndexError for a class out of range.
    """

    def __init__(
        self, weight: Tensor | None = None, size_average: Flag = None, ignore_index: int = -100, reduce: Flag = None,
        reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return ops.nll_loss(input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class CrossEntropyLoss(_WeightedLoss):
    """Cross entropy of unnormalised logits, right for any size of them. PyTorch's `nn.CrossEntropyLoss`.

    Shape: input (C), (N, C) or (N, C, d1, …); target without the C, of classes, or like the input, of probabilities.
    Errors: IndexError for a class out of range, ValueError or RuntimeError for sizes that do not fit.

    >>> CrossEntropyLoss()(mini_torch.tensor([[0., 0.]]), mini_torch.tensor([1]))
    tensor(0.6931)
    """

    def __init__(
        self, weight: Tensor | None = None, size_average: Flag = None, ignore_index: int = -100, reduce: Flag = None,
        reduction: str = "mean", label_smoothing: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return ops.cross_entropy(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )  # fmt: skip


class KLDivLoss(_Loss):
    """The Kullback-Leibler divergence from log-probabilities `input` to `target`. PyTorch's `nn.KLDivLoss`.

    reduction='batchmean' is the definition: the sum over all, divided by the first size.
    """

    def __init__(
        self, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean", log_target: bool = False
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return ops.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)
