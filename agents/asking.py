"""Ask a model for a filled form, within limits; an answer or the reason why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.tools import BaseTool
from pydantic import BaseModel

from agents.around_calls import CachePoints, asked_again
from agents.errors import MODEL_ERRORS, AnswerUnusable, ModelFailure, failure_of
from agents.ledger import CallLedger, Terms, price_of
from agents.models import RoleModel, answer_form
from agents.prompting import Prompt
from memory.records.spend import ModelUse, Spend
from tools.budget import IncidentBudget

Form = TypeVar("Form", bound=BaseModel)


@dataclass(frozen=True)
class Answered(Generic[Form]):
    """A form or a failure, never both; and what it cost either way."""

    form: Form | None
    failure: ModelFailure | None
    spend: Spend
    use: ModelUse


def ask(
    model: RoleModel,
    prompt: Prompt,
    content: str,
    form: type[Form],
    tools: Sequence[BaseTool] = (),
    budget: IncidentBudget | None = None,
    since: float | None = None,
) -> Answered[Form]:
    """Let a model work with read tools, if any, until it fills the form or reaches a limit.

    Calls that a model makes in one breath are read at the same time. No checkpoints are kept of the conversation,
    also when the caller's graph keeps some. `budget` is the incident's, which each call is charged to. `since` is when
    the work began, by the monotonic clock, where something came before the first question.
    """
    terms = Terms(price_of(model.prices, model.model_id), model.max_tokens, model.guarded)
    ledger = CallLedger(model.limits, terms, budget, since)
    agent: Any = create_agent(
        model.chat,
        list(tools),
        system_prompt=prompt.text,
        response_format=answer_form(model.chat, form),
        middleware=[asked_again(model.patience), *([CachePoints()] if model.cache_points and tools else [])],
        checkpointer=False,
        name=model.role,
    )
    config = {"callbacks": [ledger], "recursion_limit": 4 * model.limits.agent_steps + 4}
    filled: Form | None = None
    failure: ModelFailure | None = None
    try:
        state = agent.invoke({"messages": [HumanMessage(content)]}, config=config)
        filled, failure = _taken(state, form)
    except MODEL_ERRORS as error:
        failure = failure_of(error)
    spend = ledger.spend
    use = ModelUse(
        role=model.role,
        model_id=model.model_id,
        prompt_sha256=prompt.sha256,
        calls=spend.model_calls,
        tier=model.tier,
        why=model.why,
        steps=ledger.steps,
    )
    return Answered(filled, failure, spend, use)


def _taken(state: dict[str, Any], form: type[Form]) -> tuple[Form | None, ModelFailure | None]:
    """Take the form out of the agent's end state."""
    filled = state.get("structured_response")
    if not isinstance(filled, form):
        return None, failure_of(AnswerUnusable(f"no {form.__name__} in it"))
    return filled, None
