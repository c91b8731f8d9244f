"""PyTorch's `torch._dynamo.config`: switches that programs set. They turn nothing."""

suppress_errors = verbose = capture_scalar_outputs = capture_dynamic_output_shape_ops = False
cache_size_limit = recompile_limit = 8
automatic_dynamic_shapes = assume_static_by_default = optimize_ddp = True
