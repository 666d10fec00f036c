"""From what CodeDeploy tells of its deployments to what went out to which function."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from memory.records.evidence import Evidence
from tools.analysis.changes import caller_of, operation_of
from tools.analysis.findings import Rollout, Shift
from tools.collectors.readable import facts_in

# A trail's time and a deployment's own are not the same clock's.
APART_SECONDS = 60.0


def shifts_in(
    evidence: Evidence, changes: Sequence[dict[str, Any]], functions: set[str], now: datetime
) -> tuple[Rollout, ...]:
    """Return the deployments that moved an alias of a known function, newest first, each with who made it.

    CodeDeploy itself says only that it was a user: who, CloudTrail's `changes` say.
    """
    told = facts_in(evidence).get("deployments", [])
    found = list(_rollouts(told, changes, functions, evidence.evidence_id, now))
    return tuple(sorted(found, key=lambda one: one.at, reverse=True))


def _rollouts(
    told: Sequence[dict[str, Any]],
    changes: Sequence[dict[str, Any]],
    functions: set[str],
    evidence_id: str,
    now: datetime,
) -> Iterator[Rollout]:
    for one in told:
        function, version = one.get("function"), one.get("to_version")
        if function not in functions or not version or not one.get("percent"):
            continue
        ended = datetime.fromisoformat(one["ended_at"]) if one.get("ended_at") else now
        place = f"{one['application']}/{one['group']}"
        shift = Shift(one["id"], place, ended, bool(one.get("in_progress")), one.get("percent"))
        at = datetime.fromisoformat(one["started_at"])
        by = _maker(one, changes) or str(one.get("creator") or "")
        yield Rollout(function, at, f"{function}:{version}", evidence_id, True, by, shift)


def _maker(one: dict[str, Any], changes: Sequence[dict[str, Any]]) -> str:
    """Return who called CreateDeployment for this group when the deployment was made."""
    made = datetime.fromisoformat(one["created_at"])
    for change in changes:
        asked = change.get("parameters") or {}
        named = (asked.get("applicationName"), asked.get("deploymentGroupName"))
        if operation_of(change) != "CreateDeployment" or named != (one["application"], one["group"]):
            continue
        if abs((datetime.fromisoformat(change["at"]) - made).total_seconds()) <= APART_SECONDS:
            return caller_of(change)
    return ""
