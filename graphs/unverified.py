"""What stands when nobody could look whether a change helped."""

from datetime import datetime, timedelta
from typing import Any

from memory.records.config import Limits
from memory.records.failure import Failure
from memory.records.outcome import Recovery, Verification
from memory.state import IncidentState

UNKNOWN_STATE = "unknown"


def unverified(state: IncidentState, failure: Failure, limits: Limits) -> Verification:
    """Return a verification that could not be made: UNKNOWN until the window's end, and NO_BETTER from then on.

    The window begins with the last look that was made, or with what was done. What nobody sees to help counts as no
    help, so that it is undone.
    """
    seen = _last_look(state)
    minutes = limits.self_recovery_minutes if "watched_since" in state else limits.verification_minutes
    is_over = failure.at >= seen.checked_at + timedelta(minutes=minutes)
    why = f"{failure.error}: {failure.detail}"
    since = f"{seen.checked_at:%H:%M:%S} UTC"
    detail = (
        f"it could not be looked at for {minutes} minutes, since {since}: {why}"
        if is_over
        else f"it could not be looked at: {why}"
    )
    ended: dict[str, Any] = (
        {"recovery": Recovery.NO_BETTER, "checked_at": failure.at}
        if is_over
        else {"recovery": Recovery.UNKNOWN}
    )
    return seen.model_copy(update={**ended, "detail": detail, "recovered_at": None})


def may_go_on(found: Verification) -> bool:
    """Say whether the window is still open."""
    return found.recovery is Recovery.UNKNOWN


def _last_look(state: IncidentState) -> Verification:
    """Return the last look at this plan's effect, or one that saw nothing, as old as what was done."""
    began = began_at(state)
    last = state.get("verification")
    if last is not None and last.checked_at >= began:
        return last
    return Verification(
        recovery=Recovery.UNKNOWN, alarm_state=UNKNOWN_STATE, checked_at=began, detail="not looked at yet"
    )


def began_at(state: IncidentState) -> datetime:
    """Return when there began to be something to look at: the last action, or the watching of an alarm.

    What a step has done before it failed the state has not heard of: that counts from the failure.
    """
    if "watched_since" in state:
        return state["watched_since"]
    acted = [one for one in state.get("executions", []) if not one.is_revert]
    times = [one.done_at or one.claimed_at for one in acted]
    times += [one.at for one in state.get("failures", []) if one.step == "act"]
    return max(times, default=state["incident"].opened_at)
