"""An incident counts as closed once its record holds what people were told."""

import asyncio
from pathlib import Path

from langgraph.types import Command

from memory.records.incident import Status
from memory.records.message import MessageState
from memory.records.timeline import EntryKind
from tests.graphs.desk import Desk, desk


def _run(at: Desk, incident_id: str, asked: Command[str] | None, pause_after: list[str] | None) -> None:
    config = {"configurable": {"thread_id": incident_id, "holder": "a-test"}}
    asyncio.run(
        at.runs.graph.ainvoke(asked, config, durability="sync", interrupt_after=pause_after)  # type: ignore[arg-type]
    )


def test_an_end_that_nobody_was_told_of_is_not_closed(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        waiting = at.start()
        incident_id = waiting.incident.incident_id
        at.account.advance(minutes=31)

        _run(at, incident_id, Command(resume={"woken": True}), ["escalate"])
        ended = at.record(incident_id)
        assert ended.status is Status.ESCALATED
        assert ended.closed_at is None
        assert not any("escalated" in message.subject for message in ended.messages)

        at.account.advance(minutes=2)
        _run(at, incident_id, None, None)
        closed = at.record(incident_id)
        entries = at.records.timeline.entries(closed.incident.scope, incident_id)
        closing = next(entry for entry in entries if entry.kind is EntryKind.CLOSED)
        assert closed.closed_at == closing.at == at.account.now()
        assert sum("escalated" in message.subject for message in closed.messages) == 1
        assert {message.state for message in closed.messages} == {MessageState.SENT}


def test_a_closing_message_that_could_not_be_sent_says_so_in_the_closed_record(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        waiting = at.start()
        down = {"service": "sns", "operation": "Publish", "kind": "error", "code": "InternalError"}
        at.account.faults([{**down, "status": 500, "times": -1}])

        at.decide(waiting, approved=False)
        closed = at.record(waiting.incident.incident_id)

        assert closed.closed_at is not None
        last = next(message for message in closed.messages if "escalated" in message.subject)
        assert (last.state, last.sent_at) == (MessageState.QUEUED, None)
        assert last.failure

        at.account.clear_faults()
        assert at.sweep().messages_sent == 1
