"""What people are told when an incident is handed to them: all that led to it, not the first of it alone."""

from typing import Any, cast

import pytest

from graphs.nodes.escalate import escalate
from graphs.step import Turn
from memory.records.incident import Status
from memory.records.plan import Plan, Review, Ruling
from memory.state import IncidentState
from tests.graphs.failing_desk import FailingDesk
from tests.tools.dials import incident, plan

UNDONE = (
    "the alarm is still ALARM 6 minutes after the action; it was undone; the alarm is ALARM after the undo"
)


def reason(**more: Any) -> str:
    desk = FailingDesk()
    state = cast(IncidentState, {"incident": incident(), "status": Status.OPEN, "attempt": 2, **more})
    ended = escalate(Turn(desk.copilot, state, "t"))
    assert ended["status"] is Status.ESCALATED
    return str(ended["reason"])


def refused() -> Review:
    review = FailingDesk("asked")._review()
    return review.model_copy(update={"ruling": Ruling.REFUSE, "reasons": ("a freeze holds",)})


@pytest.mark.parametrize("before", [UNDONE, ""])
def test_a_further_plan_that_policy_refused_is_told_with_what_was_undone_before_it(before: str) -> None:
    said = reason(reason=before, plan=plan(attempt=2), reviews=[refused()])

    assert said.startswith(before) and "policy refused set_dial: a freeze holds" in said


def test_that_no_further_plan_was_found_is_told_with_what_was_undone_before_it() -> None:
    said = reason(reason=UNDONE, plan=Plan(no_action_reason="nothing else fits", attempt=2), reviews=[])

    assert said == f"{UNDONE}; no further plan: nothing else fits"
    assert reason(reason="", plan=Plan(no_action_reason="none")) == "none"
