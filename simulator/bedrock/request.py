"""A Converse request as a model sees it: nothing else reaches a model."""

import json
from dataclasses import dataclass
from typing import Any

from simulator.wire.protocol import AwsError


@dataclass(frozen=True)
class ToolSpec:
    """One tool on offer."""

    name: str
    description: str
    schema: dict[str, Any]


@dataclass(frozen=True)
class ToolTurn:
    """One earlier call of a tool and what came back; `result` is None while it is open."""

    name: str
    arguments: dict[str, Any]
    result: tuple[dict[str, Any], ...] | None
    failed: bool


@dataclass(frozen=True)
class ConverseRequest:
    """A checked request body and the model it names."""

    model_id: str
    body: dict[str, Any]

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The conversation, oldest first."""
        messages: list[dict[str, Any]] = self.body.get("messages", [])
        return messages

    @property
    def system(self) -> list[dict[str, Any]]:
        """The system blocks."""
        system: list[dict[str, Any]] = self.body.get("system", [])
        return system

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        """The tools on offer, in the order given."""
        listed = self.body.get("toolConfig", {}).get("tools", [])
        specs = [tool["toolSpec"] for tool in listed if "toolSpec" in tool]
        return tuple(
            ToolSpec(spec["name"], spec.get("description", ""), spec["inputSchema"].get("json", {}))
            for spec in specs
        )

    @property
    def forced_tool(self) -> str | None:
        """The tool that must be called, if the request names one."""
        name: str | None = self.body.get("toolConfig", {}).get("toolChoice", {}).get("tool", {}).get("name")
        return name

    @property
    def must_call(self) -> bool:
        """Whether some tool must be called."""
        return "any" in self.body.get("toolConfig", {}).get("toolChoice", {})

    @property
    def output_schema(self) -> dict[str, Any] | None:
        """The JSON schema the text must follow, if the request demands one."""
        text_format = self.body.get("outputConfig", {}).get("textFormat")
        if text_format is None:
            return None
        written = text_format.get("structure", {}).get("jsonSchema", {}).get("schema", "")
        try:
            schema = json.loads(written)
        except json.JSONDecodeError as error:
            text = f"The JSON schema is not valid JSON: {error.msg}."
            raise AwsError("ValidationException", text) from error
        if not isinstance(schema, dict):
            raise AwsError("ValidationException", "The JSON schema must be an object.")
        return schema

    @property
    def max_tokens(self) -> int | None:
        """The most tokens to answer with."""
        limit: int | None = self.body.get("inferenceConfig", {}).get("maxTokens")
        return limit

    @property
    def stop_sequences(self) -> list[str]:
        """Texts that end the answer."""
        stops: list[str] = self.body.get("inferenceConfig", {}).get("stopSequences", [])
        return stops

    def tool_turns(self) -> list[ToolTurn]:
        """Every earlier tool call of the conversation with its result."""
        results = {
            block["toolResult"]["toolUseId"]: block["toolResult"]
            for message in self.messages
            for block in message["content"]
            if "toolResult" in block
        }
        return [
            _turn(block["toolUse"], results.get(block["toolUse"]["toolUseId"]))
            for message in self.messages
            for block in message["content"]
            if "toolUse" in block
        ]


def _turn(use: dict[str, Any], result: dict[str, Any] | None) -> ToolTurn:
    if result is None:
        return ToolTurn(use["name"], use["input"], None, False)
    return ToolTurn(use["name"], use["input"], tuple(result["content"]), result.get("status") == "error")
