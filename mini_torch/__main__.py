"""`python -m mini_torch script.py`: see `as_torch.program`."""

from .as_torch.program import main

if __name__ == "__main__":
    main()
