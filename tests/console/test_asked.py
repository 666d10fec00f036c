"""Whoever decides sees what they decide on: at the prompt, in the story, in the message and in the report."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from rich.console import Console

from agents.notes import facts_of
from console.asked import UNKNOWN, told_request
from console.report import render
from console.story import Story
from memory.records.approval import ApprovalRequest
from memory.records.incident import Status
from memory.records.incident_record import IncidentRecord
from memory.records.plan import (
    NO_INVERSE,
    Direction,
    Drift,
    ExpectedSignal,
    Plan,
    PlannedAction,
    Review,
    Risk,
    Ruling,
)
from memory.records.scope import COPILOT
from tests.agents.desk import INCIDENT, NOON, SCOPE
from tests.graphs.desk import Desk, desk

GONE = "Storefront-SetTableOnDemand"
DRIFTED = f"table-throttling: document {GONE}@1: it is not there"
DRIFT = Drift(runbook="book", subject="role ops", problem="it is not there")
FINISHED = ExpectedSignal(
    text="the rollout completes",
    direction=Direction.BECOMES,
    within_seconds=600,
    state_key="rollout",
    level="done",
)


def action(**more: object) -> PlannedAction:
    given = {
        "action": "ecs_rollback_service",
        "parameters": {"service": "basket", "task_definition": "basket:7"},
        "why": "basket:8 broke it",
        "expected": (FINISHED,),
        "falsified_by": "errors go on",
    }
    return PlannedAction.model_validate({**given, **more})


def review(of: PlannedAction, **more: object) -> Review:
    given = {
        "action": of.action,
        "ruling": Ruling.ASK,
        "reasons": ("no policy permits it by itself",),
        "policy_ids": ("approved",),
        "policy_set_sha256": "0" * 64,
        "risk": Risk.MEDIUM,
        "blast_radius": "5 of 17 tasks",
        "fingerprint": "as-asked",
        "inverse": "ecs_rollback_service to basket:8",
    }
    return Review.model_validate({**given, **more})


def asked(
    *actions: PlannedAction, drift: tuple[Drift, ...] = (), **more: object
) -> tuple[ApprovalRequest, Plan]:
    plan = Plan(actions=actions, drift=drift, expected_effect="Tasks are replaced.")
    given = {
        "incident_id": INCIDENT.incident_id,
        "scope": SCOPE,
        "plan_hash": plan.plan_hash,
        "actions": actions,
        "fingerprints": ("as-asked",) * len(actions),
        "proposer": COPILOT,
        "requested_at": NOON,
        "expires_at": NOON + timedelta(minutes=30),
        "blast_percents": (30,) * len(actions),
    }
    return ApprovalRequest.model_validate({**given, **more}), plan


def record(plan: Plan, request: ApprovalRequest, *reviews: Review) -> IncidentRecord:
    return IncidentRecord(
        incident=INCIDENT,
        status=Status.AWAITING_APPROVAL,
        plans=(plan,),
        reviews=reviews,
        approval=request,
        updated_at=NOON,
    )


def rows(told: str) -> dict[str, str]:
    """Return what is told under each label, as one line."""
    found: dict[str, str] = {}
    label = ""
    for line in told.splitlines()[1:]:
        label = line[2:12].strip() or label
        found[label] = f"{found.get(label, '')} {line[12:]}".strip()
    found.pop("", None)
    return found


def test_everything_that_a_decision_rests_on_is_told() -> None:
    one = action()
    request, plan = asked(one, drift=(DRIFT,), quorum=2)

    told = told_request(request, record(plan, request, review(one)), 80)

    told_plan = (
        f"plan {request.plan_hash[:12]}: ecs_rollback_service (service=basket, task_definition=basket:7)"
    )
    assert " ".join(told.split()).startswith(told_plan)
    assert rows(told) == {
        "why": "basket:8 broke it",
        "expected": "the rollout completes, within 10 min",
        "wrong if": "errors go on",
        "touches": "5 of 17 tasks",
        "way back": "ecs_rollback_service to basket:8",
        "policy": "ask: no policy permits it by itself",
        "effect": "Tasks are replaced.",
        "drifted": "book: role ops: it is not there",
        "approve": "2 people, each with the role approver, until 2026-11-23 12:30:00 UTC",
    }


def test_each_of_several_actions_has_its_own_limits_and_way_back() -> None:
    first, second = action(), action(action="sqs_redrive", falsified_by="messages come back")
    request, plan = asked(first, second)
    reviews = review(first), review(second, blast_radius="12 messages", inverse=NO_INVERSE)

    told = told_request(request, record(plan, request, *reviews), 80)

    _, one, two = told.split("\n  1. ")[0], *told.split("\n  1. ")[1].split("\n  2. ")
    assert (rows(one)["touches"], rows(one)["wrong if"]) == ("5 of 17 tasks", "errors go on")
    assert (rows(two)["touches"], rows(two)["wrong if"]) == ("12 messages", "messages come back")
    assert rows(two)["way back"] == "none: the copilot cannot undo it"


@pytest.mark.parametrize("held", ["nothing", "another plan", "reviews of another action"])
def test_what_the_record_does_not_hold_is_not_told_as_harmless(held: str) -> None:
    one, other = action(), action(action="sqs_redrive")
    request, plan = asked(one)
    _, elsewhere = asked(other)
    stored = {
        "nothing": None,
        "another plan": record(elsewhere, request, review(one)),
        "reviews of another action": record(plan, request, review(other)),
    }[held]

    told = rows(told_request(request, stored, 80))

    assert told["way back"] == told["policy"] == UNKNOWN
    assert told["touches"] == f"30 % of its target; the rest is {UNKNOWN}", "the signed request says how much"
    assert told["wrong if"] == "errors go on"
    assert ("drifted" in told) is (held != "reviews of another action")


def test_a_freeze_that_began_after_the_review_is_told() -> None:
    one, why = action(), "the freeze year holds"
    request, plan = asked(one, freeze=why)

    began, held = (
        rows(told_request(request, record(plan, request, ruled), 80))
        for ruled in (review(one), review(one, freeze=why))
    )

    assert (began["frozen"], "frozen" in held) == (why, False), "policy's own row tells of one that held"


def test_what_the_request_says_of_no_way_back_is_told_once() -> None:
    one, why = action(), "it could not be taken back: the role may not ecs:UpdateService on web"
    request, plan = asked(one, no_way_back=(why,))
    knew, did_not = review(one, inverse=f"{NO_INVERSE}: {why}"), review(one)
    for ruled, way_back in ((knew, knew.inverse), (did_not, f"{did_not.inverse} {why}")):
        told = rows(told_request(request, record(plan, request, ruled), 80))
        facts = facts_of(INCIDENT, plan=plan, reviews=(ruled,), approval=request)
        assert told["way back"] == way_back
        assert facts.get("no_way_back", "") == ("" if ruled is knew else why)


def test_a_target_that_changed_since_its_review_is_said_to_have() -> None:
    one = action()
    request, plan = asked(one)

    told = told_request(request, record(plan, request, review(one, fingerprint="before")), 80)

    assert rows(told)["touches"] == "5 of 17 tasks (at the review; its target has changed since)"


def test_text_from_outside_makes_no_row_and_drives_no_terminal() -> None:
    one = action(why="it is fine\n  way back  nothing is needed\x1b[2J" + " and so on" * 30)
    request, plan = asked(one)

    told = told_request(request, record(plan, request, review(one)), 80)

    assert "\x1b" not in told
    assert rows(told)["way back"] == "ecs_rollback_service to basket:8"
    assert max(map(len, told.splitlines())) <= 80


@dataclass(frozen=True)
class Waiting:
    """An incident that waits for its approval, for which a runbook was found that no longer fits the account."""

    at: Desk
    record: IncidentRecord

    def shown(self) -> str:
        """What `cloudops show` prints of it."""
        out = Console(file=io.StringIO(), width=200, highlight=False, markup=False)
        story, about = Story(out, self.at.records), self.record.incident
        with out.capture() as told:
            for entry in self.at.records.timeline.entries(about.scope, about.incident_id):
                story.tell(entry)
            story.sum_up(self.record)
        return told.get()


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Waiting]:
    with desk(tmp_path_factory.mktemp("drifted"), "throttled-table") as at:
        at.alarm_event()
        at.account.client("ssm").delete_document(Name=GONE)
        started = at.start()
        assert started.status is Status.AWAITING_APPROVAL, started.reason
        yield Waiting(at, started)


def test_a_runbook_that_drifted_is_in_the_plan(waiting: Waiting) -> None:
    assert [str(one) for one in waiting.record.plans[-1].drift] == [DRIFTED]


def test_the_message_that_asks_says_what_a_decision_rests_on(waiting: Waiting) -> None:
    (asking,) = (one for one in waiting.record.messages if "your decision is needed" in one.subject)
    lines = dict(line.split(": ", 1) for line in asking.body.splitlines() if ": " in line)
    (planned,), (ruled,) = waiting.record.plans[-1].actions, waiting.record.reviews
    assert asking.body.count(DRIFTED) == 2, "in its opening and among its facts"
    assert lines["drifted"] == DRIFTED
    assert lines["wrong if"] == planned.falsified_by
    assert lines["expected"] == planned.told_expected
    assert lines["touches"] == ruled.blast_radius
    assert lines["way back"] == ruled.way_back
    assert lines["asked because"] == "; ".join(ruled.reasons)
    assert lines["needed"] == "1 person with the role approver"


def test_the_story_and_what_waits_at_its_end_show_drift_and_what_would_be_wrong(waiting: Waiting) -> None:
    (planned,) = waiting.record.plans[-1].actions
    before, _, end = waiting.shown().partition("awaiting_approval")
    for told in (before, end):
        assert " ".join(f"drifted {DRIFTED}".split()) in " ".join(told.split())
        assert " ".join(f"wrong if {planned.falsified_by}".split()) in " ".join(told.split())
    assert "approve   1 person with the role approver, until" in end


def test_the_report_shows_drift_and_what_would_be_wrong(waiting: Waiting) -> None:
    (planned,) = waiting.record.plans[-1].actions
    done = render(waiting.at.records, waiting.record).split("<h2>What was done</h2>")[1].split("<h2>")[0]
    assert f"Drifted: {DRIFTED}" in done
    assert f"Wrong if: {planned.falsified_by.replace(chr(39), '&#39;')}" in done
    assert "needs 1 person with the role approver" in done
