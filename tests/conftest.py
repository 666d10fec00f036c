"""What all tests may ask for, and which of them `make test` leaves to `make deep`."""

import signal
from pathlib import Path

import pytest
from hypothesis import settings

from tests.simulated import shared_accounts, simulated_account

__all__ = ["shared_accounts", "simulated_account"]

# How fast an example is says something about the machine, and nothing about the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

TESTS = Path(__file__).parent
# Each of these starts whole processes or accounts of its own, test by test: minutes together.
SLOW = (
    "agents/test_local_models.py",
    "console/test_account_commands.py",
    "console/test_data.py",
    "console/test_demo.py",
    "console/test_light_commands.py",
    "console/test_run_events.py",
    "console/test_sim_commands.py",
    "contracts/test_contracts.py",
    "graphs/test_undone.py",
    "web/test_langgraph_dev.py",
    "web/test_make_dev.py",
    "web/test_serve.py",
    "web/test_background_runs.py",
    "graphs/test_closing.py",
    "graphs/test_guarded.py",
    "graphs/test_holdings.py",
    "graphs/test_killed.py",
    "graphs/test_large_logs.py",
    "graphs/test_repeated.py",
    "graphs/test_secrets.py",
    "graphs/test_upgraded.py",
    "memory/checkpoints/test_killed_saver.py",
    "tools/test_first_look.py",
    "test_readme.py",
    "test_recipes.py",
    "evals/bench/test_checkpoints.py",
    "evals/test_variants.py",
    "simulator/scenarios/test_traces.py",
    "simulator/test_control_keeping.py",
    "simulator/test_scenarios.py",
)


def pytest_configure() -> None:
    # A shell lets what it starts in the background ignore Ctrl-C, and so would every process that a test starts.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(TESTS).as_posix() in SLOW:
            item.add_marker(pytest.mark.slow)
