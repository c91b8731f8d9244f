"""The door to `torch.version`: the version, and which accelerators there are."""

__version__ = "0.1.0"
debug = False
cuda = hip = rocm = xpu = git_version = None
