"""`python -m mini_torch script.py`: see `program`."""

from .program import main

main()
