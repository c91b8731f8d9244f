"""Random numbers: PyTorch's, bit for bit where no C library is in between; seeds, states, errors."""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
import subprocess
import sys
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import mini_torch
import random_cases as cases
from mini_torch import rounding
from mini_torch.random import gaussian
from mini_torch.random.generator import Generator

RECORDED = json.loads((Path(__file__).parent / "data" / "random.json").read_text())


@pytest.fixture(params=["mini_torch", "torch"])
def torch(request: pytest.FixtureRequest) -> ModuleType:
    return pytest.importorskip(request.param)


# ---- the stream --------------------------------------------------------------------------------------------
def test_all_cases_are_recorded() -> None:
    assert list(RECORDED["exact"]) == cases.EXACT
    assert list(RECORDED["close"]) == cases.CLOSE


@pytest.mark.parametrize("code", cases.EXACT)
def test_bits_are_pytorchs(code: str) -> None:
    dtype, shape, *expected = RECORDED["exact"][code]
    for seed, (checksum, after) in zip(cases.SEEDS, expected):
        values, next_number = cases.draw(mini_torch, code, seed)
        assert (str(values.dtype), list(values.shape)) == (dtype, shape)
        assert (zlib.crc32(values.tobytes()), next_number) == (checksum, after), f"seed {seed}: {values.ravel()[:5]}"


@pytest.mark.parametrize("code", cases.CLOSE)
def test_values_are_pytorchs(code: str) -> None:
    dtype, shape, *expected = RECORDED["close"][code]
    for seed, (first, after) in zip(cases.SEEDS, expected):
        values, next_number = cases.draw(mini_torch, code, seed)
        assert (str(values.dtype), list(values.shape), next_number) == (dtype, shape, after)
        parts = np.atleast_1d(values).ravel()[:10]
        tolerance = 2 * float(np.finfo(values.dtype).eps) if values.dtype.kind in "fc" else 0
        np.testing.assert_allclose(parts.view(parts.real.dtype), first, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("code", cases.EXACT + cases.CLOSE)
def test_a_random_seed_gives_what_pytorch_gives_here(code: str) -> None:
    torch = pytest.importorskip("torch")
    seed = zlib.crc32(code.encode())
    (ours, after), (theirs, after_theirs) = (cases.draw(library, code, seed) for library in (mini_torch, torch))
    assert (ours.dtype, ours.shape, after) == (theirs.dtype, theirs.shape, after_theirs)
    if code in cases.EXACT:
        assert ours.tobytes() == theirs.tobytes()
    else:
        np.testing.assert_allclose(ours, theirs, rtol=1e-3 if ours.dtype == np.float16 else 3e-7)


def test_the_second_of_a_pair_of_normals_waits() -> None:
    generator = Generator().manual_seed(3)
    parts = [generator.normal_singly(n) for n in (3, 0, 1, 4, 1)]
    whole = generator.manual_seed(3).normal_singly(9)
    assert np.concatenate(parts).tolist() == whole.tolist()
    generator.manual_seed(3).normal_singly(1)
    assert generator.manual_seed(3).normal_singly(1) == whole[0], "a new seed forgets what waits"


@pytest.mark.parametrize("n", [0, 1, 2, 3, 10, 1000, 70000])
def test_permutation_is_fisher_yates(n: int) -> None:
    draws = Generator().manual_seed(n).draws(max(n - 1, 0)).tolist()
    expected = list(range(n))
    for i, draw in enumerate(draws):
        j = i + draw % (n - i)
        expected[i], expected[j] = expected[j], expected[i]
    assert Generator().manual_seed(n).permutation(n).tolist() == expected


@pytest.mark.parametrize("draw", [lambda g, n: g.uniform(n), lambda g, n: g.bernoulli(n, 0.3)])
def test_long_draws_are_short_ones_in_a_row(draw: Callable[[Generator, int], Any]) -> None:
    """Long draws are made in pieces."""
    parts, whole = Generator().manual_seed(1), Generator().manual_seed(1)
    split = np.concatenate([draw(parts, n) for n in (1, 8191, 8192, 20000, 5)])
    assert split.tolist() == draw(whole, len(split)).tolist()


# ---- rounding ----------------------------------------------------------------------------------------------
def rounded32(exact: Fraction) -> float:
    """The float32 next to a fraction, ties to even; also among the numbers below the smallest normal one."""
    if exact == 0:
        return 0.0
    exponent = -126
    while abs(exact) >= Fraction(2) ** (exponent + 1):
        exponent += 1
    unit = Fraction(2) ** (exponent - 23)
    return float(round(exact / unit) * unit)


@pytest.mark.parametrize("scale", [(1, 1, 1), (1, 1, 1e-9), (1, 1, 1e9), (1e-20, 1e-19, 1e-40), (2**-30, 1, 1)])
def test_fma32_rounds_once(scale: tuple[float, ...], rng: np.random.Generator) -> None:
    a, b, c = (np.round(rng.standard_normal(300) * 2**12) * s * 2**-12 for s in scale)
    a, b, c = (x.astype(np.float32) for x in (a, b, c))
    c[::3] = (-a[::3].astype(float) * b[::3]).astype(np.float32)  # what is left is the product's lower half
    got = rounding.fma32(a, b, c)
    exact = [Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z)) for x, y, z in zip(a, b, c)]
    assert got.tolist() == [rounded32(x) for x in exact]


def test_fma32_at_a_tie_that_the_rest_decides() -> None:
    """1 + 2⁻²⁴ is halfway between two float32; a little more or less than that decides, though float64 loses it."""
    a = np.full(2, np.float32(1 + 2**-12))
    tiny = np.array([2**-60, -(2**-60)], np.float32)
    product = (1 + 2**-12) ** 2  # 1 + 2⁻¹¹ + 2⁻²⁴: a tie
    more, less = rounding.fma32(a, a, tiny).tolist()
    assert less < product < more


@pytest.mark.parametrize(("scale", "shift"), [(0.9004, -0.1234), (1e-3, 7.0), (1e300, -3e299), (1e-250, 1e-251)])
def test_fma64_rounds_once(scale: float, shift: float, rng: np.random.Generator) -> None:
    x = np.concatenate([rng.random(300), np.arange(20) / 2**20])
    exact = [float(Fraction(v) * Fraction(scale) + Fraction(shift)) for v in x.tolist()]
    assert rounding.fma64(x, scale, shift).tolist() == exact


def test_the_polynomials_need_no_more_than_two_roundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compared with `fma32` on every 61st uniform (once on all of them, 2²⁴)."""
    u = (np.arange(0, 1 << 24, 61) * 2.0**-24).astype(np.float32)
    angle = np.float32(2 * np.pi) * u

    def results() -> list[Any]:
        return [gaussian._log32(np.float32(1) - u), *gaussian._sincos32(angle)]

    plain = results()
    monkeypatch.setattr(gaussian, "_fused", lambda a, b, c: rounding.fma32(*np.broadcast_arrays(a, b, c)))
    assert all(np.array_equal(x, y) for x, y in zip(plain, results()))


def test_libm_where_numpy_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    """On some processors NumPy's log has another last bit; then the C library's is taken."""
    log = np.log
    with monkeypatch.context() as patch:
        patch.setattr(np, "log", lambda x: log(x) * (1 + 1e-15))
        rounding.libm.cache_clear()
        assert rounding.libm("log")(np.array([[0.25, 0.5]])).tolist() == [[log(0.25), log(0.5)]]
    rounding.libm.cache_clear()


# ---- generators, seeds, states -----------------------------------------------------------------------------
def test_seeds(torch: ModuleType) -> None:
    assert torch.Generator().initial_seed() == 67280421310721
    assert torch.manual_seed(-3) is torch.default_generator
    assert torch.initial_seed() == 2**64 - 3
    torch.manual_seed(5.9)
    assert torch.initial_seed() == 5
    assert torch.seed() == torch.initial_seed() != 5
    assert torch.Generator().seed() != torch.Generator().seed()
    assert str(torch.Generator().device) == "cpu"
    for seed in (2**64, -(2**63) - 1):
        with pytest.raises(ValueError, match="Overflow when unpacking long long"):
            torch.manual_seed(seed)
    with pytest.raises(RuntimeError, match="manual_seed expected a long, but got float"):
        torch.Generator().manual_seed(1.5)


def test_a_state_is_a_place_in_the_stream(torch: ModuleType) -> None:
    torch.manual_seed(1)
    torch.randn(3)  # one normal number waits
    state = torch.get_rng_state()
    assert (state.dtype, tuple(state.shape)) == (torch.uint8, (5056,))
    expected = torch.randn(5).tolist()
    torch.set_rng_state(state)
    assert torch.randn(5).tolist() == expected
    assert torch.Generator().set_state(state).initial_seed() == 1
    for copied in (
        torch.Generator().set_state(state).clone_state(),
        pickle.loads(pickle.dumps(torch.Generator().set_state(state))),
        copy.deepcopy(torch.Generator().set_state(state)),
    ):
        assert torch.randn(5, generator=copied).tolist() == expected
    with pytest.raises(TypeError, match=r"RNG state must be a torch\.ByteTensor"):
        torch.set_rng_state(torch.zeros(3))
    with pytest.raises(RuntimeError, match="size to be 3"):
        torch.set_rng_state(torch.zeros(3, dtype=torch.uint8))


def test_states_travel_between_libraries() -> None:
    torch = pytest.importorskip("torch")
    for count in (0, 1, 100, 624, 625, 2000):
        theirs, ours = torch.Generator().manual_seed(9), Generator().manual_seed(9)
        torch.rand(count, generator=theirs)
        torch.randn(3, generator=theirs)
        ours.uniform(count)
        ours.normal(3)
        assert theirs.get_state().tolist() == ours.get_state().tolist()
        again = Generator().set_state(mini_torch.tensor(theirs.get_state().numpy()))
        back = torch.Generator().set_state(torch.from_numpy(ours.get_state().numpy()))
        assert again.normal(5).tolist() == torch.randn(5, generator=back).tolist()


def test_fork_rng(torch: ModuleType) -> None:
    torch.manual_seed(1)
    expected = torch.rand(2).tolist()
    torch.manual_seed(1)
    with torch.random.fork_rng():
        torch.rand(100)
    with contextlib.suppress(KeyError), torch.random.fork_rng():
        torch.manual_seed(2)
        raise KeyError
    assert torch.rand(2).tolist() == expected
    with torch.random.fork_rng(enabled=False):
        between = torch.rand(1)
    torch.manual_seed(1)
    assert torch.rand(3)[2] == between


def test_import_does_not_load_numpys_generators() -> None:
    code = "import sys, numpy; before = 'numpy.random' in sys.modules\nimport mini_torch\n"
    code += "assert before == ('numpy.random' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])


# ---- tensors -----------------------------------------------------------------------------------------------
def test_results_take_their_options(torch: ModuleType) -> None:
    assert torch.rand(2, requires_grad=True).requires_grad
    assert torch.randn(2, device="cpu", dtype=torch.float64).dtype == torch.float64
    like = torch.zeros(2, 3, dtype=torch.float64)
    assert torch.randn_like(like, requires_grad=True).dtype == torch.float64
    assert torch.rand_like(like, dtype=torch.float32).shape == (2, 3)
    assert torch.randint_like(like, 3).dtype == torch.float64
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        assert torch.rand(1).dtype == torch.float64
    finally:
        torch.set_default_dtype(before)


def test_in_place_methods_return_the_tensor_and_count_a_write(torch: ModuleType) -> None:
    x = torch.zeros(5)
    methods: list[Callable[[Any], Any]] = [
        lambda x: x.uniform_(), lambda x: x.normal_(), lambda x: x.random_(), lambda x: x.bernoulli_(),
        lambda x: x.exponential_(), lambda x: x.geometric_(0.5), lambda x: x.cauchy_(), lambda x: x.log_normal_(),
    ]  # fmt: skip
    for fill in methods:
        version = x._version
        assert fill(x) is x
        assert x._version == version + 1


def test_in_place_methods_and_the_graph(torch: ModuleType) -> None:
    leaf = torch.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation"):
        leaf.uniform_()
    with torch.no_grad():
        leaf.uniform_()
    y = leaf * leaf
    leaf.detach().normal_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
    x = torch.ones(3, requires_grad=True)
    z = x * 2
    z[:1].uniform_()  # what is drawn does not depend on x
    z.sum().backward()
    assert x.grad.tolist() == [0, 2, 2]
    with pytest.raises(RuntimeError, match="single memory location"):
        torch.ones(1).expand(3).uniform_()


def test_out_cannot_be_part_of_a_graph(torch: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="don't support automatic differentiation"):
        torch.rand(3, out=torch.rand(3, requires_grad=True))
    with pytest.raises(RuntimeError, match="does not match"):
        torch.rand(3, out=torch.rand(3), dtype=torch.float64)


ERRORS: dict[str, tuple[type[Exception], str]] = {
    "torch.rand(-1)": (RuntimeError, "negative"),
    "torch.rand()": (TypeError, "rand\\(\\)"),
    "torch.rand(2, dtype=torch.int64)": (NotImplementedError, "\"check_uniform_bounds\" not implemented for 'Long'"),
    "torch.randn(2, dtype=torch.bool)": (NotImplementedError, "\"normal_kernel_cpu\" not implemented for 'Bool'"),
    "torch.rand(2, generator=5)": (TypeError, "enerator"),
    "torch.randint(5, 5, (2,))": (RuntimeError, "random_ expects 'from' to be less than 'to', but got from=5 >= to=5"),
    "torch.randint(3.5, (2,))": (TypeError, "must be int, not float"),
    "torch.randint(10, 2)": (TypeError, "must be tuple of ints, not int"),
    "torch.randint(300, (2,), dtype=torch.uint8)": (RuntimeError, "to - 1 is out of bounds for"),
    "torch.randint(0, 100000, (2,), dtype=torch.float16)": (RuntimeError, "to - 1 is out of bounds for"),
    "torch.randint(2**63, (2,))": (ValueError, "Overflow when unpacking long long"),
    "torch.randint(0, 10, (2,), dtype=torch.complex64)": (RuntimeError, "only integral, floating-point and boolean"),
    "torch.randperm(-1)": (RuntimeError, "negative"),
    "torch.randperm(3.0)": (TypeError, "must be int, not float"),
    "torch.randperm(300, dtype=torch.uint8)": (RuntimeError, "without overflow"),
    "torch.normal(0.0, -1.0, (3,))": (RuntimeError, "normal expects std >= 0.0, but found std -1"),
    "torch.normal(torch.zeros(3), -torch.ones(3))": (RuntimeError, "normal expects all elements of std >= 0.0"),
    "torch.normal(torch.zeros(3), torch.ones(4))": (RuntimeError, "The size of tensor a"),
    "torch.normal(0.0, 1.0)": (TypeError, "normal\\(\\)"),
    "torch.bernoulli(torch.tensor([2.0]))": (RuntimeError, "Expected p_in >= 0 && p_in <= 1 to be true"),
    "torch.bernoulli(torch.tensor([1]))": (NotImplementedError, "not implemented for 'Long'"),
    "torch.multinomial(torch.zeros(2), 1)": (RuntimeError, "sum of probabilities <= 0"),
    "torch.multinomial(torch.tensor([-1.0, 1.0]), 1)": (RuntimeError, "contains either `inf`, `nan` or element < 0"),
    "torch.multinomial(torch.tensor([1.0, 1e400]), 1)": (RuntimeError, "contains either `inf`, `nan`"),
    "torch.multinomial(torch.ones(3), 4)": (RuntimeError, "without replacement"),
    "torch.multinomial(torch.ones(3), 0)": (RuntimeError, "cannot sample n_sample <= 0 samples"),
    "torch.multinomial(torch.ones(2, 2, 2), 1)": (RuntimeError, "prob_dist must be 1 or 2 dim"),
    "torch.multinomial(torch.tensor([1, 2]), 1)": (RuntimeError, "only supports floating-point dtypes"),
    "torch.multinomial(torch.ones(2**24 + 1), 1)": (RuntimeError, "number of categories cannot exceed 2\\^24"),
    "torch.poisson(torch.tensor([-1.0]))": (RuntimeError, "invalid Poisson rate"),
    "torch.poisson(torch.tensor([1]))": (NotImplementedError, "\"poisson_cpu\" not implemented for 'Long'"),
    "torch.empty(3).uniform_(2, 1)": (RuntimeError, "uniform_ expects to return a \\[from, to\\) range"),
    "torch.empty(3).uniform_(-3e38, 3e38)": (RuntimeError, "uniform_ expects to-from <="),
    "torch.empty(3).random_(5, 2)": (RuntimeError, "but got from=5 >= to=2"),
    "torch.empty(3).random_(0.5, 3)": (TypeError, "random_\\(\\)"),
    "torch.empty(3, dtype=torch.bool).random_(0, 5)": (RuntimeError, "to - 1 is out of bounds for"),
    "torch.empty(3).bernoulli_(1.5)": (RuntimeError, "bernoulli_ expects p to be in \\[0, 1\\], but got p=1.5"),
    "torch.empty(2).bernoulli_(torch.ones(3))": (RuntimeError, "The (expanded )?size of (the )?tensor"),
    "torch.empty(2, dtype=torch.complex64).bernoulli_()": (NotImplementedError, "not implemented for 'ComplexFloat'"),
    "torch.empty(3).exponential_(-1)": (RuntimeError, "exponential_ expects lambda > 0.0, but found lambda=-1"),
    "torch.empty(3, dtype=torch.int64).exponential_()": (RuntimeError, "continuous probability distribution"),
    "torch.empty(3).geometric_(1)": (RuntimeError, "geometric_ expects p to be in \\(0, 1\\), but got p=1"),
    "torch.empty(2, dtype=torch.bool).geometric_(0.5)": (NotImplementedError, "\"geometric_cpu\" not implemented"),
    "torch.empty(3).cauchy_(0, -1)": (RuntimeError, "cauchy_ expects sigma > 0.0, but found sigma=-1"),
    "torch.empty(3, dtype=torch.int64).cauchy_()": (RuntimeError, "continuous probability distribution"),
    "torch.empty(3).log_normal_(0, -1)": (RuntimeError, "log_normal_ expects std > 0.0, but found std=-1"),
    "torch.empty(3, dtype=torch.int32).log_normal_()": (NotImplementedError, "not implemented for 'Int'"),
}


@pytest.mark.parametrize("code", ERRORS)
def test_errors(torch: ModuleType, code: str) -> None:
    kind, message = ERRORS[code]
    with pytest.raises(kind, match=message):
        eval(code, {"torch": torch})


def test_no_other_device() -> None:
    with pytest.raises(AssertionError, match="CUDA"):
        mini_torch.rand(2, device="cuda")
    with pytest.raises(AssertionError, match="CUDA"):
        Generator("cuda")


# ---- moments, for what a wrong formula would hide from the recorded numbers --------------------------------
def test_moments() -> None:
    generator, n = Generator().manual_seed(0), 200_000
    for x, mean, std in [
        (generator.uniform(n, -1, 3), 1, 4 / 12**0.5),
        (generator.normal(n, 1, 2), 1, 2),
        (generator.normal_singly(n, 1, 2), 1, 2),
        (generator.exponential(n, 0.5), 2, 2),
        (generator.bernoulli(n, 0.3), 0.3, 0.21**0.5),
        (generator.integers(n, -3, 4), 0, 2),
        (mini_torch.poisson(mini_torch.full((20_000,), 40.0)).numpy(), 40, 40**0.5),
        (mini_torch.poisson(mini_torch.full((20_000,), 2.0)).numpy(), 2, 2**0.5),
    ]:
        assert abs(x.mean() - mean) < 5 * std / len(x) ** 0.5
        assert abs(x.std() - std) < 0.02 * std
