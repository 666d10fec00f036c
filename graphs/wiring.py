"""Wire the steps into the incident graph."""

from collections.abc import Callable, Mapping
from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy

from graphs import routes
from graphs.failing import handler_of
from graphs.nodes.act import act
from graphs.nodes.approve import approve
from graphs.nodes.close import close
from graphs.nodes.communicate import communicate
from graphs.nodes.critic import critic
from graphs.nodes.escalate import escalate
from graphs.nodes.first_look import first_look
from graphs.nodes.intake import intake
from graphs.nodes.notify_on_call import notify_on_call
from graphs.nodes.remediation import remediation
from graphs.nodes.revert import revert
from graphs.nodes.review import review
from graphs.nodes.stand_by import stand_by
from graphs.nodes.triage import triage
from graphs.nodes.verify import verify
from graphs.nodes.watch import watch
from graphs.step import Step, Work
from graphs.thinking import Copilot
from memory.state import IncidentInput, IncidentState
from tools.errors import Transient

# Steps that only read may be tried again and may be cut off. `act` and `revert` are neither: an AWS call that
# timed out goes on, and doing it twice is what the executor exists to prevent.
READING: dict[str, tuple[Work, float]] = {
    "first_look": (first_look, 90.0),
    "notify_on_call": (notify_on_call, 60.0),
    "triage": (triage, 150.0),
    "critic": (critic, 120.0),
    "remediation": (remediation, 150.0),
    "review": (review, 60.0),
    "verify": (verify, 60.0),
}
DECIDING: dict[str, Work] = {
    "intake": intake,
    "stand_by": stand_by,
    "approve": approve,
    "act": act,
    "watch": watch,
    "revert": revert,
    "close": close,
    "escalate": escalate,
    "communicate": communicate,
}
# There is no step behind these to go to: a run that fails in one is woken again, and begins with it.
LAST_RESORTS = frozenset({"intake", "escalate", "communicate"})
RETRY = RetryPolicy(max_attempts=2, initial_interval=0.5, retry_on=Transient)


def wire(
    copilot: Callable[[], Copilot],
    reading: Mapping[str, tuple[Work, float]] = READING,
    deciding: Mapping[str, Work] = DECIDING,
) -> StateGraph[IncidentState, Any, IncidentInput, IncidentState]:
    """Return the graph, not yet compiled: the host that runs it names the checkpointer."""
    graph = StateGraph(IncidentState, input_schema=IncidentInput)
    # LangGraph's types do not know a handler that takes the error; its documentation does.
    handlers: dict[str, Any] = {name: handler_of(name, copilot) for name in (*reading, *deciding)}
    for name, (work, seconds) in reading.items():
        step: Any = Step(name, work, copilot)
        graph.add_node(name, step, timeout=seconds, retry_policy=RETRY, error_handler=handlers[name])
    for name, work in deciding.items():
        step = Step(name, work, copilot)
        graph.add_node(name, step, error_handler=None if name in LAST_RESORTS else handlers[name])
    graph.add_edge(START, "intake")
    graph.add_conditional_edges("intake", routes.after_intake)
    graph.add_edge("first_look", "notify_on_call")
    graph.add_edge("first_look", "triage")
    graph.add_edge("triage", "critic")
    graph.add_conditional_edges("critic", routes.after_critic)
    graph.add_conditional_edges("remediation", routes.after_remediation)
    graph.add_edge("stand_by", "watch")
    graph.add_conditional_edges("review", routes.after_review)
    graph.add_conditional_edges("approve", routes.after_approve)
    graph.add_conditional_edges("act", routes.after_act)
    graph.add_conditional_edges("watch", routes.after_watch)
    graph.add_conditional_edges("verify", routes.after_verify)
    graph.add_conditional_edges("revert", routes.after_revert)
    graph.add_edge("close", "communicate")
    graph.add_edge("escalate", "communicate")
    graph.add_edge("communicate", END)
    return graph
