"""Ask the remediation agent for a plan of catalogue actions."""

from typing import Any

from graphs.passing import look, may_pass, with_waiting
from graphs.step import Turn
from graphs.stopped import stopped
from memory.records.base import digest
from memory.records.incident import Status
from memory.records.plan import Plan
from memory.records.spend import Spend
from memory.records.timeline import EntryKind
from tools.passing import Harm, Passing


def remediation(turn: Turn) -> dict[str, Any]:
    """Propose what to do about the assessed cause, without what was tried before.

    What lies outside the account is looked at first: for what is over by itself nothing is proposed.
    """
    incident, passing, looked = turn.state["incident"], None, Spend()
    if may_pass(turn.state):
        passing, looked = look(turn)
        if passing.harm is Harm.OVER:
            return _nothing_left(turn, passing, looked)
    # Of what was done before its step failed the state has not heard.
    acted = turn.copilot.acted(incident, turn.state.get("executions", []))
    tried = {digest([e.action, e.parameters]) for e in acted}
    result = turn.copilot.propose(
        incident, turn.state["assessment"], tried, turn.state.get("attempt", 1), turn.state.get("spend")
    )
    plan = with_waiting(turn, result.plan, passing) if passing else result.plan
    text = plan.summary or plan.no_action_reason or "no action"
    turn.copilot.tell(incident, EntryKind.PLAN, text, "remediation", {"plan": plan.model_dump(mode="json")})
    told = stopped(turn, "remediation", result.failure)
    spend = looked + result.spend
    return {"plan": plan, "status": Status.OPEN, "spend": spend, "models": result.models, **told}


def _nothing_left(turn: Turn, passing: Passing, spend: Spend) -> dict[str, Any]:
    """Propose nothing for what has passed by itself since it was assessed."""
    plan = Plan(
        no_action_reason=f"nothing is left to be done: {passing.detail}", attempt=turn.state.get("attempt", 1)
    )
    facts = {"plan": plan.model_dump(mode="json")}
    turn.copilot.tell(
        turn.state["incident"], EntryKind.PLAN, plan.no_action_reason or "", "remediation", facts
    )
    return {"plan": plan, "status": Status.OPEN, "spend": spend}
