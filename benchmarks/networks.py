"""The small networks that the benchmarks train, written once for `torch`: PyTorch itself, or mini_torch.

Each function takes the library and gives a `Work`. Both libraries draw the same numbers from the same seed, so that
they start from the same weights and must arrive at the same losses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

SIZES, LR = (2, 200, 100, 100, 80, 50, 30, 1), 3e-4  # of the main job's network


@dataclass
class Work:
    """What is timed: `call(*inputs)`, which gives the loss, or in inference the network's values."""

    call: Callable[..., Any]
    inputs: tuple[Any, ...]
    leaves: tuple[Any, ...] = ()  # tensors whose gradients are a result of the call, too


def training(network: Any, loss: Callable[[Any, Any], Any], optimizer: Any, *inputs: Any) -> Work:
    """The usual step: gradients forgotten, forward, loss, backward, update."""

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        error = loss(network(x), y)
        error.backward()
        optimizer.step()
        return error

    return Work(step, inputs)


# ---- dense networks --------------------------------------------------------------------------------------------------
def perceptron(torch: Any, sizes: Sequence[int] = SIZES) -> Any:
    """Linear layers with ReLU between them."""
    nn = torch.nn
    layers = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def mlp(torch: Any, optimizer: str = "Adam", batch: int = 64, sizes: Sequence[int] = SIZES) -> Work:
    """A step of the network that fits y = sin(x1) - cos(x2)."""
    torch.manual_seed(0)
    network = perceptron(torch, sizes)
    x = torch.rand(batch, 2) * 8 - 4
    y = torch.sin(x[:, :1]) - torch.cos(x[:, 1:])
    descent = getattr(torch.optim, optimizer)(network.parameters(), lr=LR)
    return training(network, torch.nn.MSELoss(), descent, x, y)


def mlp_inference(torch: Any, batch: int) -> Work:
    """The values of the same network."""
    torch.manual_seed(0)
    network = perceptron(torch).eval()
    return Work(network, (torch.rand(batch, 2) * 8 - 4,))


# ---- a character GPT, as nanoGPT writes it ---------------------------------------------------------------------------
VOCABULARY, CONTEXT, BATCH, WIDTH, HEADS, LAYERS = 65, 64, 12, 128, 4, 4


def gpt_block(torch: Any) -> Any:
    """Causal attention and two linear layers, each after a layer norm and beside a way around it."""
    nn, functional = torch.nn, torch.nn.functional

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.qkv, self.proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)

        def forward(self, x: Any) -> Any:
            rows, length, width = x.size()
            heads = (part.view(rows, length, HEADS, width // HEADS) for part in self.qkv(x).split(WIDTH, dim=2))
            q, k, v = (part.transpose(1, 2) for part in heads)
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            return self.proj(y.transpose(1, 2).contiguous().view(rows, length, width))

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.attention, self.norm2 = nn.LayerNorm(WIDTH), Attention(), nn.LayerNorm(WIDTH)
            self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

        def forward(self, x: Any) -> Any:
            x = x + self.attention(self.norm1(x))
            return x + self.mlp(self.norm2(x))

    return Block()


def gpt_network(torch: Any) -> Any:
    """Tokens (rows, length) → scores of the next token (rows, length, vocabulary); the last layer shares its weight."""
    nn = torch.nn

    class GPT(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.places = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(CONTEXT, WIDTH)
            self.blocks = nn.ModuleList([gpt_block(torch) for _ in range(LAYERS)])
            self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, VOCABULARY, bias=False)
            self.head.weight = self.tokens.weight

        def forward(self, tokens: Any) -> Any:
            x = self.tokens(tokens) + self.places(torch.arange(tokens.size(1)))
            for block in self.blocks:
                x = block(x)
            return self.head(self.norm(x))

    network = GPT()
    for parameter in network.parameters():
        if parameter.dim() == 2:
            nn.init.normal_(parameter, std=0.02)
    return network


def gpt(torch: Any) -> Work:
    """A step of it; matrices decay, vectors do not."""
    torch.manual_seed(0)
    network = gpt_network(torch)
    text = torch.randint(0, VOCABULARY, (BATCH, CONTEXT + 1))
    groups = [
        {"params": [p for p in network.parameters() if p.dim() >= 2], "weight_decay": 0.1},
        {"params": [p for p in network.parameters() if p.dim() < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99))

    def loss(scores: Any, targets: Any) -> Any:
        return torch.nn.functional.cross_entropy(scores.view(-1, scores.size(-1)), targets.view(-1))

    return training(network, loss, optimizer, text[:, :-1].contiguous(), text[:, 1:].contiguous())


# ---- recurrent and convolutional networks ----------------------------------------------------------------------------
def lstm(torch: Any) -> Work:
    """A sequence of 32 vectors of 32 → one number, from the last state."""
    nn = torch.nn

    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.head = nn.LSTM(32, 128, batch_first=True), nn.Linear(128, 1)

        def forward(self, x: Any) -> Any:
            return self.head(self.lstm(x)[0][:, -1])

    torch.manual_seed(0)
    network, x = Last(), torch.randn(32, 32, 32)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    return training(network, nn.MSELoss(), optimizer, x, torch.randn(32, 1))


def lenet(torch: Any) -> Work:
    """Digits of 28 x 28 → 10 classes: two convolutions, three linear layers."""
    nn = torch.nn
    torch.manual_seed(0)
    network = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )
    x, y = torch.randn(64, 1, 28, 28), torch.randint(0, 10, (64,))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    return training(network, nn.CrossEntropyLoss(), optimizer, x, y)


def residual(torch: Any) -> Work:
    """Two residual blocks with batch norm on 16 channels of 16 x 16, then the mean of each channel → 10 classes."""
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.norm1 = nn.Conv2d(16, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)
            self.conv2, self.norm2 = nn.Conv2d(16, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)
            self.relu = nn.ReLU()

        def forward(self, x: Any) -> Any:
            y = self.relu(self.norm1(self.conv1(x)))
            return self.relu(self.norm2(self.conv2(y)) + x)

    torch.manual_seed(0)
    network = nn.Sequential(Block(), Block(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))
    x, y = torch.randn(32, 16, 16, 16), torch.randint(0, 10, (32,))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    return training(network, nn.CrossEntropyLoss(), optimizer, x, y)


# ---- no network: what an operation costs, small and large ------------------------------------------------------------
def gradients(call: Callable[[Any], Any], x: Any, *leaves: Any) -> Work:
    """`call(x)` summed, and the gradients of the leaves."""

    def step(x: Any) -> Any:
        for leaf in leaves:
            leaf.grad = None
        total = call(x).sum()
        total.backward()
        return total

    return Work(step, (x,), leaves)


def small_chain(torch: Any, length: int = 1000) -> Work:
    """`length` times y = y * a + b on 10 elements."""
    a = torch.full((10,), 0.999, requires_grad=True)
    b = torch.full((10,), 0.001, requires_grad=True)

    def chain(y: Any) -> Any:
        for _ in range(length):
            y = y * a + b
        return y

    return gradients(chain, torch.full((10,), 2.0), a, b)


def large_chain(torch: Any, size: int = 1000) -> Work:
    """Ten operations on size x size elements, with a row and a column that spread over them."""
    torch.manual_seed(0)
    x = torch.randn(size, size, requires_grad=True)
    row, column = torch.randn(size, requires_grad=True), torch.randn(size, 1, requires_grad=True)

    def chain(x: Any) -> Any:
        y = torch.tanh(x * row + column)
        z = torch.sigmoid(y * column - row)
        return torch.exp(-z) * y + z

    return gradients(chain, x, x, row, column)
