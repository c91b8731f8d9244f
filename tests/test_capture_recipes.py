"""Whole training steps as people write them, compiled and not: the same losses, from one plan."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

import pytest

import mini_torch as torch
from mini_torch.distributions import Categorical, Normal, kl_divergence

nn, optim = torch.nn, torch.optim
Step = Callable[[Any], Any]


def adversaries() -> Step:
    """A generator and a discriminator, each with an optimizer, in one step."""
    make, judge = nn.Linear(3, 3), nn.Linear(3, 1)
    first, second = optim.Adam(judge.parameters()), optim.Adam(make.parameters())

    def step(x: Any) -> Any:
        first.zero_grad()
        fake = make(torch.randn(len(x), 3))
        loss = -(torch.sigmoid(judge(x)).log() + (1 - torch.sigmoid(judge(fake.detach()))).log()).mean()
        loss.backward()
        first.step()
        second.zero_grad()
        other = -torch.sigmoid(judge(fake)).log().mean()
        other.backward()
        second.step()
        return loss, other

    return step


def equation() -> Step:
    """A network that solves u' = -u: the loss has a derivative in it."""
    net = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = optim.Adam(net.parameters(), lr=0.01)

    def step(x: Any) -> Any:
        optimizer.zero_grad()
        t = x[:, :1].clone().requires_grad_()
        u = net(t)
        (slope,) = torch.autograd.grad(u.sum(), t, create_graph=True)
        loss = (slope + u).square().mean() + (net(torch.zeros(1, 1)) - 1).square().sum()
        loss.backward()
        optimizer.step()
        return loss

    return step


def policy() -> Step:
    """Actions drawn by a policy, and its gradient."""
    net = nn.Linear(3, 4)
    optimizer = optim.Adam(net.parameters())

    def step(x: Any) -> Any:
        optimizer.zero_grad()
        actions = Categorical(logits=net(x))
        action = actions.sample()
        loss = -(actions.log_prob(action) * x[:, 0]).mean() - 0.01 * actions.entropy().mean()
        loss.backward()
        optimizer.step()
        return loss, action

    return step


def autoencoder() -> Step:
    """A variational one."""
    encode, decode = nn.Linear(3, 4), nn.Linear(2, 3)
    optimizer = optim.AdamW(chain(encode.parameters(), decode.parameters()))

    def step(x: Any) -> Any:
        optimizer.zero_grad()
        mean, log_std = encode(x).chunk(2, 1)
        code = Normal(mean, log_std.exp())
        near = kl_divergence(code, Normal(torch.zeros_like(mean), torch.ones_like(mean))).mean()
        loss = (decode(code.rsample()) - x).square().mean() + near
        loss.backward()
        optimizer.step()
        return loss

    return step


def averages() -> Step:
    """A moving average of the weights beside them, and the weights' norm in the loss."""
    net = nn.Linear(3, 2)
    optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    mean = [p.detach().clone() for p in net.parameters()]

    def step(x: Any) -> Any:
        optimizer.zero_grad()
        loss = net(x).square().mean() + 0.1 * sum(p.norm() for p in net.parameters())
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for m, p in zip(mean, net.parameters()):
                m.lerp_(p, 0.1)
        return loss, *[m.clone() for m in mean]

    return step


def attack() -> Step:
    """The direction in which an input would have to change."""
    net = nn.Linear(3, 1).requires_grad_(False)

    def step(x: Any) -> Any:
        x = x.clone().requires_grad_()
        net(x).tanh().sum().backward()
        return x.detach() + 0.1 * x.grad.sign()

    return step


def memory() -> Step:
    """A recurrent state that goes from call to call, in a tensor outside."""
    cell, state = nn.GRUCell(3, 4), torch.zeros(6, 4)
    optimizer = optim.RMSprop(cell.parameters(), lr=0.01)

    def step(x: Any) -> Any:
        optimizer.zero_grad()
        new = cell(x, state)
        loss = (new - 0.5).square().mean()
        loss.backward()
        optimizer.step()
        state.copy_(new.detach())
        return loss

    return step


@pytest.mark.parametrize("recipe", [adversaries, equation, policy, autoencoder, averages, attack, memory])
def test_recipes(recipe: Callable[[], Step]) -> None:
    results = []
    for compiled in (False, True):
        torch.manual_seed(0)
        step = recipe()
        step = torch.compile(step, fullgraph=True) if compiled else step
        found = [step(torch.randn(6, 3)) for _ in range(20)]
        results.append([x.detach() for out in found for x in (out if isinstance(out, tuple) else (out,))])
    for a, b in zip(*results):
        torch.testing.assert_close(b, a, rtol=1e-4, atol=1e-5)
    assert sum(map(len, step.plans.values())) == 1  # for which gradients from earlier calls must not matter


def test_parameters_of_distributions_are_checked_at_every_call() -> None:
    compiled = torch.compile(lambda x, std: Normal(x, std).log_prob(x + 1).sum(), fullgraph=True)
    x = torch.zeros(3)
    for _ in range(2):
        assert float(compiled(x, torch.ones(3))) == float(Normal(x, 1.0).log_prob(x + 1).sum())
    with pytest.raises(ValueError, match="parameter scale of distribution Normal"):
        compiled(x, -torch.ones(3))


D = torch.distributions
FAMILIES: dict[str, Callable[[Any], Any]] = {
    "Beta": lambda a: D.Beta(a, a), "Bernoulli": lambda a: D.Bernoulli(a / 3),
    "Binomial": lambda a: D.Binomial(5, a / 3),
    "Dirichlet": D.Dirichlet, "Gamma": lambda a: D.Gamma(a, a), "Laplace": lambda a: D.Laplace(a, a),
    "LogNormal": lambda a: D.LogNormal(a, a), "Multinomial": lambda a: D.Multinomial(4, a), "Poisson": D.Poisson,
    "MultivariateNormal": lambda a: D.MultivariateNormal(a, torch.eye(3)), "StudentT": D.StudentT,
    "MixtureSameFamily": lambda a: D.MixtureSameFamily(D.Categorical(a), D.Normal(a, a)),
}  # fmt: skip


@pytest.mark.parametrize("name", FAMILIES)
def test_distributions(name: str) -> None:
    """Samples are drawn anew, from the same stream, and differentiable ones have their gradients."""

    def function(a: Any) -> Any:
        family = FAMILIES[name](a)
        x = family.rsample() if family.has_rsample else family.sample()
        return x, family.log_prob(x.detach())

    compiled = torch.compile(function, fullgraph=True)
    for k in range(3):
        results = []
        for call in (function, compiled):
            torch.manual_seed(k)
            a = ((torch.arange(3.0) + k + 1) / 6).requires_grad_()
            x, density = call(a)
            (x.sum() + density.sum()).backward()
            results.append((x, density, a.grad))
        torch.testing.assert_close(*results)
