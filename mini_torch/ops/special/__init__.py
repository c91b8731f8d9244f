"""Special functions, a file a family. What each is computed from stands in its file; `series.py` says how."""
