"""Which observations say something, and which only that nothing could be read."""

from typing import Any

from memory.records.evidence import UNREAD, Evidence


def is_readable(evidence: Evidence) -> bool:
    """Say whether the account answered; no data is an answer."""
    return not set(evidence.gaps) & UNREAD


def facts_in(evidence: Evidence) -> dict[str, Any]:
    """Return what was observed, by name; nothing where it could not be read."""
    return evidence.result if is_readable(evidence) and isinstance(evidence.result, dict) else {}
