"""An incident of which nothing was done: it is over only when its alarm and its service's level both say so."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from memory.records.outcome import Recovery, Verification
from tests.agents.desk import INCIDENT
from tests.tools.stand_ins import NOW, sources
from tests.tools.test_signals import ACTED, WEB, Metrics
from tools.verification import verify_unaided

STARTED = ACTED - timedelta(minutes=3)
BURNS = INCIDENT.model_copy(update={"episode_started_at": STARTED})
WELL = {"Requests": (600.0, 600.0), "Errors": (300.0, 0.0), "Latency": (300.0, 300.0)}
STILL_FAILS = {**WELL, "Errors": (300.0, 280.0)}
UNREAD = {**WELL, "Requests": (600.0, None), "Errors": (300.0, None)}


class Account(Metrics):
    """CloudWatch with one alarm in a state that it has since some moment."""

    def __init__(self, state: str, since: datetime, **series: tuple[float, float | None]) -> None:
        super().__init__(**series)
        self.alarm = {"AlarmName": "basket-errors", "StateValue": state, "StateTransitionedTimestamp": since}

    def describe_alarms(self, **_: Any) -> Any:
        rule = {"Namespace": "Shop", "MetricName": "Errors", "Statistic": "Sum", "Period": 60}
        return {"MetricAlarms": [{**self.alarm, **rule, "EvaluationPeriods": 3}]}

    def describe_alarm_history(self, **_: Any) -> Any:
        return {"AlarmHistoryItems": []}


def found(
    state: str, since: datetime, series: dict[str, Any], *, minutes: int = 60, service: Any = WEB
) -> Verification:
    account = sources({"cloudwatch": Account(state, since, **series)})
    return verify_unaided(account, BURNS, ACTED, timedelta(minutes=minutes), service)


def test_what_cleared_with_its_service_well_recovered_by_itself() -> None:
    said = found("OK", NOW - timedelta(minutes=2), WELL)
    assert said.recovery is Recovery.RECOVERED
    assert said.recovered_at == NOW
    assert "by itself, nothing was done" in said.detail


def test_an_alarm_that_cleared_before_it_was_watched_counts() -> None:
    assert found("OK", STARTED + timedelta(minutes=1), WELL).recovery is Recovery.RECOVERED


@pytest.mark.parametrize(
    ("state", "since", "series"),
    [
        ("ALARM", STARTED, WELL),
        ("INSUFFICIENT_DATA", NOW, WELL),
        # OK of an earlier episode, with which this one has nothing to do.
        ("OK", STARTED - timedelta(minutes=1), WELL),
        ("OK", NOW, STILL_FAILS),
    ],
)
def test_what_is_not_over_is_watched_to_the_windows_end_and_handed_over(
    state: str, since: datetime, series: dict[str, Any]
) -> None:
    assert found(state, since, series).recovery is Recovery.UNKNOWN
    late = found(state, since, series, minutes=8)
    assert late.recovery is Recovery.NO_BETTER
    assert f"the alarm is {state} after 8 minutes" in late.detail


def test_a_level_that_cannot_be_read_is_not_well() -> None:
    assert found("OK", NOW, UNREAD).recovery is not Recovery.RECOVERED
    assert found("OK", NOW, {}, minutes=8).recovery is not Recovery.RECOVERED


def test_what_gets_much_worse_is_handed_over_before_the_window_ends() -> None:
    worse = {**WELL, "Errors": (60.0, 300.0)}
    assert found("ALARM", STARTED, worse).recovery is Recovery.WORSE


def test_without_a_known_service_the_alarm_alone_decides() -> None:
    assert found("OK", NOW, WELL, service=None).recovery is Recovery.RECOVERED
