"""A step that did not come to its end."""

from memory.records.base import Record, UtcTime


class Failure(Record):
    """What failed, in words an on-call engineer can act on."""

    step: str
    error: str
    detail: str
    at: UtcTime
