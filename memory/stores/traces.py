"""The calls of which CloudTrail's event is not noted yet: found by when they are looked for next, closed or not."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from memory import keys
from memory.records.audit import AuditPayload, Deed
from memory.records.outcome import Execution, ExecutionState
from memory.records.scope import COPILOT, Scope
from memory.records.trace import Trace, TraceState
from memory.stores.audit import AuditTrail
from memory.table import ConflictError, Item, Key, RecordTable, Write

FIRST_LOOK = timedelta(minutes=5)
"""CloudTrail's own average (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/how-cloudtrail-works.html)."""
_SAID = {
    TraceState.FOUND: "CloudTrail has its event",
    TraceState.ABSENT: "CloudTrail has no event of it",
    TraceState.UNASKED: "CloudTrail could not be asked for its event",
}


@dataclass(frozen=True)
class Owed:
    """A call whose event is looked for, as it stands under a version."""

    trace: Trace
    version: int


class TraceStore:
    """Finds what is looked for, puts off the next look, and writes the end into the incident's audit.

    Nothing else of the incident is written, so that it may be open, moved by a run, or closed for long.
    """

    def __init__(self, table: RecordTable) -> None:
        self._table = table
        self._trail = AuditTrail(table)

    def due(self, scope: Scope, now: datetime, limit: int) -> Iterator[tuple[str, str]]:
        """Yield the incident and action of the first calls whose look is due; by the index, so read each again."""
        partition = keys.traces_by_time(scope, now, "", "").pk
        upto = keys.traces_by_time(scope, now, "\uffff", "").sk
        for item in self._table.by_time(partition, upto=upto, limit=limit):
            yield str(item.body.get("incident_id")), str(item.body.get("action_id"))

    def get(self, scope: Scope, incident_id: str, action_id: str) -> Owed | None:
        """Read a call's search while it goes on, or None."""
        item = self._table.get(keys.trace(scope, incident_id, action_id))
        return _owed(item) if item else None

    def owed(self, scope: Scope, incident_id: str) -> list[Owed]:
        """Return the searches of an incident that go on."""
        found = self._table.query(keys.incident(scope, incident_id).pk, "TRACE#")
        return [owed for item in found if (owed := _owed(item)) is not None]

    def put_off(self, scope: Scope, owed: Owed, until: datetime) -> Owed | None:
        """Count a look before it is made and set the next; None when another process was first."""
        trace = owed.trace.model_copy(update={"looks": owed.trace.looks + 1, "next_at": until})
        try:
            self._table.write(Write(_item(scope, trace, owed.version + 1), owed.version))
        except ConflictError:
            return None
        return Owed(trace, owed.version + 1)

    def settle(self, scope: Scope, owed: Owed, ended: Trace, at: datetime) -> bool:
        """Note the end of a search, with an entry of the audit that names those it is about; say whether this call did.

        It loses when another process was first, or when the incident was erased meanwhile.
        """
        item = _item(scope, ended, owed.version + 1)
        about = {"entries": self._entries_of(item.key.pk, ended.action_id)}
        told = {**told_of_trace(ended), "facts": about}
        try:
            self._trail.commit(item.key.pk, [Write(item, owed.version)], at, Deed.TRACED, **told)
        except ConflictError:
            return False
        return True

    def _entries_of(self, partition: str, action_id: str) -> list[int]:
        """Return the numbers of the audit's entries about an action."""
        found = self._table.query(partition, "AUDIT_PAYLOAD#")
        payloads = ((int(one.key.sk[-8:]), AuditPayload.model_validate(one.body)) for one in found)
        return [number for number, payload in payloads if payload.execution_id == action_id]


def told_of_trace(trace: Trace) -> dict[str, Any]:
    """Return what the audit tells of a search that has ended, but which entries it is about."""
    return {
        "who": COPILOT.id,
        "what": f"{trace.what}: {_SAID[trace.state]}",
        "why": trace.detail,
        "execution_id": trace.action_id,
        "session": trace.session,
        "event_id": trace.event_id,
    }


def newly_owed(scope: Scope, before: Execution | None, after: Execution) -> tuple[Write, ...]:
    """Return the write that begins a search, for the transaction that settles a call; none where none is owed."""
    if not _was_made(after) or (before is not None and _was_made(before)):
        return ()
    settled_at = after.done_at or after.claimed_at
    trace = Trace(
        incident_id=after.incident_id,
        action_id=after.action_id,
        what=f"{'undo, ' if after.is_revert else ''}{after.action}",
        session=after.session or "",
        since=after.claimed_at,
        settled_at=settled_at,
        next_at=settled_at + FIRST_LOOK,
    )
    return (Write(_item(scope, trace, 1), 0),)


def _was_made(execution: Execution) -> bool:
    """Say whether a call was made that CloudTrail shows: AWS took it, or nobody knows whether it did."""
    made = execution.was_accepted or execution.state in {ExecutionState.UNDECIDED, ExecutionState.REVERTED}
    return made and bool(execution.session)


def _owed(item: Item) -> Owed | None:
    trace = Trace.model_validate(item.body)
    return Owed(trace, item.version) if trace.state is TraceState.OWED else None


def _item(scope: Scope, trace: Trace, version: int) -> Item:
    """Return a search as it is stored; it leaves the index when it ends."""
    key = keys.trace(scope, trace.incident_id, trace.action_id)
    index: Key | None = keys.traces_by_time(scope, trace.next_at, trace.incident_id, trace.action_id)
    if trace.state is not TraceState.OWED:
        index = None
    return Item(key, trace.model_dump(mode="json"), version, index)
