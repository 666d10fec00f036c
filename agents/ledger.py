"""Count what a model costs while it works, and end the work at its limit."""

import json
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage, SystemMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from agents.errors import BudgetSpent, GuardrailStopped, may_be_paid
from agents.guardrails import UNIT_CHARS
from memory.records.config import Limits, Price, PriceList, ReadPrices
from memory.records.spend import CallUse, GuardUse, Spend
from tools.budget import IncidentBudget

MILLION = 1_000_000
# A token of English or JSON is about four characters; fewer make more tokens of the same text.
LEAST_CHARS_A_TOKEN = 3
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


@dataclass(frozen=True)
class Terms:
    """What a call is charged by: the model's price, the most that an answer takes, whether a guardrail looks at it."""

    price: Price | None = None
    max_tokens: int = 8192
    guarded: bool = False


@dataclass(frozen=True)
class _Sent:
    """How much was sent in a call, and how much of it a guardrail looks at: what tools returned it passes over."""

    chars: int = 0
    guarded_chars: int = 0


class CallLedger(BaseCallbackHandler):
    """Counts calls, tokens and dollars, and refuses the next call once a limit is reached: the work's, the incident's.

    The check stands before each call, so a run ends at most one answer above its limit. Seconds count from `since`,
    the time of the monotonic clock at which the work began, and else from here. A call of which nobody says what it
    took is taken for as dear as it can have been.
    """

    raise_error = True
    run_inline = True

    def __init__(
        self,
        limits: Limits,
        terms: Terms | None = None,
        budget: IncidentBudget | None = None,
        since: float | None = None,
    ) -> None:
        self._limits = limits
        self._budget = budget
        self._terms = terms or Terms()
        self._prices = (budget.prices if budget else ReadPrices()).guard
        self._sent: dict[UUID, _Sent] = {}
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
        with self._lock:
            params = kwargs.get("invocation_params", {})
            self._sent[run_id] = _sent(messages, params.get("tools") or params.get("toolConfig"))

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Add what a call used, and end the work where a guardrail intervened: its words are nobody's answer."""
        sent = self._answered(run_id)
        for generations in response.generations:
            for generation in generations:
                if isinstance(generation, ChatGeneration) and isinstance(generation.message, AIMessage):
                    self._guarded(sent, len(generation.message.text))
                    self._take(self._cost(generation.message, sent))
                    _refuse_guardrails_words(generation.message)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Add what a call may have used whose answer broke off or was not waited for."""
        sent = self._answered(run_id)
        if may_be_paid(error):
            self._guarded(sent, 0)
            self._take(self._estimated(sent))

    def on_tool_start(
        self, serialized: dict[str, Any], input_str: str, *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Count a read."""
        self._add(Spend(tool_calls=1))

    def _answered(self, run_id: UUID) -> _Sent:
        with self._lock:
            return self._sent.pop(run_id, _Sent())

    def _estimated(self, sent: _Sent) -> CallUse:
        """Return what a call has taken at most, as far as its size tells."""
        tokens = -(-sent.chars // LEAST_CHARS_A_TOKEN)
        use = CallUse(input_tokens=tokens, output_tokens=self._terms.max_tokens, estimated=True)
        return use.model_copy(update={"usd": dollars(use, self._terms.price)})

    def _guarded(self, sent: _Sent, said: int) -> None:
        """Charge what the guardrail of the model's call has looked at; its answer does not say how much that was."""
        if not self._terms.guarded:
            return
        units = -(-sent.guarded_chars // UNIT_CHARS) + -(-said // UNIT_CHARS)
        usd = self._prices.of(GuardUse(content_units=units, sensitive_units=units))
        if self._budget is not None:
            self._budget.charge(Spend(usd=usd))
        self._add(Spend(guard_units=units, usd=usd))

    def _cost(self, message: AIMessage, sent: _Sent) -> CallUse:
        usage = message.usage_metadata
        if usage is None:
            return self._estimated(sent)
        # LangChain's cache repeats the usage of the call that filled it, and marks it as free.
        if dict(usage).get("total_cost") == 0:
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
        return use.model_copy(update={"usd": dollars(use, self._terms.price)})

    def _take(self, use: CallUse) -> None:
        with self._lock:
            self._steps.append(use)
        if self._budget is not None:
            self._budget.charge(Spend(usd=use.usd))
        self._add(Spend(**use.model_dump(exclude={"estimated"}), estimated_calls=int(use.estimated)))

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


def _sent(messages: Iterable[Iterable[BaseMessage]], tools: Any) -> _Sent:
    """Return the size of a request: its messages, the calls in them, and the tools that it describes."""
    chars = len(json.dumps(tools, default=str)) if tools else 0
    guarded = 0
    for message in (one for several in messages for one in several):
        calls = json.dumps(message.tool_calls, default=str) if isinstance(message, AIMessage) else ""
        chars += len(message.text) + len(calls)
        # https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-use-converse-api.html
        guarded += 0 if isinstance(message, ToolMessage | SystemMessage) else len(message.text)
    return _Sent(chars, guarded)


def _refuse_guardrails_words(message: AIMessage) -> None:
    if message.response_metadata.get("stopReason") == "guardrail_intervened":
        raise GuardrailStopped(message.text or "it said nothing")
