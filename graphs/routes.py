"""The conditional edges: pure functions from the state to the name of the next node."""

from typing import Literal

from memory.records.assessment import Verdict
from memory.records.incident import Status
from memory.records.outcome import ExecutionState, Recovery
from memory.records.plan import Ruling
from memory.state import IncidentState

END: Literal["__end__"] = "__end__"


Stage = Literal["first_look", "remediation", "approve", "act", "watch", "escalate", "communicate", "__end__"]


def after_intake(state: IncidentState) -> Stage:
    """Begin an incident this run opened, go on where a standing one stands, and end where there is nothing to do.

    A thread that is given its event again keeps what was found, asked and done: a repeat never restarts.
    """
    if "incident" not in state or state.get("joined"):
        return END
    match state["status"]:
        case Status.RESOLVED | Status.NOISE:
            return "communicate"
        case Status.ESCALATED | Status.UNRESOLVED:
            return "escalate"
        case Status.VERIFYING:
            return "watch"
        case Status.ACTING:
            return "act"
        case Status.OPEN | Status.AWAITING_APPROVAL:
            return _before_acting(state)


def _before_acting(state: IncidentState) -> Stage:
    if state.get("failures"):
        return "escalate"
    if state.get("reviews"):
        return after_review(state)
    return "remediation" if state.get("attempt", 1) > 1 else "first_look"


def after_critic(state: IncidentState) -> Literal["close", "escalate", "remediation"]:
    """Close noise, hand what is not understood or was stopped to people, and plan for a cause that stands."""
    if state.get("failures"):
        return "escalate"
    match state["assessment"].verdict:
        case Verdict.NOISE:
            return "close"
        case Verdict.UNRESOLVED:
            return "escalate"
        case Verdict.CAUSE:
            return "remediation"


def after_remediation(state: IncidentState) -> Literal["review", "stand_by", "escalate"]:
    """Review a plan that would do something; stand by where it may pass of itself; else people take over."""
    if state["plan"].actions:
        return "review"
    return "stand_by" if _may_pass(state) else "escalate"


def _may_pass(state: IncidentState) -> bool:
    """Say whether there is nothing for us to do, nothing was done, and it is over already or caused outside.

    A change that was possible and not chosen is for people to weigh at once.
    """
    if state.get("failures") or state.get("executions") or state["plan"].alternatives:
        return False
    look = state.get("first_look")
    return state["assessment"].is_outside or bool(look and look.recovered_at)


def after_review(state: IncidentState) -> Literal["act", "approve", "escalate"]:
    """Act only when policy permits every action; one refusal stops the whole plan."""
    rulings = {review.ruling for review in state["reviews"]}
    if not rulings or Ruling.REFUSE in rulings:
        return "escalate"
    return "approve" if Ruling.ASK in rulings else "act"


def after_approve(state: IncidentState) -> Literal["act", "approve", "watch", "escalate"]:
    """Go on waiting while no decision stands; watch what passes by itself, with the plan withdrawn."""
    match state["status"]:
        case Status.VERIFYING:
            return "watch" if "watched_since" in state else "escalate"
        case Status.ACTING:
            return "act"
        case Status.AWAITING_APPROVAL:
            return "approve"
        case _:
            return "escalate"


def after_act(state: IncidentState) -> Literal["act", "watch", "revert", "escalate"]:
    """Watch what AWS accepted, also where it failed since; unwind the steps before one that never took effect.

    A first step that never took effect, and one of which nobody knows whether it did, go to people. While a step is
    under way, the next one waits for its end.
    """
    if state.get("status") is Status.ACTING and state.get("due") is False:
        return "act"
    if not state["executions"]:
        return "escalate"
    last = state["executions"][-1]
    start = f"{last.action_id.rpartition('-')[0]}-"
    if last.was_accepted:
        return "watch"
    if last.state not in {ExecutionState.REFUSED, ExecutionState.FAILED}:
        return "escalate"
    done = [e for e in state["executions"] if e.action_id.startswith(start) and e.was_accepted]
    return "revert" if done else "escalate"


def after_watch(state: IncidentState) -> Literal["verify", "watch"]:
    """Go on watching when something woke the run before its time."""
    return "verify" if state.get("due") else "watch"


def after_verify(state: IncidentState) -> Literal["close", "watch", "revert", "escalate"]:
    """Close what recovered, undo what did not help, and look again while the window is open.

    Where nothing was done there is nothing to undo: people take over. So they do where it is not known what was done,
    and where it helped and is not enough: to undo that would make it worse again. What could not be verified goes to
    them as it is: nothing says that it did not help. Where the watch itself fails, nobody can wait for the window's
    end.
    """
    if state.get("status") is Status.ESCALATED:
        return "escalate"
    match state["verification"].recovery:
        case Recovery.RECOVERED:
            return "close"
        case Recovery.BETTER | Recovery.UNVERIFIED:
            return "escalate"
        case Recovery.UNKNOWN if not any(one.step == "watch" for one in state.get("failures", [])):
            return "watch"
        case _:
            return "escalate" if "watched_since" in state else "revert"


def after_revert(state: IncidentState) -> Literal["remediation", "revert", "escalate"]:
    """Plan once more if a plan is left and the undo is over; wait for the undo; else people take over."""
    match state["status"]:
        case Status.OPEN:
            return "remediation"
        case Status.VERIFYING:
            return "revert"
        case _:
            return "escalate"
