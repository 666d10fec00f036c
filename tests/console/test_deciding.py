"""What `cloudops approve` does where an approval stands already."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from console.deciding import Answer, decide_and_follow
from memory.records.incident import Status
from memory.records.incident_record import IncidentRecord
from memory.stores.leases import IncidentBusyError
from tests.simulated import ROOT

EXAMPLE = Path(ROOT) / "docs" / "schema" / "incident.v1.example.json"


def test_an_approval_that_another_run_goes_on_with_is_said_to_stand(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ended = IncidentRecord.model_validate_json(EXAMPLE.read_text("utf-8"))
    record = ended.model_copy(update={"status": Status.ACTING})
    assert record.decision is not None and record.decision.approved

    def busy(_: str) -> None:
        raise IncidentBusyError("default#123456789012#INCIDENT#1 is being worked on by another run")

    records = SimpleNamespace(
        incidents=SimpleNamespace(
            full_id=str, record=lambda _: record, scope_of=lambda _: record.incident.scope
        ),
        approvals=SimpleNamespace(requests=lambda *_: []),
        timeline=SimpleNamespace(caught_up=lambda *_: 0),
    )
    session: Any = SimpleNamespace(records=records, runs=SimpleNamespace(wake=busy), load=lambda: None)
    answer = Answer(approved=True, plan=record.decision.plan_hash[:12])

    assert decide_and_follow(session, record.incident.incident_id, answer, wait=False, as_json=True) == 0

    said = capsys.readouterr()
    assert said.err.strip() == "the approval stands; another run holds the incident and goes on with it"
    assert '"acting"' in said.out
