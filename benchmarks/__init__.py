"""Measurements, each a module that prints a table: `python -m benchmarks.fit`. On one thread, all of them."""
import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # read when NumPy is imported
