"""Look at the same alarm again: recovered, worse, no better, or too early to say."""

from datetime import timedelta
from typing import Any

from graphs.step import Turn
from graphs.transient import PASSING
from graphs.unverified import may_go_on, unverified
from memory.records.failure import Failure
from memory.records.incident import Status
from memory.records.outcome import Execution, Recovery, Verification
from memory.records.timeline import EntryKind
from tools.bulkhead import bulkhead
from tools.redaction import redact
from tools.verification import verify_recovery, verify_unaided

MOST_CHARS = 300
_LEFT = {
    Recovery.BETTER: "what was done helps and is left in place",
    Recovery.UNVERIFIED: "what was done is left in place, since nothing is seen that speaks against it",
}


def verify(turn: Turn) -> dict[str, Any]:
    """Hold the alarm, the service's level and what the actions promised against the state before them.

    Where nothing was done, the alarm and the level alone are held against when the watching began. A look that fails
    proves nothing: it is made again until the window ends.
    """
    with bulkhead(f"verifying incident {turn.state['incident'].incident_id}", PASSING) as met:
        return _looked(turn)
    return _not_looked(turn, met.error)


def _looked(turn: Turn) -> dict[str, Any]:
    records, incident = turn.copilot.records, turn.state["incident"]
    if "watched_since" in turn.state:
        sources = turn.copilot.sources(incident, turn.state.get("spend"))
        service = sources.topology.of_alarm(incident.alarm.name)
        window = timedelta(minutes=records.settings.limits.self_recovery_minutes)
        found = verify_unaided(sources, incident, turn.state["watched_since"], window, service)
        return _told(turn, found) | {"spend": sources.recorder.spend}
    undecided, done = _done(turn)
    if undecided or not done:
        reason = "; ".join(undecided) or "nothing was done"
        return {"status": Status.ESCALATED, "reason": reason}
    sources = turn.copilot.sources(incident, turn.state.get("spend"))
    service = sources.topology.of_alarm(incident.alarm.name)
    window = timedelta(minutes=records.settings.limits.verification_minutes)
    catalogue, last = turn.copilot.executor.catalogue, turn.state.get("verification")
    found = verify_recovery(sources, incident, done, window, service, catalogue, last)
    ended: dict[str, Any] = {"spend": sources.recorder.spend}
    if found.recovery in _LEFT:
        ended["reason"] = f"{found.detail}: {_LEFT[found.recovery]}"
    return _told(turn, found) | ended


def _done(turn: Turn) -> tuple[list[str], list[Execution]]:
    """Return what of the plan nobody can say of whether it was done, and what was; both as they are stored.

    A step that failed after AWS had taken its call has left the state without it.
    """
    incident, plan = turn.state["incident"], turn.state["plan"]
    open_still = turn.copilot.undecided(incident, plan)
    said = [f"{one.action} is {one.state.value}: look at the account" for one in open_still]
    return said, turn.copilot.settled(incident, plan)


def _told(turn: Turn, found: Verification) -> dict[str, Any]:
    """Tell what was found, unless it is too early to say."""
    if found.recovery is not Recovery.UNKNOWN:
        facts = {"verification": found.model_dump(mode="json")}
        turn.copilot.tell(turn.state["incident"], EntryKind.VERIFICATION, found.detail, "verify", facts)
    return {"verification": found}


def _not_looked(turn: Turn, error: Exception | None) -> dict[str, Any]:
    """Say that the look failed, and let it be made again while the window is open."""
    records = turn.copilot.records
    detail = redact(str(error))[:MOST_CHARS]
    failure = Failure(step="verify", error=type(error).__name__, detail=detail, at=records.clock.now())
    found = unverified(turn.state, failure, records.settings.limits)
    if not may_go_on(found):
        return _told(turn, found)
    last = turn.state.get("verification")
    if last is None or last.detail != found.detail:
        turn.copilot.tell(turn.state["incident"], EntryKind.NOTE, found.detail, "verify")
    return {"verification": found}
