"""Look at the same alarm again: recovered, worse, no better, or too early to say."""

from datetime import timedelta
from typing import Any

from graphs.step import Turn
from memory.records.outcome import Recovery
from memory.records.timeline import EntryKind
from tools.verification import verify_recovery, verify_unaided


def verify(turn: Turn) -> dict[str, Any]:
    """Hold the alarm, the service's level and what the actions promised against the state before them.

    Where nothing was done, the alarm and the level alone are held against when the watching began.
    """
    records, incident = turn.copilot.records, turn.state["incident"]
    sources = turn.copilot.sources(incident, turn.state.get("spend"))
    service = sources.topology.of_alarm(incident.alarm.name)
    if "watched_since" in turn.state:
        window = timedelta(minutes=records.settings.limits.self_recovery_minutes)
        found = verify_unaided(sources, incident, turn.state["watched_since"], window, service)
    else:
        window = timedelta(minutes=records.settings.limits.verification_minutes)
        done = turn.copilot.settled(incident, turn.state["plan"]) or turn.state["executions"][-1:]
        found = verify_recovery(sources, incident, done, window, service, turn.copilot.executor.catalogue)
    if found.recovery is not Recovery.UNKNOWN:
        facts = {"verification": found.model_dump(mode="json")}
        turn.copilot.tell(incident, EntryKind.VERIFICATION, found.detail, "verify", facts)
    return {"verification": found, "spend": sources.recorder.spend}
