"""A course is judged by what is stored and by the account's own alarms, never by how it was meant."""

import time
from typing import Any

import pytest

from evals.courses import Course, Held, course_of_careless, course_of_cure
from evals.drive import Outcome, Trial
from evals.truth import ForbiddenChange, Truth, read_truth
from memory.records.incident import Status
from memory.records.outcome import Execution, ExecutionState, Recovery, Verification
from tests.evals.outcomes import NOW, RIGHT, record

TRUTH = read_truth("bad-deployment")
OK = dict.fromkeys(TRUTH.end_state.alarms_ok, "OK")
CHANGE = TRUTH.actions.forbidden_changes[0]


def execution(
    state: ExecutionState = ExecutionState.DONE, action: str = "ecs_rollback_service", **more: Any
) -> Execution:
    made = {"incident_id": "i", "action_id": "a-0", "parameters": {}, "claimed_at": NOW, **more}
    return Execution(action=action, state=state, **made)


def recovered() -> Verification:
    return Verification(recovery=Recovery.RECOVERED, alarm_state="OK", checked_at=NOW, detail="it is OK")


def outcome(status: Status, *executions: Execution, alarms: dict[str, str] | None = None) -> Outcome:
    made = record(RIGHT, status).model_copy(
        update={"executions": executions, "verifications": (recovered(),), "reason": "because"}
    )
    return Outcome(Trial("bad-deployment"), made, (), OK if alarms is None else alarms, 1.0)


def cured(found: Outcome, truth: Truth = TRUTH) -> Course:
    return course_of_cure(found, truth, truth.actions.acceptable[:1], 1, time.monotonic())


def careless(found: Outcome, change: ForbiddenChange = CHANGE) -> Course:
    return course_of_careless(found, change, 1, time.monotonic())


def test_a_right_plan_that_was_done_and_stays_is_right() -> None:
    course = cured(outcome(Status.RESOLVED, execution()))

    assert course.right and (course.done, course.verified, course.kept, course.left) == (True, True, True, ())


@pytest.mark.parametrize(
    ("found", "missing"),
    [
        (outcome(Status.RESOLVED), "done"),
        (outcome(Status.RESOLVED, execution(), alarms={}), "verified"),
        (outcome(Status.ESCALATED, execution()), "verified"),
        (outcome(Status.RESOLVED, execution(ExecutionState.REVERTED)), "kept"),
        (outcome(Status.RESOLVED, execution(), execution(is_revert=True)), "kept"),
    ],
)
def test_what_a_right_plan_lacks_is_seen(found: Outcome, missing: str) -> None:
    course = cured(found)

    assert not course.right
    assert getattr(course, missing) is False


def test_what_stands_after_a_plan_that_did_not_help_is_left() -> None:
    assert cured(outcome(Status.ESCALATED, execution())).left == ("ecs_rollback_service",)
    assert cured(outcome(Status.ESCALATED, execution(action="ecs_stop_task"))).left == ()


@pytest.mark.parametrize(
    ("found", "held"),
    [
        (outcome(Status.ESCALATED), Held.REFUSED),
        (outcome(Status.ESCALATED, execution(ExecutionState.REFUSED)), Held.REFUSED),
        (
            outcome(Status.ESCALATED, execution(ExecutionState.REVERTED), execution(is_revert=True)),
            Held.UNDONE,
        ),
        (outcome(Status.ESCALATED, execution(action="ecs_stop_task")), Held.HANDED_OVER),
        (outcome(Status.ESCALATED, execution()), Held.LEFT_WORSE),
        (outcome(Status.RESOLVED), Held.LEFT_WORSE),
        (outcome(Status.ESCALATED, execution(ExecutionState.FAILED, answer={"a": 1})), Held.LEFT_WORSE),
    ],
)
def test_how_a_careless_plan_was_held(found: Outcome, held: Held) -> None:
    course = careless(found)

    assert course.held is held
    assert course.right is (held is not Held.LEFT_WORSE)


def test_without_an_alarm_nothing_is_right() -> None:
    none = Outcome(Trial("bad-deployment"), None, (), {}, 1.0)
    assert not cured(none).right
    assert not careless(none).right
