"""What surrounds each call of a model: one layer that asks again, and the marks of what may be cached."""

from collections.abc import Callable, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse, ModelRetryMiddleware
from langchain_aws import ChatBedrockConverse
from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage, ToolMessage

from agents.errors import passes
from agents.models import Patience

MOST_WAIT = 8.0
# https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html: Nova takes no point behind a tool's result.
NO_POINT_BY_RESULTS = "amazon.nova"


def asked_again(patience: Patience) -> ModelRetryMiddleware[Any, Any]:
    """Return the one layer in which a failed call is made again, for what passes by itself.

    The models' client does not retry, and no node does it for a model's error, so this bounds the calls that AWS
    sees. The limits of steps, tokens, dollars and seconds stand before each attempt.
    """
    return ModelRetryMiddleware(
        max_retries=patience.attempts - 1,
        retry_on=passes,
        on_failure="error",
        initial_delay=patience.first_wait,
        max_delay=MOST_WAIT,
    )


class CachePoints(AgentMiddleware[Any, Any, Any]):
    """Lets a loop read again from the prompt cache what its last step has sent.

    A request reads only up to a point that it carries itself, so the newest turn and the one before it are marked,
    and the question, which is most of what is sent, and the prompt, which incidents share: four points, which is all
    that Bedrock takes. Points behind the tools come with that of the prompt. A question that is asked once has nobody
    to read its cache, and writing costs more than sending: only loops with tools are marked.
    """

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Ask with cache points where the model's class knows them."""
        if not isinstance(request.model, ChatBedrockConverse):
            return handler(request)
        named = request.model.base_model_id or request.model.model_id
        messages = marked(request.messages, tool_results=NO_POINT_BY_RESULTS not in named)
        prompt = request.system_message
        told = None if prompt is None else SystemMessage(_with_point(prompt.content))
        return handler(request.override(messages=messages, system_message=told))


def marked(messages: Sequence[AnyMessage], *, tool_results: bool = True) -> list[AnyMessage]:
    """Return messages with cache points at the end of the first and of the two latest turns of the user's side."""
    ends = [
        place
        for place, one in enumerate(messages)
        if isinstance(one, HumanMessage)
        or (tool_results and isinstance(one, ToolMessage) and not _goes_on(messages, place))
    ]
    chosen = {*ends[:1], *ends[-2:]}
    return [
        one.model_copy(update={"content": _with_point(one.content)}) if place in chosen else one
        for place, one in enumerate(messages)
    ]


def _goes_on(messages: Sequence[AnyMessage], place: int) -> bool:
    """Say whether the next message is a result of the same turn."""
    return place + 1 < len(messages) and isinstance(messages[place + 1], ToolMessage)


def _with_point(content: Any) -> list[Any]:
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
    return [*blocks, ChatBedrockConverse.create_cache_point()]
