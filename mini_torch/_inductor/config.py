"""PyTorch's `torch._inductor.config`: switches that programs set. They turn nothing."""

from types import SimpleNamespace

coordinate_descent_tuning = fx_graph_cache = debug = freezing = False
triton = SimpleNamespace(unique_kernel_names=False, cudagraphs=False)
