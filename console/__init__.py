"""The terminal door: what each command does. `cli.py` only names the commands and their options."""
