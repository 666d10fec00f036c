"""Let time pass before looking at the alarm again. A durable timer wakes the run; nothing sleeps."""

from datetime import timedelta
from typing import Any

from graphs.step import Turn, Wait
from memory.records.incident import Status
from memory.records.timeline import Timer, TimerKind

LOOK_EVERY = timedelta(seconds=60)


def watch(turn: Turn) -> dict[str, Any] | Wait:
    """Set the timer once, and go on when its time has come, whatever woke the run."""
    records, incident = turn.copilot.records, turn.state["incident"]
    now = records.clock.now()
    timer = records.timers.get(incident.scope, incident.incident_id, TimerKind.VERIFICATION)
    if timer is None:
        timer = Timer(incident_id=incident.incident_id, kind=TimerKind.VERIFICATION, wake_at=now + LOOK_EVERY)
        records.timers.set(incident.scope, timer)
        turn.state["status"] = Status.VERIFYING
    if timer.wake_at <= now:
        records.timers.cancel(incident.scope, incident.incident_id, TimerKind.VERIFICATION)
        return {"status": Status.VERIFYING, "due": True}
    if turn.woken:
        return {"status": Status.VERIFYING, "due": False}
    return Wait({"waiting_for": "time", "wake_at": timer.wake_at.isoformat()})
