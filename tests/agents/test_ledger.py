"""A call of which nobody says what it took is taken for as dear as it can have been, and is told as estimated."""

import dataclasses
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from agents.asking import ask
from agents.ledger import CallLedger, Terms
from agents.prompting import Prompt
from agents.triage import Opinion
from memory.records.config import Limits, Price
from tests.agents.scripted import AT_ONCE, role
from tests.agents.test_triage import AGREES
from tools.budget import IncidentBudget

TERMS = Terms(Price(model_id="m", input_usd=2.0, output_usd=10.0, source="test"), max_tokens=500)
PROMPT = Prompt("triage", "Say what broke.", "0" * 64)
SENT = [SystemMessage("s" * 300), HumanMessage("h" * 2_100), ToolMessage("t" * 600, tool_call_id="1")]


def coded(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Converse")


def start(ledger: CallLedger, sent: Any = None) -> uuid.UUID:
    run = uuid.uuid4()
    ledger.on_chat_model_start({}, [SENT if sent is None else sent], run_id=run)
    return run


def end(ledger: CallLedger, run: uuid.UUID, message: AIMessage) -> None:
    ledger.on_llm_end(LLMResult(generations=[[ChatGeneration(message=message)]]), run_id=run)


def test_an_answer_that_does_not_say_what_it_took_is_estimated_by_its_request_and_the_most_it_may_say() -> (
    None
):
    budget = IncidentBudget()
    ledger = CallLedger(Limits(), TERMS, budget)
    end(ledger, start(ledger), AIMessage("an answer"))
    (step,) = ledger.steps
    assert (step.input_tokens, step.output_tokens, step.estimated) == (1_000, 500, True)
    assert step.usd == pytest.approx((1_000 * 2.0 + 500 * 10.0) / 1e6)
    assert (ledger.spend.estimated_calls, budget.spent_here.usd) == (1, pytest.approx(step.usd))


def test_answers_without_usage_reach_the_limit_of_tokens() -> None:
    model, chat = role(AIMessage("no form"), limits=Limits(agent_tokens=1_200))
    model = dataclasses.replace(model, max_tokens=500, patience=AT_ONCE)
    for _ in range(2):
        answer = ask(model, PROMPT, "x" * 3_000, Opinion)
    assert answer.spend.output_tokens == 500 * len(chat.heard) // 2
    assert answer.spend.estimated_calls == answer.spend.model_calls


@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url="x"),
        coded("modelStreamErrorException"),
        coded("ModelTimeoutException"),
        ConnectionError("it ended without its last message"),
    ],
)
def test_a_call_whose_answer_broke_off_or_came_too_late_is_estimated(error: Exception) -> None:
    ledger = CallLedger(Limits(), TERMS)
    ledger.on_llm_error(error, run_id=start(ledger))
    spend = ledger.spend
    assert (spend.input_tokens, spend.output_tokens, spend.estimated_calls) == (1_000, 500, 1)
    assert spend.usd > 0


@pytest.mark.parametrize(
    "error",
    [
        coded("ThrottlingException"),
        coded("AccessDeniedException"),
        coded("ValidationException"),
        coded("ServiceUnavailableException"),
        EndpointConnectionError(endpoint_url="x"),
        KeyError("a defect"),
    ],
)
def test_a_call_that_was_refused_or_never_arrived_costs_nothing(error: Exception) -> None:
    ledger = CallLedger(Limits(), TERMS)
    ledger.on_llm_error(error, run_id=start(ledger))
    assert (ledger.spend.usd, ledger.spend.estimated_calls, ledger.spend.model_calls) == (0.0, 0, 1)


def test_what_says_what_it_took_is_not_estimated_and_what_a_cache_has_said_is_free() -> None:
    ledger = CallLedger(Limits(), TERMS)
    usage: Any = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    end(ledger, start(ledger), AIMessage("a", usage_metadata=usage))
    end(ledger, start(ledger), AIMessage("a", usage_metadata={**usage, "total_cost": 0}))
    assert [one.input_tokens for one in ledger.steps] == [10, 0]
    assert ledger.spend.estimated_calls == 0


def test_what_a_guardrail_reads_within_a_models_call_is_charged() -> None:
    budget = IncidentBudget()
    ledger = CallLedger(Limits(), dataclasses.replace(TERMS, price=None, guarded=True), budget)
    usage: Any = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    end(ledger, start(ledger), AIMessage("a" * 1_200, usage_metadata=usage))
    # 2,100 characters of the question and 1,200 of the answer; neither the prompt nor what a tool returned.
    assert (ledger.spend.guard_units, ledger.spend.guard_calls) == (3 + 2, 0)
    assert ledger.spend.usd == pytest.approx(5 * 0.00025) == budget.spent_here.usd


def test_a_triage_whose_streams_break_says_what_they_may_have_cost() -> None:
    model, _ = role(coded("modelStreamErrorException"), AGREES)
    answer = ask(dataclasses.replace(model, max_tokens=500, patience=AT_ONCE), PROMPT, "x" * 3_000, Opinion)
    assert answer.form is not None
    assert (answer.spend.estimated_calls, len(answer.use.steps)) == (1, 2)
    assert answer.use.steps[0].estimated and answer.use.steps[0].output_tokens == 500
