"""Small training programs, as people write them for PyTorch: each takes the library and returns what it saw on the way.

Numbers come out the same from the same seed: losses to rounding, what is drawn or picked exactly.
"""

from __future__ import annotations

import copy
import importlib
import math
from collections.abc import Callable
from typing import Any

Seen = list[Any]


def train(optimizer: Any, loss_of: Callable[[], Any], steps: int) -> Seen:
    """The losses of so many steps."""
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def lenet(torch: Any) -> Seen:
    """Convolutions, batch normalisation, pooling, dropout; clipped gradients, smoothed labels."""
    nn = torch.nn
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.BatchNorm2d(16), nn.ReLU(),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(400, 84), nn.Dropout(0.2), nn.GELU(), nn.Linear(84, 10),
    )  # fmt: skip
    x, y = torch.randn(32, 1, 28, 28), torch.randint(0, 10, (32,))
    optimizer, losses = torch.optim.AdamW(net.parameters(), lr=1e-3), []
    for _ in range(10):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y, label_smoothing=0.1)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        losses += [loss.item(), norm.item()]
    net.eval()
    return [*losses, net(x).argmax(1).tolist()]


def language_model(torch: Any) -> Seen:
    """A decoder of two blocks, attention by hand and by the function for it, then drawing from what it says."""
    nn, F = torch.nn, torch.nn.functional

    class Block(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self, d: int, heads: int) -> None:
            super().__init__()
            self.heads, self.first, self.second = heads, nn.LayerNorm(d), nn.LayerNorm(d)
            self.attend, self.project = nn.Linear(d, 3 * d), nn.Linear(d, d)
            self.up, self.down = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

        def forward(self, x: Any) -> Any:
            b, t, d = x.size()
            parts = self.attend(self.first(x)).split(d, dim=2)
            q, k, v = (part.view(b, t, self.heads, -1).transpose(1, 2) for part in parts)
            scores = q @ k.transpose(-2, -1) / math.sqrt(k.size(-1))
            scores = scores.masked_fill(torch.tril(torch.ones(t, t)) == 0, float("-inf"))
            seen = (F.softmax(scores, dim=-1) @ v + F.scaled_dot_product_attention(q, k, v, is_causal=True)) / 2
            x = x + self.project(seen.transpose(1, 2).contiguous().view(b, t, d))
            return x + self.down(F.gelu(self.up(self.second(x)), approximate="tanh"))

    torch.manual_seed(1)
    words, places = nn.Embedding(40, 32), nn.Embedding(16, 32)
    body, head = nn.Sequential(Block(32, 4), Block(32, 4), nn.LayerNorm(32)), nn.Linear(32, 40, bias=False)
    head.weight = words.weight
    x = torch.randint(0, 40, (8, 16))
    whole = nn.ModuleList([words, places, body, head])

    def logits() -> Any:
        return head(body(words(x) + places(torch.arange(16))))

    losses = train(
        torch.optim.Adam(whole.parameters(), lr=3e-3),
        lambda: F.cross_entropy(logits().view(-1, 40), x.roll(-1, 1).view(-1)), 8,
    )  # fmt: skip
    chances = F.softmax(logits()[:, -1], -1)
    torch.manual_seed(3)
    return [*losses, torch.multinomial(chances, 1).flatten().tolist(), torch.topk(chances, 3)[1].tolist()]


def recurrent(torch: Any) -> Seen:
    """Two bidirectional layers of LSTM."""
    torch.manual_seed(2)
    net, head = torch.nn.LSTM(5, 8, 2, batch_first=True, bidirectional=True), torch.nn.Linear(16, 1)
    x, y = torch.randn(4, 7, 5), torch.randn(4, 1)
    return train(
        torch.optim.RMSprop([*net.parameters(), *head.parameters()], lr=1e-2),
        lambda: torch.nn.functional.mse_loss(head(net(x)[0][:, -1]), y), 10,
    )  # fmt: skip


def autoencoder(torch: Any) -> Seen:
    """A variational one: noise in the graph."""
    nn = torch.nn
    torch.manual_seed(5)
    encode, mean, spread = nn.Linear(20, 16), nn.Linear(16, 3), nn.Linear(16, 3)
    decode = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 20))
    x = torch.rand(16, 20)

    def loss() -> Any:
        hidden = torch.relu(encode(x))
        m, s = mean(hidden), spread(hidden)
        out = torch.sigmoid(decode(m + torch.randn_like(s) * torch.exp(0.5 * s)))
        rebuilt = nn.functional.binary_cross_entropy(out, x, reduction="sum")
        return rebuilt - 0.5 * torch.sum(1 + s - m.pow(2) - s.exp())

    parameters = nn.ModuleList([encode, mean, spread, decode]).parameters()
    return train(torch.optim.SGD(parameters, lr=0.01, momentum=0.9), loss, 10)


def transformer(torch: Any) -> Seen:
    """Encoder and decoder, dropout drawn as PyTorch draws it."""
    torch.manual_seed(6)
    net = torch.nn.Transformer(16, 4, 1, 1, 32, dropout=0.1, batch_first=True)
    a, b = torch.randn(3, 5, 16), torch.randn(3, 4, 16)
    mask = torch.nn.Transformer.generate_square_subsequent_mask(4)
    return train(
        torch.optim.Adam(net.parameters(), lr=1e-3), lambda: (net(a, b, tgt_mask=mask) - b).abs().mean(), 6
    )  # fmt: skip


def differential_equation(torch: Any) -> Seen:
    """u″ + u = 0 with u(0) = 1: gradients of gradients in the loss, LBFGS with its line search."""
    torch.manual_seed(7)
    net = torch.nn.Sequential(torch.nn.Linear(1, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    optimizer = torch.optim.LBFGS(net.parameters(), max_iter=5, line_search_fn="strong_wolfe")
    x = torch.linspace(0, 1, 11).view(-1, 1).requires_grad_()

    def closure() -> Any:
        optimizer.zero_grad()
        u = net(x)
        (first,) = torch.autograd.grad(u.sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(first.sum(), x, create_graph=True)
        loss = ((second + u) ** 2).mean() + ((u[0] - 1) ** 2).sum()
        loss.backward()
        return loss

    return [optimizer.step(closure).item() for _ in range(3)]


def policy(torch: Any) -> Seen:
    """Actions drawn from what a network says, weighted by what they brought."""
    torch.manual_seed(8)
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    optimizer, seen = torch.optim.Adagrad(net.parameters(), lr=0.1), []
    for _ in range(5):
        choice = torch.distributions.Categorical(logits=net(torch.randn(6, 4)))
        action = choice.sample()
        optimizer.zero_grad()
        loss = -(choice.log_prob(action) * torch.arange(6.0)).mean() - 0.01 * choice.entropy().mean()
        loss.backward()
        optimizer.step()
        seen += [loss.item(), action.tolist()]
    return seen


def lottery_ticket(torch: Any) -> Seen:
    """A network pruned round by round, each time trained again from its first values."""
    nn, prune = torch.nn, importlib.import_module(f"{torch.__name__}.nn.utils.prune")
    torch.manual_seed(9)
    net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
    first, x = copy.deepcopy(net.state_dict()), torch.randn(64, 4)
    y, places, seen = x.sum(1, keepdim=True), [(net[0], "weight"), (net[2], "weight")], []
    for _ in range(3):
        optimizer = torch.optim.Adam(net.parameters(), 1e-2)
        seen += train(optimizer, lambda: nn.functional.mse_loss(net(x), y), 10)
        prune.global_unstructured(places, prune.L1Unstructured, amount=0.3)
        for name, layer in (("0", net[0]), ("2", net[2])):
            layer.weight_orig.data.copy_(first[f"{name}.weight"])
        prune.random_unstructured(net[0], "weight", 2)
        seen.append(net[0].weight_mask.int().tolist())
    for layer, name in places:
        prune.remove(layer, name)
    return [*seen, sorted(net.state_dict())]


def two_players(torch: Any) -> Seen:
    """A generator and a discriminator of bounded norms, by the old function and by the parametrization."""
    nn, utils = torch.nn, torch.nn.utils
    torch.manual_seed(10)
    maker = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))
    judge = nn.Sequential(
        utils.spectral_norm(nn.Linear(2, 8)), nn.LeakyReLU(0.2),
        utils.parametrizations.spectral_norm(nn.Linear(8, 1)),
    )  # fmt: skip
    of_maker = torch.optim.Adam(maker.parameters(), 1e-2, betas=(0.5, 0.9))
    of_judge, loss, seen = torch.optim.Adam(judge.parameters(), 1e-2), nn.BCEWithLogitsLoss(), []
    ones, zeros = torch.ones(16, 1), torch.zeros(16, 1)
    for _ in range(8):
        real, z = torch.randn(16, 2) + 3, torch.randn(16, 2)
        seen += train(of_judge, lambda: loss(judge(real), ones) + loss(judge(maker(z).detach()), zeros), 1)  # noqa: B023
        seen += train(of_maker, lambda: loss(judge(maker(z)), ones), 1)  # noqa: B023
    return seen


def heat_map(torch: Any) -> Seen:
    """Which places of an image speak for a class, from hooks on a layer's output and on its gradient (Grad-CAM)."""
    nn, seen = torch.nn, {}
    torch.manual_seed(11)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Conv2d(4, 6, 3, padding=1),
        nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3),
    ).eval()  # fmt: skip
    net[3].register_forward_hook(lambda module, args, out: seen.update(value=out.detach()))
    net[3].register_full_backward_hook(lambda module, grad_input, grad_output: seen.update(slope=grad_output[0]))
    net(torch.randn(2, 1, 5, 5))[:, 1].sum().backward()
    share = seen["slope"].mean((2, 3), keepdim=True)
    return list(torch.relu((seen["value"] * share * 100).sum(1)).flatten().tolist())


def target_network(torch: Any) -> Seen:
    """Values learned against a slowly following copy, by an optimizer written by hand, in place."""
    nn = torch.nn
    torch.manual_seed(12)
    net = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 2))
    slow, seen = copy.deepcopy(net), []
    moments = [(p, torch.zeros_like(p), torch.zeros_like(p)) for p in net.parameters()]
    for i in range(1, 11):
        state, action, reward = torch.randn(8, 3), torch.randint(0, 2, (8, 1)), torch.randn(8, 1)
        with torch.no_grad():
            wanted = reward + 0.9 * slow(state).max(1, keepdim=True)[0]
        loss = nn.functional.smooth_l1_loss(net(state).gather(1, action), wanted)
        net.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p, m, v in moments:
                m.mul_(0.9).add_(p.grad, alpha=0.1)
                v.mul_(0.999).addcmul_(p.grad, p.grad, value=0.001)
                p.addcdiv_(m / (1 - 0.9**i), (v / (1 - 0.999**i)).sqrt().add_(1e-8), value=-1e-2)
            for p, q in zip(net.parameters(), slow.parameters()):
                q.data.lerp_(p.data, 0.05)
        seen.append(loss.item())
    return [*seen, sum(p.sum() for p in slow.parameters()).item()]


def experts(torch: Any) -> Seen:
    """Modules and parameters in dictionaries and lists, tied weights, a buffer that counts, groups of parameters."""
    nn = torch.nn

    class Mixture(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.experts = nn.ModuleDict({name: nn.Linear(3, 2) for name in "ab"})
            self.scales = nn.ParameterList([torch.ones(2) * i for i in range(2)])
            self.gate, self.again = nn.Linear(3, 2), nn.Linear(3, 2)
            self.again.weight = self.gate.weight
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, x: Any) -> Any:
            self.calls += 1
            share = (self.gate(x) + self.again(x)).softmax(-1)
            parts = zip(self.experts.values(), self.scales, share.unbind(-1))
            return sum(g.unsqueeze(-1) * expert(x) * scale for expert, scale, g in parts)

    torch.manual_seed(13)
    net, x = Mixture(), torch.randn(4, 3)
    rest = [*net.scales, *net.gate.parameters(), net.again.bias]
    groups = [{"params": net.experts.parameters()}, {"params": rest, "lr": 0.01}]
    optimizer = torch.optim.SGD(groups, 0.1, momentum=0.9)
    seen = train(optimizer, lambda: net(x).pow(2).sum(), 8)
    other = Mixture()
    other.load_state_dict(net.state_dict())
    return [*seen, net.calls.item(), list(net.state_dict()), len(list(net.parameters())), other(x).sum().item()]


PROGRAMS = [
    lenet, language_model, recurrent, autoencoder, transformer, differential_equation, policy, lottery_ticket,
    two_players, heat_map, target_network, experts,
]  # fmt: skip
