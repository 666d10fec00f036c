"""A repeat joins and never restarts, wherever the incident stands when it comes."""

import asyncio
import copy
import json
from collections import Counter
from pathlib import Path
from typing import Any

from console.running import run_file
from console.session import Session
from graphs.run_port import StartOutcome
from graphs.stranded import wake_stranded
from graphs.sweeper import Swept
from memory.records.alarm import Route
from memory.records.incident import Status
from memory.records.incident_record import IncidentRecord
from memory.records.timeline import EntryKind, TimelineEntry
from tests.graphs.desk import Desk, desk


def again(at: Desk, record: IncidentRecord, event: dict[str, Any] | None = None) -> None:
    """Give a thread an event as the SDK would: as a new input, whatever the thread waits for."""
    config: Any = {"configurable": {"thread_id": record.incident.thread_id, "holder": "sdk"}}
    asyncio.run(at.runs.graph.ainvoke({"event": event or at.event}, config, durability="sync"))


def entries(at: Desk, record: IncidentRecord) -> list[TimelineEntry]:
    return list(at.records.timeline.entries(record.incident.scope, record.incident.incident_id))


def begun(at: Desk, record: IncidentRecord) -> Counter[str]:
    return Counter(entry.step for entry in entries(at, record) if entry.kind is EntryKind.STEP_STARTED)


def recovered(event: dict[str, Any], number: str) -> dict[str, Any]:
    """The event of the same alarm's return to OK."""
    ok = copy.deepcopy(event)
    ok["id"] = number
    ok["detail"]["previousState"] = ok["detail"]["state"]
    ok["detail"]["state"] = {
        "value": "OK",
        "reason": "Threshold Crossed: back to normal",
        "timestamp": "2026-11-23T09:30:00.000+0000",
    }
    return ok


def test_a_waiting_incident_given_its_event_again_goes_on_waiting(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        waiting = at.start()
        before = begun(at, waiting)

        again(at, waiting)

        assert at.record(waiting.incident.incident_id).status is Status.AWAITING_APPROVAL
        after = begun(at, waiting)
        assert after - before == Counter({"intake": 1, "approve": 1})

        at.decide(waiting, approved=True)
        again(at, waiting)
        watched = begun(at, waiting)
        done = at.to_the_end(waiting.incident.incident_id)
        assert done.status is Status.RESOLVED
        assert watched["act"] == 1
        assert watched["first_look"] == watched["triage"] == watched["remediation"] == 1
        assert at.writes() == ["UpdateService"]

        ended = begun(at, done)
        again(at, done)
        assert begun(at, done) - ended == Counter({"intake": 1})
        assert at.record(done.incident.incident_id).status is Status.RESOLVED


def test_what_does_not_belong_to_a_thread_is_set_aside_and_harms_nothing(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        waiting = at.start()
        other = copy.deepcopy(at.event)
        name = at.event["detail"]["alarmName"]
        other["id"] = "of-another-alarm"
        other["detail"]["alarmName"] = "payments-5xx"
        other["resources"] = [other["resources"][0].replace(name, "payments-5xx")]

        for event in (other, {"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change"}):
            again(at, waiting, event)

        aside = [entry.text for entry in entries(at, waiting) if "set aside" in entry.text]
        assert len(aside) == 2
        assert "payments-5xx" in aside[0]
        assert at.record(waiting.incident.incident_id).status is Status.AWAITING_APPROVAL
        assert [one.incident_id for one in at.records.incidents.newest()] == [waiting.incident.incident_id]
        at.decide(waiting, approved=False)
        assert at.record(waiting.incident.incident_id).status is Status.ESCALATED


def test_a_recovery_is_noted_once_on_the_open_incident(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        waiting = at.start()
        ok = recovered(at.event, "back-to-ok")

        first, second = at.runs.start(ok), at.runs.start(ok)

        for started in (first, second):
            assert started.outcome is StartOutcome.NOT_STARTED
            assert started.route is Route.NOTE_RECOVERY
            assert started.incident_id == waiting.incident.incident_id
        noted = [entry for entry in entries(at, waiting) if entry.kind is EntryKind.ALARM]
        assert [entry.facts["event_id"] for entry in noted].count(ok["id"]) == 1
        assert "went to OK" in noted[-1].text

        file = tmp_path / "ok.json"
        file.write_text(json.dumps(recovered(at.event, "as a file")), encoding="utf-8")
        session = Session(at.records, at.copilot, at.runs)
        assert run_file(session, file, wait=True, as_json=True) == 0
        assert (
            len([entry for entry in entries(at, waiting) if entry.kind is EntryKind.ALARM]) == len(noted) + 1
        )

        at.decide(waiting, approved=False)
        assert at.runs.start(recovered(at.event, "later")).incident_id is None


def test_what_was_cut_off_goes_on_with_the_next_look_and_what_waits_is_let_be(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        begun_only = at.runs.start(at.alarm_event(), only_intake=True)
        assert begun_only.incident_id is not None
        assert at.sweep().woken == ()

        assert wake_stranded(at.records, at.runs).woken == (begun_only.incident_id,)

        assert at.record(begun_only.incident_id).status is Status.AWAITING_APPROVAL
        assert wake_stranded(at.records, at.runs) == Swept()
