import asyncio
import copy
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from langgraph.types import Command

from graphs.decision import DecisionRefusedError, NotAllowedError, decide
from graphs.run_port import StartOutcome
from memory.records.approval import ApprovalStatus
from memory.records.incident import Severity, Status
from memory.records.incident_record import IncidentRecord
from memory.records.outcome import ExecutionState
from memory.records.scope import COPILOT, Principal, PrincipalKind, Role
from memory.records.timeline import EntryKind
from memory.state import STATE_LIMIT_BYTES
from tests.graphs.desk import Desk, asked_plan, desk, desk_in


def _config(incident_id: str) -> dict[str, object]:
    return {"configurable": {"thread_id": incident_id, "holder": "a-test"}}


@pytest.fixture(scope="module")
def fired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An account in which the alarm has fired, for tests that change nothing in it."""
    with desk(tmp_path_factory.mktemp("fired")) as at:
        at.alarm_event()
        yield at


@pytest.fixture
def at(fired: Desk, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A copilot of the test's own in that account, with the alarm's event in hand."""
    own = desk_in(fired.account, f"t{zlib.crc32(request.node.name.encode()):x}")
    own.event = copy.deepcopy(fired.event)
    yield own
    fired.account.clear_faults()


def test_an_approved_rollback_is_done_once_verified_and_told(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        told = at.on_call_queue()
        waiting = at.start()
        assert waiting.status is Status.AWAITING_APPROVAL
        assert at.writes() == []
        _all_calls_are_counted(waiting, "communicator", 1)

        at.decide(waiting, approved=True)
        done = at.to_the_end(waiting.incident.incident_id)

        assert done.status is Status.RESOLVED
        assert at.writes() == ["UpdateService"]
        assert [e.state for e in done.executions] == [ExecutionState.DONE]
        assert at.account.alarm(done.incident.alarm.name)["StateValue"] == "OK"
        subjects = at.told(told)
        assert len(subjects) == len(done.messages) == 3
        assert max(Counter(subjects).values()) == 1
        _all_calls_are_counted(done, "communicator", 2)
        _state_stayed_small(at, done.incident.thread_id)
        entries = list(at.records.timeline.entries(done.incident.scope, done.incident.incident_id))
        assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))


def _all_calls_are_counted(record: IncidentRecord, role: str, times: int) -> None:
    """Each of a role's uses is on the record, and the record's spend is the sum of all roles'."""
    steps = [step for use in record.models for step in use.steps]
    assert [use.role for use in record.models].count(role) == times
    assert record.spend.model_calls == sum(use.calls for use in record.models) == len(steps)
    assert record.spend.input_tokens == sum(step.input_tokens for step in steps)


def _state_stayed_small(at: Desk, thread_id: str) -> None:
    history = list(at.runs.graph.get_state_history(_config(thread_id)))
    assert len(history) > 10
    serde = at.runs.graph.checkpointer.serde
    assert max(len(serde.dumps_typed(snapshot.values)[1]) for snapshot in history) < STATE_LIMIT_BYTES


def test_a_denied_plan_changes_nothing_and_people_hear_it_once(at: Desk) -> None:
    told = at.on_call_queue()
    waiting = at.start()

    at.decide(waiting, approved=False)
    done = at.record(waiting.incident.incident_id)

    assert done.status is Status.ESCALATED
    assert "denied" in done.reason
    assert at.writes() == []
    assert sum("escalated" in subject for subject in at.told(told)) == 1


def test_a_resume_or_an_edited_state_is_no_approval(at: Desk) -> None:
    waiting = at.start()
    incident_id = waiting.incident.incident_id
    made_up = {"approved": True, "decision": "approve", "plan_hash": waiting.plans[-1].plan_hash}

    asyncio.run(at.runs.graph.ainvoke(Command(resume=made_up), _config(incident_id), durability="sync"))
    assert at.record(incident_id).status is Status.AWAITING_APPROVAL

    at.runs.graph.update_state(_config(incident_id), {"status": Status.ACTING}, as_node="approve")
    asyncio.run(at.runs.graph.ainvoke(None, _config(incident_id), durability="sync"))

    done = at.record(incident_id)
    assert at.writes() == []
    assert done.status is Status.ESCALATED
    assert done.decision is None


def test_only_an_approver_who_did_not_propose_may_decide(at: Desk) -> None:
    waiting = at.start()
    incident_id = waiting.incident.incident_id
    plan = asked_plan(waiting)
    viewer = Principal(kind=PrincipalKind.PERSON, id="v", issuer="t", roles=(Role.VIEWER, Role.OPERATOR))
    stranger = Principal(
        kind=PrincipalKind.PERSON, id="s", issuer="t", tenant="other", roles=(Role.APPROVER,)
    )
    itself = COPILOT.model_copy(update={"roles": (Role.APPROVER,)})

    for caller in (viewer, stranger, itself):
        with pytest.raises(NotAllowedError):
            decide(at.records, at.runs, incident_id, caller, plan=plan, approved=True, reason="", door="test")
    assert at.record(incident_id).decision is None

    at.decide(waiting, approved=False)
    with pytest.raises(DecisionRefusedError, match="denied"):
        at.decide(waiting, approved=True)


def test_two_hundred_redeliveries_at_once_open_one_incident(at: Desk) -> None:
    event = at.event

    with ThreadPoolExecutor(24) as pool:
        started = list(pool.map(at.runs.start, [copy.deepcopy(event) for _ in range(200)]))

    outcomes = Counter(one.outcome for one in started)
    assert outcomes == {StartOutcome.OPENED: 1, StartOutcome.JOINED: 199}
    assert len(list(at.records.incidents.newest())) == 1
    entries = at.records.timeline.entries(at.records.home, started[0].incident_id or "")
    assert Counter(entry.kind for entry in entries)[EntryKind.OPENED] == 1


def test_a_further_event_joins_while_open_and_opens_anew_after_the_end(at: Desk) -> None:
    waiting = at.start()
    later = copy.deepcopy(at.event)
    later["id"] = "another-event"
    later["detail"]["state"]["timestamp"] = "2026-11-23T09:20:00.000+0000"

    joined = at.runs.start(later)
    assert joined.outcome is StartOutcome.JOINED
    assert joined.incident_id == waiting.incident.incident_id

    at.decide(waiting, approved=False)
    again = copy.deepcopy(later)
    again["id"] = "a-third-event"
    again["detail"]["state"]["timestamp"] = "2026-11-23T09:40:00.000+0000"
    opened = at.runs.start(again)

    assert opened.outcome is StartOutcome.OPENED
    assert opened.incident_id != waiting.incident.incident_id


@pytest.mark.parametrize(
    ("scenario", "status", "severities"),
    [
        ("throttled-table", Status.RESOLVED, {Severity.HIGH, Severity.CRITICAL}),
        ("false-alarm", Status.NOISE, {Severity.NONE}),
        ("hidden-cause", Status.UNRESOLVED, {Severity.MEDIUM, Severity.HIGH}),
    ],
)
def test_the_other_scenarios_end_as_they_should(
    tmp_path: Path, scenario: str, status: Status, severities: set[Severity]
) -> None:
    with desk(tmp_path, scenario) as at:
        record = at.start()
        if record.status is Status.AWAITING_APPROVAL:
            at.decide(record, approved=True)
        done = at.to_the_end(record.incident.incident_id)

        assert done.status is status
        assert done.severity in severities
        expected = ["StartAutomationExecution"] if scenario == "throttled-table" else []
        assert [name for name in at.writes() if name != "UpdateTable"] == expected
        assert done.messages


def test_without_bedrock_the_first_look_still_reaches_on_call(at: Desk) -> None:
    at.account.faults(
        [
            {
                "service": "bedrock-runtime",
                "operation": "*",
                "kind": "error",
                "code": "AccessDeniedException",
            }
            | {"status": 403, "message": "no", "times": -1}
        ]
    )

    record = at.start()

    assert record.assessment is not None
    assert not record.assessment.by_model
    assert record.first_look is not None
    assert any("first look" in message.subject for message in record.messages)


def test_a_step_that_cannot_read_ends_with_people_told(at: Desk) -> None:
    at.account.faults(
        [
            {
                "service": "ssm",
                "operation": "GetParameter",
                "kind": "error",
                "code": "AccessDeniedException",
            }
            | {"times": -1}
        ]
    )

    record = at.start()

    assert record.status is Status.ESCALATED
    assert record.failures
    assert record.messages[-1].sent_at is not None


# The last one: it moves the account's clock.
def test_an_approval_left_alone_expires_by_itself_and_is_told(at: Desk) -> None:
    told = at.on_call_queue()
    waiting = at.start()
    assert at.sweep().woken == ()

    at.account.advance(minutes=31)
    swept = at.sweep()

    done = at.record(waiting.incident.incident_id)
    assert swept.woken == (waiting.incident.incident_id,)
    assert done.status is Status.ESCALATED
    assert done.approval is not None
    assert done.approval.status is ApprovalStatus.EXPIRED
    assert "expired" in done.reason
    assert at.writes() == []
    assert sum("escalated" in subject for subject in at.told(told)) == 1
    with pytest.raises(DecisionRefusedError, match="expired"):
        at.decide(waiting, approved=True)
    assert at.sweep().woken == ()
