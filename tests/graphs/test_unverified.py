"""What a look that fails proves, by when there began to be something to look at."""

from datetime import timedelta
from typing import cast

import pytest

from graphs.unverified import may_go_on, unverified
from memory.records.config import Limits
from memory.records.failure import Failure
from memory.records.outcome import Recovery
from memory.state import IncidentState
from tests.tools.dials import incident
from tests.tools.stand_ins import NOW
from tests.tools.test_signals import DONE


def failed(step: str, minutes: int) -> Failure:
    return Failure(step=step, error="Transient", detail="throttled", at=NOW + timedelta(minutes=minutes))


@pytest.mark.parametrize("earlier", [[], [DONE]])
def test_the_window_of_what_a_failed_step_has_done_begins_with_its_failure(earlier: list[object]) -> None:
    """The state has not heard of it; people may have taken an hour to approve it."""
    acted = {"incident": incident(), "executions": earlier, "failures": [failed("act", 60)]}
    state, limits = cast(IncidentState, acted), Limits()

    first = unverified(state, failed("verify", 61), limits)
    last = unverified(state, failed("verify", 60 + limits.verification_minutes), limits)

    assert may_go_on(first) and first.detail == "it could not be looked at: Transient: throttled"
    assert last.recovery is Recovery.NO_BETTER


def test_the_failure_of_another_step_opens_no_window_anew() -> None:
    acted = {"incident": incident(), "executions": [DONE], "failures": [failed("watch", 60)]}

    assert not may_go_on(unverified(cast(IncidentState, acted), failed("verify", 61), Limits()))
