"""The pictures: they are drawn, say what graph and model say, and a failure leaves none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import mini_torch
import utils
from data_generator import DOMAIN, points, surface
from mini_torch import nn
from mini_torch.network import Network

Vertices = dict[str, dict[str, Any]]
pytestmark = [  # of the oldest matplotlib beside the newest pyparsing
    pytest.mark.filterwarnings(f"ignore::DeprecationWarning:{name}") for name in ("matplotlib", "pyparsing")
]


def nearly(x: np.ndarray) -> np.ndarray:
    """A fit that is off by 0.01."""
    return surface(x) + np.float32(0.01)


def drawn(path: Path, width: int = 900) -> None:
    """A picture that is wide enough for a page and not empty."""
    with Image.open(path) as image:
        assert image.width >= width * 0.8
        assert np.asarray(image.convert("L")).std() > 5
    assert [left.name for left in path.parent.iterdir()] == [path.name]


def test_points(tmp_path: Path) -> None:
    utils.plot_points(tmp_path / "points.png", points(50, "train"), "Some data")
    drawn(tmp_path / "points.png")


def test_fit(tmp_path: Path) -> None:
    utils.plot_fit(tmp_path / "fit.png", nearly, side=31)
    drawn(tmp_path / "fit.png")


def test_loss(tmp_path: Path) -> None:
    utils.plot_loss(tmp_path / "loss.png", [1.0, 0.1], [1.0, 0.2], 0.15)
    drawn(tmp_path / "loss.png")


def test_animation(tmp_path: Path) -> None:
    true = surface(utils.grid(12))[:, 0]
    frames = np.array([0 * true, true / 2, true])
    utils.animate_fit(tmp_path / "fit.gif", [1, 5, 25], frames, [1.0, 0.1, 0.01])
    drawn(tmp_path / "fit.gif")
    with Image.open(tmp_path / "fit.gif") as image:
        assert image.n_frames == 3


def test_grid_goes_from_corner_to_corner() -> None:
    x = utils.grid(5)
    assert x.shape == (25, 2)
    assert x.dtype == np.float32
    np.testing.assert_allclose(x[[0, 4, -1]] / DOMAIN, [[-1, -1], [1, -1], [1, 1]], rtol=1e-6)


# ---- the graph ----------------------------------------------------------------------------------------
@pytest.fixture
def vertices() -> Vertices:
    """The drawn example's vertices by the left side of their formula; inputs by formula too."""
    walked = utils._vertices(*utils.example_graph())
    short = {key: vertex["formula"].split(" = ")[0] for key, vertex in walked.items()}
    named = {short[key]: vertex for key, vertex in walked.items()}
    for vertex in named.values():
        vertex["inputs"] = {short[source]: gradient for source, gradient in vertex["inputs"]}
    return named


def test_the_graph_is_the_one_of_the_tensors(vertices: Vertices) -> None:
    edges = {name: sorted(vertex["inputs"]) for name, vertex in vertices.items()}
    assert edges == {"x_1": [], "x_2": [], "a": ["x_1"], "b": ["x_1", "x_2"], "c": ["x_2"], "d": ["a", "b"],
                     "f": ["c", "d"]}  # fmt: skip
    assert [vertices[name]["name"] for name in "abcdf"] == [
        "LogBackward0", "MulBackward0", "SinBackward0", "AddBackward0", "SubBackward0"]  # fmt: skip


def test_values_and_gradients_of_the_graph(vertices: Vertices) -> None:
    values = {name: vertex["tensor"].item() for name, vertex in vertices.items()}
    gradients = {name: vertex["tensor"].grad.item() for name, vertex in vertices.items()}
    assert values == pytest.approx({"x_1": 2, "x_2": 5, "a": np.log(2), "b": 10, "c": np.sin(5),
                                    "d": np.log(2) + 10, "f": np.log(2) + 10 - np.sin(5)})  # fmt: skip
    expected = {"x_1": 5.5, "x_2": 2 - np.cos(5), "a": 1, "b": 1, "c": -1, "d": 1, "f": 1}
    assert gradients == pytest.approx(expected)


def test_gradients_along_the_edges_add_up_to_the_inputs_gradients(vertices: Vertices) -> None:
    for name, vertex in vertices.items():
        arriving = [user["inputs"][name] for user in vertices.values() if name in user["inputs"]]
        assert sum(arriving) == pytest.approx(vertex["tensor"].grad.item() if arriving else 0)


def test_no_two_vertices_share_a_place() -> None:
    places = list(utils._layout(utils._vertices(*utils.example_graph())).values())
    assert len(set(places)) == len(places) == 7


def test_drawing_the_graph(tmp_path: Path) -> None:
    utils.plot_graph(tmp_path / "graph.png", *utils.example_graph())
    drawn(tmp_path / "graph.png")


# ---- models and initializers --------------------------------------------------------------------------
def test_the_layers_of_a_model(tmp_path: Path) -> None:
    network = Network(nn.Linear(2, 20), nn.Tanh(), nn.Sequential(nn.Linear(20, 5, bias=False), nn.ReLU()),
                      nn.Linear(5, 1))  # fmt: skip
    first, second, third = (tuple(layer.values()) for layer in utils._layers(network))
    assert first == ("Linear", 2, 20, "Tanh", 60)
    assert second == ("Linear", 20, 5, "ReLU", 100)
    assert third == ("Linear", 5, 1, "output", 6)
    utils.plot_model(tmp_path / "model.png", network)
    drawn(tmp_path / "model.png")


def test_initializers(tmp_path: Path) -> None:
    utils.plot_initializers(tmp_path / "initializers.png", depth=3, width=16)
    drawn(tmp_path / "initializers.png")


def test_scale_stays_with_he_and_vanishes_with_small_weights() -> None:
    small = utils._activations(lambda w: nn.init.normal_(w, std=0.01), mini_torch.relu, 10, 64)
    he = utils._activations(nn.init.kaiming_normal_, mini_torch.relu, 10, 64)
    assert [len(small), len(he)] == [10, 10]
    assert small[-1].std() < 1e-9
    assert 0.1 < he[-1].std() / he[0].std() < 3


@pytest.mark.parametrize(
    ("value", "words"), [(0.0, "0"), (0.314, "0.31"), (0.0049, "$10^{-2}$"), (3e-8, "$10^{-8}$")]
)
def test_short_numbers(value: float, words: str) -> None:
    assert utils._short(value) == words


# ---- files and windows --------------------------------------------------------------------------------
def test_a_picture_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "fit.png"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError), utils.picture(path, 9, 3):
        _ = 1 / 0
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_the_live_window_is_drawn_until_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "Agg")
    plt = pytest.importorskip("matplotlib.pyplot")
    monkeypatch.setattr(plt, "show", lambda **_: None)
    window = utils.LiveFit(side=12)
    window.update(nearly, [1.0, 0.1], [1.0, 0.2])
    assert len(window.figure.axes) == 2
    plt.close(window.figure)
    window.update(lambda x: 1 / 0, [], [])


def test_there_is_no_window_without_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    assert "no display" in (utils.LiveFit.missing() or "")
