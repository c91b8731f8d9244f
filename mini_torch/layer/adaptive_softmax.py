"""The adaptive softmax: many classes, the frequent ones looked at first, the rare ones in clusters of smaller layers.

Source: Grave et al. 2017, "Efficient softmax approximation for GPUs".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..network import Module, ModuleList, Sequential
from ..ops.elementwise.choice import where
from ..ops.join import cat
from ..ops.softmax import log_softmax
from ..tensor import Tensor
from .linear import Linear

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class ASMoutput(NamedTuple):
    """The log-probability of each target, and the mean of their negatives."""

    output: Tensor
    loss: Tensor

    def __repr__(self) -> str:
        return f"_ASMoutput(output={self.output}, loss={self.loss})"


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-probabilities of targets out of `n_classes`, sorted by frequency and cut at `cutoffs`.

    The head knows the first classes and one number per cluster; the i-th cluster's layer goes through
    in_features / div_valueⁱ⁺¹ numbers. Shape: input (N, in_features), target (N) → output (N), loss (); or without N.
    Errors: ValueError for cutoffs that do not rise, RuntimeError for a target out of range.
    Source: PyTorch's `nn.AdaptiveLogSoftmaxWithLoss`.
    """

    def __init__(
        self, in_features: int, n_classes: int, cutoffs: Sequence[int], div_value: float = 4.0,
        head_bias: bool = False, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        rising = all(a < b for a, b in zip([0, *cutoffs], [*cutoffs, n_classes]))
        if not rising or any(int(c) != c for c in cutoffs):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each "
                f"value is between 1 and n_classes-1, got {cutoffs} for {n_classes} classes"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, head_bias, device, dtype)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            size, count = int(in_features // div_value ** (i + 1)), self.cutoffs[i + 1] - self.cutoffs[i]
            inner = Linear(in_features, size, False, device, dtype)
            self.tail.append(Sequential(inner, Linear(size, count, False, device, dtype)))

    def reset_parameters(self) -> None:
        """Draws all weights anew."""
        self.head.reset_parameters()
        for cluster in self.tail:
            for layer in cluster:
                layer.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> ASMoutput:
        _check(input_, target_)
        batched = target_.dim() > 0
        x, target = (input_, target_) if batched else (input_.unsqueeze(0), target_.unsqueeze(0))
        if target.numel() and not 0 <= int(target.min()) <= int(target.max()) < self.n_classes:
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{target.min().item()}, {target.max().item()}] were found. "
            )
        within, output = target.clone(), x.new_zeros(len(target))
        for i, (low, high) in enumerate(zip(self.cutoffs, self.cutoffs[1:])):
            rows = ((target >= low) & (target < high)).nonzero().reshape(-1)
            if rows.numel():
                within = within.index_fill(0, rows, self.shortlist_size + i)
                local = log_softmax(self.tail[i](x.index_select(0, rows)), 1)
                picked = local.gather(1, (target[rows] - low).unsqueeze(1)).reshape(-1)
                output = output.index_copy(0, rows, picked)
        output = output + log_softmax(self.head(x), 1).gather(1, within.unsqueeze(1)).reshape(-1)
        return ASMoutput(output if batched else output.squeeze(0), (-output).mean())

    def log_prob(self, input: Tensor) -> Tensor:
        """The log-probabilities of all classes, (N, n_classes)."""
        head = log_softmax(self.head(input), 1)
        parts = [head[:, : self.shortlist_size]]
        for i, cluster in enumerate(self.tail):
            parts.append(log_softmax(cluster(input), 1) + head[:, self.shortlist_size + i].unsqueeze(1))
        return cat(parts, 1)

    def predict(self, input: Tensor) -> Tensor:
        """The likeliest class of each sample; clusters are looked into only where the head says so."""
        head = self.head(input)
        output = head.argmax(1)
        rare = output >= self.shortlist_size
        if rare.any():
            output = where(rare, self.log_prob(input).argmax(1), output)
        return output


def _check(input: Tensor, target: Tensor) -> None:
    if target.dim() > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if target.dim() == 1 and input.shape[0] != target.shape[0]:
        raise RuntimeError("Input and target should have the same size in the batch dimension.")
    if input.dim() != target.dim() + 1:
        raise RuntimeError(
            f"{target.dim()}D target tensor expects {target.dim() + 1}D input tensors, but found inputs with size "
            f"{input.size()}"
        )
