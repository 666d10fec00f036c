from datetime import UTC, datetime
from typing import Any, cast

import pytest

from graphs import routes
from memory.records.assessment import Assessment, CauseKind, FirstLook, Hypothesis, Verdict
from memory.records.incident import Severity, Status
from memory.records.outcome import Execution, ExecutionState, Recovery, Verification
from memory.records.plan import Plan, PlannedAction, Review, Risk, Ruling
from memory.state import IncidentState

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def state(**fields: Any) -> IncidentState:
    return cast(IncidentState, fields)


def review(ruling: Ruling) -> Review:
    return Review(
        action="a",
        ruling=ruling,
        reasons=(),
        policy_ids=(),
        policy_set_sha256="",
        risk=Risk.LOW,
        blast_radius="",
        fingerprint="",
        inverse="none",
    )


def execution(done: ExecutionState) -> Execution:
    return Execution(incident_id="i", action_id="p-0", action="a", parameters={}, state=done, claimed_at=NOON)


def verification(found: Recovery) -> Verification:
    return Verification(recovery=found, alarm_state="OK", checked_at=NOON, detail="")


@pytest.mark.parametrize(
    ("fields", "node"),
    [
        ({"incident": object(), "status": Status.OPEN}, "first_look"),
        ({"incident": object(), "status": Status.OPEN, "attempt": 2}, "remediation"),
        ({"incident": object(), "status": Status.OPEN, "failures": [object()]}, "escalate"),
        ({"incident": object(), "status": Status.OPEN, "reviews": [review(Ruling.ASK)]}, "approve"),
        ({"incident": object(), "status": Status.OPEN, "reviews": [review(Ruling.PERMIT)]}, "act"),
        ({"incident": object(), "status": Status.ACTING}, "act"),
        ({"incident": object(), "status": Status.VERIFYING}, "watch"),
        ({"incident": object(), "status": Status.ESCALATED}, "escalate"),
        ({"incident": object(), "status": Status.RESOLVED}, "communicate"),
        ({"incident": object(), "joined": "other"}, "__end__"),
        ({"joined": "not_an_alarm"}, "__end__"),
        ({}, "__end__"),
    ],
)
def test_work_begins_once_and_goes_on_where_it_stood(fields: dict[str, Any], node: str) -> None:
    assert routes.after_intake(state(**fields)) == node


@pytest.mark.parametrize(
    ("verdict", "node"),
    [(Verdict.NOISE, "close"), (Verdict.UNRESOLVED, "escalate"), (Verdict.CAUSE, "remediation")],
)
def test_each_verdict_has_its_way(verdict: Verdict, node: str) -> None:
    found = Assessment(verdict=verdict, severity=Severity.LOW, summary="", confidence=0.5)
    assert routes.after_critic(state(assessment=found)) == node


def test_a_plan_without_action_goes_to_people() -> None:
    assert routes.after_remediation(state(plan=NOTHING, assessment=RELEASE)) == "escalate"
    plan = Plan(actions=(PlannedAction(action="a", parameters={}),))
    assert routes.after_remediation(state(plan=plan)) == "review"


NOTHING = Plan(no_action_reason="none fits")


def caused_by(*kinds: CauseKind) -> Assessment:
    causes = tuple(
        Hypothesis(kind=kind, component="x", statement="", evidence_for=("e",), confidence=0.9)
        for kind in kinds
    )
    verdict = Verdict.CAUSE if kinds else Verdict.UNRESOLVED
    return Assessment(
        verdict=verdict, severity=Severity.HIGH, summary="", confidence=0.9, causes=causes, hypotheses=causes
    )


OUTAGE = caused_by(CauseKind.DEPENDENCY)
RELEASE = caused_by(CauseKind.DEPLOYMENT)
OVER = FirstLook(severity=Severity.LOW, severity_reason="", verdict=Verdict.CAUSE, recovered_at=NOON)


@pytest.mark.parametrize(
    ("fields", "node"),
    [
        ({"assessment": OUTAGE}, "stand_by"),
        ({"assessment": caused_by(CauseKind.TRAFFIC, CauseKind.DEPENDENCY)}, "stand_by"),
        ({"assessment": RELEASE, "first_look": OVER}, "stand_by"),
        ({"assessment": RELEASE}, "escalate"),
        ({"assessment": caused_by(CauseKind.DEPENDENCY, CauseKind.DEPLOYMENT)}, "escalate"),
        ({"assessment": caused_by()}, "escalate"),
        ({"assessment": OUTAGE, "failures": [object()]}, "escalate"),
        ({"assessment": OUTAGE, "executions": [object()]}, "escalate"),
        # A change was possible, and no model was there to choose it.
        ({"assessment": OUTAGE, "plan": Plan(alternatives=("a",))}, "escalate"),
    ],
)
def test_only_what_may_pass_of_itself_is_watched_with_nothing_done(fields: dict[str, Any], node: str) -> None:
    assert routes.after_remediation(state(**{"plan": NOTHING, **fields})) == node


@pytest.mark.parametrize(
    ("rulings", "node"),
    [
        ([], "escalate"),
        ([Ruling.PERMIT], "act"),
        ([Ruling.ASK], "approve"),
        ([Ruling.REFUSE], "escalate"),
        ([Ruling.PERMIT, Ruling.PERMIT], "act"),
        ([Ruling.PERMIT, Ruling.ASK], "approve"),
        ([Ruling.PERMIT, Ruling.REFUSE], "escalate"),
        ([Ruling.ASK, Ruling.REFUSE], "escalate"),
    ],
)
def test_the_strictest_ruling_decides(rulings: list[Ruling], node: str) -> None:
    assert routes.after_review(state(reviews=[review(one) for one in rulings])) == node


@pytest.mark.parametrize("status", list(Status))
def test_only_an_approval_leads_to_acting(status: Status) -> None:
    ways = {Status.ACTING: "act", Status.AWAITING_APPROVAL: "approve"}
    assert routes.after_approve(state(status=status)) == ways.get(status, "escalate")


def test_a_withdrawn_plan_leaves_the_alarm_watched() -> None:
    assert routes.after_approve(state(status=Status.VERIFYING, watched_since=NOON)) == "watch"


@pytest.mark.parametrize("end", list(ExecutionState))
def test_only_what_was_done_is_watched(end: ExecutionState) -> None:
    node = "watch" if end is ExecutionState.DONE else "escalate"
    earlier_plan = execution(ExecutionState.DONE).model_copy(update={"action_id": "o-0"})
    assert routes.after_act(state(executions=[earlier_plan, execution(end)])) == node


@pytest.mark.parametrize("end", list(ExecutionState))
def test_a_step_that_did_not_happen_unwinds_those_before_it(end: ExecutionState) -> None:
    ways = {"done": "watch", "refused": "revert", "failed": "revert"}
    second = execution(end).model_copy(update={"action_id": "p-1"})

    node = routes.after_act(state(executions=[execution(ExecutionState.DONE), second]))

    assert node == ways.get(end.value, "escalate")


def test_what_aws_accepted_and_did_not_finish_is_watched_so_that_it_is_undone() -> None:
    failed = execution(ExecutionState.FAILED)
    accepted = failed.model_copy(update={"answer": {"deployment": "ecs-svc/1"}})
    assert routes.after_act(state(executions=[accepted])) == "watch"
    assert routes.after_act(state(executions=[failed])) == "escalate"


def test_without_an_execution_people_take_over() -> None:
    assert routes.after_act(state(executions=[])) == "escalate"


@pytest.mark.parametrize(
    ("fields", "node"), [({"due": True}, "verify"), ({"due": False}, "watch"), ({}, "watch")]
)
def test_a_run_woken_before_its_time_goes_on_watching(fields: dict[str, Any], node: str) -> None:
    assert routes.after_watch(state(**fields)) == node


@pytest.mark.parametrize(
    ("found", "node"),
    [
        (Recovery.RECOVERED, "close"),
        (Recovery.UNKNOWN, "watch"),
        (Recovery.BETTER, "escalate"),
        (Recovery.UNVERIFIED, "escalate"),
        (Recovery.NO_BETTER, "revert"),
        (Recovery.WORSE, "revert"),
    ],
)
def test_what_did_not_help_is_undone(found: Recovery, node: str) -> None:
    assert routes.after_verify(state(verification=verification(found))) == node


@pytest.mark.parametrize(
    ("found", "node"),
    [
        (Recovery.RECOVERED, "close"),
        (Recovery.UNKNOWN, "watch"),
        (Recovery.NO_BETTER, "escalate"),
        (Recovery.WORSE, "escalate"),
    ],
)
def test_where_nothing_was_done_nothing_is_undone(found: Recovery, node: str) -> None:
    assert routes.after_verify(state(verification=verification(found), watched_since=NOON)) == node


@pytest.mark.parametrize("status", list(Status))
def test_a_second_plan_waits_for_the_undo_and_needs_it_certain(status: Status) -> None:
    ways = {Status.OPEN: "remediation", Status.VERIFYING: "revert"}
    node = ways.get(status, "escalate")
    assert routes.after_revert(state(status=status)) == node
