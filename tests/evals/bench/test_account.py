"""The account's benchmark measures real processes, and says so where a limit is not held."""

import pytest

from evals.bench.account import Held, Start, runs, starts, written

QUICK, SLOW = [Start(1.5, 0.7)] * 3, [Start(6.0, 4.1)] * 3


def cells(text: str, name: str) -> list[str]:
    line = next(one for one in text.splitlines() if one.startswith(f"| {name} |"))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_what_takes_too_long_or_too_much_is_said_not_to_be_held() -> None:
    text = written({0.0: QUICK, 24.0: SLOW}, Held((300.0, 420.0), 450.0, 7), 24.0)

    assert cells(text, "empty")[-1] == "yes"
    assert cells(text, "with 24 h of history") == ["6.00", "6.00", "4.10", "5", "no"]
    assert cells(text, "after run 2") == ["420 MiB", "400 MiB", "no"]
    assert cells(text, "the most at any time") == ["450 MiB", "400 MiB", "no"]
    assert cells(text, "growth") == ["40.0%", "10%", "no"]


@pytest.mark.slow
def test_an_account_is_started_played_and_weighed() -> None:
    (start,) = starts(0.0, 1)
    held = runs(2, 0.2)

    assert 0 < start.cpu_seconds <= start.seconds * 2
    assert len(held.memory_mib) == 2
    assert 40 < held.memory_mib[0] <= held.most_mib < 400
    assert held.calls > 10
