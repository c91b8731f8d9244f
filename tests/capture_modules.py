"""A line per kind of module: how to make one, and what it is called with; `f` makes floats, `i` classes, `m` bools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import mini_torch as torch
import records

nn = torch.nn

MODULES = """
nn.Linear(4, 3) | f(5, 4)
nn.Bilinear(2, 3, 4) | f(5, 2), f(5, 3)
nn.Identity() | f(5, 4)
nn.Flatten() | f(2, 3, 4)
nn.Unflatten(1, (2, 2)) | f(3, 4)
nn.Conv1d(3, 4, 2, padding='same', padding_mode='circular') | f(2, 3, 6)
nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2) | f(2, 2, 7, 6)
nn.Conv2d(3, 3, 3, padding=1, groups=3) | f(2, 3, 5, 5)
nn.Conv2d(3, 5, 1) | f(2, 3, 5, 5)
nn.Conv2d(1, 6, 5, padding=2) | f(8, 1, 12, 12)
nn.Conv3d(2, 3, 2, dilation=2) | f(1, 2, 4, 4, 5)
nn.ConvTranspose1d(2, 3, 3, stride=2, output_padding=1) | f(2, 2, 5)
nn.ConvTranspose2d(2, 3, 2, stride=2) | f(2, 2, 3, 4)
nn.ConvTranspose3d(1, 2, 2) | f(1, 1, 2, 3, 2)
nn.Unfold(2) | f(2, 2, 4, 5)
nn.Fold((4, 5), 2) | f(2, 8, 12)
nn.MaxPool1d(2) | f(2, 3, 6)
nn.MaxPool2d(2) | f(2, 3, 6, 6)
nn.MaxPool2d(3, stride=2, padding=1) | f(2, 3, 7, 6)
nn.MaxPool2d(2, return_indices=True) | f(2, 3, 4, 4)
nn.MaxPool3d(2) | f(1, 2, 4, 4, 4)
nn.AvgPool1d(2) | f(2, 3, 6)
nn.AvgPool2d(3, stride=2, padding=1) | f(2, 3, 6, 6)
nn.AvgPool2d(2) | f(2, 3, 6, 6)
nn.AvgPool3d(2) | f(1, 2, 4, 4, 4)
nn.AdaptiveAvgPool1d(3) | f(2, 3, 7)
nn.AdaptiveAvgPool2d(1) | f(2, 3, 5, 5)
nn.AdaptiveAvgPool2d((3, 2)) | f(2, 3, 7, 5)
nn.AdaptiveMaxPool2d((3, 2)) | f(2, 3, 7, 5)
nn.LPPool2d(2, 2) | p(2, 3, 4, 4)
nn.FractionalMaxPool2d(2, output_size=3) | f(1, 2, 7, 7)
nn.ReflectionPad1d(2) | f(2, 3, 5)
nn.ReplicationPad2d(1) | f(2, 2, 3, 3)
nn.ZeroPad2d((1, 0, 2, 1)) | f(2, 2, 3, 3)
nn.ConstantPad1d(2, 1.5) | f(2, 3, 4)
nn.CircularPad2d(1) | f(2, 2, 3, 3)
nn.BatchNorm1d(4) | f(6, 4)
nn.BatchNorm1d(3) | f(4, 3, 5)
nn.BatchNorm1d(4, momentum=None) | f(6, 4)
nn.BatchNorm2d(3) | f(4, 3, 5, 5)
nn.BatchNorm2d(3, affine=False, track_running_stats=False) | f(4, 3, 5, 5)
nn.BatchNorm3d(2) | f(3, 2, 2, 3, 2)
nn.InstanceNorm1d(3) | f(2, 3, 5)
nn.InstanceNorm2d(3, affine=True, track_running_stats=True) | f(2, 3, 4, 4)
nn.LayerNorm(4) | f(3, 5, 4)
nn.LayerNorm((3, 4), bias=False) | f(5, 3, 4)
nn.GroupNorm(2, 4) | f(3, 4, 5)
nn.RMSNorm(4) | f(3, 4)
nn.LocalResponseNorm(2) | f(2, 4, 3, 3)
nn.Dropout(0.4) | f(5, 6)
nn.Dropout1d(0.4) | f(5, 6, 3)
nn.Dropout2d(0.4) | f(3, 4, 2, 2)
nn.Dropout3d(0.4) | f(3, 4, 2, 2, 1)
nn.AlphaDropout(0.4) | f(5, 6)
nn.FeatureAlphaDropout(0.4) | f(3, 4, 2)
nn.ReLU() | f(3, 4)
nn.ReLU(inplace=True) | f(3, 4)
nn.ReLU6() | f(3, 4)
nn.LeakyReLU(0.1) | f(3, 4)
nn.PReLU(4) | f(3, 4)
nn.RReLU() | f(3, 4)
nn.ELU() | f(3, 4)
nn.CELU() | f(3, 4)
nn.SELU() | f(3, 4)
nn.GELU() | f(3, 4)
nn.GELU('tanh') | f(3, 4)
nn.SiLU() | f(3, 4)
nn.Mish() | f(3, 4)
nn.Sigmoid() | f(3, 4)
nn.LogSigmoid() | f(3, 4)
nn.Tanh() | f(3, 4)
nn.Softplus() | f(3, 4)
nn.Softsign() | f(3, 4)
nn.Softshrink() | f(3, 4)
nn.Hardshrink() | f(3, 4)
nn.Tanhshrink() | f(3, 4)
nn.Hardsigmoid() | f(3, 4)
nn.Hardswish() | f(3, 4)
nn.Hardtanh() | f(3, 4)
nn.Threshold(0.1, 5.0) | f(3, 4)
nn.GLU() | f(3, 4)
nn.Softmax(-1) | f(3, 4)
nn.Softmin(-1) | f(3, 4)
nn.LogSoftmax(1) | f(3, 4)
nn.Softmax2d() | f(2, 3, 2, 2)
nn.AdaptiveLogSoftmaxWithLoss(32, 12, [4, 8]) | f(5, 32), i(12, 5)
nn.Embedding(7, 4) | i(7, 3, 2)
nn.Embedding(7, 4, padding_idx=2) | i(7, 3, 2)
nn.EmbeddingBag(7, 4) | i(7, 3, 2)
nn.RNN(3, 4) | f(5, 2, 3)
nn.RNN(3, 4, nonlinearity='relu', bidirectional=True, num_layers=2) | f(5, 2, 3)
nn.LSTM(3, 4) | f(5, 2, 3)
nn.LSTM(3, 4, num_layers=2, dropout=0.5, batch_first=True, bidirectional=True) | f(2, 5, 3)
nn.LSTM(3, 4, proj_size=2) | f(5, 2, 3)
nn.GRU(3, 4) | f(5, 2, 3)
nn.GRU(3, 4, num_layers=2, batch_first=True) | f(2, 5, 3)
nn.RNNCell(3, 4) | f(2, 3)
nn.LSTMCell(3, 4) | f(2, 3)
nn.GRUCell(3, 4) | f(2, 3), f(2, 4)
nn.MultiheadAttention(4, 2) | f(5, 2, 4), f(5, 2, 4), f(5, 2, 4)
nn.MultiheadAttention(4, 2, dropout=0.3, batch_first=True) | f(2, 5, 4), f(2, 5, 4), f(2, 5, 4), m(2, 5)
nn.TransformerEncoderLayer(4, 2, 8, batch_first=True) | f(2, 5, 4)
nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, 0.0), 2) | f(5, 2, 4)
nn.TransformerDecoderLayer(4, 2, 8) | f(5, 2, 4), f(3, 2, 4)
nn.Transformer(4, 2, 1, 1, 8) | f(5, 2, 4), f(3, 2, 4)
nn.PixelShuffle(2) | f(2, 8, 3, 3)
nn.PixelUnshuffle(2) | f(2, 2, 4, 4)
nn.ChannelShuffle(2) | f(2, 4, 3, 3)
nn.Upsample(scale_factor=2) | f(2, 3, 4, 4)
nn.Upsample(size=(5, 7), mode='bilinear') | f(2, 3, 4, 4)
nn.Upsample(scale_factor=2, mode='bicubic', align_corners=True) | f(2, 3, 4, 4)
nn.CosineSimilarity() | f(3, 4), f(3, 4)
nn.PairwiseDistance() | f(3, 4), f(3, 4)
nn.MSELoss() | f(3, 4), f(3, 4)
nn.L1Loss() | f(3, 4), f(3, 4)
nn.SmoothL1Loss() | f(3, 4), f(3, 4)
nn.HuberLoss() | f(3, 4), f(3, 4)
nn.CrossEntropyLoss() | f(5, 4), i(4, 5)
nn.CrossEntropyLoss(torch.arange(1.0, 5.0), ignore_index=1, label_smoothing=0.1) | f(5, 4), i(4, 5)
nn.CrossEntropyLoss(reduction='none') | f(5, 4, 3), i(4, 5, 3)
nn.CrossEntropyLoss() | f(5, 4), p(5, 4)
nn.CrossEntropyLoss() | f(64, 65), i(65, 64)
nn.NLLLoss() | f(5, 4), i(4, 5)
nn.KLDivLoss(reduction='batchmean') | f(5, 4), p(5, 4)
nn.BCELoss() | u(3, 4), u(3, 4)
nn.BCEWithLogitsLoss(pos_weight=torch.tensor(2.0)) | f(3, 4), u(3, 4)
nn.HingeEmbeddingLoss() | f(3, 4), s(3, 4)
nn.MultiLabelMarginLoss() | f(3, 4), i(4, 3, 4)
nn.MultiLabelSoftMarginLoss() | f(3, 4), u(3, 4)
nn.MultiMarginLoss() | f(5, 4), i(4, 5)
nn.MarginRankingLoss(0.1) | f(5), f(5), s(5)
nn.SoftMarginLoss() | f(3, 4), s(3, 4)
nn.CosineEmbeddingLoss() | f(5, 4), f(5, 4), s(5)
nn.TripletMarginLoss() | f(5, 4), f(5, 4), f(5, 4)
nn.TripletMarginWithDistanceLoss() | f(5, 4), f(5, 4), f(5, 4)
nn.PoissonNLLLoss() | f(3, 4), p(3, 4)
nn.GaussianNLLLoss() | f(3, 4), f(3, 4), p(3, 4)
nn.CTCLoss() | f(6, 2, 5), i(4, 2, 3) + 1, torch.tensor([6, 5]), torch.tensor([3, 2])
"""
LINES = MODULES.strip().splitlines()


def inputs_of(text: str, k: int) -> list[Any]:
    """The k-th inputs of a line."""
    rng = np.random.default_rng(k)

    def floats(*shape: int) -> Any:
        return torch.from_numpy(rng.standard_normal(shape).astype(np.float32)).requires_grad_()

    names = {
        "f": floats, "p": lambda *shape: torch.from_numpy(rng.uniform(0.5, 2, shape).astype(np.float32)),
        "u": lambda *shape: torch.from_numpy(rng.uniform(0.1, 0.9, shape).astype(np.float32)),
        "s": lambda *shape: torch.from_numpy(rng.choice(np.array([-1, 1], np.float32), shape)),
        "i": lambda n, *shape: torch.from_numpy(rng.integers(0, n, shape)),
        "m": lambda *shape: torch.from_numpy(rng.uniform(size=shape) < 0.3), "torch": torch,
    }  # fmt: skip
    return list(eval(f"({text},)", names))


def module_case(line: str, training: bool) -> tuple[Any, str]:
    """The module, ready, and the text of its inputs."""
    make, _, inputs = line.partition(" | ")
    torch.manual_seed(0)
    return eval(make, {"nn": nn, "torch": torch}).train(training), inputs


def training_step(module: Any) -> Callable[..., Any]:
    """Forward and backward inside; gives results and all gradients."""

    def step(*inputs: Any) -> Any:
        outs = run(module, module, inputs)
        return [out.detach() for out in outs], *gradients(module, inputs)

    return step


def module_called(module: Any, call: Any) -> Callable[..., Any]:
    """Forward by `call`, backward outside; gives results and all gradients."""

    def step(*inputs: Any) -> Any:
        return run(module, call, inputs), *gradients(module, inputs)

    return step


def run(module: Any, call: Any, inputs: Any) -> list[Any]:
    """The results, after backward from the mean of their squares."""
    module.zero_grad()
    outs = list(records.leaves(torch, call(*inputs)))
    total = sum([out.square().mean() for out in outs if out.requires_grad], torch.zeros(()))
    if total.requires_grad:
        total.backward()
    return outs


def gradients(module: Any, inputs: Any) -> tuple[list[Any], list[Any]]:
    return [p.grad for p in module.parameters()], [x.grad for x in inputs]
