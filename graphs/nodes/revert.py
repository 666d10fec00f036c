"""Undo what did not help, in reverse order, and see that the undo took effect."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from graphs.later import later, no_later
from graphs.step import Turn, Wait
from graphs.transient import PASSING
from graphs.unverified import began_at
from memory.records.incident import Status
from memory.records.outcome import Execution, ExecutionState, Recovery, undo_of
from memory.records.spend import Spend
from memory.records.timeline import EntryKind
from tools.bulkhead import bulkhead
from tools.verification import verify_recovery

CALM = timedelta(minutes=3)
"""How long after an undo its effect shows in the metrics."""


def revert(turn: Turn) -> dict[str, Any] | Wait:
    """Run the inverse of every action of this plan once, the last first, and stop at one that is not certain.

    A further plan comes only when all of it is undone for certain or made up for by the account, and the service fares
    no worse than before. What has no way back stays, and people get it with what that is and why. Where the account or
    the records do not answer, or the target is busy (with another action, or so that a precondition of the undo does
    not hold), it is tried again each minute for as long as a verification may take: a change that did not help is not
    left to itself for a call that was throttled.
    """
    with bulkhead(f"undoing what incident {turn.state['incident'].incident_id} did", PASSING) as met:
        return _undone(turn)
    if met.error is not None and (met.is_defect or not _may_go_on(turn)):
        raise met.error
    return later(turn, Status.VERIFYING)


def _may_go_on(turn: Turn) -> bool:
    """Say whether it may still be tried: for as long as a verification may take, since it was decided."""
    minutes = timedelta(minutes=turn.copilot.records.settings.limits.verification_minutes)
    last = turn.state.get("verification")
    since = max(began_at(turn.state), last.checked_at) if last else began_at(turn.state)
    return turn.copilot.records.clock.now() < since + minutes


def _undone(turn: Turn) -> dict[str, Any] | Wait:
    records, incident = turn.copilot.records, turn.state["incident"]
    acted = turn.copilot.executed(incident, turn.state["plan"])
    undone = _unwind(turn, [one for one in acted if not turn.copilot.needs_no_undo(one)])
    why = _why(turn)
    open_still = next((undo for undo in undone if undo.state is not ExecutionState.DONE), None)
    if open_still is not None and _is_waited_for(open_still) and _may_go_on(turn):
        return later(turn, Status.VERIFYING)
    lasting = _lasting(acted, open_still)
    if lasting is not None:
        stays = _what_stays(turn, acted, undone, lasting)
        return _over(turn, undone, Status.ESCALATED, f"{why}; {stays}; look at the account")
    if not acted or open_still is not None:
        said = f" ({open_still.detail})" if open_still is not None and open_still.detail else ""
        return _over(
            turn, undone, Status.ESCALATED, f"{why}; the undo is not certain{said}, look at the account"
        )
    if undone:
        settled_at = max(undo.done_at or undo.claimed_at for undo in undone)
        limit = max((undo.done_at or undo.claimed_at) + turn.copilot.time_for(undo) for undo in undone)
        under_way = any(turn.copilot.is_under_way(incident, undo) for undo in undone)
        if under_way and records.clock.now() >= limit:
            reason = f"{why}; the undo is still under way, look at the account"
            return _over(turn, undone, Status.ESCALATED, reason)
        if under_way or records.clock.now() < settled_at + CALM:
            return later(turn, Status.VERIFYING)
    ended, is_for_people, spend = _looked_at_again(turn, acted)
    said = "; ".join((why, *(["it was undone"] if undone else []), *_made_up_for(turn, acted), ended))
    if is_for_people:
        return _over(turn, undone, Status.ESCALATED, f"{said}: look at the account", spend)
    if turn.state.get("attempt", 1) >= records.settings.limits.plan_attempts:
        return _over(turn, undone, Status.ESCALATED, f"{said}; no further plan is allowed", spend)
    return _over(turn, undone, Status.OPEN, said, spend)


def _is_waited_for(undo: Execution) -> bool:
    """Say whether an undo was refused for what may pass, or was begun and its target cannot be read just now."""
    return undo.passing or undo.state in {ExecutionState.CLAIMED, ExecutionState.CALLED}


def _lasting(acted: list[Execution], open_still: Execution | None) -> Execution | None:
    """Return the action at which undoing ended because it has no way back."""
    ended = open_still.action_id if open_still is not None else ""
    return next((one for one in acted if undo_of(one.action_id) == ended and not one.inverse), None)


def _what_stays(turn: Turn, acted: list[Execution], undone: list[Execution], lasting: Execution) -> str:
    """Tell what was undone before that, that the action without a way back was not, and what was left with it."""
    incident, back = turn.state["incident"], [one for one in undone if one.state is ExecutionState.DONE]
    goes_on = {one.action_id for one in back if turn.copilot.is_under_way(incident, one)}
    before = [one for one in acted[: acted.index(lasting)] if not turn.copilot.needs_no_undo(one)]
    told = [
        *(f"{one.action} {'is being' if one.action_id in goes_on else 'was'} undone" for one in back),
        turn.copilot.kept(incident, lasting),
        *_made_up_for(turn, acted),
        *(f"{one.action}, which came before it, was left as it is" for one in before),
    ]
    return "; ".join(told)


def _made_up_for(turn: Turn, acted: list[Execution]) -> list[str]:
    """Tell what was not undone since the account makes up for it."""
    incident = turn.state["incident"]
    return [turn.copilot.kept(incident, one) for one in acted if turn.copilot.needs_no_undo(one)]


def _unwind(turn: Turn, acted: list[Execution]) -> list[Execution]:
    """Undo in reverse order; what comes before a step that is not undone for certain stays as it is."""
    undone: list[Execution] = []
    for execution in reversed(acted):
        undone.append(turn.copilot.undo(turn.state["incident"], execution))
        _tell_news(turn, undone[-1])
        if undone[-1].state is not ExecutionState.DONE:
            break
    turn.copilot.note_events(turn.state["incident"])
    return undone


def _why(turn: Turn) -> str:
    """Return why it is undone: a step of the plan never took effect, or verification said so."""
    last = next((one for one in reversed(turn.state["executions"]) if not one.is_revert), None)
    if last is not None and not last.was_accepted and turn.state.get("reason"):
        return turn.state["reason"]
    return turn.state["verification"].detail if "verification" in turn.state else turn.state.get("reason", "")


def _looked_at_again(turn: Turn, acted: list[Execution]) -> tuple[str, bool, Spend]:
    """Look at the alarm and the service once more, tell how they fare, and say whether that is for people.

    It is where they fare worse than before all, and where not all could be read: no further plan rests on that. Nor is
    there one where all is well again. The last of what is returned is what the look has cost.
    """
    incident = turn.state["incident"]
    sources = turn.copilot.sources(incident, turn.state.get("spend"))
    service = sources.topology.of_alarm(incident.alarm.name)
    first = min(acted, key=lambda one: one.claimed_at)
    began = [first.model_copy(update={"state": ExecutionState.REVERTED})]
    found = verify_recovery(sources, incident, began, timedelta(0), service, catalogue=())
    state = f"the alarm is {found.alarm_state} after the undo"
    is_worse, is_well = (found.recovery is one for one in (Recovery.WORSE, Recovery.RECOVERED))
    state += ", and no further plan is made" if is_well else ""
    unread = f"; not all could be read: {'; '.join(found.unread)}" if found.unread else ""
    text = (f"{state}, and {found.detail}" if is_worse else state) + unread
    facts = {"after_undo": found.model_dump(mode="json")}
    turn.copilot.tell(incident, EntryKind.NOTE, text, "revert", facts)
    return text, is_worse or is_well or bool(found.unread), sources.recorder.spend


def _over(
    turn: Turn, undone: list[Execution], status: Status, reason: str, spend: Spend | None = None
) -> dict[str, Any]:
    no_later(turn)
    ended: dict[str, Any] = {"executions": undone, "status": status, "reason": reason}
    if spend is not None:
        ended["spend"] = spend
    if status is not Status.OPEN:
        return ended
    return {**ended, "reviews": [], "attempt": turn.state.get("attempt", 1) + 1}


def _tell_news(turn: Turn, undo: Execution) -> None:
    """Tell the timeline how an undo stands, unless that was its last word already."""
    incident = turn.state["incident"]
    facts = {"execution": undo.model_dump(mode="json")}
    told = turn.copilot.records.timeline.entries(incident.scope, incident.incident_id)
    if any(entry.kind is EntryKind.REVERT and _standing(entry.facts) == _standing(facts) for entry in told):
        return
    text = f"undo of {undo.action}: {undo.state.value}" + (f" ({undo.detail})" if undo.detail else "")
    turn.copilot.tell(incident, EntryKind.REVERT, text, "revert", facts)


def _standing(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return how an undo stands. That CloudTrail's event was found meanwhile is in the audit, and no news.

    Nor is it that a refusal was repeated.
    """
    told = facts.get("execution", {})
    refused = told.get("state") == ExecutionState.REFUSED.value
    apart = {"event_id", "claimed_at", "done_at"} if refused else {"event_id"}
    return {key: value for key, value in told.items() if key not in apart}
