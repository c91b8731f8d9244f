"""Connectionist temporal classification: the likelihood of a label sequence whatever its timing.

Source: Graves et al. 2006, "Connectionist temporal classification: labelling unsegmented sequence data with recurrent
neural networks", whose symbols are used: the labels l, with blanks around each l′; α and β, the probabilities of what
comes before and after being in state s of l′ at time t. All in logarithms, all samples of a batch at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..op import quiet, several, takes_out, type_name
from ..tensor import Tensor, wrap
from .activation import need_reals
from .adjoint import add_along, take_along
from .loss import check_reduction, reduced

__all__ = ["ctc_loss"]

_NEVER = -1e30  # stands for ln 0, so that no difference of two is NaN
Lengths = Tensor | Sequence[int]


class _Problem(NamedTuple):
    """Labels and lengths of a batch of N: `states` is l′ (N, L), padded with blanks."""

    states: Any
    times: Any  # (N), how many steps of the input count
    ends: Any  # (N), the number of the last state, twice the labels
    zero_infinity: bool

    def reversed(self) -> _Problem:
        """The same from the end to the start."""
        return self._replace(states=np.take_along_axis(self.states, self.back_states(), 1))

    def back_states(self) -> Any:
        """For each state the one as far from the end as it is from the start; beyond the end any."""
        return np.maximum(self.ends[:, None] - np.arange(self.states.shape[1]), 0)

    def back_times(self, count: int) -> Any:
        """Likewise for each time, (T, N)."""
        return np.maximum(self.times - 1 - np.arange(count)[:, None], 0)


def _log_sum(a: Any, b: Any, c: Any) -> Any:
    """ln(eᵃ + eᵇ + eᶜ)."""
    peak = np.maximum(np.maximum(a, b), c)
    return np.log(np.exp(a - peak) + np.exp(b - peak) + np.exp(c - peak)) + peak


def _alphas(emitted: Any, states: Any) -> Any:
    """α (T, N, L) from the log-probabilities of the states' labels (T, N, L).

    A state is reached from itself, from the one before, and over a blank from the one before that if labels differ.
    """
    kind = emitted.dtype if isinstance(emitted, np.ndarray) else emitted._array.dtype
    may_skip = np.zeros(states.shape, bool)
    may_skip[:, 3::2] = states[:, 3::2] != states[:, 1:-2:2]
    barred = np.where(may_skip, 0, _NEVER).astype(kind)
    outside = np.full((len(states), 2), _NEVER, kind)
    steps = [np.where(np.arange(states.shape[1]) < 2, emitted[0], np.array(_NEVER, kind))]
    for t in range(1, emitted.shape[0]):
        before = np.concatenate([outside, steps[-1]], axis=1)
        steps.append(_log_sum(before[:, 2:], before[:, 1:-1], before[:, :-2] + barred) + emitted[t])
    return np.stack(steps)


def _emitted(log_probs: Any, states: Any) -> Any:
    """The log-probability of each state's label at each time (T, N, L)."""
    return np.maximum(take_along(log_probs, _in_time(states, log_probs.shape[0]), 2), _NEVER)


def _in_time(states: Any, count: int) -> Any:
    return np.broadcast_to(states, (count, *states.shape))


def _forward(log_probs: Any, problem: _Problem) -> tuple[Any, Any]:
    """Each sample's negative log-likelihood (N), and α."""
    alpha = _alphas(_emitted(log_probs, problem.states), problem.states)
    samples, last = np.arange(len(problem.times)), np.maximum(problem.times - 1, 0)
    final = alpha[last, samples, problem.ends]
    before = np.where(problem.ends > 0, alpha[last, samples, np.maximum(problem.ends - 1, 0)], _NEVER)
    loss = np.where(problem.times == 0, np.where(problem.ends == 0, 0, np.inf), -np.logaddexp(final, before))
    impossible = loss > -_NEVER / 2
    return np.where(impossible, 0 if problem.zero_infinity else np.inf, loss).astype(log_probs.dtype), alpha


def _rule(g_loss: Any, log_probs: Any, loss: Any, alpha: Any, shape: tuple[int, ...], problem: _Problem) -> Any:
    """The gradient for log-probabilities that come from a log-softmax: exp(log_probs) less the labels' posterior."""
    count, states = shape[0], problem.states
    emitted = _emitted(log_probs, states)
    if not isinstance(log_probs, np.ndarray):  # recorded: what was kept knows nothing of log_probs
        alpha = _alphas(emitted, states)
    posterior = np.exp(alpha + _betas(log_probs, problem) - emitted + np.expand_dims(loss, 1))
    share = np.where(np.arange(states.shape[1]) <= problem.ends[:, None], posterior, 0.0)
    labels = add_along(share, _in_time(states, count), shape, 2)
    counts, losses = np.arange(count)[:, None] < problem.times, getattr(loss, "_array", loss)
    if problem.zero_infinity:
        counts = counts & (losses != 0)
    d = (np.exp(log_probs) - labels) * np.expand_dims(g_loss, 1)
    # Where the labels cannot be read from the input at all, PyTorch's gradient is NaN.
    d = np.where(np.isposinf(losses)[:, None], np.nan, d) if np.isposinf(losses).any() else d
    return np.where(counts[:, :, None], d, 0.0)


def _betas(log_probs: Any, problem: _Problem) -> Any:
    """β (T, N, L): the α of everything backwards, turned round again."""
    (count, _, classes), turned = log_probs.shape, problem.reversed()
    back = problem.back_times(count)[:, :, None]
    shape = (count, *problem.states.shape)
    emitted = _emitted(take_along(log_probs, np.broadcast_to(back, (*shape[:2], classes)), 0), turned.states)
    beta = take_along(_alphas(emitted, turned.states), np.broadcast_to(back, shape), 0)
    return take_along(beta, np.broadcast_to(problem.back_states(), shape), 2)


_ctc = several("ctc_loss", quiet(_forward), ("loss", "alpha"), log_probs=quiet(_rule))


@takes_out
def ctc_loss(
    log_probs: Tensor, targets: Tensor, input_lengths: Lengths, target_lengths: Lengths, blank: int = 0,
    reduction: str = "mean", zero_infinity: bool = False,
) -> Tensor:  # fmt: skip
    """-ln of the probability that a sequence of labels is read from `log_probs`, blanks and repetitions left out.

    Shape: log_probs (T, N, C) or (T, C), log-softmax over the classes; targets (N, S) or all in a row; lengths (N) or
    (). 'mean' divides each loss by its number of labels first. `zero_infinity` counts sequences that are too long for
    their input as 0. The gradient supposes that log_probs comes from a log-softmax, as PyTorch's does.
    Errors: RuntimeError for lengths that do not fit. Source: PyTorch's `nn.functional.ctc_loss`.

    >>> from mini_torch import tensor
    >>> even = tensor([[[0.5, 0.5]], [[0.5, 0.5]]]).log()  # two steps, a blank and one label: 1-, -1 and 11 read as 1
    >>> ctc_loss(even, tensor([[1]]), [2], [1]).exp()
    tensor(1.3333)
    """
    check_reduction(reduction)
    need_reals(log_probs, "ctc_loss_cpu", half=False)
    batched = log_probs._array.ndim == 3
    scores = log_probs if batched else log_probs.unsqueeze(1)
    problem, counts = _problem(scores, targets, _ints(input_lengths), _ints(target_lengths), blank, zero_infinity)
    loss = _ctc(scores, problem)[0]
    if reduction == "mean":
        return reduced(loss / wrap(np.maximum(counts, 1).astype(loss._array.dtype)), "mean")
    return reduced(loss if batched else loss.squeeze(0), reduction)


def _ints(lengths: Lengths) -> Any:
    array = lengths._array if isinstance(lengths, Tensor) else np.array(lengths, np.int64)
    if array.dtype.kind not in "iu":
        raise RuntimeError(f"input_lengths and target_lengths must be integral, not {type_name(array.dtype)}")
    return array.reshape(-1).astype(np.int64)


def _problem(
    scores: Tensor, targets: Tensor, times: Any, counts: Any, blank: int, zero_infinity: bool
) -> tuple[_Problem, Any]:
    """The batch's labels and lengths, checked."""
    steps, batch, classes = scores._array.shape
    labels = targets._array
    if not 0 <= blank < classes:
        raise RuntimeError(f"blank must be in label range: {blank} for {classes} classes")
    for name, lengths in (("input_lengths", times), ("target_lengths", counts)):
        if lengths.size != batch:
            raise RuntimeError(f"{name} must be of size batch_size: {lengths.size} for a batch of {batch}")
        if lengths.size and lengths.min() < 0:
            raise RuntimeError(f"{name} must not be negative, got {int(lengths.min())}")
    if times.size and times.max() > steps:
        raise RuntimeError(f"Expected input_lengths to have value at most {steps}, but got value {int(times.max())}")
    longest = int(counts.max()) if counts.size else 0
    held = np.arange(longest) < counts[:, None]
    padded = np.full(held.shape, blank, np.int64)
    if labels.ndim == 1:
        if labels.size != counts.sum():
            raise RuntimeError(f"Expected targets to have {int(counts.sum())} labels in all, but got {labels.size}")
        padded[held] = labels
    else:
        if labels.ndim != 2 or labels.shape[0] != batch or labels.shape[1] < longest:
            raise RuntimeError(f"Expected targets of size [{batch}, {longest}] or more, but got {list(labels.shape)}")
        padded[held] = labels[:, :longest][held]
    states = np.full((batch, 2 * longest + 1), blank, np.int64)
    states[:, 1::2] = padded
    return _Problem(states, times, 2 * counts, zero_infinity), counts
