"""Runs of optimizers and schedules that PyTorch and mini_torch do alike; `record_optim.py` notes what PyTorch gives."""

from __future__ import annotations

from typing import Any

import numpy as np

STEPS = 24
SHAPES = ((3, 2), (3,), (), (0, 2))

OPTIMIZERS = [
    "SGD(params, lr=0.1)",
    "SGD(params, lr=0.1, weight_decay=0.3, maximize=True)",
    "SGD(params, lr=0.1, momentum=0.9)",
    "SGD(params, lr=0.1, momentum=0.9, dampening=0.4, weight_decay=0.1)",
    "SGD(params, lr=0.1, momentum=0.9, nesterov=True, maximize=True)",
    "Adam(params, lr=0.1)",
    "Adam(params, lr=0.1, betas=(0.5, 0.8), eps=1e-3, weight_decay=0.2)",
    "Adam(params, lr=0.1, betas=(0.0, 0.0), amsgrad=True, maximize=True)",
    "Adam(params, lr=0.1, amsgrad=True, weight_decay=0.1, decoupled_weight_decay=True)",
    "AdamW(params, lr=0.1)",
    "AdamW(params, lr=0.1, weight_decay=0.5, amsgrad=True, maximize=True)",
    "RMSprop(params, lr=0.1)",
    "RMSprop(params, lr=0.1, alpha=0.5, eps=1e-3, weight_decay=0.2, momentum=0.9, centered=True)",
    "RMSprop(params, lr=0.1, centered=True, maximize=True)",
    "Adagrad(params, lr=0.1)",
    "Adagrad(params, lr=0.1, lr_decay=0.2, weight_decay=0.1, initial_accumulator_value=0.5, maximize=True)",
    "Adamax(params, lr=0.1)",
    "Adamax(params, lr=0.1, betas=(0.5, 0.8), eps=1e-3, weight_decay=0.2, maximize=True)",
    "NAdam(params, lr=0.1)",
    "NAdam(params, lr=0.1, betas=(0.5, 0.8), weight_decay=0.2, momentum_decay=0.1, decoupled_weight_decay=True)",
    "RAdam(params, lr=0.1)",
    "RAdam(params, lr=0.1, betas=(0.5, 0.8), eps=1e-3, weight_decay=0.2, maximize=True)",
    "Adadelta(params, lr=0.5)",
    "Adadelta(params, rho=0.5, eps=1e-3, weight_decay=0.2, maximize=True)",
    "ASGD(params, lr=0.1)",
    "ASGD(params, lr=0.1, lambd=0.1, alpha=0.5, t0=5, weight_decay=0.2, maximize=True)",
    "Rprop(params, lr=0.1)",
    "Rprop(params, lr=0.1, etas=(0.3, 1.5), step_sizes=(0.01, 0.3), maximize=True)",
    "ASGD([{'params': params[:2], 'lr': 0.2}, {'params': params[2:], 't0': 3}], lr=0.1)",
    "Adam([{'params': params[:2], 'lr': 0.2}, {'params': params[2:], 'betas': (0.8, 0.9)}], lr=0.1)",
    "SGD([{'params': params[:1], 'momentum': 0.5}, {'params': params[1:]}], lr=0.1)",
]
# Which parameters have no gradient in step k. Frozen ones keep their state, and their count of steps.
FROZEN = {"none": lambda k: (), "some": lambda k: ((), (1,), (0, 2), (0, 1, 2, 3))[k % 4] if k < 12 else ()}

SCHEDULES = [
    "StepLR(optimizer, 3, gamma=0.5)",
    "MultiStepLR(optimizer, [5, 12, 12, 30], gamma=0.3)",
    "ConstantLR(optimizer, factor=0.5, total_iters=7)",
    "LinearLR(optimizer, start_factor=0.25, end_factor=0.9, total_iters=12)",
    "ExponentialLR(optimizer, 0.9)",
    "PolynomialLR(optimizer, total_iters=30, power=2.0)",
    "CosineAnnealingLR(optimizer, T_max=12, eta_min=0.001)",
    "CosineAnnealingLR(optimizer, 50)",
    "CosineAnnealingWarmRestarts(optimizer, T_0=7)",
    "CosineAnnealingWarmRestarts(optimizer, T_0=4, T_mult=2, eta_min=0.01)",
    "LambdaLR(optimizer, lambda epoch: 0.95 ** epoch)",
    "LambdaLR(optimizer, [lambda epoch: 0.95 ** epoch, lambda epoch: 1 / (1 + epoch)])",
    "MultiplicativeLR(optimizer, lambda epoch: 0.9 if epoch % 2 else 1.05)",
    "CyclicLR(optimizer, 0.01, 0.1, step_size_up=5)",
    "CyclicLR(optimizer, 0.01, 0.1, step_size_up=4, step_size_down=6, mode='triangular2')",
    "CyclicLR(optimizer, 0.01, 0.1, step_size_up=5, mode='exp_range', gamma=0.97)",
    "CyclicLR(optimizer, 0.01, 0.1, step_size_up=5, scale_fn=lambda x: 1 / x)",
    "OneCycleLR(optimizer, max_lr=0.5, total_steps=60)",
    "OneCycleLR(optimizer, max_lr=0.5, epochs=6, steps_per_epoch=10, anneal_strategy='linear', pct_start=0.2)",
    "OneCycleLR(optimizer, max_lr=[0.5, 0.2], total_steps=60, three_phase=True)",
    "ReduceLROnPlateau(optimizer, patience=2, factor=0.5, cooldown=1)",
    "ReduceLROnPlateau(optimizer, mode='max', threshold_mode='abs', threshold=0.01, patience=3, min_lr=0.01)",
    "SequentialLR(optimizer, [ConstantLR(optimizer, factor=0.1, total_iters=5), ExponentialLR(optimizer, 0.9)], [6])",
    "SequentialLR(optimizer, [LinearLR(optimizer, 0.1, total_iters=4), CosineAnnealingLR(optimizer, 10), "
    "StepLR(optimizer, 3)], milestones=[4, 20])",
    "ChainedScheduler([ConstantLR(optimizer, factor=0.1, total_iters=5), ExponentialLR(optimizer, 0.9)])",
    "MultiStepLR(optimizer, [0, 2, 9])",
    "ConstantLR(optimizer, factor=0.2, total_iters=0)",
    "LinearLR(optimizer, start_factor=1.0, end_factor=0.0, total_iters=5)",
    "CosineAnnealingLR(optimizer, T_max=1)",
    "CyclicLR(optimizer, [0.01, 0.02], [0.1, 0.2], step_size_up=2, step_size_down=5, base_momentum=[0.5, 0.6])",
    "OneCycleLR(optimizer, max_lr=0.5, total_steps=60, cycle_momentum=False, div_factor=10.0, final_div_factor=100.0)",
    "ReduceLROnPlateau(optimizer, patience=0, cooldown=3, min_lr=[0.001, 0.05], eps=1e-3)",
    "ChainedScheduler([SequentialLR(optimizer, [ConstantLR(optimizer, 0.5), StepLR(optimizer, 4)], [7]), "
    "ExponentialLR(optimizer, 0.98)])",
]
METRICS = [1.0, 0.9, 0.8, 0.8, 0.8, 0.8, 0.79, 0.79, 0.79, 0.79, 0.7, *(0.7 + 0.01 * (i % 3) for i in range(40))]


def parameters(torch: Any, dtype: str = "float32") -> list[Any]:
    """Some parameters, the same in every library."""
    arrays = [np.cos(np.arange(np.prod(shape)).reshape(shape) + i).astype(dtype) for i, shape in enumerate(SHAPES)]
    return [torch.nn.Parameter(torch.tensor(array)) for array in arrays]


def set_gradients(torch: Any, params: list[Any], k: int, frozen: tuple[int, ...] = ()) -> None:
    """Gives the parameters the gradients of step k: of a bowl, and some noise."""
    for i, p in enumerate(params):
        value = p.detach().numpy()
        noise = np.sin(7.0 * k + i + np.arange(value.size).reshape(value.shape))
        p.grad = None if i in frozen else torch.tensor((0.5 * value + noise).astype(value.dtype))


def run_optimizer(torch: Any, code: str, frozen: str) -> tuple[Any, list[Any]]:
    """The optimizer and the parameters after STEPS steps."""
    params = parameters(torch)
    optimizer = eval(code, {"params": params, **vars(torch.optim)})
    for k in range(STEPS):
        set_gradients(torch, params, k, FROZEN[frozen](k))
        optimizer.step()
    return optimizer, params


def flat_state(optimizer: Any) -> list[Any]:
    """What the state dict says, in lists: [parameter, name, dtype, shape, values]."""
    return [
        [number, name, str(value.dtype), list(value.shape), value.reshape(-1).tolist()]
        for number, state in sorted(optimizer.state_dict()["state"].items())
        for name, value in state.items()
    ]


def run_schedule(torch: Any, code: str, epochs: int = 50) -> tuple[Any, list[list[float]]]:
    """The schedule after some epochs, and for each epoch both groups' rates and the first one's momentum."""
    params = [torch.nn.Parameter(torch.zeros(2)) for _ in range(2)]
    groups = [{"params": params[:1], "lr": 0.1}, {"params": params[1:], "lr": 0.2}]
    optimizer = torch.optim.SGD(groups, momentum=0.9)
    schedule = eval(code, {"optimizer": optimizer, **vars(torch.optim.lr_scheduler)})
    return schedule, [rates(optimizer), *(go_on(optimizer, schedule, k) for k in range(epochs))]


def go_on(optimizer: Any, schedule: Any, k: int) -> list[float]:
    """One epoch."""
    optimizer.step()
    schedule.step(*([METRICS[k]] if type(schedule).__name__ == "ReduceLROnPlateau" else []))
    assert schedule.get_last_lr() == rates(optimizer)[:2]
    return rates(optimizer)


def rates(optimizer: Any) -> list[float]:
    first, second = optimizer.param_groups
    return [first["lr"], second["lr"], first["momentum"]]


def plain(value: Any) -> Any:
    """A state dict as JSON has it, without functions."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items() if not callable(v)}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value if not callable(v)]
    return value
