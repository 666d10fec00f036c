"""Go on with a step later: a durable timer wakes the run, and nothing sleeps."""

from datetime import timedelta
from typing import Any

from graphs.step import Turn, Wait
from memory.records.incident import Status
from memory.records.timeline import Timer, TimerKind

LOOK_EVERY = timedelta(seconds=60)


def later(turn: Turn, status: Status) -> dict[str, Any] | Wait:
    """Wait for a timer, which is set anew once its time has come; a run that was woken goes through the step again."""
    records, incident = turn.copilot.records, turn.state["incident"]
    now = records.clock.now()
    timer = records.timers.get(incident.scope, incident.incident_id, TimerKind.VERIFICATION)
    if timer is None or timer.wake_at <= now:
        timer = Timer(incident_id=incident.incident_id, kind=TimerKind.VERIFICATION, wake_at=now + LOOK_EVERY)
        records.timers.set(incident.scope, timer)
    if turn.woken:
        return {"status": status}
    turn.state["status"] = status
    return Wait({"waiting_for": "time", "wake_at": timer.wake_at.isoformat()})


def no_later(turn: Turn) -> None:
    """Take back the timer of a step that is over."""
    incident = turn.state["incident"]
    turn.copilot.records.timers.cancel(incident.scope, incident.incident_id, TimerKind.VERIFICATION)
