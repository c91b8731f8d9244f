"""Small programs that learn with distributions, as people write them: each takes the library and returns its losses.

They are recorded with distribution_cases.py.
"""

from __future__ import annotations

from typing import Any

from programs import Seen, train

STEPS = 20


def variational_autoencoder(torch: Any) -> Seen:
    """Kingma and Welling, 2013: Normal.rsample, Bernoulli.log_prob, kl_divergence."""
    D, nn = torch.distributions, torch.nn
    torch.manual_seed(0)
    encode, decode, x = nn.Linear(8, 6), nn.Linear(3, 8), torch.rand(16, 8)

    def loss_of() -> Any:
        mean, spread = encode(x).chunk(2, -1)
        code = D.Normal(mean, nn.functional.softplus(spread))
        seen = D.Bernoulli(logits=decode(code.rsample())).log_prob((x > 0.5).float()).sum(-1)
        return (D.kl_divergence(code, D.Normal(0.0, 1.0)).sum(-1) - seen).mean()

    return train(torch.optim.Adam([*encode.parameters(), *decode.parameters()], 1e-2), loss_of, STEPS)


def reinforce(torch: Any) -> Seen:
    """Williams, 1992: Categorical's draws, log_prob and entropy."""
    D, nn = torch.distributions, torch.nn
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))

    def loss_of() -> Any:
        state = torch.randn(32, 4)
        policy = D.Categorical(logits=net(state))
        action = policy.sample()
        reward = (action == state[:, :3].argmax(-1)).float()
        return -(policy.log_prob(action) * (reward - reward.mean())).mean() - 0.01 * policy.entropy().mean()

    return train(torch.optim.SGD(net.parameters(), 0.1), loss_of, STEPS)


def soft_actor(torch: Any) -> Seen:
    """Haarnoja et al., 2018: a squashed Normal, whose cache keeps the inverse finite."""
    D = torch.distributions
    torch.manual_seed(0)
    net = torch.nn.Linear(4, 4)

    def loss_of() -> Any:
        state = torch.randn(32, 4)
        mean, log_std = net(state).chunk(2, -1)
        squashed = D.TransformedDistribution(
            D.Normal(mean, log_std.clamp(-5, 2).exp()), [D.TanhTransform(cache_size=1)]
        )
        policy = D.Independent(squashed, 1)
        action = policy.rsample()
        return (0.2 * policy.log_prob(action) + ((action - state[:, :2].tanh()) ** 2).sum(-1)).mean()

    return train(torch.optim.Adam(net.parameters(), 1e-2), loss_of, STEPS)


def mixture_density(torch: Any) -> Seen:
    """Bishop, 1994: MixtureSameFamily.log_prob."""
    D, nn = torch.distributions, torch.nn
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 9))

    def loss_of() -> Any:
        x = torch.rand(64, 1)
        y = x + 0.3 * torch.sin(6 * x) + 0.1 * torch.randn(64, 1)
        logits, mean, log_std = net(y).chunk(3, -1)
        mixture = D.MixtureSameFamily(D.Categorical(logits=logits), D.Normal(mean, log_std.exp()))
        return -mixture.log_prob(x[:, 0]).mean()

    return train(torch.optim.Adam(net.parameters(), 1e-2), loss_of, STEPS)


def flow(torch: Any) -> Seen:
    """Rezende and Mohamed, 2015: a density through transforms whose parameters learn."""
    D = torch.distributions
    torch.manual_seed(0)
    loc, log_scale = torch.zeros(2, requires_grad=True), torch.zeros(2, requires_grad=True)

    def loss_of() -> Any:
        affine = D.AffineTransform(loc, log_scale.exp(), event_dim=1)
        whole = D.ComposeTransform([affine, D.IndependentTransform(D.SigmoidTransform(), 1)])
        density = D.TransformedDistribution(D.Independent(D.Normal(torch.zeros(2), torch.ones(2)), 1), whole)
        return -density.log_prob(torch.rand(32, 2) * 0.4 + 0.3).mean()

    return train(torch.optim.Adam([loc, log_scale], 0.02), loss_of, STEPS)


def regression(torch: Any) -> Seen:
    """Bayes by gradients: priors Gamma and HalfCauchy, pathwise gradients of Normal, LogNormal and Gamma numbers."""
    D = torch.distributions
    torch.manual_seed(0)
    x = torch.randn(50, 3)
    y = x @ torch.tensor([1.0, -2.0, 0.5]) + 0.3 * torch.randn(50)
    w, a = torch.zeros(3, requires_grad=True), torch.zeros(3, requires_grad=True)

    def loss_of() -> Any:
        weights, noise = D.Normal(w, 0.1), D.LogNormal(a[0], 0.2).rsample()
        precision = D.Gamma(a[1].exp() + 1, a[2].exp()).rsample()
        drawn = weights.rsample()
        prior = D.HalfCauchy(1.0).log_prob(noise) + D.Gamma(2.0, 2.0).log_prob(precision)
        prior = prior + D.Normal(0.0, 1 / precision.sqrt()).log_prob(drawn).sum()
        return -prior - D.Normal(x @ drawn, noise).log_prob(y).sum() - weights.entropy().sum()

    return train(torch.optim.Adam([w, a], 0.02), loss_of, STEPS)


PROGRAMS = [variational_autoencoder, reinforce, soft_actor, mixture_density, flow, regression]
