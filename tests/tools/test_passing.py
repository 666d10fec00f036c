"""Harm from outside is over, eases or goes on, by its newest minutes."""

from datetime import timedelta
from typing import Any

import pytest

from memory.records.config import Service
from tests.tools.stand_ins import sources
from tests.tools.test_signals import ACTED, WEB
from tests.tools.test_unaided import BURNS, STARTED, STILL_FAILS, UNREAD, WELL, Account
from tools.passing import Harm, how_it_passes


class Ringing(Account):
    """An account whose alarm has a threshold of 20 errors a minute."""

    def describe_alarms(self, **asked: Any) -> Any:
        (alarm,) = super().describe_alarms(**asked)["MetricAlarms"]
        return {"MetricAlarms": [{**alarm, "Threshold": 20.0, "ComparisonOperator": "GreaterThanThreshold"}]}


def harm(state: str, series: dict[str, Any], service: Service | None = WEB) -> Harm:
    account = Ringing(state, STARTED + timedelta(minutes=1), **series)
    return how_it_passes(sources({"cloudwatch": account}), BURNS, service).harm


@pytest.mark.parametrize(
    ("state", "series", "expected"),
    [
        ("OK", WELL, Harm.OVER),
        ("OK", UNREAD, Harm.GOES_ON),
        ("OK", STILL_FAILS, Harm.GOES_ON),
        # It has ended, and the alarm has not seen all of its periods calm.
        ("ALARM", WELL, Harm.OVER),
        ("ALARM", STILL_FAILS, Harm.GOES_ON),
        # Nothing is seen of the service, and nothing speaks for it.
        ("ALARM", UNREAD, Harm.GOES_ON),
        ("ALARM", {}, Harm.GOES_ON),
        ("INSUFFICIENT_DATA", {}, Harm.GOES_ON),
        # The service is within its level, the alarm's own metric is not below its threshold.
        ("ALARM", {"Requests": (9e4, 9e4), "Errors": (900.0, 30.0), "Latency": (9.0, 9.0)}, Harm.GOES_ON),
    ],
)
def test_the_newest_minutes_say_how_it_goes_on(state: str, series: dict[str, Any], expected: Harm) -> None:
    assert harm(state, series) is expected


@pytest.mark.parametrize(("errors", "expected"), [(120.0, Harm.EASES), (200.0, Harm.GOES_ON)])
def test_harm_that_has_halved_in_five_minutes_eases(errors: float, expected: Harm) -> None:
    account = Ringing("ALARM", STARTED, **{**WELL, "Errors": (300.0, errors)})
    # Seen two minutes after the change, when the minutes before it are what is compared with.
    then = sources({"cloudwatch": account}, at=ACTED + timedelta(minutes=3))
    assert how_it_passes(then, BURNS, WEB).harm is expected


def test_without_a_known_service_only_an_alarm_that_is_back_says_that_it_is_over() -> None:
    assert harm("OK", WELL, None) is Harm.OVER
    assert harm("ALARM", WELL, None) is Harm.GOES_ON


def test_an_alarm_that_was_ok_before_the_episode_proves_nothing() -> None:
    account = Ringing("OK", STARTED - timedelta(minutes=1))
    assert how_it_passes(sources({"cloudwatch": account}), BURNS, None).harm is Harm.GOES_ON


def test_a_metric_that_stays_at_a_threshold_that_counts_breaches_it() -> None:
    class AtIt(Ringing):
        def describe_alarms(self, **asked: Any) -> Any:
            (alarm,) = super().describe_alarms(**asked)["MetricAlarms"]
            return {"MetricAlarms": [{**alarm, "ComparisonOperator": "GreaterThanOrEqualToThreshold"}]}

    series = {"Requests": (9e4, 9e4), "Errors": (900.0, 20.0), "Latency": (9.0, 9.0)}
    account = sources({"cloudwatch": AtIt("ALARM", STARTED + timedelta(minutes=1), **series)})
    assert how_it_passes(account, BURNS, WEB).harm is Harm.GOES_ON
    assert harm("ALARM", series) is Harm.OVER


@pytest.mark.parametrize("service", [None, WEB])
def test_an_alarm_that_was_changed_since_it_rang_does_not_say_that_it_is_over(
    service: Service | None,
) -> None:
    account = Ringing("OK", STARTED + timedelta(minutes=1), **WELL)
    account.alarm["AlarmConfigurationUpdatedTimestamp"] = STARTED + timedelta(minutes=1)

    found = how_it_passes(sources({"cloudwatch": account}), BURNS, service)

    assert found.harm is Harm.GOES_ON and "the alarm itself was changed at" in found.detail
