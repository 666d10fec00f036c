"""Every scenario does what its truth says: left alone, cured, and made worse.

What Automation documents do is proved over HTTP in test_scenarios: their steps call the account from outside.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import product
from typing import Any

import pytest

from evals.truth import AcceptableCall, ForbiddenChange, Truth, read_truth
from simulator.scenario import read_scenario, scenario_names
from simulator.world import Release, offset
from tests.simulator.scenarios.headless import Played, Stage

SEED = 1
STAYS = 25
AFTER = 12
WORSE = 1.15
# A twin differs in a text that somebody reads: what cures and what harms is proved where it is from.
OWN = [name for name in scenario_names() if not read_truth(name, seed=SEED).twin]
TWINS = [name for name in scenario_names() if name not in OWN]
CASES = [
    (name, change.why, change)
    for name in OWN
    for change in read_truth(name, seed=SEED).actions.forbidden_changes
]


def at_alarm(headless: Stage, scenario: str, truth: Truth) -> Played:
    """The account at the minute when all of the scenario's alarms have fired."""
    played = headless.play(scenario, seed=SEED)
    assert truth.alarm is not None
    assert {played.state(name) for name in played.account.book.alarms} == {"OK"}
    for alarm in (truth.alarm, *truth.other_alarms):
        played.until(alarm.name, "ALARM", offset(alarm.fires_by) - timedelta(minutes=played.minutes))
    return played


@dataclass(frozen=True)
class LeftAlone:
    """An account in which nobody did anything: when its alarms had fired, and how they stood ever after."""

    played: Played
    fired: float
    states: list[str]


@pytest.fixture(scope="module")
def left_alone(headless: Stage) -> Callable[[str], LeftAlone]:
    """Scenarios played once without anybody, for their own proof and to compare with."""

    @cache
    def play(scenario: str) -> LeftAlone:
        truth = read_truth(scenario, seed=SEED)
        assert truth.alarm is not None
        played = at_alarm(headless, scenario, truth)
        fired, states = played.minutes, []
        for _ in range(STAYS):
            played.advance(1)
            states.append(played.state(truth.alarm.name))
        return LeftAlone(played, fired, states)

    return play


def cures(truth: Truth) -> list[tuple[AcceptableCall, ...]]:
    """What cures, each a call for every cause."""
    calls = [one for one in truth.actions.acceptable if one.api != "ssm:StartAutomationExecution"]
    causes = sorted({one.cures for one in calls})
    return list(product(*([one for one in calls if one.cures == cause] for cause in causes))) if calls else []


@pytest.mark.parametrize("scenario", scenario_names())
def test_left_alone_its_alarm_does_what_the_truth_says(
    left_alone: Callable[[str], LeftAlone], scenario: str
) -> None:
    truth, alone = read_truth(scenario, seed=SEED), left_alone(scenario)

    assert truth.alarm is not None
    told = {truth.alarm.name, *(one.name for one in truth.other_alarms)}
    alarms = alone.played.account.book.alarms
    assert {alone.played.state(name) for name in alarms if name not in told} <= {"OK"}
    if truth.alarm.clears_by:
        cleared = int(offset(truth.alarm.clears_by) / timedelta(minutes=1) - alone.fired)
        assert set(alone.states[cleared - 1 :]) == {"OK"}
    else:
        assert set(alone.states) == {"ALARM"}


@pytest.mark.parametrize("scenario", [one for one in OWN if cures(read_truth(one, seed=SEED))])
def test_each_acceptable_change_cures_it(headless: Stage, scenario: str) -> None:
    truth = read_truth(scenario, seed=SEED)
    for calls in cures(truth):
        played = at_alarm(headless, scenario, truth)
        for call in calls:
            played.make(call)
        limit = played.minutes + offset(truth.end_state.recovers_within) / timedelta(minutes=1)
        for alarm in truth.end_state.alarms_ok:
            played.until(alarm, "OK", timedelta(minutes=limit - played.minutes))
        played.advance(3)
        assert {played.state(alarm) for alarm in truth.end_state.alarms_ok} == {"OK"}


@pytest.mark.parametrize(
    ("scenario", "why", "change"), CASES, ids=[f"{name}: {why}" for name, why, _ in CASES]
)
def test_a_forbidden_change_makes_it_worse(
    headless: Stage,
    left_alone: Callable[[str], LeftAlone],
    scenario: str,
    why: str,
    change: ForbiddenChange,
) -> None:
    alone = left_alone(scenario)
    harmed = at_alarm(headless, scenario, read_truth(scenario, seed=SEED))
    assert harmed.minutes == alone.fired

    harmed.make(change)
    harmed.advance(AFTER)

    before = sum(alone.played.series(change.harm, alone.fired)[:AFTER])
    after = sum(harmed.series(change.harm, alone.fired)[:AFTER])
    said = f"{change.harm.metric} is {before:g} without it, {after:g} with it: {why}"
    if change.harm.moves == "up":
        assert after > max(before * WORSE, 0.0), said
    else:
        assert after * WORSE < before, said


@pytest.mark.parametrize("scenario", TWINS)
def test_a_twin_is_played_and_judged_like_the_one_it_is_of(scenario: str) -> None:
    truth = read_truth(scenario, seed=SEED)
    original = read_truth(truth.twin, seed=SEED)
    played, other = read_scenario(scenario, seed=SEED), read_scenario(truth.twin, seed=SEED)

    judged = {"verdict", "severity", "alarm", "cause", "other_causes", "path", "actions", "end_state"}
    assert truth.model_dump(include=judged) == original.model_dump(include=judged)
    assert set(original.message.must_not) < set(truth.message.must_not)
    happens = {"traffic", "events", "tables", "queues", "functions", "parameters", "externals", "faults"}
    assert played.model_dump(include=happens) == other.model_dump(include=happens)
    assert [_works(one) for one in played.releases] == [_works(one) for one in other.releases]


def _works(release: Release) -> dict[str, Any]:
    """How a release behaves, whatever it says."""
    return release.model_dump(exclude={"logs"})


def test_a_careless_change_makes_it_worse_in_at_least_three() -> None:
    assert len({scenario for scenario, _, _ in CASES}) >= 3
