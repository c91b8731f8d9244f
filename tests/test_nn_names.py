"""Where PyTorch's names are found, and what their classes have in common."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from types import ModuleType

import pytest

import mini_torch


def test_modules_under_the_names_of_pytorchs_files(torch: ModuleType) -> None:
    nn = torch.nn
    assert nn.modules.linear.Linear is nn.modules.Linear is nn.Linear
    assert nn.modules.module.Module is nn.Module
    assert nn.modules.container.Sequential is nn.Sequential
    assert nn.modules.activation.ReLU is nn.ReLU
    assert nn.modules.dropout.Dropout is nn.Dropout
    assert nn.modules.flatten.Flatten is nn.Flatten
    assert nn.modules.loss.MSELoss is nn.MSELoss
    assert nn.modules.lazy.LazyModuleMixin is not None
    assert nn.parameter.Parameter is nn.Parameter


@pytest.mark.parametrize(
    ("base", "names"),
    [("batchnorm._BatchNorm", "BatchNorm1d BatchNorm2d BatchNorm3d SyncBatchNorm LazyBatchNorm2d"),
     ("batchnorm._NormBase", "BatchNorm1d InstanceNorm2d"), ("instancenorm._InstanceNorm", "InstanceNorm1d"),
     ("conv._ConvNd", "Conv1d Conv2d Conv3d ConvTranspose1d LazyConv2d"),
     ("conv._ConvTransposeNd", "ConvTranspose2d ConvTranspose3d"),
     ("dropout._DropoutNd", "Dropout Dropout2d AlphaDropout FeatureAlphaDropout"),
     ("pooling._MaxPoolNd", "MaxPool1d MaxPool2d MaxPool3d"), ("pooling._AvgPoolNd", "AvgPool1d AvgPool3d"),
     ("pooling._AdaptiveAvgPoolNd", "AdaptiveAvgPool2d"), ("pooling._AdaptiveMaxPoolNd", "AdaptiveMaxPool1d"),
     ("pooling._LPPoolNd", "LPPool2d"), ("pooling._MaxUnpoolNd", "MaxUnpool3d"),
     ("padding._ConstantPadNd", "ConstantPad1d ZeroPad2d"), ("padding._ReflectionPadNd", "ReflectionPad2d"),
     ("padding._ReplicationPadNd", "ReplicationPad1d"), ("padding._CircularPadNd", "CircularPad3d"),
     ("loss._Loss", "MSELoss CrossEntropyLoss CTCLoss"), ("loss._WeightedLoss", "NLLLoss BCELoss MultiMarginLoss"),
     ("rnn.RNNBase", "LSTM GRU RNN"), ("rnn.RNNCellBase", "LSTMCell"), ("lazy.LazyModuleMixin", "LazyLinear")],
)  # fmt: skip
def test_what_layers_have_in_common(torch: ModuleType, base: str, names: str) -> None:
    """Programs ask `isinstance(m, _BatchNorm)`."""
    room, name = base.split(".")
    common = getattr(importlib.import_module(f"{torch.__name__}.nn.modules.{room}"), name)
    for each in names.split():
        assert issubclass(getattr(torch.nn, each), common), each


def test_sizes_for_every_dimension(torch: ModuleType) -> None:
    utils = importlib.import_module(f"{torch.__name__}.nn.modules.utils")
    assert (utils._single(3), utils._pair(3), utils._triple([1, 2, 3]), utils._quadruple(0)) == (
        (3,), (3, 3), (1, 2, 3), (0, 0, 0, 0),
    )  # fmt: skip
    assert utils._ntuple(2)((4,)) == (4,)
    assert utils._reverse_repeat_tuple((1, 2), 2) == (2, 2, 1, 1)


def test_the_old_files_of_utils(torch: ModuleType) -> None:
    """`weight_norm` and `spectral_norm` are files, too, and stay functions whoever imports those."""
    utils = torch.nn.utils
    for name in ("weight_norm", "spectral_norm", "clip_grad", "convert_parameters", "fusion", "init", "memory_format",
                 "stateless", "prune", "rnn", "parametrize", "parametrizations"):  # fmt: skip
        importlib.import_module(f"{torch.__name__}.nn.utils.{name}")
    assert callable(utils.weight_norm)
    assert callable(utils.spectral_norm)
    importlib.import_module(f"{torch.__name__}.nn.common_types")


def test_names_for_annotations(torch: ModuleType) -> None:
    types = importlib.import_module(f"{torch.__name__}.types")
    assert (types._dtype, types._device, types._int) == (torch.dtype, torch.device, int)
    assert {"Number", "Device", "FileLike", "_size", "_bool", "_TensorOrTensors"} <= set(dir(types))
    hooks = importlib.import_module(f"{torch.__name__}.utils.hooks")
    handle = torch.nn.ReLU().register_forward_hook(lambda *_: None)
    assert isinstance(handle, hooks.RemovableHandle)


def test_clones_share_nothing(torch: ModuleType) -> None:
    layers = torch.nn.modules.transformer._get_clones(torch.nn.Linear(1, 1), 2)
    assert layers[0].weight is not layers[1].weight
    assert layers[0].weight == layers[1].weight


def test_each_class_has_one_home() -> None:
    """A reader finds `Conv2d` in `layer`, `ReLU` in `activation`, `CrossEntropyLoss` in `loss`, and nowhere else."""
    package = Path(mini_torch.__file__).parent
    homes: dict[str, list[str]] = {}
    for path in sorted(package.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                homes.setdefault(node.name, []).append(".".join(path.relative_to(package).with_suffix("").parts))
    public = [name for name in mini_torch.nn.__all__ if name[0].isupper()]
    twice = {name: homes[name] for name in public if len(homes.get(name, ())) > 1}
    assert twice == {"Identity": ["layer.shape", "network.pruning"]}  # the second is a way of pruning
    assert (homes["Conv2d"], homes["ReLU"], homes["CrossEntropyLoss"]) == (["layer.conv"], ["activation"], ["loss"])
    with pytest.raises(AttributeError, match="has no attribute 'ReLU'"):
        mini_torch.layer.ReLU  # noqa: B018
    for name in public:
        assert getattr(mini_torch.nn.modules, name, None) in (getattr(mini_torch.nn, name), None)
