"""The kill switch: whether the copilot may write anything at all, and who said so."""

from memory.records.base import Record, UtcTime


class KillSwitch(Record):
    """Where the switch stands for a tenant. While it is on, nothing is changed anywhere, undone neither."""

    on: bool = False
    reason: str = ""
    by: str = ""
    at: UtcTime | None = None
