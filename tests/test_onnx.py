"""Files of ONNX give onnxruntime the numbers that we have: networks at sizes that they were not exported with, every
line of `samples.py`, writes, names, and what is refused in words."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mini_torch as torch
import mini_torch.nn.functional as F
import samples
from benchmarks import networks
from mini_torch import nn
from mini_torch.onnx import ONNXProgram, TrainingMode, export, is_in_onnx_export
from mini_torch.onnx.errors import OnnxExporterError, UnsupportedOperatorError
from mini_torch.onnx_export.open_sizes import Formula, OpenSize, formula_of
from mini_torch.tree import flatten

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")
runtime.set_default_logger_severity(4)
WITHOUT = (Path(__file__).parent / "data" / "not_in_onnx.txt").read_text().splitlines()


def resized(x: Any, sizes: dict[int, int]) -> Any:
    """x repeated or cropped, floats with some noise."""
    array = x.numpy()
    for axis, n in sizes.items():
        array = np.take(array, np.arange(n) % array.shape[axis], axis)
    noise = np.random.default_rng(0).normal(0, 0.1, array.shape)
    return torch.tensor(array + noise.astype(array.dtype) if array.dtype.kind == "f" else array)


def check(program: ONNXProgram, model: Callable[..., Any], *inputs: Any, tolerance: float = 1e-5) -> None:
    """onnxruntime's results are the model's, up to the tolerance times the largest number."""
    with torch.no_grad():
        wanted = [x for x in flatten(model(*[x.clone() for x in inputs]))[0] if isinstance(x, torch.Tensor)]
    found = flatten(program(*inputs))[0]
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(1e-6, float(b.abs().max())))


# ---- networks --------------------------------------------------------------------------------------------------------
class Residual(nn.Module):
    """A block that writes in place, and is pooled whatever the image's size."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.relu = nn.Conv2d(3, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3), nn.ReLU(True)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 4))
        self.norm.running_mean.normal_()
        self.norm.running_var.uniform_(0.5, 2)

    def forward(self, x: Any) -> Any:
        y = self.relu(self.norm(self.conv(x)))
        y += x
        return self.head(y)


class OwnAttention(nn.Module):
    """As it is written by hand: a mask in a buffer, cut to the sequence's length, and places from arange."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.places, self.out = nn.Embedding(11, 8), nn.Embedding(32, 8), nn.Linear(8, 11)
        self.register_buffer("mask", torch.tril(torch.ones(32, 32)).view(1, 32, 32), persistent=False)

    def forward(self, tokens: Any) -> Any:
        length = tokens.shape[1]
        x = self.embed(tokens) + self.places(torch.arange(length))[None]
        scores = x @ x.transpose(-2, -1) / x.size(-1) ** 0.5
        scores = scores.masked_fill(self.mask[:, :length, :length] == 0, float("-inf"))
        return self.out(scores.softmax(-1) @ x), x.sum(1) / length


def lenet() -> Any:
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


class Sizes(nn.Module):
    """Numbers that are made of sizes: halves, thirds, steps between two ends, elements several times."""

    def forward(self, x: Any) -> Any:
        n, m = x.shape
        grid = x + torch.linspace(-1, 1, m) + torch.linspace(0, 2, n)[:, None]
        copies = torch.ones(n // 3, m) * x.mean(0), x[:, m // 2 :], x[-(n // 5) :], x.repeat_interleave(3, 1)
        x = x @ torch.eye(m) * np.log(m)
        return grid, *copies, x.sum() / n, x / (n - 1), x * m**0.5, *x.chunk(2, 1)


class Borders(nn.Module):
    """Windows that reach over the end at some sizes, an array as large as a convolution's result, other borders."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 5, stride=4)
        self.pads = nn.Sequential(nn.ReflectionPad2d((2, 1, 0, 3)), nn.ReplicationPad2d(1))
        self.round = nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular")

    def forward(self, x: Any) -> Any:
        y = self.conv(x)
        y = y + torch.arange(y.size(2))[:, None] + torch.ones(x.size(0), 2, y.size(2), y.size(3))
        pools = F.max_pool2d(x, 2, ceil_mode=True), F.avg_pool2d(x, 3, 2, ceil_mode=True), F.avg_pool2d(x, 8)
        return y, self.pads(x), self.round(x), *pools, F.adaptive_max_pool2d(x, 1)


class Resized(nn.Module):
    """By factors, which decide where an element comes from even if they do not give a whole number of elements."""

    def forward(self, x: Any) -> Any:
        half, more = F.interpolate(x, scale_factor=0.5, mode="bilinear"), F.interpolate(x, scale_factor=1.5)
        return half, more, F.interpolate(x, size=(7, 5), mode="bilinear", align_corners=True)


NETWORKS: dict[str, tuple[Callable[[], Any], tuple[int, ...], dict[int, str]]] = {
    "mlp": (lambda: networks.perceptron(torch), (4, 2), {0: "batch"}),
    "lenet": (lenet, (2, 1, 28, 28), {0: "batch"}),
    "residual": (Residual, (2, 3, 8, 8), {0: "batch", 2: "height", 3: "width"}),
    "lstm": (lambda: nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True), (2, 5, 3), {0: "batch", 1: "length"}),
    "gru": (lambda: nn.GRU(3, 4, 2, bidirectional=True), (5, 2, 3), {0: "length", 1: "batch"}),
    "rnn": (lambda: nn.RNN(3, 4, nonlinearity="relu"), (5, 2, 3), {0: "length", 1: "batch"}),
    "encoder": (
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2), (1, 5, 8),
        {0: "batch", 1: "length"},
    ),
    "gpt": (lambda: networks.gpt_network(torch), (2, 8), {0: "batch", 1: "length"}),
    "own attention": (OwnAttention, (2, 8), {0: "batch", 1: "length"}),
    "upsampling": (
        lambda: nn.Sequential(nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.GroupNorm(2, 4), nn.SiLU(),
                              nn.Upsample(scale_factor=2, mode="bilinear"), nn.ConvTranspose2d(4, 1, 2, 2)),
        (1, 1, 8, 8), {0: "batch", 2: "height", 3: "width"},
    ),
    "sizes": (Sizes, (33, 8), {0: "n", 1: "m"}),
    "borders": (Borders, (1, 1, 8, 8), {0: "batch", 2: "height", 3: "width"}),
    "resized": (Resized, (1, 1, 8, 8), {0: "batch", 2: "height", 3: "width"}),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_at_other_sizes(name: str) -> None:
    torch.manual_seed(0)
    make, shape, axes = NETWORKS[name]
    model = make()
    x = torch.randint(0, 11, shape) if name in ("gpt", "own attention") else torch.randn(shape)
    assert model.training
    program = export(model, (x,), input_names=["x"], dynamic_axes={"x": axes})
    assert model.training
    model.eval()
    for more in (0, 1, 4):
        check(program, model, resized(x, {axis: shape[axis] + more * (axis + 1) for axis in axes}))
    given = program.model_proto.graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_param or d.dim_value for d in given] == [axes.get(i, n) for i, n in enumerate(shape)]


def test_padding() -> None:
    torch.manual_seed(0)
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu"), 1).eval()
    padding = torch.tensor([[False] * 5, [False] * 3 + [True] * 2])
    sizes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("length")}
    program = export(model, (torch.randn(2, 5, 8),), kwargs={"src_key_padding_mask": padding},
                     dynamic_shapes={"src": sizes, "src_key_padding_mask": sizes})  # fmt: skip
    x = torch.randn(3, 7, 8)
    for mask in (torch.arange(7) > torch.tensor([[6], [4], [2]]), torch.arange(7) < torch.tensor([[1], [2], [0]])):
        with torch.no_grad():
            wanted = model(x, src_key_padding_mask=mask)
        np.testing.assert_allclose(program(x, src_key_padding_mask=mask), wanted, atol=2e-6)


def test_one_node_for_a_layer() -> None:
    def ops(name: str) -> list[str]:
        make, shape, axes = NETWORKS[name]
        program = export(make(), (torch.randn(shape),), input_names=["x"], dynamic_axes={"x": axes})
        return [node.op_type for node in program.model_proto.graph.node]

    assert ops("mlp") == ["Gemm", *["Relu", "Gemm"] * 6]
    assert ops("residual") == ["Conv", "BatchNormalization", "Relu", "Add", "GlobalAveragePool", "Reshape", "Gemm"]


# ---- every operation -------------------------------------------------------------------------------------------------
def given_for(code: str) -> dict[str, Any]:
    """The inputs of a line, in float32."""
    constants = samples.names_in(code) & samples.CONSTANTS.keys()
    arrays = {**samples.inputs_of(code), **{n: samples.CONSTANTS[n] for n in sorted(constants)}}
    return {n: torch.tensor(a.astype(np.float32) if a.dtype.kind == "f" else a) for n, a in arrays.items()}


def function_of(lines: list[str], names: list[str]) -> Callable[..., list[Any]]:
    """The lines as one model."""

    def run(*inputs: Any) -> list[Any]:
        found: list[Any] = []
        for line in lines:
            scope = {"torch": torch, "F": nn.functional, **{n: x.clone() for n, x in zip(names, inputs)}}
            outs = samples.flat(eval(line, scope))
            found += [x.clone() for x in outs if isinstance(x, torch.Tensor)]
        return found

    return run


@pytest.mark.filterwarnings("ignore")
def test_every_sample() -> None:
    """All lines that have a translation, as one model."""
    lines = [line for line in samples.SAMPLES + samples.VALUE_SAMPLES if line not in WITHOUT]
    lines = [line for line in lines if given_for(line)]
    assert len(lines) > 690
    given = {name: x for line in lines for name, x in given_for(line).items()}
    model = function_of(lines, [*given])
    program = export(model, tuple(given.values()))
    wanted, found = model(*given.values()), program(*given.values())
    scope = {"torch": torch, "F": nn.functional}
    outs = {line: samples.flat(eval(line, {**scope, **given_for(line)})) for line in lines}
    of = [line for line in lines for x in outs[line] if isinstance(x, torch.Tensor)]
    assert len(found) == len(wanted) == len(of)
    for line, a, b in zip(of, found, wanted):
        assert (a.shape, a.dtype) == (b.shape, b.dtype), line
        np.testing.assert_allclose(a, b, rtol=5e-5, atol=1e-5, err_msg=line)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("part", range(4))
def test_what_has_no_translation_says_so(part: int) -> None:
    """The lines of not_in_onnx.txt, with a name of the operation and a way around; one that can be exported fails."""
    for line in WITHOUT[part::8]:
        given = given_for(line)
        with pytest.raises(OnnxExporterError, match=r"Write it|Put other|Export|Return the new"):
            export(function_of([line], [*given]), tuple(given.values()))


# ---- writes, branches, names -----------------------------------------------------------------------------------------
WRITES: dict[str, Callable[[Any], Any]] = {
    "a column": lambda x: x.__setitem__((slice(None), 0), 1.0),
    "a block": lambda x: x.__setitem__((slice(1, 3), slice(None, 2)), x[:2, 2:4] * 2),
    "a row of a view": lambda x: x.t()[1].mul_(3),
    "a view of a view": lambda x: x.view(-1)[2:].view(2, -1)[0].add_(1),
    "where a mask is": lambda x: x.__setitem__(x > 0, -1.0),
    "by numbers": lambda x: x.__setitem__(torch.tensor([2, 0]), x[:2] + 1),
    "the whole": lambda x: x.copy_(x.flip(0)),
    "twice": lambda x: x.add_(1).relu_(),
}


@pytest.mark.parametrize("name", WRITES)
def test_writes(name: str) -> None:
    def model(x: Any) -> Any:
        y, seen = x * 2, x * 0
        view = y[:, 1]
        WRITES[name](y)
        seen += y
        return y, view, seen

    x = torch.arange(15.0).reshape(3, 5)[:, :4].contiguous() - 5
    check(export(model, (x,)), model, x)


def test_choices_and_draws_are_refused() -> None:
    def decides(x: Any) -> Any:
        return x if x.sum() > 0 else -x

    def loops(x: Any) -> Any:
        for row in range(x.shape[0]):
            x = x + row
        return x

    class Counts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, x: Any) -> Any:
            self.calls += 1
            return x * self.calls

    x = torch.ones(3, 2)
    with pytest.raises(OnnxExporterError, match=r'no choices: decides .*in line .*test_onnx'):
        export(decides, (x,))
    with pytest.raises(OnnxExporterError, match="n = 3, 4, 7, 10"):
        export(loops, (x,), dynamic_axes={"x": {0: "n"}})
    with pytest.raises(UnsupportedOperatorError, match=r'module "1: Dropout".*random'):
        export(nn.Sequential(nn.Linear(2, 2), nn.Dropout()), (x,), training=TrainingMode.TRAINING)
    model = Counts()
    with pytest.raises(OnnxExporterError, match="writes to calls"):
        export(model, (x,))
    assert model.calls == 0  # the run left nothing behind
    with pytest.raises(UnsupportedOperatorError, match=r"of cross_entropy in line \d+ of .*test_onnx"):
        export(F.cross_entropy, (x, torch.tensor([0, 1, 0])))
    with pytest.raises(OnnxExporterError, match=r"does not run at other sizes.*must match"):
        export(lambda x: x + torch.ones(3, 2), (x,), dynamic_axes={"x": {0: "n"}})
    with pytest.raises(OnnxExporterError, match=r"the number|a tensor \[.*larger size"):
        export(lambda x: F.pad(x, (0, 0, 0, x.shape[0] % 2)), (x,), dynamic_axes={"x": {0: "n"}})
    with pytest.raises(UnsupportedOperatorError, match=r'operation lgamma in module "0: Gamma"'):
        export(nn.Sequential(type("Gamma", (nn.Module,), {"forward": lambda self, x: torch.lgamma(x)})()), (x,))


def test_names_and_parameters() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.Linear(4, 2), nn.Tanh()))
    x = torch.randn(5, 3)
    graph = export(model, x, input_names=["data"], output_names=["score"]).model_proto.graph
    assert {w.name for w in graph.initializer} == {*model.state_dict()}
    assert [n.name for n in graph.node] == ["/0/Gemm", "/1/0/Gemm", "/1/1/Tanh"]
    assert ([v.name for v in graph.input], [v.name for v in graph.output]) == (["data"], ["score"])
    listed = export(model, (x,), keep_initializers_as_inputs=True).model_proto.graph
    assert len(listed.input) == 5
    assert len(listed.initializer) == 4
    bare = export(model, (x,), export_params=False).model_proto.graph
    assert (len(bare.input), len(bare.initializer)) == (5, 0)


def test_nested_arguments_and_dims() -> None:
    def model(pair: Any, *, scale: Any, offset: float = 2.0) -> Any:
        assert is_in_onnx_export() == exporting
        return {"sum": pair[0] + pair[1] * scale, "first": pair[0], "fixed": torch.ones(2)}

    n, exporting = torch.export.Dim("n", min=2, max=9), True
    pair, scale = (torch.ones(3, 2), torch.ones(3, 1)), torch.ones(2)
    shapes = {"pair": ({0: n}, {0: n}), "scale": None}
    program = export(model, (pair,), kwargs={"scale": scale}, dynamic_shapes=shapes)
    exporting = False
    assert [v.name for v in program.model_proto.graph.input] == ["pair_0", "pair_1", "scale"]
    found = program((torch.ones(7, 2), torch.ones(7, 1)), scale=scale * 3)
    assert found["sum"].shape == (7, 2)
    assert found["sum"].sum() == 7 * 2 * 4
    with pytest.raises(ValueError, match=r"'n' is 3 in input pair_0 .* and 2 in input scale"):
        export(model, (pair,), kwargs={"scale": scale}, dynamic_shapes={"pair": ({0: n}, None), "scale": {0: n}})
    with pytest.raises(ValueError, match="arguments are pair, scale"):
        export(model, (pair,), kwargs={"scale": scale}, dynamic_shapes={"other": {0: n}})


def test_the_file(tmp_path: Path) -> None:
    model, x = nn.Linear(2, 2), torch.randn(3, 2)
    path, held = tmp_path / "model.onnx", io.BytesIO()
    program = export(model, (x,), path, verify=True)
    program.save(held)
    assert path.read_bytes() == held.getvalue()
    assert [p.name for p in tmp_path.iterdir()] == ["model.onnx"]
    (found,) = runtime.InferenceSession(path).run(None, {"input": x.numpy()})
    np.testing.assert_allclose(found, model(x).detach(), rtol=1e-6)
    with pytest.raises(ValueError, match="from 18 on"):
        export(model, (x,), opset_version=11)
    for opset in (18, 21):
        made = export(nn.Sequential(nn.Linear(2, 2), nn.GELU()), (x,), opset_version=opset)
        assert made.model_proto.opset_import[0].version == opset
        assert ("Gelu" in [n.op_type for n in made.model_proto.graph.node]) == (opset >= 20)


def test_formulas() -> None:
    a, b = OpenSize("a", [], 3, tried=(3, 4, 6, 7)), OpenSize("b", [], 4, tried=(4, 7, 5, 10))

    def formula(rule: Callable[[int, int], int]) -> Formula | None:
        return formula_of([rule(i, k) for i, k in zip(a.tried, b.tried)], [a, b])

    assert str(formula(lambda i, k: 5)) == "0 + 5"
    assert str(formula(lambda i, k: 2 * k + 1)) == "2*b + 1"
    assert str(formula(lambda i, k: i * k)) == "a*b"
    assert str(formula(lambda i, k: (k - 1) // 2)) == "(b - 1)//2"
    assert str(formula(lambda i, k: i * i)) == "a*a"
    assert str(formula(lambda i, k: (k + 1) // 2 * 6)) == "6*((b + 1)//2)"
    assert str(formula(lambda i, k: -(k // 2))) == "-1*(b//2)"
    assert formula(lambda i, k: i ^ k) is None
    # 13, 14, 15 or 16? And is a remainder, which fits to many roundings, none of them?
    c = OpenSize("c", [], 16, tried=(16, 19, 27, 38))
    assert formula_of([n // 16 for n in c.tried], [c]) is None
    assert formula_of([n % 2 for n in c.tried], [c]) is None
    assert str(formula_of([n // 3 for n in c.tried], [c])) == "c//3"
