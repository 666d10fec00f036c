"""The demo plays each scenario to the end that its record claims and the account shows."""

import json
import signal
import socket
from urllib.parse import urlsplit

import httpx
import pytest

from console.check import check_claims
from memory.records.incident_record import IncidentRecord
from tests.console.commands import Desk
from tests.console.conftest import PlayedIncident
from tools.actions.base import IamStatement
from tools.aws.sessions import RoleSessions, ScopedCall


def test_a_bad_deployment_is_rolled_back_and_resolved(played: PlayedIncident) -> None:
    assert played.exit_code == 0
    assert played.stderr == ""
    record = IncidentRecord.model_validate(played.record)
    assert record.status.value == "resolved"
    assert [execution.action for execution in record.executions] == ["ecs_rollback_service"]
    assert record.decision is not None
    assert record.decision.door == "cli"
    assert [message.state.value for message in record.messages] == ["sent"] * len(record.messages)
    stored = (played.desk.out / played.incident_id / "incident.json").read_text()
    assert IncidentRecord.model_validate_json(stored) == record


@pytest.mark.parametrize(
    ("scenario", "status"),
    [("throttled-table", "resolved"), ("false-alarm", "noise"), ("hidden-cause", "unresolved")],
)
def test_a_scenario_ends_as_it_should(desk: Desk, scenario: str, status: str) -> None:
    done = desk.run("demo", "--scenario", scenario, "--approve", "--json")
    assert done.returncode == 0, done.stderr
    record = IncidentRecord.model_validate_json(done.stdout)
    assert record.status.value == status
    assert len(record.executions) == (1 if status == "resolved" else 0)
    assert not (desk.state_dir / "local.json").exists()


def test_with_nobody_to_ask_the_plan_is_denied_and_nothing_is_changed(desk: Desk) -> None:
    done = desk.run("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no one was there to approve" in done.stdout
    assert "CloudTrail shows no change by the copilot" in done.stdout
    (folder,) = desk.out.iterdir()
    record = IncidentRecord.model_validate_json((folder / "incident.json").read_text())
    assert record.status.value == "escalated"
    assert record.executions == ()
    assert sum("escalated" in message.subject for message in record.messages) == 1


def test_a_denied_demo_changes_nothing_by_the_accounts_own_log(desk: Desk) -> None:
    done = desk.run("demo", "--deny", "--keep", "--json")
    assert done.returncode == 0, done.stderr
    record = IncidentRecord.model_validate_json(done.stdout)
    assert record.status.value == "escalated"
    assert record.decision is not None and not record.decision.approved
    assert "--deny was given" in record.reason
    local = json.loads((desk.state_dir / "local.json").read_text())
    calls = httpx.get(f"{local['endpoint']}/_sim/calls").json()["calls"]
    published = [call["parameters"]["Subject"] for call in calls if call["operation"] == "Publish"]
    mine = {call["operation"] for call in calls if call["caller_arn"] == record.decision.by.id}
    assert mine >= {"DescribeServices", "Publish"}
    assert not any(":assumed-role/cloudops-executor/" in call["caller_arn"] for call in calls)
    assert not mine & {"UpdateService", "StartAutomationExecution", "UpdateTable", "StopTask"}
    assert sum("escalated" in subject for subject in published) == 1
    assert len(published) == len(set(published)) == len(record.messages)


def test_a_preview_of_a_denied_change_is_no_change(desk: Desk) -> None:
    done = desk.run("demo", "--scenario", "throttled-table", "--deny")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "CloudTrail shows no change by the copilot" in done.stdout


def test_a_change_that_no_record_claims_is_found(played: PlayedIncident) -> None:
    records = played.records()
    record = records.incidents.record(played.incident_id)
    assert record is not None
    assert all(claim.holds for claim in check_claims(records, record))
    # Only the executor's role may change anything, so that is what a copilot gone wrong would use.
    write = IamStatement(actions=("ecs:UpdateService",), resources=("*",))
    role = records.settings.autonomy_in(records.home.account).role
    session = RoleSessions(records.access, role).open(
        ScopedCall("unclaimed", "unclaimed-0", "none", (write,))
    )
    session.access.client("ecs").update_service(cluster="storefront", service="web", desiredCount=5)
    broken = [claim.text for claim in check_claims(records, record) if not claim.holds]
    assert broken == ["CloudTrail shows changes nobody claims: UpdateService"]


def test_ctrl_c_ends_the_account_and_leaves_no_state(desk: Desk) -> None:
    demo = desk.start("demo", "--approve")
    assert demo.stdout is not None
    endpoint = next(
        word for line in demo.stdout for word in line.replace(",", "").split() if "127.0.0.1" in word
    )
    demo.send_signal(signal.SIGINT)
    said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 130, said
    assert "Traceback" not in said
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", urlsplit(endpoint).port or 0), timeout=5)
