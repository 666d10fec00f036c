"""What is stored is listed, audited, handed over and erased from the terminal."""

import json

import pytest

from graphs.bootstrap import open_records
from graphs.settings import World, load
from memory import keys
from tests.console.commands import ROOT, Desk


def told(desk: Desk, *arguments: str, code: int = 0) -> str:
    done = desk.run(*arguments)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.timeout(500)
def test_an_incident_is_found_audited_exported_and_erased(desk: Desk) -> None:
    assert desk.run("demo", "--deny", "--keep").returncode == 0
    (record,) = json.loads(told(desk, "list", "--status", "escalated", "--service", "checkout", "--json"))
    incident_id = record["incident"]["incident_id"]
    _is_listed_by_what_it_is(desk)
    _is_audited(desk, incident_id)
    _is_exported(desk, incident_id)
    _no_glass_was_broken(desk, incident_id)

    assert "use --yes" in told(desk, "data", "erase", "--incident", incident_id[:8], code=1)
    assert "either" in told(desk, "data", "erase", "--yes", code=1)
    assert "erased" in told(desk, "data", "erase", "--incident", incident_id[:8], "--yes")
    assert "was erased" in told(desk, "show", incident_id, code=1)
    assert "erased" in told(desk, "audit", "verify", incident_id[:8])
    assert "(erased)" in told(desk, "audit", "show", incident_id)
    assert not (desk.out / incident_id).exists()
    _a_changed_entry_is_named(desk, incident_id)


def _no_glass_was_broken(desk: Desk, incident_id: str) -> None:
    listed = desk.run_here("audit", "break-glass", "--unreviewed")
    assert (listed.exit_code, "0 of 0 approvals by break-glass" in listed.stdout) == (0, True)
    refused = desk.run_here("audit", "break-glass", "review", incident_id[:8], "--note", "n")
    assert refused.exit_code == 1
    assert "nothing in it was approved by break-glass" in refused.stderr
    assert "none waits for review" in desk.run_here("doctor").stdout


def _is_listed_by_what_it_is(desk: Desk) -> None:
    assert "checkout-5xx" in told(desk, "list", "--since", "2026-01-01")
    assert told(desk, "list", "--service", "web") == "no incidents\n"
    assert told(desk, "list", "--status", "resolved") == "no incidents\n"
    assert "awaiting_approval" in told(desk, "list", "--status", "closed", code=2)
    assert "is no time" in told(desk, "list", "--since", "yesterday", code=2)


def _is_audited(desk: Desk, incident_id: str) -> None:
    entries = json.loads(told(desk, "audit", "show", incident_id, "--json"))
    deeds = [entry["deed"] for entry in entries]
    assert deeds == ["opened", "ruled", "asked", "decided", "closed"]
    ruled, decided = entries[1]["payload"], entries[3]["payload"]
    assert ruled["policy_ids"]
    assert decided["who"].startswith("arn:aws:")
    assert decided["why"] == "--deny was given"
    assert decided["approval"] == decided["plan_hash"]
    assert "5 entries hold" in told(desk, "audit", "verify", incident_id)
    assert incident_id in told(desk, "audit", "verify")


def _is_exported(desk: Desk, incident_id: str) -> None:
    told(desk, "data", "export", "--incident", incident_id)
    exported = json.loads((desk.out / f"{incident_id}.export.json").read_text(encoding="utf-8"))
    (only,) = exported["incidents"]
    assert {"record", "timeline", "evidence", "approval", "decision", "message"} <= set(only["records"])
    assert only["checkpoints"]
    told(desk, "data", "export", "--subject", "--deny was given", "--out", str(desk.folder / "s.json"))
    by_subject = json.loads((desk.folder / "s.json").read_text(encoding="utf-8"))
    assert [one["incident_id"] for one in by_subject["incidents"]] == [incident_id]
    assert (desk.folder / "s.json").stat().st_mode & 0o077 == 0
    assert "at least 3 characters" in told(desk, "data", "erase", "--subject", " ", "--yes", code=1)
    assert "0 incidents are about it; 1 were searched" in told(
        desk, "data", "erase", "--subject", "nobody", "--yes"
    )


def _a_changed_entry_is_named(desk: Desk, incident_id: str) -> None:
    records = open_records(load(desk.environment, ROOT, World.SIMULATED))
    partition = keys.incident(records.incidents.scope_of(incident_id), incident_id).pk
    key = keys.audit(partition, 3)
    client, table = records.access.client("dynamodb"), records.backend.records_table
    at = {"pk": {"S": key.pk}, "sk": {"S": key.sk}}
    body = client.get_item(TableName=table, Key=at)["Item"]["body"]["S"]
    client.update_item(
        TableName=table,
        Key=at,
        UpdateExpression="SET body = :body",
        ExpressionAttributeValues={":body": {"S": body.replace('"asked"', '"ruled"')}},
    )
    assert "broken at entry 3" in told(desk, "audit", "verify", incident_id, code=1)
