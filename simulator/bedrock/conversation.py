"""What Converse demands of a conversation beyond the shapes of its members.

https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html and
https://docs.aws.amazon.com/bedrock/latest/userguide/tool-use-inference-call.html
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from simulator.wire.protocol import AwsError

Message = Mapping[str, Any]
MAX_CACHE_POINTS = 4


def check_conversation(body: Mapping[str, Any]) -> None:
    """Pass, or a ValidationException in AWS's words."""
    messages: Sequence[Message] = body.get("messages", [])
    _check_roles(messages)
    for index, message in enumerate(messages):
        _check_content(index, message)
    _check_tools(body, messages)
    for index in range(len(messages)):
        _check_pairing(index, messages)
    _check_cache_points(body, messages)


def _refuse(text: str) -> AwsError:
    return AwsError("ValidationException", text)


def _check_roles(messages: Sequence[Message]) -> None:
    if not messages or messages[0]["role"] != "user":
        raise _refuse(
            "A conversation must start with a user message. "
            "Try again with a conversation that starts with a user message."
        )
    for before, after in pairwise(messages):
        if before["role"] == after["role"]:
            raise _refuse(
                "A conversation must alternate between user and assistant roles. Make sure the "
                "conversation alternates between user and assistant roles and try again."
            )
    if messages[-1]["role"] != "user":
        raise _refuse(
            "This model does not support assistant message prefill. "
            "The conversation must end with a user message."
        )


def _check_content(index: int, message: Message) -> None:
    if not message["content"]:
        raise _refuse(
            f"The content field in the Message object at messages.{index} is empty. "
            "Add a ContentBlock object to the content field and try again."
        )
    for place, block in enumerate(message["content"]):
        if "text" in block and not block["text"].strip():
            raise _refuse(
                f"The text field in the ContentBlock object at messages.{index}.content.{place} is blank. "
                "Add text to the text field, and try again."
            )
        for media in ("image", "document", "video", "audio"):
            if media in block:
                raise _refuse(f"This model doesn't support the {media} field. Remove {media} and try again.")


def _check_tools(body: Mapping[str, Any], messages: Sequence[Message]) -> None:
    config = body.get("toolConfig")
    if config is None:
        if any(_ids(message, "toolUse") or _ids(message, "toolResult") for message in messages):
            raise _refuse(
                "The toolConfig field must be defined when using toolUse and toolResult content blocks."
            )
        return
    names = [tool["toolSpec"]["name"] for tool in config["tools"] if "toolSpec" in tool]
    if len(names) != len(set(names)):
        twice = next(name for name in names if names.count(name) > 1)
        raise _refuse(f"The tool {twice} is already defined at toolConfig.tools.{names.index(twice)}.")
    if any("systemTool" in tool for tool in config["tools"]):
        raise _refuse("This model doesn't support the systemTool field. Remove systemTool and try again.")
    forced = config.get("toolChoice", {}).get("tool", {}).get("name")
    if forced is not None and forced not in names:
        raise _refuse(f"Tool '{forced}' not found in provided tools.")


def _check_pairing(index: int, messages: Sequence[Message]) -> None:
    used = _ids(messages[index - 1], "toolUse") if index else []
    answered = _ids(messages[index], "toolResult")
    if messages[index]["role"] == "assistant" and len(set(_ids(messages[index], "toolUse"))) != len(
        _ids(messages[index], "toolUse")
    ):
        raise _refuse(f"The toolUse blocks at messages.{index}.content contain duplicate Ids.")
    missing = [one for one in used if one not in answered]
    if missing:
        raise _refuse(
            f"Expected toolResult blocks at messages.{index}.content "
            f"for the following Ids: {', '.join(missing)}"
        )
    if len(answered) > len(used):
        raise _refuse(
            f"The number of toolResult blocks at messages.{index}.content exceeds "
            "the number of toolUse blocks of previous turn."
        )


def _check_cache_points(body: Mapping[str, Any], messages: Sequence[Message]) -> None:
    places = [body.get("system", []), body.get("toolConfig", {}).get("tools", [])]
    places += [message["content"] for message in messages]
    points = sum("cachePoint" in block for place in places for block in place)
    if points > MAX_CACHE_POINTS:
        raise _refuse(
            f"A maximum of {MAX_CACHE_POINTS} blocks with cache_control may be provided. Found {points}."
        )


def _ids(message: Message, kind: str) -> list[str]:
    return [block[kind]["toolUseId"] for block in message["content"] if kind in block]
