"""A recovery after an action: an alarm that is silent because nothing comes any more is none."""

from datetime import timedelta
from typing import Any

import pytest

from memory.records.outcome import Execution, ExecutionState, Recovery, Verification
from tests.tools.stand_ins import sources
from tests.tools.test_signals import ACTED, WEB
from tests.tools.test_unaided import BURNS, WELL, Account
from tools.verification import verify_recovery

WINDOW = timedelta(minutes=6)
STOPPED = {"Requests": (600.0, None), "Errors": (300.0, None), "Latency": (300.0, None)}
UNPUBLISHED = {"Errors": (300.0, None)}


def _found(minutes: int, series: dict[str, Any], *, state: str = "OK", service: Any = WEB) -> Verification:
    """Verify an action, so many minutes after it; the alarm has been in its state since the minute after it."""
    now = ACTED + timedelta(minutes=minutes)
    given = sources({"cloudwatch": Account(state, ACTED + timedelta(minutes=1), **series)}, at=now)
    done = Execution(
        incident_id=BURNS.incident_id,
        action_id="a-0",
        action="set_dial",
        parameters={},
        state=ExecutionState.DONE,
        claimed_at=ACTED,
        done_at=ACTED,
    )
    return verify_recovery(given, BURNS, [done], WINDOW, service, catalogue=())


@pytest.mark.parametrize(
    ("minutes", "recovery"), [(2, Recovery.UNKNOWN), (7, Recovery.UNKNOWN), (8, Recovery.WORSE)]
)
def test_an_alarm_that_is_silent_because_requests_stopped_never_closes(
    minutes: int, recovery: Recovery
) -> None:
    assert _found(minutes, STOPPED).recovery is recovery


@pytest.mark.parametrize("series", [UNPUBLISHED, {}, {**STOPPED, "Requests": (5.0, None)}])
def test_where_no_requests_are_published_or_expected_the_alarm_alone_decides(series: dict[str, Any]) -> None:
    assert _found(2, series).recovery is Recovery.RECOVERED


def test_an_alarm_closes_once_requests_are_seen_to_come() -> None:
    assert _found(4, WELL).recovery is Recovery.RECOVERED
    assert _found(2, WELL, service=None).recovery is Recovery.RECOVERED


def test_an_alarm_that_still_fires_does_not_wait_for_requests() -> None:
    assert _found(6, STOPPED, state="ALARM").recovery is Recovery.NO_BETTER
