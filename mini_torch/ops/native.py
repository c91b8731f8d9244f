"""What `nn.functional` and `torch` both have, in the form that it has as `torch.…`.

There the arguments come in another order, a reduction is a number (0 'none', 1 'mean', 2 'sum'), and normalisations
give the moments, too. Dropout's and softmax's forms are in
`short_dropout.py` and `short_softmax.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..op import public
from ..tensor import Tensor, wrap
from . import ctc, likelihood, loss
from . import margin as _margin
from .batch_norm import batch_norm_and_moments
from .batch_norm import instance_norm as _instance_norm
from .embedding import check_rows, picked_rows, shorten
from .embedding_bag import bags_and_what_they_hold
from .normalization import group_norm_and_moments, layer_norm_and_moments
from .normalization import layer_norm as _layer_norm
from .normalization import rms_norm as _rms_norm

__all__ = [
    "batch_norm", "binary_cross_entropy_with_logits", "cosine_embedding_loss", "ctc_loss", "embedding",
    "embedding_bag", "embedding_renorm_", "group_norm", "hinge_embedding_loss", "instance_norm", "kl_div",
    "layer_norm", "margin_ranking_loss", "native_batch_norm", "native_group_norm",
    "native_layer_norm", "poisson_nll_loss", "rms_norm", "triplet_margin_loss",
]  # fmt: skip

Three = tuple[Tensor, Tensor, Tensor]
_NAMES = ("none", "mean", "sum")


def _name(reduction: int) -> str:
    """The reduction that PyTorch's number stands for."""
    if reduction not in (0, 1, 2):
        raise ValueError(f"{reduction} is not a valid value for reduction: 0 (none), 1 (mean) or 2 (sum)")
    return _NAMES[reduction]


# ---- losses ---------------------------------------------------------------------------------------------------------
@public(method=False)
def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, pos_weight: Tensor | None = None, reduction: int = 1
) -> Tensor:
    """Binary cross entropy of sigmoid(input). Source: PyTorch's `torch.binary_cross_entropy_with_logits`."""
    return loss.binary_cross_entropy_with_logits(
        input, target, weight, reduction=_name(reduction), pos_weight=pos_weight
    )


@public(method=False)
def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 1
) -> Tensor:
    """1 - cos for like vectors, max(0, cos - margin) for unlike. Source: PyTorch's `torch.cosine_embedding_loss`."""
    return _margin.cosine_embedding_loss(input1, input2, target, margin, reduction=_name(reduction))


@public(method=False)
def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, reduction: int = 1) -> Tensor:
    """Distances of like pairs, the margin less those of unlike. Source: PyTorch's `torch.hinge_embedding_loss`."""
    return _margin.hinge_embedding_loss(input, target, margin, reduction=_name(reduction))


@public(method=False)
def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 1
) -> Tensor:
    """max(0, margin - target · (input1 - input2)). Source: PyTorch's `torch.margin_ranking_loss`."""
    return _margin.margin_ranking_loss(input1, input2, target, margin, reduction=_name(reduction))


@public(method=False)
def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2, eps: float = 1e-6,
    swap: bool = False, reduction: int = 1,
) -> Tensor:  # fmt: skip
    """max(0, d(anchor, positive) - d(anchor, negative) + margin). Source: PyTorch's `torch.triplet_margin_loss`."""
    return _margin.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction=_name(reduction))


@public(method=False)
def kl_div(input: Tensor, target: Tensor, reduction: int = 1, *, log_target: bool = False) -> Tensor:
    """target · (ln target - input). Source: PyTorch's `torch.kl_div`."""
    return loss.reduced(likelihood.kl_div(input, target, reduction="none", log_target=log_target), _name(reduction))


@public(method=False)
def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int
) -> Tensor:
    """exp(input) - target · input. Source: PyTorch's `torch.poisson_nll_loss`."""
    return likelihood.poisson_nll_loss(input, target, log_input, full, eps=eps, reduction=_name(reduction))


@public(method=False)
def ctc_loss(
    log_probs: Tensor, targets: Tensor, input_lengths: ctc.Lengths, target_lengths: ctc.Lengths, blank: int = 0,
    reduction: int = 1, zero_infinity: bool = False,
) -> Tensor:  # fmt: skip
    """-ln of the probability that a sequence of labels is read from `log_probs`. Source: PyTorch's `torch.ctc_loss`."""
    return ctc.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, _name(reduction), zero_infinity)


# ---- normalisations -------------------------------------------------------------------------------------------------
@public(method=False)
def layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, bias: Tensor | None = None,
    eps: float = 1e-5, cudnn_enable: bool = True,
) -> Tensor:  # fmt: skip
    """Mean 0 and variance 1 over the last dimensions. Source: PyTorch's `torch.layer_norm`."""
    return _layer_norm(input, normalized_shape, weight, bias, eps)


@public(method=False)
def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """Mean square 1 over the last dimensions. Source: PyTorch's `torch.rms_norm`."""
    return _rms_norm(input, normalized_shape, weight, eps)


@public(method=False)
def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Tensor:  # fmt: skip
    """Mean 0 and variance 1 over each group of channels. Source: PyTorch's `torch.group_norm`."""
    return group_norm_and_moments(input, num_groups, weight, bias, eps)[0]


@public(method=False)
def batch_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, training: bool, momentum: float, eps: float, cudnn_enabled: bool,
) -> Tensor:  # fmt: skip
    """Mean 0 and variance 1 over each channel. Source: PyTorch's `torch.batch_norm`."""
    return batch_norm_and_moments(input, weight, bias, running_mean, running_var, training, momentum, eps)[0]


@public(method=False)
def instance_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, use_input_stats: bool, momentum: float, eps: float, cudnn_enabled: bool,
) -> Tensor:  # fmt: skip
    """Mean 0 and variance 1 over each channel of each sample. Source: PyTorch's `torch.instance_norm`."""
    return _instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)


@public(method=False)
def native_layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None, bias: Tensor | None, eps: float
) -> Three:
    """`layer_norm`, and outside the graph the means and 1 / √(variance + eps). PyTorch's `torch.native_layer_norm`."""
    out, mean, scale = layer_norm_and_moments(input, normalized_shape, weight, bias, eps)
    return out, mean.detach(), scale.detach()


@public(method=False)
def native_group_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, N: int, C: int, HxW: int, group: int, eps: float
) -> Three:
    """`group_norm`, and per sample and group mean and 1 / √(variance + eps). PyTorch's `torch.native_group_norm`."""
    if input._array.size != N * C * HxW:
        raise RuntimeError(f"Expected an input of {N} * {C} * {HxW} elements, but got {list(input.shape)}")
    return group_norm_and_moments(input, group, weight, bias, eps)


@public(method=False)
def native_batch_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, training: bool, momentum: float, eps: float,
) -> Three:  # fmt: skip
    """`batch_norm`, and in training mean and 1 / √(variance + eps). PyTorch's `torch.native_batch_norm`."""
    out, mean, scale = batch_norm_and_moments(input, weight, bias, running_mean, running_var, training, momentum, eps)
    return out, mean.detach(), scale.detach()


# ---- rows of a table ------------------------------------------------------------------------------------------------
@public(method=False)
def embedding(
    weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False
) -> Tensor:
    """The rows of `weight` whose numbers are in `indices`. Source: PyTorch's `torch.embedding`."""
    check_rows(indices, weight, "embedding", IndexError)
    return picked_rows(weight, indices, scale_grad_by_freq, padding_idx if padding_idx >= 0 else None)


@public(method=False)
def embedding_bag(
    weight: Tensor, indices: Tensor, offsets: Tensor, scale_grad_by_freq: bool = False, mode: int = 0,
    sparse: bool = False, per_sample_weights: Tensor | None = None, include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
    """The bags' sums (mode 0), means (1) or maxima (2); each number's bag; the bags' sizes; the maxima's rows.

    Source: PyTorch's `torch.embedding_bag`.
    """
    out, bags, largest = bags_and_what_they_hold(
        weight, indices, offsets, scale_grad_by_freq, ("sum", "mean", "max")[mode], per_sample_weights,
        include_last_offset, padding_idx,
    )  # fmt: skip
    sizes = bags.sizes if mode else np.zeros_like(bags.sizes)
    return out, wrap(bags.of), wrap(sizes), wrap(sizes.copy() if largest is None else largest)


@public(method=False)
def embedding_renorm_(input: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> Tensor:
    """Shortens those rows of `input` in place that are longer than `max_norm`. PyTorch's `torch.embedding_renorm_`."""
    shorten(input, np.unique(indices._array), max_norm, norm_type)
    return input
