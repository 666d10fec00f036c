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
from memory.records.spend import CallUse, Spend
from tools.budget import IncidentBudget

MILLION = 1_000_000
_WRITTEN = ("cache_creation", "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")


def price_of(prices: PriceList, model_id: str) -> Price | None:
    """Return a model's price; one that is not listed costs as much as the dearest that is."""
    listed = next((price for price in prices.models if price.model_id == model_id), None)
    return listed or max(prices.models, key=lambda price: price.output_usd, default=None)


def dollars(use: CallUse, price: Price | None) -> float:
    """Return what a call costs at listed prices: input by whether it was fresh, read from or written to the cache.

    https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html: `input_tokens` here holds all three.
    """
    if price is None:
        return 0.0
    read = price.input_usd if price.cache_read_usd is None else price.cache_read_usd
    written = price.input_usd if price.cache_write_usd is None else price.cache_write_usd
    fresh = use.input_tokens - use.cache_read_tokens - use.cache_write_tokens
    paid = fresh * price.input_usd + use.cache_read_tokens * read + use.cache_write_tokens * written
    long = price.long_prompt_tokens is not None and use.input_tokens > price.long_prompt_tokens
    factor = price.long_prompt_factor if long else 1.0
    return factor * (paid + use.output_tokens * price.output_usd) / MILLION


class CallLedger(BaseCallbackHandler):
    """Counts calls, tokens and dollars, and refuses the next call once a limit is reached: the work's, the incident's.

    The check stands before each call, so a run ends at most one answer above its limit. Seconds count from `since`,
    the time of the monotonic clock at which the work began, and else from here.
    """

    raise_error = True
    run_inline = True

    def __init__(
        self,
        limits: Limits,
        price: Price | None,
        budget: IncidentBudget | None = None,
        since: float | None = None,
    ) -> None:
        self._limits = limits
        self._budget = budget
        self._price = price
        self._started = time.monotonic() if since is None else since
        self._spend = Spend()
        self._steps: list[CallUse] = []
        self._lock = threading.Lock()

    @property
    def spend(self) -> Spend:
        """Return what was spent so far, seconds included."""
        with self._lock:
            return self._spend.model_copy(update={"seconds": time.monotonic() - self._started})

    @property
    def steps(self) -> tuple[CallUse, ...]:
        """Return what each answered call took."""
        with self._lock:
            return tuple(self._steps)

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
                    self._take(self._cost(generation.message))
                    _refuse_guardrails_words(generation.message)

    def on_tool_start(
        self, serialized: dict[str, Any], input_str: str, *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Count a read."""
        self._add(Spend(tool_calls=1))

    def _cost(self, message: AIMessage) -> CallUse:
        usage = message.usage_metadata
        # LangChain's cache repeats the usage of the call that filled it, and marks it as free.
        if usage is None or dict(usage).get("total_cost") == 0:
            return CallUse()
        cached: dict[str, Any] = dict(usage.get("input_token_details") or {})
        read = int(cached.get("cache_read") or 0)
        # Where Bedrock says how long what was written lives, the plain count is nought.
        written = sum(int(cached.get(kind) or 0) for kind in _WRITTEN)
        use = CallUse(
            input_tokens=usage["input_tokens"],
            output_tokens=usage["output_tokens"],
            cache_read_tokens=read,
            cache_write_tokens=written,
        )
        return use.model_copy(update={"usd": dollars(use, self._price)})

    def _take(self, use: CallUse) -> None:
        with self._lock:
            self._steps.append(use)
        if self._budget is not None:
            self._budget.charge(Spend(usd=use.usd))
        self._add(Spend(**use.model_dump()))

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
        if self._budget is not None and self._budget.left_usd <= 0.0:
            raise BudgetSpent(f"the incident's {limits.incident_usd} dollars")
        if spend.seconds >= limits.agent_seconds:
            raise BudgetSpent(f"{limits.agent_seconds} seconds")


def _refuse_guardrails_words(message: AIMessage) -> None:
    if message.response_metadata.get("stopReason") == "guardrail_intervened":
        raise GuardrailStopped(message.text or "it said nothing")
