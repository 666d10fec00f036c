"""A chat model that says what a test tells it to say. For unit tests only."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import BaseModel, PrivateAttr

from agents.models import Patience, RoleModel
from memory.records.config import Limits, Price, PriceList

PRICES = PriceList(
    as_of="2026-11-22",
    models=(
        Price(model_id="scripted", input_usd=2.0, output_usd=10.0, source="test"),
        Price(model_id="dearest", input_usd=4.0, output_usd=20.0, source="test"),
    ),
)
AT_ONCE = Patience(first_wait=0.0)
Said = AIMessage | BaseModel | Exception | str
Turn = Said | Callable[[Sequence[BaseMessage]], Said]


class Scripted(BaseChatModel):
    """Says its turns in order, and the last one for ever; remembers what it was sent."""

    turns: list[Any]
    _heard: list[list[BaseMessage]] = PrivateAttr(default_factory=list)
    _tools: list[list[str]] = PrivateAttr(default_factory=list)

    @property
    def heard(self) -> list[list[BaseMessage]]:
        return self._heard

    @property
    def offered(self) -> list[list[str]]:
        return self._tools

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        self._tools.append([tool.name for tool in tools if hasattr(tool, "name")])
        return self.bind(**kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        turn = self.turns[min(len(self._heard), len(self.turns) - 1)]
        self._heard.append(list(messages))
        said = turn(messages) if callable(turn) and not isinstance(turn, BaseModel) else turn
        if isinstance(said, Exception):
            raise said
        return ChatResult(generations=[ChatGeneration(message=_message(said))])


def _message(said: Any) -> AIMessage:
    if isinstance(said, AIMessage):
        return said
    text = said.model_dump_json() if isinstance(said, BaseModel) else str(said)
    usage: Any = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}
    return AIMessage(content=text, usage_metadata=usage)


def calling(tool: str, /, **arguments: Any) -> AIMessage:
    call: Any = {"name": tool, "args": arguments, "id": f"call-{json.dumps(arguments, sort_keys=True)}"}
    usage: Any = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}
    return AIMessage(content="", tool_calls=[call], usage_metadata=usage)


def role(*turns: Turn, name: str = "triage", limits: Limits | None = None) -> tuple[RoleModel, Scripted]:
    chat = Scripted(turns=list(turns))
    return RoleModel(name, "scripted", chat, PRICES, limits or Limits(), patience=AT_ONCE), chat


def heard_text(chat: Scripted) -> str:
    return "\n".join(message.text for message in chat.heard[-1])
