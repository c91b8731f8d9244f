"""Tensors and print options whose `repr` record_reprs.py records from PyTorch and test_formatting.py compares."""

from __future__ import annotations

from types import ModuleType

TENSORS = """
torch.tensor(1)
torch.tensor(1.0)
torch.tensor(True)
torch.tensor(2 + 3j)
torch.tensor(-0.0)
torch.tensor(float("nan"))
torch.tensor([])
torch.tensor([], dtype=torch.int64)
torch.zeros(0, 3)
torch.zeros(2, 0, dtype=torch.bool)
torch.zeros(0, dtype=torch.complex64)
torch.tensor([1, -20, 300])
torch.tensor([True, False])
torch.tensor([1, 2], dtype=torch.uint8)
torch.tensor([1.0, 2.0, -3.0])
torch.tensor([1.0, 2.5])
torch.tensor([1.0, float("inf"), float("-inf"), float("nan")])
torch.tensor([float("inf"), float("nan")])
torch.tensor([0.0, float("nan"), 1.5])
torch.tensor([1e-5, 1.0])
torch.tensor([1e5, 1.0])
torch.tensor([123456.0, 1.5])
torch.tensor([1e8, 1e9])
torch.tensor([100000001.0])
torch.tensor([0.0001, 0.0002])
torch.tensor([0.00009])
torch.tensor([1e-30, 1e30, 0.0])
torch.tensor([1.0, 1000.0])
torch.tensor([1.0, 1001.0])
torch.tensor([0.1, 0.25], dtype=torch.float64)
torch.tensor([0.1, 60000.0], dtype=torch.float16)
torch.tensor([1 + 2j, 3.5 - 4j])
torch.tensor([1 - 2j, complex(0, float("nan")), complex(float("inf"), -0.0)])
torch.tensor([1j], dtype=torch.complex128)
torch.tensor([[1.0, 2.0], [3.0, 4.0]])
torch.arange(24).reshape(2, 3, 4)
torch.arange(16.0).reshape(2, 2, 2, 2)
torch.arange(30)
torch.arange(60.0) / 7
torch.arange(1001)
torch.arange(1001.0) / 3
torch.arange(3000).reshape(3, 1000)
torch.arange(2000.0).reshape(20, 100)
torch.arange(1331.0).reshape(11, 11, 11)
torch.arange(8000).reshape(1, 2, 4000)
torch.ones(2, requires_grad=True)
torch.ones(2, requires_grad=True) * 2
torch.ones(12, requires_grad=True).exp()
(torch.arange(40.0).reshape(2, 20) / 3).requires_grad_()
torch.zeros(0, 3, requires_grad=True)
torch.ones(3, 4, dtype=torch.float64).requires_grad_() + 1
torch.ones(7, dtype=torch.float64).requires_grad_() + 1000
torch.tensor(3.0, requires_grad=True) ** 2
torch.nn.Parameter(torch.ones(2, 2))
torch.nn.Parameter(torch.tensor(1.5), requires_grad=False)
""".strip().splitlines()

OPTIONS = [
    {"precision": 2}, {"precision": 0}, {"sci_mode": True}, {"sci_mode": False}, {"threshold": 5},
    {"threshold": 5, "edgeitems": 1}, {"threshold": 5, "edgeitems": 0}, {"linewidth": 30}, {"profile": "short"},
    {"profile": "full"}, {"profile": "short", "precision": 6},
]  # fmt: skip

WITH_OPTIONS = """
torch.arange(8.0) / 7
torch.arange(20).reshape(4, 5)
torch.tensor([1e-5, 1.0])
torch.tensor([1.0, 2.0, 1e9])
torch.tensor([1 + 2j, 0.5j])
torch.zeros(0)
""".strip().splitlines()

CASES = [(code, {}) for code in TENSORS] + [(code, options) for options in OPTIONS for code in WITH_OPTIONS]


def text(torch: ModuleType, code: str, options: dict[str, object]) -> str:
    """The `repr` under the options."""
    torch.set_printoptions(**options)
    try:
        return repr(eval(code, {"torch": torch}))
    finally:
        torch.set_printoptions(profile="default")
