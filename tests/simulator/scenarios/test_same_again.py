"""The same seed gives the same metrics, logs and alarm history, byte for byte; another seed others."""

from datetime import timedelta

import pytest

from tests.simulator.scenarios.headless import Stage

HISTORY = timedelta(hours=3, minutes=20)


def lived(headless: Stage, scenario: str, seed: int, history: timedelta) -> dict[str, str]:
    played = headless.play(scenario, seed=seed, history=history)
    played.advance(14)
    return played.fingerprint()


@pytest.mark.parametrize("scenario", ["poison-message", "memory-leak", "two-causes"])
def test_a_seed_makes_the_same_account_again(headless: Stage, scenario: str) -> None:
    short = timedelta(minutes=10)

    first, second, other = (lived(headless, scenario, seed, short) for seed in (3, 3, 4))

    assert first == second
    assert first["metrics"] != other["metrics"]
    assert first["logs"] != other["logs"]


def test_history_that_is_played_in_minutes_is_the_same_again_too(headless: Stage) -> None:
    first, second = (lived(headless, "red-herring", 5, HISTORY) for _ in range(2))

    assert first == second
