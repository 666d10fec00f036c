"""What is stored about an incident can be handed over whole, and erased wherever it stands."""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from graphs.bootstrap import open_saver
from graphs.decision import decide
from graphs.holdings import (
    Sought,
    StillOpenError,
    TooVagueError,
    elsewhere,
    erase,
    erase_elsewhere,
    everything_of,
    incidents_about,
    mentions,
    note_export,
)
from graphs.run_port import StartOutcome
from memory import keys
from memory.records.base import digest
from memory.records.incident import Status
from memory.records.kill_switch import KillSwitch
from memory.stores.incidents import UnknownIncidentError
from memory.stores.listings import Wanted
from memory.stores.objects import ObjectClass
from tests.graphs.desk import Desk, asked_plan, desk
from tests.graphs.scenarios import hostile

MARKER = "zq-marker-5511"


def texts(attribute: dict[str, Any]) -> Iterator[str]:
    """Every text in an attribute as DynamoDB holds it, with what is compressed laid open."""
    for kind, value in attribute.items():
        if kind == "B":
            yield bytes(value).decode("utf-8", "replace")
            for start in (0, 1):
                try:
                    yield zlib.decompress(bytes(value)[start:]).decode("utf-8", "replace")
                except zlib.error:
                    continue
        elif kind == "M":
            for one in value.values():
                yield from texts(one)
        elif kind == "L":
            for one in value:
                yield from texts(one)
        else:
            yield str(value)


def found(at: Desk, marker: str) -> dict[str, set[str]]:
    """In which kinds of items of which stores a marker stands: all items of the tables, all versions in the bucket."""
    dynamodb = at.account.client("dynamodb")
    hits: dict[str, set[str]] = {}
    s3, bucket = at.account.client("s3"), at.records.backend.bucket
    for one in s3.list_object_versions(Bucket=bucket).get("Versions", []):
        body = s3.get_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])["Body"].read()
        if marker.encode() in gzip.decompress(body):
            hits.setdefault(bucket, set()).add(one["Key"].split("/")[0])
    for table in (at.records.backend.records_table, at.records.backend.checkpoints_table):
        for page in dynamodb.get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                if any(marker in text for value in item.values() for text in texts(value)):
                    hits.setdefault(table, set()).add(item["sk"]["S"].split("#")[0][:10])
    return hits


def ended_with_marker(at: Desk) -> str:
    """An incident whose alarm, log, messages, decision, state and a refused body hold the marker."""
    waiting = at.start()
    incident = waiting.incident
    why = f"not now, says {MARKER}"
    said = {"plan": asked_plan(waiting), "approved": False, "reason": why, "door": "test"}
    decide(at.records, at.runs, incident.incident_id, at.me(), **said)
    rows = json.dumps([f"line {number} of {MARKER}" for number in range(20_000)]).encode()
    at.records.objects.put(incident.scope, incident.incident_id, ObjectClass.EVIDENCE, rows)
    body = json.dumps({"detail": f"{incident.alarm.arn} {MARKER}"}).encode()
    at.records.refusals.keep(at.records.clock.now(), digest(body.decode()), "no alarm", body)
    return incident.incident_id


def test_a_marker_planted_everywhere_is_found_before_an_erasure_and_nowhere_after(tmp_path: Path) -> None:
    scenarios = hostile(tmp_path, description=f"Checkout fails, {MARKER}.", log_line=f"card of {MARKER}")
    with desk(tmp_path, "hostile", scenarios_dir=scenarios) as at:
        incident_id = ended_with_marker(at)
        incident = at.records.incidents.get(incident_id)
        saver = open_saver(at.records)
        before = found(at, MARKER)
        records_table, checkpoints_table = (
            at.records.backend.records_table,
            at.records.backend.checkpoints_table,
        )
        assert {"INCIDENT", "RECORD", "TIMELINE", "EVIDENCE", "MESSAGE", "DECISION"} <= before[records_table]
        assert {"AUDIT_PAYL", "LISTING"} <= before[records_table]
        assert before[checkpoints_table]
        assert before[at.records.backend.bucket] == {"evidence"}

        whole = everything_of(at.records, saver, incident)
        for part in ("records", "refusals", "checkpoints", "objects"):
            assert mentions(whole[part], MARKER), part
        about = incidents_about(at.records, saver, Sought(MARKER))
        assert [one.incident_id for one in about.incidents] == [incident_id]
        assert (about.searched, about.is_all) == (1, True)

        done = erase(at.records, saver, incident, "ann", "asked for", force=False)

        assert (done.refusals, done.objects >= 1) == (1, True)
        assert found(at, MARKER) == {}
        assert list(saver.list({"configurable": {"thread_id": incident.thread_id}})) == []
        assert incidents_about(at.records, saver, Sought(MARKER)).incidents == ()
        _only_hashes_stay(at, incident_id)
        _is_still_known(at, incident_id)
        erase(at.records, saver, at.records.incidents.get(incident_id), "ann", "again", force=False)
        _only_hashes_stay(at, incident_id)


def _is_erased_from_the_tenants_audit(at: Desk) -> None:
    """Who took a copy stands in the tenant's audit, and goes when they are the subject."""
    note_export(at.records, "bob@example.com", ["one"], "")
    note_export(at.records, "carol@example.com", ["two"], "")
    turned = KillSwitch(
        on=True, reason="bob@example.com was worried", by="bob@example.com", at=at.records.clock.now()
    )
    at.records.kill_switch.turn(turned)
    told = elsewhere(at.records, "bob@example.com")
    assert [one["what"] for one in told["audit"]] == ["exported 1 incidents", "writes stopped"]
    assert told["kill_switch"]["by"] == "bob@example.com"
    assert erase_elsewhere(at.records, "dan@example.com", "bob@example.com") == (0, 2)
    nothing = {"refusals": [], "audit": [], "kill_switch": None}
    assert elsewhere(at.records, "bob@example.com") == nothing
    assert at.records.kill_switch.read().on
    assert found(at, "bob@example.com") == {}
    assert found(at, "carol@example.com")
    checked = at.records.audit.read(keys.tenant_audit("default")).check(0.0)
    assert (checked.broken, checked.erased) == (None, 2)
    assert erase_elsewhere(at.records, "dan@example.com", "bob@example.com") == (0, 0)


def _only_hashes_stay(at: Desk, incident_id: str) -> None:
    partition = keys.incident(at.records.incidents.scope_of(incident_id), incident_id).pk
    chain = at.records.audit.read(partition)
    checked = chain.check(0.0)
    assert checked.broken is None
    assert checked.erased == checked.entries - 1
    assert checked.entries >= 6
    left = at.records.holdings.of(at.records.incidents.get(incident_id))
    assert set(left) == {"audit", "audit_head", "audit_payload", "incident", "listing"}
    assert [told["what"] for told in left["audit_payload"]] == ["erased what was stored"]


def _is_still_known(at: Desk, incident_id: str) -> None:
    """It is listed as erased, and its event finds it rather than opening it anew."""
    lines = at.records.incidents.page(Wanted(status=Status.ESCALATED), 5).lines
    assert [(line.incident_id, line.alarm, line.reason) for line in lines] == [(incident_id, "erased", "")]
    assert at.records.incidents.record(incident_id) is None
    assert at.runs.start(at.event).outcome is StartOutcome.JOINED


def test_an_incident_that_goes_on_is_erased_only_by_force(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        waiting = at.start()
        saver = open_saver(at.records)
        with pytest.raises(StillOpenError, match="goes on"):
            erase(at.records, saver, waiting.incident, "ann", "", force=False)
        assert at.record(waiting.incident.incident_id).status is Status.AWAITING_APPROVAL

        erase(at.records, saver, waiting.incident, "ann", "", force=True)

        assert list(at.records.incidents.unfinished()) == []
        assert list(at.records.approvals.pending("default")) == []
        assert at.records.timers.next_wake() is None
        at.runs.wake(waiting.incident.incident_id)
        assert at.writes() == []


def test_a_principal_is_found_by_the_index_without_a_search(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        waiting = at.start()
        at.decide(waiting, approved=False)
        saver = open_saver(at.records)
        about = incidents_about(at.records, saver, Sought(at.me().id, most=0))
        assert [one.incident_id for one in about.incidents] == [waiting.incident.incident_id]
        assert (about.searched, about.is_all) == (0, False)
        erase(at.records, saver, about.incidents[0], "ann", "", force=False)
        assert incidents_about(at.records, saver, Sought(at.me().id, most=0)).incidents == ()
        for vague in ("", "  ", " é "):
            with pytest.raises(TooVagueError, match="at least 3"):
                incidents_about(at.records, saver, Sought(vague))
        _is_erased_from_the_tenants_audit(at)
        with pytest.raises(UnknownIncidentError):
            at.records.incidents.get("no such incident")
