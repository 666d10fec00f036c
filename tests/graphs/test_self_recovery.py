"""An outage that nobody here can mend: people are called at once, and the incident ends as its alarm does."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from graphs.decision import DecisionRefusedError
from memory.records.approval import ApprovalStatus
from memory.records.incident import Status
from memory.records.incident_record import IncidentRecord
from memory.records.outcome import Recovery
from tests.graphs.desk import Desk, desk, desk_in
from tests.simulated import ROOT

pytestmark = pytest.mark.slow

SCENARIOS = ROOT / "simulator" / "scenarios"


@contextmanager
def _without_a_switch(folder: Path, scenario: str) -> Iterator[Desk]:
    """A copilot in an account whose team has declared no way to do without what is outside."""
    with desk(folder, scenario, scenarios_dir=SCENARIOS) as at:
        found = at.records.topology()
        services = tuple(
            one.model_copy(
                update={
                    "depends_on": tuple(part.model_copy(update={"switch": None}) for part in one.depends_on)
                }
            )
            for one in found.services
        )
        bare = found.model_copy(update={"services": services})
        yield desk_in(at.account, topology=bare, topology_parameter=None)


def _watched(at: Desk) -> IncidentRecord:
    """Start the incident and see that people were called before any time has passed."""
    record = at.start()
    assert record.status is Status.VERIFYING, record.reason
    first, needed = record.messages
    assert "first look" in first.subject
    assert "people are needed" in needed.subject
    assert needed.sent_at is not None
    assert needed.sent_at - record.incident.opened_at < timedelta(minutes=1)
    assert "no safe action" in needed.body
    assert not at.writes()
    return record


def test_what_passes_by_itself_is_closed_as_such_with_people_told(tmp_path: Path) -> None:
    with _without_a_switch(tmp_path, "self-recovery") as at:
        record = at.to_the_end(_watched(at).incident.incident_id)

        assert record.status is Status.RESOLVED
        assert "it recovered by itself, nothing was done" in record.reason
        assert record.verifications[-1].recovery is Recovery.RECOVERED
        assert "resolved" in record.messages[-1].subject
        assert record.reason in record.messages[-1].body
        assert not at.writes()


def test_what_does_not_pass_is_handed_over_when_the_window_ends(tmp_path: Path) -> None:
    with _without_a_switch(tmp_path, "dependency-outage") as at:
        record = at.to_the_end(_watched(at).incident.incident_id)

        assert record.status is Status.ESCALATED
        assert record.reason == record.plans[-1].no_action_reason
        assert record.verifications[-1].recovery is Recovery.NO_BETTER
        assert "escalated" in record.messages[-1].subject
        assert record.verifications[-1].detail in record.messages[-1].body
        assert record.spend.aws_calls > 0
        assert not at.writes()


def test_a_switch_that_nobody_chose_in_time_is_withdrawn_with_what_passed(tmp_path: Path) -> None:
    with desk(tmp_path, "self-recovery", scenarios_dir=SCENARIOS) as at:
        asked = at.start()
        assert asked.status is Status.AWAITING_APPROVAL
        assert asked.plans[-1].alternatives[0].startswith("wait: ")

        record = at.to_the_end(asked.incident.incident_id)

        assert record.status is Status.RESOLVED
        assert "it recovered by itself, nothing was done" in record.reason
        assert record.approval is not None
        assert record.approval.status is ApprovalStatus.WITHDRAWN
        assert any(record.approval.withdrawn in message.body for message in record.messages)
        assert not record.executions
        with pytest.raises(DecisionRefusedError, match="withdrawn"):
            at.decide(asked, approved=True)
