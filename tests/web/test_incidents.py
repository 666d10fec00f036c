"""One incident through the door: listed, shown, followed and decided."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from graphs.bootstrap import set_up
from memory.records.incident_record import IncidentRecord
from memory.records.scope import Role
from tests.simulated import accounts
from tests.web.door import Door, fired_alarm, served, settings_of

NO_ID = "00000000-0000-8000-8000-000000000000"


@pytest.fixture(scope="module")
def waiting() -> Iterator[tuple[Door, str]]:
    """A door with an incident that waits for approval."""
    with accounts() as start:
        account = start("bad-deployment")
        settings = settings_of(account)
        set_up(settings)
        event = fired_alarm(account, settings)
        with served(account) as door:
            incident_id = door.post_alarm(event).json()["incident_id"]
            door.wait_for(incident_id, "awaiting_approval")
            yield door, incident_id


def events(text: str) -> list[tuple[int, str, dict[str, Any]]]:
    found = []
    for block in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "id" in fields:
            found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return found


def follow(door: Door, incident_id: str, last: int | None = None) -> httpx.Response:
    headers = door.headers(Role.VIEWER) | ({} if last is None else {"Last-Event-ID": str(last)})
    return door.client.get(f"/incidents/{incident_id}/events", headers=headers)


def test_a_decision_wants_a_wellformed_body(waiting: tuple[Door, str]) -> None:
    door, incident_id = waiting
    path, headers = f"/incidents/{incident_id}/decision", door.headers(Role.APPROVER)
    plan = door.record(incident_id)["approval"]["plan_hash"].encode()
    seen = b'"plan_hash": "%s"' % plan
    for body in (
        b"",
        b"{}",
        b'{"approved": "yes", %s}' % seen,
        b'{"approved": 1, %s}' % seen,
        b'{"approved": true, %s, "by": "me"}' % seen,
        b'{"approved": true}',
        b'{"approved": true, "plan_hash": "%s"}' % plan[:7],
    ):
        answer = door.client.post(path, content=body, headers=headers)
        assert answer.status_code == 400, body
        assert "approved" in answer.json()["detail"]
    assert door.client.post(path, content=b"x" * 20_000, headers=headers).status_code == 413
    assert door.record(incident_id)["decision"] is None


def test_a_decision_on_another_plan_is_409_and_names_the_one_that_is_asked(waiting: tuple[Door, str]) -> None:
    door, incident_id = waiting
    path, headers = f"/incidents/{incident_id}/decision", door.headers(Role.APPROVER)

    answer = door.client.post(path, json={"approved": True, "plan_hash": "0" * 64}, headers=headers)

    record = door.record(incident_id)
    assert answer.status_code == 409
    assert f"plan {record['approval']['plan_hash']} is asked now" in answer.json()["detail"]
    assert record["decision"] is None


def test_unknown_ids_are_404(door: Door) -> None:
    for path in (f"/incidents/{NO_ID}", f"/incidents/{NO_ID}/events"):
        answer = door.client.get(path, headers=door.headers())
        assert (answer.status_code, "no incident" in answer.json()["detail"]) == (404, True)
    assert door.decide(NO_ID, True).status_code == 404


@pytest.mark.parametrize("query", ["status=done", "limit=0", "limit=201", "limit=x"])
def test_a_list_refuses_what_it_does_not_know(door: Door, query: str) -> None:
    answer = door.client.get(f"/incidents?{query}", headers=door.headers(Role.VIEWER))
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_incidents_are_listed_by_status(waiting: tuple[Door, str]) -> None:
    door, incident_id = waiting

    def listed(query: str) -> list[str]:
        answer = door.client.get(f"/incidents?{query}", headers=door.headers(Role.VIEWER))
        return [one["incident_id"] for one in answer.json()["incidents"]]

    assert incident_id in listed("")
    assert incident_id in listed("status=awaiting_approval&limit=5")
    assert incident_id not in listed("status=resolved")


def test_an_approval_through_the_door_finishes_the_incident(waiting: tuple[Door, str]) -> None:
    door, incident_id = waiting
    decision = door.decide(incident_id[:8], True, "the release throws")
    assert decision.status_code == 200, decision.text
    assert decision.json()["by"]["id"] == "ann"
    assert decision.json()["door"] == "http"
    record = door.wait_for_end(incident_id)
    assert record["status"] == "resolved", record["reason"]
    IncidentRecord.model_validate(record)
    assert len(door.account.calls("UpdateService")) >= 1
    again = door.decide(incident_id, False)
    assert again.status_code == 409
    assert "approved" in again.json()["detail"]


def test_the_timeline_is_followed_to_its_end_and_resumed(waiting: tuple[Door, str]) -> None:
    door, incident_id = waiting
    door.wait_for_end(incident_id)
    whole = follow(door, incident_id)
    assert whole.headers["content-type"].startswith("text/event-stream")
    assert whole.text.endswith(f"event: end\ndata: {incident_id}\n\n")
    seen = events(whole.text)
    assert [number for number, _, _ in seen] == list(range(1, len(seen) + 1))
    assert all(data["sequence"] == number and data["kind"] == kind for number, kind, data in seen)
    middle = len(seen) // 2
    assert events(follow(door, incident_id, middle).text) == seen[middle:]
    assert follow(door, incident_id, len(seen)).status_code == 204, "nothing is left: do not come again"
    assert follow(door, incident_id, 0).status_code == 200


def test_a_last_event_id_that_is_no_number_is_400(waiting: tuple[Door, str]) -> None:
    door, incident_id = waiting
    headers = door.headers(Role.VIEWER) | {"Last-Event-ID": "-1"}
    assert door.client.get(f"/incidents/{incident_id}/events", headers=headers).status_code == 400
