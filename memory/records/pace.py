"""What was changed on one target lately, so that changes neither collide nor pile up."""

from memory.records.base import Record, UtcTime


class Change(Record):
    """One action that was claimed on a target."""

    at: UtcTime
    incident_id: str
    action_id: str


class Pace(Record):
    """The changes to one target within the hour before the newest, and before them older ones that went on then."""

    changes: tuple[Change, ...] = ()
