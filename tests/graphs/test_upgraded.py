"""An incident that an earlier version has left waiting goes on under this one, from the bytes that were stored then."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from graphs.bootstrap import open_records, open_saver, set_up
from graphs.decision import DecisionRefusedError
from graphs.runs import InProcessRuns, in_process
from graphs.settings import load
from graphs.wiring import wire
from memory.checkpointed import IncidentSaver, serializer
from memory.records.incident import Status
from memory.stores.listings import Wanted
from memory.table import table_definition
from memory.upgrading import UnreadableStateError, upgraded
from tests.graphs.desk import Desk, desk
from tests.memory.fixtures.make_waiting import decoded
from tests.simulated import ROOT, SimulatedAccount
from tools.errors import Misconfigured

VERSION_1 = ROOT / "tests" / "memory" / "fixtures" / "v1" / "waiting.json"


@contextmanager
def left_by_version_1(folder: Path) -> Iterator[tuple[Desk, str]]:
    """The account as it was, with what version 1 had stored in its tables, set up by this version."""
    stored = json.loads(VERSION_1.read_text(encoding="utf-8"))
    with desk(folder) as at:
        at.alarm_event()
        dynamodb, backend = at.account.client("dynamodb"), at.records.backend
        tables = {"records": backend.records_table, "checkpoints": backend.checkpoints_table}
        for name, table in tables.items():
            for item in stored[name]:
                dynamodb.put_item(TableName=table, Item=decoded(item))
        set_up(at.records.settings)
        yield at, stored["incident_id"]


def test_what_version_1_left_waiting_is_listed_and_ends_safely_though_nobody_can_approve_it(
    tmp_path: Path,
) -> None:
    with left_by_version_1(tmp_path) as (at, incident_id):
        incidents = at.records.incidents
        assert [one.incident_id for one in at.records.approvals.pending("default")] == [incident_id]
        assert list(incidents.unfinished()) == [incident_id]
        waiting = incidents.page(Wanted(status=Status.AWAITING_APPROVAL, service="checkout"), 5).lines
        assert [line.incident_id for line in waiting] == [incident_id]
        assert incidents.full_id(incident_id[:6]) == incident_id

        known = at.record(incident_id).evidence
        # It was signed by nobody: whoever can write the table could have laid it there.
        with pytest.raises(DecisionRefusedError, match=r"signed with the key of nobody"):
            at.decide(at.record(incident_id), approved=True)
        done = at.to_the_end(incident_id)

        assert known
        assert set(known) <= set(done.evidence)
        assert (done.status, done.executions, at.writes()) == (Status.ESCALATED, (), [])
        assert "expired" in done.reason
        assert list(incidents.unfinished()) == []
        set_up(at.records.settings)
        assert len(incidents.page(Wanted(), 5).lines) == 1


def test_setting_up_signs_nothing_that_it_finds(tmp_path: Path) -> None:
    with left_by_version_1(tmp_path) as (at, incident_id):
        scope = at.records.incidents.scope_of(incident_id)
        (request,) = at.records.approvals.requests(scope, incident_id)

        assert (request.key_id, request.signature) == ("", "")


def test_a_table_of_version_1_is_named_and_gets_its_indexes_and_time_to_live(
    shared_accounts: Callable[..., SimulatedAccount],
) -> None:
    account = shared_accounts("bad-deployment")
    settings = load({"CLOUDOPS_STATE_DIR": str(account.state_dir), "CLOUDOPS_PREFIX": "older"}, ROOT)
    dynamodb = account.client("dynamodb")
    now = table_definition("older-records")
    names = {"pk", "sk", "gpk", "gsk"}
    dynamodb.create_table(
        **{
            **now,
            "AttributeDefinitions": [a for a in now["AttributeDefinitions"] if a["AttributeName"] in names],
            "GlobalSecondaryIndexes": now["GlobalSecondaryIndexes"][:1],
        }
    )
    with pytest.raises(Misconfigured, match=r"earlier version.*cloudops setup"):
        open_records(settings)

    set_up(settings)

    assert list(open_records(settings).incidents.page(Wanted(service="web"), 5).lines) == []
    told = dynamodb.describe_time_to_live(TableName="older-records")["TimeToLiveDescription"]
    assert (told["TimeToLiveStatus"], told["AttributeName"]) == ("ENABLED", "ttl")


def older(state: dict[str, Any]) -> dict[str, Any]:
    """The state as a version 0 would have had it: attempts were counted in words."""
    return {**state, "schema_version": 0, "attempt": str(state["attempt"])}


def newer(state: dict[str, Any]) -> dict[str, Any]:
    """The change from version 0 to 1; what is in the new shape stays as it is."""
    return {**state, "attempt": int(state["attempt"])}


def made_older(at: Desk, incident_id: str) -> None:
    """Store the waiting thread as version 0 would have stored it, with what waits in it."""
    saver = open_saver(at.records)
    config: Any = {"configurable": {"thread_id": incident_id, "checkpoint_ns": ""}}
    newest = saver.get_tuple(config)
    saver.delete_thread(incident_id)
    checkpoint = {**newest.checkpoint, "channel_values": older(newest.checkpoint["channel_values"])}
    placed = saver.put(config, checkpoint, newest.metadata, checkpoint["channel_versions"])
    for task in {task for task, _, _ in newest.pending_writes}:
        writes = [(channel, value) for one, channel, value in newest.pending_writes if one == task]
        saver.put_writes(placed, writes, task)


def runs_with(at: Desk, **how: Any) -> InProcessRuns:
    client, table = at.records.access.client("dynamodb"), at.records.backend.checkpoints_table
    saver = IncidentSaver(client, table, serde=serializer(), **how)
    return in_process(at.records, wire(lambda: at.copilot), saver)


def test_a_state_of_the_version_before_goes_on_through_its_upgrade(tmp_path: Path) -> None:
    with left_by_version_1(tmp_path) as (at, incident_id):
        made_older(at, incident_id)
        with pytest.raises(UnreadableStateError, match="from version 0"):
            runs_with(at).wake(incident_id)

        at.runs = runs_with(at, upgrade=partial(upgraded, upgrades={0: newer}, to=1))
        at.decide(at.record(incident_id), approved=False)

        assert at.record(incident_id).status is Status.ESCALATED
        state = at.runs.graph.get_state({"configurable": {"thread_id": incident_id}})
        assert not state.next
        assert (state.values["attempt"], state.values["schema_version"]) == (1, 1)
