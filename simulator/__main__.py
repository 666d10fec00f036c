"""Runs one simulated account: `python -m simulator --scenario NAME`."""

import sys

try:
    from simulator.command import main
except ModuleNotFoundError as error:
    sys.exit(
        f"{error.name} is missing: the simulated account is an extra of its own, "
        "which `pip install 'cloudops-copilot[simulator]'` installs"
    )

if __name__ == "__main__":
    main()
