"""What the copilot may do: one action a file, all of them listed in `registry.py`."""
