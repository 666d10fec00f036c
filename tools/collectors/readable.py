"""Which observations say something, and which only that nothing could be read."""

from typing import Any

from memory.records.evidence import PARTIAL, UNREAD, Evidence


def is_readable(evidence: Evidence) -> bool:
    """Say whether the account answered; no data is an answer."""
    return not set(evidence.gaps) & UNREAD


def is_in_part(evidence: Evidence) -> bool:
    """Say whether the account answered, and not all of its answer was read: the rest may be what matters."""
    return is_readable(evidence) and bool(set(evidence.gaps) & PARTIAL)


def facts_in(evidence: Evidence) -> dict[str, Any]:
    """Return what was observed, by name; nothing where it could not be read."""
    return evidence.result if is_readable(evidence) and isinstance(evidence.result, dict) else {}
