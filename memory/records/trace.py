"""What CloudTrail is still to be asked about a call that was made, and what came of it."""

from enum import StrEnum

from memory.records.base import Record, UtcTime


class TraceState(StrEnum):
    """How far the search for a call's event got."""

    OWED = "owed"
    FOUND = "found"
    ABSENT = "absent"
    """CloudTrail answered, after all the time that it may take, that it has no such event."""
    UNASKED = "unasked"
    """CloudTrail did not answer for as long as it was asked."""


class Trace(Record):
    """The search for CloudTrail's event of one executed call.

    `what` names the action for people, `session` the session that made the call. `since` is when it was claimed, and
    `settled_at` when it was settled, from which its age counts. `looks` counts the looks of its own time; the next is
    at `next_at`.
    """

    incident_id: str
    action_id: str
    what: str
    session: str
    since: UtcTime
    settled_at: UtcTime
    next_at: UtcTime
    state: TraceState = TraceState.OWED
    looks: int = 0
    event_id: str | None = None
    detail: str = ""
