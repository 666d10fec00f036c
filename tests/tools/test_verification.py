"""A recovery after an action: an alarm that is silent because nothing comes any more is none."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from memory.records.outcome import Recovery, SignalState, Verification
from tests.tools.dials import Dials, SetDialAction
from tests.tools.stand_ins import sources
from tests.tools.test_signals import ACTED, DONE, WEB
from tests.tools.test_unaided import BURNS, WELL, Account
from tools.passing import Harm, how_it_passes
from tools.verification import _least_window, verify_recovery, verify_unaided

WINDOW = timedelta(minutes=6)
STOPPED = {"Requests": (600.0, None), "Errors": (300.0, None), "Latency": (300.0, None)}
UNPUBLISHED = {"Errors": (300.0, None)}


def _found(minutes: int, series: dict[str, Any], *, state: str = "OK", service: Any = WEB) -> Verification:
    """Verify an action, so many minutes after it; the alarm has been in its state since the minute after it."""
    return _verified(Account(state, ACTED + timedelta(minutes=1), **series), minutes, service)


def _verified(account: Account, minutes: int, service: Any = WEB) -> Verification:
    given = sources({"cloudwatch": account}, at=ACTED + timedelta(minutes=minutes))
    return verify_recovery(given, BURNS, [DONE], WINDOW, service, catalogue=())


@pytest.mark.parametrize(
    ("minutes", "recovery"), [(2, Recovery.UNKNOWN), (7, Recovery.UNKNOWN), (8, Recovery.WORSE)]
)
def test_an_alarm_that_is_silent_because_requests_stopped_never_closes(
    minutes: int, recovery: Recovery
) -> None:
    assert _found(minutes, STOPPED).recovery is recovery


@pytest.mark.parametrize("series", [UNPUBLISHED, {}])
def test_where_no_level_was_ever_published_the_alarm_alone_decides(series: dict[str, Any]) -> None:
    assert _found(2, series).recovery is Recovery.RECOVERED


@pytest.mark.parametrize(
    "series",
    [
        {"Requests": (8.0, None), "Errors": (6.0, None), "Latency": (300.0, None)},
        {**WELL, "Latency": (300.0, None)},
        # It was far from its promise, came much closer, and the rest is gone.
        {"Requests": (8.0, None), "Errors": (6.0, None), "Latency": (9000.0, 3000.0)},
    ],
)
def test_what_was_known_before_and_is_published_no_more_is_not_verified(series: dict[str, Any]) -> None:
    early, late = (_found(minutes, series) for minutes in (2, 5))
    over = _found(9, series)

    assert early.recovery is late.recovery is Recovery.UNKNOWN
    assert over.recovery is Recovery.UNVERIFIED and over.recovered_at is None
    assert "it is not known whether all is well; not seen: web:" in over.detail
    assert ", now unknown)" in over.detail and not over.unread


def test_what_is_published_no_more_under_an_alarm_that_rings_was_no_help() -> None:
    silent = {"Requests": (8.0, None), "Errors": (6.0, None), "Latency": (300.0, None)}
    assert _found(9, silent, state="ALARM").recovery is Recovery.NO_BETTER
    assert _found(9, {**silent, "Latency": (9000.0, 9000.0)}).recovery is Recovery.NO_BETTER


class Locked(SetDialAction):
    """An action whose effect nobody may look at any more."""

    def read_state(self, access: Any, params: Any) -> Any:
        raise DENIED


@pytest.mark.parametrize(
    ("minutes", "state", "series", "recovery"),
    [
        (4, "OK", WELL, Recovery.UNKNOWN),
        (6, "OK", WELL, Recovery.UNVERIFIED),
        (6, "ALARM", WELL, Recovery.NO_BETTER),
        (6, "OK", {**WELL, "Errors": (60.0, 300.0)}, Recovery.WORSE),
        (6, "OK", {**WELL, "Errors": (300.0, 240.0)}, Recovery.NO_BETTER),
    ],
)
def test_a_promise_that_cannot_be_read_is_waited_for_and_never_a_recovery(
    minutes: int, state: str, series: Any, recovery: Recovery
) -> None:
    account = Account(state, ACTED + timedelta(minutes=1), **series)
    given = sources({"cloudwatch": account}, at=ACTED + timedelta(minutes=minutes))

    found = verify_recovery(given, BURNS, [DONE], WINDOW, WEB, catalogue=(Locked(Dials()),))

    assert found.recovery is recovery
    assert "dial main stands at 9 (could not be read: AccessDenied)" in found.unread
    assert recovery is Recovery.WORSE or "dial main stands at 9 (could not be read" in found.detail


def test_an_alarm_closes_once_requests_are_seen_to_come() -> None:
    assert _found(4, WELL).recovery is Recovery.RECOVERED
    assert _found(2, WELL, service=None).recovery is Recovery.RECOVERED


@pytest.mark.parametrize(
    ("series", "end"),
    [
        ({"Errors": (300.0, 240.0)}, Recovery.NO_BETTER),
        ({"Latency": (5000.0, 5000.0)}, Recovery.NO_BETTER),
        ({"Errors": (300.0, 12.0)}, Recovery.BETTER),
        ({"Latency": (5000.0, 1500.0)}, Recovery.BETTER),
        # One of them is much better, the other is not.
        ({"Errors": (300.0, 12.0), "Latency": (5000.0, 5000.0)}, Recovery.NO_BETTER),
    ],
)
def test_an_alarm_that_is_ok_over_a_service_that_is_not_well_never_closes(
    series: dict[str, Any], end: Recovery
) -> None:
    open_, over = (_found(minutes, {**WELL, **series}) for minutes in (5, 9))

    assert open_.recovery is Recovery.UNKNOWN and "not yet seen" in open_.detail
    assert over.recovery is end and over.recovered_at is None
    assert "the alarm returned to OK" in over.detail and "not seen: web:" in over.detail


@pytest.mark.parametrize(
    ("minutes", "value", "end"),
    [
        (2, 30, Recovery.UNKNOWN),
        (6, 30, Recovery.UNKNOWN),
        (10, 30, Recovery.NO_BETTER),
        (2, 9, Recovery.RECOVERED),
        (10, 9, Recovery.RECOVERED),
    ],
)
def test_what_an_action_promised_is_awaited_until_it_is_due(minutes: int, value: int, end: Recovery) -> None:
    dial = SetDialAction(Dials(values={"main": value}), within_seconds=480)
    account = Account("OK", ACTED + timedelta(minutes=1))
    given = sources({"cloudwatch": account}, at=ACTED + timedelta(minutes=minutes))

    found = verify_recovery(given, BURNS, [DONE], WINDOW, None, catalogue=(dial,))

    assert found.recovery is end
    assert ("not seen: dial main stands at 9" in found.detail) is (end is Recovery.NO_BETTER)


ROLLOUT = 600
"""Seconds in which the dial of the next test promises to stand where it was set."""


def _rolling(
    minutes: int, value: int, last: Verification | None = None, state: str = "ALARM"
) -> Verification:
    dial = SetDialAction(Dials(values={"main": value}), within_seconds=ROLLOUT)
    given = sources(
        {"cloudwatch": Account(state, ACTED - timedelta(minutes=9))}, at=ACTED + timedelta(minutes=minutes)
    )
    return verify_recovery(given, BURNS, [DONE], WINDOW, None, catalogue=(dial,), last=last)


def test_a_slow_rollout_is_not_undone_in_its_middle() -> None:
    looks = [_rolling(minutes, 30) for minutes in (6, 9)]

    assert [one.recovery for one in looks] == [Recovery.UNKNOWN] * 2
    assert [one.awaited_at for one in looks] == [ACTED + timedelta(minutes=minutes) for minutes in (6, 9)]


def test_what_does_not_come_by_when_it_was_promised_was_no_help() -> None:
    late = _rolling(10, 30, _rolling(9, 30))

    assert (late.recovery, late.awaited_at) == (Recovery.NO_BETTER, None)


def test_an_alarm_has_the_time_that_it_needs_once_a_slow_rollout_is_over() -> None:
    awaited = _rolling(9, 30)
    over = _rolling(10, 9, awaited)
    needs = _least_window({"evaluation_periods": 3, "period_seconds": 60})
    at_its_end = _rolling(9 + int(needs.total_seconds() // 60), 9, over)

    assert (over.recovery, over.awaited_at) == (Recovery.UNKNOWN, awaited.awaited_at)
    assert at_its_end.recovery is Recovery.NO_BETTER
    assert _rolling(10, 9).recovery is Recovery.NO_BETTER, "nobody knows of a wait"


def test_what_an_earlier_plan_waited_for_gives_no_time_to_this_one() -> None:
    earlier = _rolling(9, 30).model_copy(update={"awaited_at": ACTED - timedelta(seconds=1)})

    assert _rolling(10, 9, earlier).recovery is Recovery.NO_BETTER


def test_an_alarm_that_still_fires_does_not_wait_for_requests() -> None:
    assert _found(6, STOPPED, state="ALARM").recovery is Recovery.NO_BETTER


DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "GetMetricData")
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slowly"}}, "GetMetricData")


class Unread(Account):
    """An account that does not give away some of its metrics, or not all of them, or its alarm."""

    def __init__(self, lost: Any, how: Any, **series: tuple[float, float | None]) -> None:
        super().__init__("OK", ACTED + timedelta(minutes=1), **series)
        self.lost, self.how = lost, how

    def get_metric_data(self, MetricDataQueries: list[Any], **more: Any) -> Any:
        metric = MetricDataQueries[0]["MetricStat"]["Metric"]
        answer = super().get_metric_data(MetricDataQueries, **more)
        # The alarm's own metric is told from the service's by its dimensions.
        if metric["MetricName"] not in self.lost or not metric["Dimensions"]:
            return answer
        if isinstance(self.how, Exception):
            raise self.how
        return {"MetricDataResults": [{**answer["MetricDataResults"][0], "StatusCode": self.how}]}

    def describe_alarms(self, **more: Any) -> Any:
        if "alarm" in self.lost:
            raise self.how
        return super().describe_alarms(**more)


@pytest.mark.parametrize("how", [DENIED, THROTTLED, "InternalError", "Forbidden", "PartialData"], ids=str)
@pytest.mark.parametrize(
    "lost", [("Requests",), ("Errors",), ("Latency",), ("Requests", "Errors", "Latency")], ids=str
)
def test_what_cannot_be_read_is_unknown_and_never_a_recovery(lost: tuple[str, ...], how: Any) -> None:
    account = Unread(lost, how, **WELL)
    open_, over = (_verified(account, minutes) for minutes in (4, 6))
    assert open_.recovery is Recovery.UNKNOWN
    assert over.recovery is Recovery.UNVERIFIED
    for found in (open_, over):
        assert found.unread
        assert "could not be read" in found.detail
        states = {one.text.split(":")[1].split(",")[0].strip(): one.state for one in found.signals}
        gone = {"share of requests that fail"} if {"Requests", "Errors"} & {*lost} else set()
        gone |= {"requests a minute"} if "Requests" in lost else set()
        gone |= {"p99 latency in ms"} if "Latency" in lost else set()
        assert {text for text, state in states.items() if state is SignalState.UNKNOWN} == gone
        assert all(one.now is None for one in found.signals if one.unread)
    assert "it is not known whether all is well" in over.detail


def test_what_is_read_again_before_the_window_ends_recovers() -> None:
    assert _verified(Unread((), DENIED, **WELL), 4).recovery is Recovery.RECOVERED


def test_what_got_worse_is_said_whatever_else_cannot_be_read() -> None:
    worse = {**WELL, "Errors": (60.0, 300.0)}
    assert _verified(Unread(("Latency",), DENIED, **worse), 4).recovery is Recovery.WORSE


def test_an_alarm_that_cannot_be_read_is_no_recovery_and_that_is_the_reason() -> None:
    account = Unread(("alarm",), DENIED, **WELL)
    assert _verified(account, 4).recovery is Recovery.UNKNOWN
    over = _verified(account, 6)
    assert over.recovery is Recovery.NO_BETTER
    assert "the alarm could not be read: denied" in over.detail


@pytest.mark.parametrize("lost", ["Requests", "Errors", "Latency"])
def test_what_nobody_acted_on_is_not_over_while_its_level_cannot_be_read(lost: str) -> None:
    given = sources({"cloudwatch": Unread((lost,), THROTTLED, **WELL)}, at=ACTED + timedelta(minutes=8))
    assert verify_unaided(given, BURNS, ACTED, timedelta(minutes=60), WEB).recovery is Recovery.UNKNOWN
    late = verify_unaided(given, BURNS, ACTED, timedelta(minutes=8), WEB)
    assert late.recovery is Recovery.NO_BETTER
    assert "could not be read: throttled" in late.detail
    assert how_it_passes(given, BURNS, WEB).harm is Harm.GOES_ON


@pytest.mark.parametrize(("service", "series"), [(None, {}), (WEB, WELL)])
@pytest.mark.parametrize("since_it_rang", [False, True])
def test_the_ok_of_an_alarm_that_was_changed_after_it_rang_is_no_recovery(
    since_it_rang: bool, service: Any, series: dict[str, Any]
) -> None:
    account = Account("OK", ACTED + timedelta(minutes=1), **series)
    moved = timedelta(minutes=1 if since_it_rang else 0)
    account.alarm["AlarmConfigurationUpdatedTimestamp"] = BURNS.episode_started_at + moved
    early, over = (_verified(account, minutes, service) for minutes in (4, 9))

    if not since_it_rang:
        assert early.recovery is Recovery.RECOVERED
        return
    assert early.recovery is Recovery.UNKNOWN
    assert over.recovery is Recovery.UNVERIFIED and over.recovered_at is None
    assert "the alarm itself was changed at 2026-03-04 11:50:00 UTC, after it rang" in over.detail
    given = sources({"cloudwatch": account}, at=ACTED + timedelta(minutes=4))
    unaided = verify_unaided(given, BURNS, ACTED, WINDOW, service)
    assert unaided.recovery is Recovery.UNKNOWN


@pytest.mark.parametrize(
    ("since", "said"),
    [
        (timedelta(minutes=-3), "the alarm is still ALARM 180 minutes after the action"),
        # It may have been OK in between: a look that comes late has not seen that it was not.
        (timedelta(minutes=170), "the alarm is ALARM since 14:42:00 UTC, 180 minutes after the action"),
    ],
)
def test_a_look_that_comes_late_says_when_it_was_made(since: timedelta, said: str) -> None:
    given = sources({"cloudwatch": Account("ALARM", ACTED + since)}, at=ACTED + timedelta(hours=3))

    found = verify_recovery(given, BURNS, [DONE], WINDOW, None, catalogue=())

    assert found.recovery is Recovery.NO_BETTER and said in found.detail
    unaided = verify_unaided(given, BURNS, ACTED, WINDOW)
    assert "the alarm is ALARM after 180 minutes of watching" in unaided.detail


class Kept(Account):
    """CloudWatch that gives what was asked for: the points of a window, as they were before the action and after."""

    def get_metric_data(self, MetricDataQueries: list[Any], **asked: Any) -> Any:
        results = []
        for query in MetricDataQueries:
            before, after = self.series.get(query["MetricStat"]["Metric"]["MetricName"], (None, None))
            minutes = [ACTED + timedelta(minutes=n) for n in range(-60, 240)]
            points = [
                (at, before if at < ACTED else after)
                for at in minutes
                if asked["StartTime"] <= at < asked["EndTime"]
            ]
            kept = [(at, value) for at, value in points if value is not None]
            times, values = [at for at, _ in kept], [value for _, value in kept]
            results.append(
                {"Id": query["Id"], "Timestamps": times, "Values": values, "StatusCode": "Complete"}
            )
        return {"MetricDataResults": results}


@pytest.mark.parametrize("minutes", [9, 50, 61, 180])
def test_a_late_look_still_knows_how_it_was_before_the_action(minutes: int) -> None:
    stopped = Kept("OK", ACTED + timedelta(minutes=1), **STOPPED)
    failing = Kept("OK", ACTED + timedelta(minutes=1), **{**WELL, "Errors": (60.0, 300.0)})

    assert _verified(stopped, minutes).recovery is Recovery.WORSE
    assert _verified(failing, minutes).recovery is Recovery.WORSE
