"""The pictures: data, fit, loss, an animation, a computational graph, a model, initializers.

Every function draws one picture into one file, through matplotlib's `Figure` and so without a window
or a display. Only `LiveFit` opens a window, where there is one to open.
"""
from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

import mini_torch
from data_generator import DOMAIN, replacing, surface

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Predict = Callable[[np.ndarray], np.ndarray]  # (n, 2) -> (n, 1)
Path = str | os.PathLike[str]
Place = tuple[float, float, float, float]  # left, bottom, width, height, in parts of the figure

INK, GREY = "#1f2a36", "#8a949e"
BLUE, ORANGE, GREEN = "#0072b2", "#d55e00", "#009e73"  # told apart by colour-blind eyes
HEIGHT, ERROR = "viridis", "magma"  # the colours of the surface and of its error
STYLE = {
    "figure.facecolor": "white", "savefig.dpi": 144, "font.family": "sans-serif", "font.size": 10,
    "text.color": INK, "axes.labelcolor": INK, "axes.titlesize": 11, "axes.titlepad": 8,
    "axes.edgecolor": GREY, "axes.linewidth": 0.8, "axes.spines.top": False, "axes.spines.right": False,
    "xtick.color": GREY, "ytick.color": GREY, "xtick.labelcolor": INK, "ytick.labelcolor": INK,
    "grid.color": "#e3e7eb", "grid.linewidth": 0.8, "legend.frameon": False,
}
COLOURS = {"cmap": HEIGHT, "vmin": -2, "vmax": 2, "linewidth": 0}
SMOOTH = {**COLOURS, "rcount": 100, "ccount": 100, "antialiased": False}
PI_TICKS = {"ticks": np.pi * np.arange(-2, 3), "labels": [r"$-2\pi$", r"$-\pi$", "0", r"$\pi$", r"$2\pi$"]}
FORMULA = r"$y = \sin\,x_1 - \cos\,x_2$"


@contextmanager
def picture(path: Path, width: float, height: float, placed: bool = False) -> Iterator[Figure]:
    """A figure of that many inches, in our style, saved to `path` when the block ends.

    `placed`: its axes get their places by hand, as axes in space need.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height))
        if not placed:
            figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.1)
        yield figure
        with replacing(path) as beside:
            figure.savefig(beside)


def pi_axes(ax: Axes) -> None:
    """x1 and x2 as the axes, in multiples of pi, with the domain filling the frame."""
    ax.set(xlim=(-DOMAIN, DOMAIN), ylim=(-DOMAIN, DOMAIN), xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    ax.set_xticks(**PI_TICKS)
    ax.set_yticks(**PI_TICKS)
    ax.spines[:].set_visible(True)


def grid(side: int) -> np.ndarray:
    """The points of a square grid over the domain, row by row. Shape: (side², 2), float32."""
    line = np.linspace(-DOMAIN, DOMAIN, side, dtype=np.float32)
    return np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)


def _sheets(x: np.ndarray, *heights: np.ndarray) -> list[np.ndarray]:
    """Columns of a grid's points as the square arrays that matplotlib's surfaces want."""
    side = int(np.sqrt(len(x)))
    return [column.reshape(side, side) for column in (x[:, 0], x[:, 1], *heights)]


# -------------------------------------------------------------------------------- data, fit, loss

def plot_points(path: Path, rows: np.ndarray, title: str) -> None:
    """Rows (x1, x2, y) as dots from above, coloured by y, beside the same dots in space."""
    with picture(path, 9, 4.2, placed=True) as figure:
        above = figure.add_axes((0.07, 0.13, 0.364, 0.78))
        dots = above.scatter(*rows[:, :2].T, c=rows[:, 2], s=7, **COLOURS)
        pi_axes(above)
        above.set_title(f"{title}: {len(rows):,} points")
        _colorbar(figure, dots, (0.447, 0.13, 0.014, 0.78), ticks=range(-2, 3))
        space = _space(figure, (0.51, 0.01, 0.49, 0.92), FORMULA)
        space.scatter(*rows.T, c=rows[:, 2], s=4, **COLOURS)


def _colorbar(figure: Figure, colours: Any, place: Place, **options: Any) -> Axes:
    bar = figure.colorbar(colours, cax=figure.add_axes(place), **options)
    bar.outline.set_visible(False)
    return bar.ax


def _space(figure: Figure, place: Place, title: str) -> Any:
    """Axes in space over the domain, seen from the same side in all pictures."""
    ax = figure.add_axes(place, projection="3d")
    ax.view_init(elev=38, azim=-58)
    ax.set(xlim=(-DOMAIN, DOMAIN), ylim=(-DOMAIN, DOMAIN), zlim=(-2.1, 2.1), title=title)
    ax.set_xlabel("$x_1$", labelpad=-4)
    ax.set_ylabel("$x_2$", labelpad=-4)
    inner = {name: values[1:-1] for name, values in PI_TICKS.items()}  # the outer ones would meet
    ax.set_xticks(**inner)
    ax.set_yticks(**inner)
    ax.set_zticks(range(-2, 3))
    ax.tick_params(pad=-2, labelsize=8)
    ax.set_box_aspect((1, 1, 0.55), zoom=1.05)
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_pane_color("#f6f8fa")
        axis._axinfo["grid"].update(color="#dfe4e8", linewidth=0.6)
    return ax


def plot_fit(path: Path, predict: Predict, side: int = 121) -> None:
    """The true surface, the fitted one, and how far apart they are at every point."""
    x = grid(side)
    true, fitted = surface(x), predict(x)
    x1, x2, true, fitted, error = _sheets(x, true, fitted, np.abs(fitted - true))
    with picture(path, 9, 3.2, placed=True) as figure:
        _space(figure, (0.008, 0.04, 0.275, 0.82), f"The surface: {FORMULA}").plot_surface(x1, x2, true, **SMOOTH)
        _space(figure, (0.31, 0.04, 0.275, 0.82), "The network's fit").plot_surface(x1, x2, fitted, **SMOOTH)
        ax = figure.add_axes((0.684, 0.18, 0.235, 0.66))
        top = np.quantile(error, 0.998)
        image = ax.pcolormesh(x1, x2, error, cmap=ERROR, shading="gouraud", vmin=0, vmax=top)
        pi_axes(ax)
        ax.set_title(f"|error|, on average {error.mean():.4f}")
        _colorbar(figure, image, (0.927, 0.18, 0.011, 0.66), extend="max")


def plot_loss(path: Path, train: Sequence[float], dev: Sequence[float], test: float) -> None:
    """Training and dev loss over the epochs, on a log scale, and the test loss at the end."""
    with picture(path, 9, 3.8) as figure:
        ax = figure.add_subplot()
        _draw_loss(ax, train, dev)
        ax.scatter([len(train)], [test], color=INK, s=28, zorder=3, clip_on=False, label=f"test: {test:.6f}")
        ax.legend(loc="upper right", ncols=3)
        ax.set_title("Loss over the epochs", loc="left")


def _draw_loss(ax: Axes, train: Sequence[float], dev: Sequence[float]) -> None:
    epochs = range(1, len(train) + 1)
    ax.plot(epochs, dev, color=ORANGE, linewidth=1.3, label="dev")
    ax.plot(epochs, train, color=BLUE, linewidth=1.3, label="training")
    ax.set(yscale="log", xlabel="epoch", ylabel="half mean squared error", xlim=(0, len(train) * 1.01))
    ax.grid(axis="y")
    ax.legend(loc="upper right")


def animate_fit(path: Path, epochs: Sequence[int], frames: np.ndarray, loss: Sequence[float]) -> None:
    """A GIF of the fit. Shape: frames (n, side²), the network's values on `grid(side)` after those epochs."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    images = []
    with matplotlib.rc_context(STYLE):
        for epoch, values, value in zip(epochs, frames, loss, strict=True):
            figure = Figure(figsize=(7.6, 3.4), dpi=100)
            canvas = FigureCanvasAgg(figure)
            _draw_frame(figure, values, f"epoch {epoch}", f"dev loss {value:.6f}")
            canvas.draw()
            images.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()))
    palette = _stacked(images[::8]).quantize(128)  # one for all frames: nothing flickers
    first, *rest = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    milliseconds = [600] + [150] * (len(rest) - 1) + [3000] * bool(rest)
    with replacing(path) as beside:
        first.save(beside, save_all=True, append_images=rest, duration=milliseconds, loop=0, optimize=True)


def _stacked(images: Sequence[Any]) -> Any:
    """Images below each other, as one."""
    from PIL import Image

    return Image.fromarray(np.concatenate([np.asarray(image) for image in images]))


def _draw_frame(figure: Figure, values: np.ndarray, left: str, right: str) -> None:
    """The fitted surface in space, and its error from above."""
    x = grid(int(np.sqrt(len(values))))
    x1, x2, fitted, error = _sheets(x, values, np.abs(values - surface(x)[:, 0]))
    _space(figure, (0, 0.02, 0.5, 0.88), left).plot_surface(x1, x2, fitted, **SMOOTH)
    ax = figure.add_axes((0.565, 0.15, 0.34, 0.74))
    image = ax.pcolormesh(x1, x2, error + 1e-9, cmap=ERROR, shading="gouraud", norm="log", clim=(1e-3, 2))
    pi_axes(ax)
    ax.set_title(right)
    _colorbar(figure, image, (0.925, 0.15, 0.017, 0.74)).set_title("|error|", fontsize=9, pad=7)


# --------------------------------------------------------------------------- a graph of tensors

def example_graph() -> tuple[Any, dict[str, Any]]:
    """f(x1, x2) = ln(x1) + x1·x2 - sin(x2) at (2, 5), computed on tensors, and each tensor by its formula."""
    x1 = mini_torch.tensor(2.0, requires_grad=True)
    x2 = mini_torch.tensor(5.0, requires_grad=True)
    a, b, c = x1.log(), x1 * x2, x2.sin()
    d = a + b
    f = d - c
    return f, {"x_1": x1, "x_2": x2, r"a = \ln\,x_1": a, r"b = x_1\,x_2": b, r"c = \sin\,x_2": c,
               "d = a + b": d, "f = d - c": f}


def plot_graph(path: Path, output: Any, tensors: dict[str, Any]) -> None:
    """The graph behind `output`, as its nodes know it: values forward, gradients back along every edge.

    `tensors` holds the graph's tensors by formula. Draws what `next_functions` leads to, after backward.
    """
    vertices = _vertices(output, tensors)
    places = _layout(vertices)
    columns, rows = (max(place[axis] for place in places.values()) + 1 for axis in (0, 1))
    with picture(path, 9, 1.45 * rows) as figure:
        ax = figure.add_subplot()
        ax.set(xlim=(-0.45, columns - 0.55), ylim=(rows - 0.5, -0.62))
        ax.axis("off")
        for key, vertex in vertices.items():
            _draw_vertex(ax, places[key], vertex)
            for source, gradient in vertex["inputs"]:
                _draw_edge(ax, places[source], places[key], gradient)
        for x, colour, words in ((-0.3, BLUE, "value, computed forward"),
                                 (0.72, ORANGE, "gradient, sent back along the edges and added up")):
            ax.text(x, -0.52, f"\u25a0 {words}", color=colour, va="center")


def _vertices(output: Any, tensors: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """Per tensor of the graph: formula, node name, tensor, and (input, gradient sent to it) pairs."""
    formulas = {id(t if t.grad_fn is None else t.grad_fn): formula for formula, t in tensors.items()}
    by_node = {id(t.grad_fn): t for t in tensors.values() if t.grad_fn is not None}
    sent: dict[int, Sequence[Any]] = {}
    order: dict[int, dict[str, Any]] = {}

    def visit(node: Any) -> int:
        leaf = getattr(node, "variable", None)
        key = id(node) if leaf is None else id(leaf)
        if key not in order:
            inputs = [] if leaf is not None else [visit(source) for source, _ in node.next_functions]
            tensor = by_node[key] if leaf is None else leaf
            order[key] = {"formula": formulas[key], "name": node.name(), "tensor": tensor, "inputs": inputs}
            tensor.retain_grad()
            if leaf is None:
                node.register_hook(lambda grads, _: sent.__setitem__(key, grads))
        return key

    visit(output.grad_fn)
    output.backward()
    for key, vertex in order.items():
        gradients = [float(gradient) for gradient in sent.get(key, ())]
        vertex["inputs"] = list(zip(vertex["inputs"], gradients, strict=True))
    return order


def _layout(vertices: dict[int, dict[str, Any]]) -> dict[int, tuple[float, float]]:
    """Column: the longest way from a leaf. Row: as the walk met it; alone there, between the inputs."""
    columns: dict[int, int] = {}
    for key, vertex in vertices.items():  # inputs come first
        columns[key] = max((columns[source] + 1 for source, _ in vertex["inputs"]), default=0)
    tallest = max(list(columns.values()).count(column) for column in columns.values())
    places: dict[int, tuple[float, float]] = {}
    for column in range(max(columns.values()) + 1):
        members = [key for key in vertices if columns[key] == column]
        spread = (tallest - len(members)) / 2
        for index, key in enumerate(members):
            rows = [places[source][1] for source, _ in vertices[key]["inputs"]]
            alone = len(members) == 1 and rows
            places[key] = (column, float(np.mean(rows)) if alone else index + spread)
    return places


def _draw_vertex(ax: Axes, place: tuple[float, float], vertex: dict[str, Any]) -> None:
    from matplotlib.patches import FancyBboxPatch

    x, y = place
    leaf = not vertex["inputs"]
    edge, face = (GREEN, "#eaf6f2") if leaf else (GREY, "#f6f8fa")
    ax.add_patch(FancyBboxPatch((x - 0.3, y - 0.3), 0.6, 0.6, boxstyle="round,pad=0,rounding_size=0.06",
                                linewidth=1, edgecolor=edge, facecolor=face, zorder=2))
    tensor, name = vertex["tensor"], "leaf" if leaf else vertex["name"]
    lines = ((-0.18, f"${vertex['formula']}$", INK, 11), (-0.03, name, GREY, 7.5),
             (0.09, f"${tensor.item():.4f}$", BLUE, 9.5), (0.2, f"${tensor.grad.item():.4f}$", ORANGE, 9.5))
    for down, words, colour, size in lines:
        ax.text(x, y + down, words, color=colour, fontsize=size, ha="center", va="center", zorder=3)


def _draw_edge(ax: Axes, source: tuple[float, float], target: tuple[float, float], gradient: float) -> None:
    start, end = (source[0] + 0.31, source[1]), (target[0] - 0.31, target[1])
    ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": GREY, "shrinkA": 0, "shrinkB": 0})
    x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    ax.text(x, y, f"${gradient:.4g}$", color=ORANGE, fontsize=9, ha="center", va="center",
            bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"})


# -------------------------------------------------------------------------- models, initializers

def plot_model(path: Path, network: Any) -> None:
    """The layers of a network in a row: a bar per layer of units, and between two bars the weights."""
    layers = _layers(network)
    widths = [layers[0]["inputs"]] + [layer["outputs"] for layer in layers]
    heights = 0.5 * np.sqrt(np.array(widths) / max(widths)) + 0.02
    total = sum(layer["parameters"] for layer in layers)
    with picture(path, 9, 3.6) as figure:
        ax = figure.add_subplot()
        ax.set(xlim=(-0.3, len(layers) + 0.3), ylim=(-1.0, 0.7))
        ax.axis("off")
        for index, layer in enumerate(layers):
            left, right = heights[index], heights[index + 1]
            ax.fill_between([index, index + 1], [-left, -right], [left, right], color="#dcebf5", linewidth=0)
            words = f"{layer['name']}\n{layer['inputs']} \u2192 {layer['outputs']}"
            ax.text(index + 0.5, -0.84, words, ha="center", fontsize=9)
            ax.text(index + 0.5, -0.96, f"{layer['parameters']:,}", ha="center", color=BLUE, fontsize=9)
        for index, (width, height) in enumerate(zip(widths, heights, strict=True)):
            ax.plot([index, index], [-height, height], color=BLUE, linewidth=7, solid_capstyle="round")
            ax.text(index, height + 0.06, f"{width}", ha="center", fontsize=11)
            name = "input" if index == 0 else layers[index - 1]["activation"]
            ax.text(index, -height - 0.06, name, ha="center", va="top", fontsize=9, color=GREY)
        ax.text(-0.28, -0.96, "parameters", fontsize=9, color=BLUE)
        ax.set_title(f"{type(network).__name__}: {len(layers)} layers, {total:,} parameters", loc="left")


def _layers(network: Any) -> list[dict[str, Any]]:
    """The layers with weights, in order, each with the activation that follows it."""
    layers: list[dict[str, Any]] = []
    for module in network.modules():
        weight = getattr(module, "weight", None)
        if weight is not None and len(weight.shape) == 2:
            outputs, inputs = weight.shape
            count = sum(parameter.numel() for parameter in module.parameters())
            layers.append({"name": type(module).__name__, "inputs": inputs, "outputs": outputs,
                           "activation": "output", "parameters": count})
        elif layers and not list(module.children()):
            layers[-1]["activation"] = type(module).__name__
    return layers


def plot_initializers(path: Path, depth: int = 10, width: int = 256) -> None:
    """How the scale of activations goes through `depth` layers under four ways to draw the first weights."""
    init = mini_torch.nn.init
    schemes: dict[str, Callable[[Any], Any]] = {
        "zero": init.zeros_,
        "normal, std 0.01": lambda weight: init.normal_(weight, std=0.01),
        "Xavier normal": init.xavier_normal_,
        "He normal": lambda weight: init.kaiming_normal_(weight, nonlinearity="relu"),
    }
    with picture(path, 9, 6.2) as figure:
        axes = figure.subplots(2, len(schemes), sharex="row", sharey=True)
        for ax, scheme in zip(axes[0], schemes, strict=True):
            ax.set_title(scheme, pad=14)
        kinds = (("layer, with tanh", mini_torch.tanh, (-1, 1)),
                 ("layer, with ReLU (where not 0)", mini_torch.relu, (0, 3)))
        for row, (label, activation, span) in enumerate(kinds):
            axes[row, 0].set_ylabel(label)
            for ax, fill in zip(axes[row], schemes.values(), strict=True):
                _draw_ridges(ax, _activations(fill, activation, depth, width), span)
        title = "Activations layer by layer, and their standard deviation"
        figure.suptitle(title, fontsize=11, x=0.01, ha="left")


def _activations(
    fill: Callable[[Any], Any], activation: Callable[[Any], Any], depth: int, width: int
) -> list[np.ndarray]:
    """What leaves each of `depth` layers whose weights `fill` drew, for 400 standard normal inputs."""
    mini_torch.manual_seed(0)
    x, values = mini_torch.randn(400, width), []
    with mini_torch.no_grad():
        for _ in range(depth):
            x = activation(x @ fill(mini_torch.empty(width, width)).T)
            values.append(x.numpy().ravel())
    return values


def _draw_ridges(ax: Axes, layers: Sequence[np.ndarray], span: tuple[float, float]) -> None:
    """One histogram a layer, the first at the top, with the standard deviation beside it."""
    import matplotlib

    colours = matplotlib.colormaps[HEIGHT](np.linspace(0.05, 0.85, len(layers)))
    for base, values, colour in zip(range(len(layers), 0, -1), layers, colours, strict=True):
        shown = values[values != 0] if values.any() else values  # half of what leaves a ReLU is exactly 0
        counts, edges = np.histogram(shown, 101, span)
        ax.axhline(base, color="#e3e7eb", linewidth=0.6, zorder=0)
        tops = base + 0.86 * counts / counts.max()
        ax.stairs(tops, edges, baseline=base, fill=True, color=colour, linewidth=0)
        side = ax.get_yaxis_transform()
        ax.text(1.0, base + 0.1, _short(values.std()), ha="right", fontsize=8, transform=side)
    reach = span[1] - span[0]
    ax.set(xlim=(span[0] - 0.04 * reach, span[1] + 0.28 * reach), ylim=(0.9, len(layers) + 1))
    ax.set_yticks(range(1, len(layers) + 1), [str(layer) for layer in range(len(layers), 0, -1)])
    ax.tick_params(axis="y", left=False)
    ax.spines["left"].set_visible(False)


def _short(value: float) -> str:
    """`0`, `0.31`, or a power of ten for what is smaller than that shows."""
    if value == 0 or value >= 0.005:
        return f"{value:.2f}" if value else "0"
    return f"$10^{{{round(float(np.log10(value)))}}}$"


# ----------------------------------------------------------------------------------------- a window

class LiveFit:
    """A window that follows the fit: the surface as it is now, and the loss so far."""

    def __init__(self, side: int = 48) -> None:
        import matplotlib.pyplot as plt

        self.plt, self.x = plt, grid(side)
        with plt.rc_context(STYLE):
            self.figure = plt.figure("The fit", figsize=(9, 4))
        plt.show(block=False)

    @staticmethod
    def missing() -> str | None:
        """Why there can be no window, or None."""
        try:
            import matplotlib.pyplot as plt

            shows = bool(plt.figure().canvas.required_interactive_framework)
            plt.close()
        except ImportError as error:  # a window's toolkit was asked for and is not there
            return str(error)
        return None if shows else "no display, or no toolkit such as tkinter to open a window with"

    def update(self, predict: Predict, train: Sequence[float], dev: Sequence[float]) -> None:
        """Draw the fit as it is now; nothing once the window is closed."""
        if not self.plt.fignum_exists(self.figure.number):
            return
        with self.plt.rc_context(STYLE):
            self.figure.clear()
            space = _space(self.figure, (0, 0.02, 0.5, 0.88), f"epoch {len(train)}")
            space.plot_surface(*_sheets(self.x, predict(self.x)), **SMOOTH)
            _draw_loss(self.figure.add_axes((0.6, 0.15, 0.37, 0.74)), train, dev)
        self.figure.canvas.draw_idle()
        self.figure.canvas.flush_events()
