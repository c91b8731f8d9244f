"""A folder to be put on `sys.path`: in it, `import torch` means mini_torch. See `as_torch`."""
