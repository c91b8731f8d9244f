"""What `record_distributions.py` records of PyTorch's distributions, and `test_distribution_records.py` plays again.

The code is Python: D the module of distributions, t the library, x(…) a float64 tensor of parameters, which the
gradients are taken of.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

ONE_SIDED = "x(0.5, 2.0, 7.0)"
MATRIX = "x([2.0, 0.5, 0.0], [0.5, 1.0, 0.2], [0.0, 0.2, 3.0])"

# one of each family; the divergences are those between any two of them
FAMILIES = {
    "Bernoulli": "D.Bernoulli(x(0.2, 0.5, 0.9))",
    "Beta": "D.Beta(x(0.7, 2.0, 3.0), x(1.5, 0.8, 4.0))",
    "Binomial": "D.Binomial(4, x(0.2, 0.5, 0.9))",
    "Categorical": "D.Categorical(x([0.2, 0.5, 0.3], [0.1, 0.1, 1.8]))",
    "Cauchy": "D.Cauchy(x(0.0, 1.0, -2.0), x(1.0, 0.5, 2.0))",
    "Chi2": f"D.Chi2({ONE_SIDED})",
    "ContinuousBernoulli": "D.ContinuousBernoulli(x(0.2, 0.5, 0.9))",
    "Dirichlet": "D.Dirichlet(x([1.0, 2.0, 0.5], [3.0, 1.0, 1.0]))",
    "Exponential": f"D.Exponential({ONE_SIDED})",
    "FisherSnedecor": "D.FisherSnedecor(x(1.0, 3.0, 5.0), x(2.0, 5.0, 9.0))",
    "Gamma": f"D.Gamma({ONE_SIDED}, x(1.0, 0.3, 2.0))",
    "GeneralizedPareto": "D.GeneralizedPareto(x(0.0, 1.0, -1.0), x(1.0, 0.5, 2.0), x(0.0, -0.4, 0.3))",
    "Geometric": "D.Geometric(x(0.2, 0.5, 0.9))",
    "Gumbel": "D.Gumbel(x(0.0, 1.0, -2.0), x(1.0, 0.5, 2.0))",
    "HalfCauchy": f"D.HalfCauchy({ONE_SIDED})",
    "HalfNormal": f"D.HalfNormal({ONE_SIDED})",
    "InverseGamma": f"D.InverseGamma({ONE_SIDED}, x(1.0, 0.3, 2.0))",
    "Kumaraswamy": "D.Kumaraswamy(x(0.7, 2.0, 3.0), x(1.5, 0.8, 4.0))",
    "LKJCholesky": "D.LKJCholesky(3, x(0.5, 1.0, 4.0))",
    "Laplace": "D.Laplace(x(0.0, 1.0, -2.0), x(1.0, 0.5, 2.0))",
    "LogNormal": "D.LogNormal(x(0.0, 1.0, -2.0), x(1.0, 0.5, 2.0))",
    "LogisticNormal": "D.LogisticNormal(x(0.0, 1.0, -2.0), x(1.0, 0.5, 2.0))",
    "LowRankMultivariateNormal":
        "D.LowRankMultivariateNormal(x(0.0, 1.0, 2.0), x([1.0, 0.3], [2.0, 0.0], [0.5, 1.0]), x(1.0, 2.0, 0.5))",
    "Multinomial": "D.Multinomial(5, x([0.2, 0.5, 0.3], [0.1, 0.1, 1.8]))",
    "MultivariateNormal": f"D.MultivariateNormal(x(0.0, 1.0, 2.0), {MATRIX})",
    "NegativeBinomial": "D.NegativeBinomial(3, x(0.2, 0.5, 0.9))",
    "Normal": "D.Normal(x(0.0, 1.0, -2.0), x(1.0, 0.5, 2.0))",
    "OneHotCategorical": "D.OneHotCategorical(x([0.2, 0.5, 0.3], [0.1, 0.1, 1.8]))",
    "Pareto": "D.Pareto(x(0.5, 1.0, 2.0), x(0.7, 1.5, 3.0))",
    "Poisson": f"D.Poisson({ONE_SIDED})",
    "RelaxedBernoulli": "D.RelaxedBernoulli(t.tensor(0.7).double(), x(0.2, 0.5, 0.9))",
    "RelaxedOneHotCategorical": "D.RelaxedOneHotCategorical(t.tensor(0.7).double(), x(0.2, 0.5, 0.3))",
    "StudentT": f"D.StudentT({ONE_SIDED}, x(0.0, 1.0, -2.0), x(1.0, 0.5, 2.0))",
    "Uniform": "D.Uniform(x(0.0, 0.1, -2.0), x(1.0, 0.9, 3.0))",
    "VonMises": "D.VonMises(x(0.0, 1.0, 5.0), x(0.3, 1.0, 20.0))",
    "Weibull": "D.Weibull(x(0.5, 1.0, 2.0), x(0.7, 1.5, 3.0))",
    "Wishart": f"D.Wishart(x(4.5), {MATRIX})",
}  # fmt: skip
# other ways to say the parameters, other parameters, and what is made of distributions
OTHERS = [
    "D.Bernoulli(logits=x(-1.0, 0.0, 30.0))",
    "D.Binomial(t.tensor([2.0, 7.0]), logits=x(-1.0, 0.0))",
    "D.Categorical(logits=x(-1.0, 0.0, 3.0))",
    "D.ContinuousBernoulli(logits=x(-1.0, 0.0, 3.0))",
    "D.ContinuousBernoulli(x(0.3), lims=(0.2, 0.4))",
    "D.Gamma(x(2.0), x(1.0)).expand((2, 3))",
    "D.LKJCholesky(2, x(0.5)).expand((2,))",
    "D.LowRankMultivariateNormal(x(0.0, 1.0), x([1.0], [2.0]), x(1.0, 2.0)).expand((2,))",
    "D.MultivariateNormal(x(0.0, 1.0), precision_matrix=x([2.0, 0.5], [0.5, 1.0]))",
    "D.MultivariateNormal(x(0.0, 1.0), scale_tril=x([2.0, 0.0], [0.5, 1.0])).expand((2,))",
    "D.Wishart(x(4.0), precision_matrix=x([2.0, 0.5], [0.5, 1.0])).expand((2,))",
    "D.Independent(D.Normal(x([0.0, 1.0], [2.0, 3.0]), x(1.0, 2.0)), 1)",
    "D.MixtureSameFamily(D.Categorical(logits=x(0.3, -0.7)), D.Normal(x(0.0, 3.0), x(1.0, 2.0)))",
    "D.MixtureSameFamily(D.Categorical(logits=x(0.3, -0.7)), "
    "D.Independent(D.Laplace(x([0.0, 3.0], [1.0, 2.0]), 1.0), 1))",
    "D.Independent(D.TransformedDistribution(D.Normal(x(0.2, 0.3), x(1.0, 2.0)), [D.TanhTransform(cache_size=1)]), 1)",
    "D.TransformedDistribution(D.Normal(x(0.2, 0.3), 1.0), "
    "[D.SigmoidTransform(), D.AffineTransform(1.0, x(-2.0, 3.0))])",
    "D.TransformedDistribution(D.MultivariateNormal(x(0.2, 0.3), t.eye(2).double()), "
    "[D.CumulativeDistributionTransform(D.Normal(0.0, 1.0))])",
    "D.TransformedDistribution(D.Normal(x(0.2, 0.3, -0.5), 1.0), D.CorrCholeskyTransform())",
]  # fmt: skip
TRANSFORMS = [
    "D.AbsTransform()", "D.AffineTransform(1.0, -2.0, 1)", "D.AffineTransform(t.ones(3), 2 * t.ones(3), 1)",
    "D.CatTransform([D.ExpTransform(), D.AffineTransform(0.0, 3.0)], dim=-1, lengths=[1, 2])",
    "D.CatTransform([D.StickBreakingTransform(), D.SoftmaxTransform()], dim=0, lengths=[1, 1]).inv.inv.transforms[0]",
    "D.ComposeTransform([D.ExpTransform(), D.StickBreakingTransform()])", "D.CorrCholeskyTransform()",
    "D.CumulativeDistributionTransform(D.Normal(0.0, 2.0))", "D.ExpTransform().inv.inv",
    "D.IndependentTransform(D.ExpTransform(), 1)", "D.PowerTransform(t.tensor(3.0))",
    "D.ReshapeTransform((3,), (3, 1))", "D.SigmoidTransform()", "D.SoftmaxTransform()", "D.SoftplusTransform()",
    "D.StackTransform([D.ExpTransform(), D.identity_transform, D.TanhTransform()], dim=-1)",
    "D.StickBreakingTransform()", "D.TanhTransform()",
]  # fmt: skip
POINTS = [[0.3, -0.7, 1.1], [2.0, 0.4, -1.6]]


def made(t: Any, code: str) -> tuple[Any, list[Any]]:
    """What the code makes, and its parameters."""
    parameters: list[Any] = []

    def x(*values: Any) -> Any:
        flat = values[0] if len(values) == 1 and not isinstance(values[0], list) else values
        parameters.append(t.tensor(flat, dtype=t.float64, requires_grad=True))
        return parameters[-1]

    return eval(code, {"D": t.distributions, "t": t, "x": x}), parameters


def numbers(values: Any) -> list[Any]:
    """[shape, numbers]."""
    array = np.asarray(values.detach().numpy(), np.float64)
    return [list(array.shape), array.ravel().tolist()]


def _with_slopes(t: Any, out: Any, parameters: list[Any]) -> list[Any]:
    slopes = t.autograd.grad(out.sum(), parameters, allow_unused=True) if out.requires_grad else []
    return [numbers(out), *(None if slope is None else numbers(slope) for slope in slopes)]


def facts(t: Any, code: str) -> dict[str, Any]:
    """Everything about the distribution, under its name; what it has not is left out."""

    def sample(d: Any) -> Any:
        t.manual_seed(0)
        return d.sample((2,))

    def moved(d: Any) -> Any:
        t.manual_seed(0)
        return d.rsample((2,))

    asked: dict[str, Callable[[Any], Any]] = {
        "sample": sample, "rsample": moved, "log_prob": lambda d: d.log_prob(sample(d)),
        "cdf": lambda d: d.cdf(sample(d)), "icdf": lambda d: d.icdf(t.full(d.batch_shape, 0.3).double()),
        "entropy": lambda d: d.entropy(), "mean": lambda d: d.mean, "mode": lambda d: d.mode,
        "stddev": lambda d: d.stddev, "support": lambda d: d.enumerate_support(),
    }  # fmt: skip
    out: dict[str, Any] = {"repr": repr(made(t, code)[0])}
    for name, ask in asked.items():
        d, parameters = made(t, code)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                out[name] = _with_slopes(t, ask(d), parameters)
        except (NotImplementedError, RuntimeError):
            continue
    return out


def divergence(t: Any, p: str, q: str) -> Any:
    """The divergence of the two families with its slopes, or the name of the error."""
    first, of_first = made(t, FAMILIES[p])
    second, of_second = made(t, FAMILIES[q])
    try:
        return _with_slopes(t, t.distributions.kl_divergence(first, second), of_first + of_second)
    except (NotImplementedError, RuntimeError, IndexError, ValueError) as error:
        return type(error).__name__


def turned(t: Any, code: str) -> list[Any]:
    """A transform's values, its inverse of them and its change of volume, the last with the slope."""
    transform, _ = made(t, code)
    x = t.tensor(POINTS, dtype=t.float64, requires_grad=True)
    y = transform(x)
    try:
        change = _with_slopes(t, transform.log_abs_det_jacobian(x, y), [x])
    except NotImplementedError:
        change = []
    return [repr(transform), numbers(y), numbers(transform.inv(y)), change]
