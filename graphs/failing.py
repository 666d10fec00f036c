"""Where a run goes when a step fails for good. A handler never raises: LangGraph would take the run for ended.

Before anything was done, a failure goes to people at once. Once something may have been changed, it is verified, and
undone where nobody can see that it helped: a failure is no reason to leave a change that nobody looks after.
"""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Literal

from langgraph.errors import NodeError, NodeTimeoutError
from langgraph.types import Command

from graphs.thinking import Copilot
from graphs.transient import PASSING
from graphs.unverified import may_go_on, unverified
from memory.records.failure import Failure
from memory.records.timeline import EntryKind
from memory.state import IncidentState
from tools.bulkhead import bulkhead
from tools.redaction import redact

MOST_CHARS = 500
KEPT = 1000
# What to do about the failure of a step; whatever is not named goes to people.
Edge = Literal["escalate", "note", "stands", "look", "unverified"]
EDGES: Mapping[str, Edge] = {
    # Beside it runs the triage, whose own way on sees the note: two ways would end the incident twice.
    "notify_on_call": "note",
    # What code has measured stands without it.
    "triage": "stands",
    # What AWS took before the failure is found by looking at what is stored.
    "act": "look",
    # Without a watch there is one more look; what has not helped by then is undone.
    "watch": "look",
    "verify": "unverified",
}
Handler = Callable[[IncidentState, NodeError], Command[str]]
log = logging.getLogger(__name__)


def handler_of(step: str, copilot: Callable[[], Copilot]) -> Handler:
    """Return what LangGraph calls when a step has failed for good.

    LangGraph 1.2 tells the errors that were handled by `id()`. Once one is freed, the next exception may get its
    number, and where that is an interrupt, the run ends for good instead of pausing. So errors are kept for longer
    than a run.
    """
    kept: deque[object] = deque(maxlen=KEPT)

    def on_failure(state: IncidentState, error: NodeError) -> Command[str]:
        kept.append(_without_frames(error.error))
        now = _now(copilot)
        failure = _failure(error, now)
        log.error("%s failed: %s: %s", failure.step, failure.error, failure.detail)
        return _goes_on(EDGES.get(step, "escalate"), copilot, state, failure)

    return on_failure


def _goes_on(
    edge: Edge, copilot: Callable[[], Copilot], state: IncidentState, failure: Failure
) -> Command[str]:
    match edge:
        case "note":
            return Command(update={"failures": [failure]})
        case "stands":
            return _stands(copilot, state, failure)
        case "look":
            return Command(goto="verify", update={"failures": [failure]})
        case "unverified":
            limits = copilot().records.settings.limits
            found = unverified(state, failure, limits)
            way_on = "watch" if may_go_on(found) else "escalate" if "watched_since" in state else "revert"
            return Command(goto=way_on, update={"verification": found})
        case "escalate":
            return Command(goto="escalate", update={"failures": [failure]})


def _stands(copilot: Callable[[], Copilot], state: IncidentState, failure: Failure) -> Command[str]:
    """Go on with the first look where the triage took too long, as with any model that does not answer in time.

    Any other failure goes to people, and they are told what the first look has found.
    """
    # Only here, where the triage has run: its module loads the model libraries, which an approval need not wait for.
    from agents.triage import first_look_stands

    look, is_slow = state.get("first_look"), failure.error == NodeTimeoutError.__name__
    if look is None:
        return Command(goto="escalate", update={"failures": [failure]})
    why = "the triage took longer than it may" if is_slow else "the triage failed"
    found = {"assessment": first_look_stands(look, why)}
    if not is_slow:
        return Command(goto="escalate", update={**found, "failures": [failure]})
    with bulkhead("telling that the triage took too long", PASSING):
        copilot().tell(
            state["incident"], EntryKind.STEP_FAILED, f"triage failed: {failure.detail}", failure.step
        )
    return Command(goto="critic", update=found)


def _without_frames(error: object) -> object:
    """Return an error without what its traceback holds on to."""
    return error.with_traceback(None) if isinstance(error, BaseException) else error


def _failure(error: NodeError, at: datetime) -> Failure:
    """Return what failed. After a crash LangGraph hands on the error's text alone."""
    cause: object = error.error
    named = cause.partition("(")[0] if isinstance(cause, str) else type(cause).__name__
    return Failure(step=error.node, error=named, detail=redact(str(cause))[:MOST_CHARS], at=at)


def _now(copilot: Callable[[], Copilot]) -> datetime:
    """Return the account's time, or wall time where the account does not tell it."""
    with bulkhead("reading the account's time", PASSING):
        return copilot().records.clock.now()
    return datetime.now(UTC)
