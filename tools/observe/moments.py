"""How times stand in evidence."""

from datetime import UTC, datetime


def utc_text(moment: datetime) -> str:
    """Write a time in UTC: botocore hands out times in the zone of the machine."""
    return moment.astimezone(UTC).isoformat()
