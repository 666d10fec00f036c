"""The only things the copilot can change, one action a file."""
