"""The MLP's training step under `jax.jit`, for orientation, where jax is installed; on one thread."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from .networks import LR, SIZES

ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def mlp_step(batch: int = 64) -> Callable[[], Any] | None:
    """Forward, mean squared error, gradients and Adam in one compiled function; None without jax."""
    if not importlib.util.find_spec("jax"):
        return None
    os.environ["XLA_FLAGS"] = ONE_THREAD  # read when jax starts
    import jax
    import jax.numpy as jnp

    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.uniform(-4, 4, (batch, 2)), jnp.float32)
    y = jnp.sin(x[:, :1]) - jnp.cos(x[:, 1:])
    bounds = [(a, b, a**-0.5) for a, b in pairwise(SIZES)]
    draw = [(rng.uniform(-s, s, (a, b)), rng.uniform(-s, s, b)) for a, b, s in bounds]
    parameters = jax.tree.map(lambda part: jnp.asarray(part, jnp.float32), draw)
    zeros = jax.tree.map(jnp.zeros_like, parameters)

    def loss(parameters: Any) -> Any:
        h = x
        for w, b in parameters[:-1]:
            h = jax.nn.relu(h @ w + b)
        w, b = parameters[-1]
        return jnp.mean((h @ w + b - y) ** 2)

    def step(p: Any, m: Any, v: Any, t: Any) -> Any:
        value, g = jax.value_and_grad(loss)(p)
        t = t + 1
        m = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, g)
        v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, g)
        rate, scale = LR / (1 - BETA1**t), jnp.sqrt(1 - BETA2**t)
        p = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) / scale + EPSILON), p, m, v)
        return value, p, m, v, t

    run = jax.jit(step, donate_argnums=(0, 1, 2, 3))
    state = [parameters, zeros, jax.tree.map(jnp.zeros_like, parameters), jnp.float32(0)]

    def call() -> Any:
        value, *state[:] = run(*state)
        return value.block_until_ready()

    return call
