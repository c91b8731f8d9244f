"""`python -m mini_torch script.py`: see `program`."""

from .program import main

if __name__ == "__main__":
    main()
