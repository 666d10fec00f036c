"""Count what a model costs while it works, and end the work at its limit."""

import threading
import time
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from agents.errors import BudgetSpent, GuardrailStopped
from memory.records.config import Limits, Price, PriceList
from memory.records.spend import Spend

MILLION = 1_000_000


def price_of(prices: PriceList, model_id: str) -> Price | None:
    """Return a model's price; one that is not listed costs as much as the dearest that is."""
    listed = next((price for price in prices.models if price.model_id == model_id), None)
    return listed or max(prices.models, key=lambda price: price.output_usd, default=None)


class CallLedger(BaseCallbackHandler):
    """Counts calls, tokens and dollars, and refuses the next call once a limit is reached.

    The check stands before each call, so a run ends at most one answer above its limit.
    """

    raise_error = True
    run_inline = True

    def __init__(self, limits: Limits, price: Price | None) -> None:
        self._limits = limits
        self._price = price
        self._started = time.monotonic()
        self._spend = Spend()
        self._lock = threading.Lock()

    @property
    def spend(self) -> Spend:
        """Return what was spent so far, seconds included."""
        with self._lock:
            return self._spend.model_copy(update={"seconds": time.monotonic() - self._started})

    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[BaseMessage]], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Refuse a call above the limit."""
        self._check()
        self._add(Spend(model_calls=1))

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Add what a call used, and end the work where a guardrail intervened: its words are nobody's answer."""
        for generations in response.generations:
            for generation in generations:
                if isinstance(generation, ChatGeneration) and isinstance(generation.message, AIMessage):
                    self._add(self._cost(generation.message))
                    _refuse_guardrails_words(generation.message)

    def on_tool_start(
        self, serialized: dict[str, Any], input_str: str, *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Count a read."""
        self._add(Spend(tool_calls=1))

    def _cost(self, message: AIMessage) -> Spend:
        usage = message.usage_metadata
        if usage is None:
            return Spend()
        # LangChain's cache repeats the usage of the call that filled it, and marks it as free.
        free = dict(usage).get("total_cost") == 0
        into, out = (0, 0) if free else (usage["input_tokens"], usage["output_tokens"])
        usd = (into * self._price.input_usd + out * self._price.output_usd) / MILLION if self._price else 0.0
        return Spend(input_tokens=into, output_tokens=out, usd=usd)

    def _add(self, spend: Spend) -> None:
        with self._lock:
            self._spend = self._spend + spend

    def _check(self) -> None:
        spend, limits = self.spend, self._limits
        tokens = spend.input_tokens + spend.output_tokens
        if spend.model_calls >= limits.agent_steps:
            raise BudgetSpent(f"{limits.agent_steps} model calls")
        if tokens >= limits.agent_tokens:
            raise BudgetSpent(f"{limits.agent_tokens} tokens")
        if spend.usd >= limits.agent_usd:
            raise BudgetSpent(f"{limits.agent_usd} dollars")
        if spend.seconds >= limits.agent_seconds:
            raise BudgetSpent(f"{limits.agent_seconds} seconds")


def _refuse_guardrails_words(message: AIMessage) -> None:
    if message.response_metadata.get("stopReason") == "guardrail_intervened":
        raise GuardrailStopped(message.text or "it said nothing")
