"""Let time pass before looking at the alarm again. A durable timer wakes the run; nothing sleeps."""

from datetime import timedelta
from typing import Any

from graphs.step import Turn, Wait
from graphs.transient import PASSING
from memory.records.incident import Status
from memory.records.timeline import Timer, TimerKind
from tools.bulkhead import bulkhead

LOOK_EVERY = timedelta(seconds=60)


def watch(turn: Turn) -> dict[str, Any] | Wait:
    """Set the timer once, and go on when its time has come, whatever woke the run.

    Where the records do not answer, the run pauses without a timer, and is woken as one that has stranded.
    """
    with bulkhead(f"watching incident {turn.state['incident'].incident_id}", PASSING) as met:
        return _watched(turn)
    if met.error is not None and (met.is_defect or turn.woken):
        raise met.error
    return Wait({"waiting_for": "time", "wake_at": ""})


def _watched(turn: Turn) -> dict[str, Any] | Wait:
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
