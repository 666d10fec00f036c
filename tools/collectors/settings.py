"""What a parameter was set to by a change, and what it was before."""

from datetime import datetime
from typing import Any

from memory.records.evidence import Evidence
from tools.collectors.readable import facts_in
from tools.observe.parameter_history import TAKEN_OUT

# A trail's time and a parameter's own are not the same clock's.
APART_SECONDS = 60.0


def values_around(evidence: Evidence, changed_at: datetime) -> tuple[str | None, str | None]:
    """Return what a parameter was set to by the change of a moment, and what it was before; None where not known.

    A secret's value is not known to anybody here, and its version is told instead.
    """
    versions: list[dict[str, Any]] = facts_in(evidence).get("versions", [])
    made = [n for n, one in enumerate(versions) if _apart(one, changed_at) <= APART_SECONDS]
    if not made:
        return None, None
    number = made[-1]
    return _value(versions[number]), _value(versions[number - 1]) if number else None


def _value(version: dict[str, Any]) -> str:
    value = str(version["value"])
    return f"version {version['version']}" if value == TAKEN_OUT else value


def _apart(version: dict[str, Any], moment: datetime) -> float:
    return abs((datetime.fromisoformat(version["at"]) - moment).total_seconds())
