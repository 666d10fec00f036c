"""The events of a ConverseStream, in AWS's order.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html
"""

from collections.abc import AsyncIterator
from typing import Any

from simulator.bedrock.answer import Piece, Stop, TextPart, ToolPart, ToolStart

Event = tuple[str, dict[str, Any]]


async def content_events(pieces: AsyncIterator[Piece]) -> AsyncIterator[Event]:
    """Message start, block events and message stop, each as soon as its piece is there.

    AWS sends `contentBlockStart` for tool calls only; text blocks begin with their first delta.
    """
    index, open_block, started = -1, "", False
    async for piece in pieces:
        if not started:
            # Only once the model has answered: before that a failure is an HTTP error.
            yield "messageStart", {"role": "assistant"}
            started = True
        opens = isinstance(piece, ToolStart) or (isinstance(piece, TextPart) and open_block != "text")
        if open_block and (opens or isinstance(piece, Stop)):
            yield "contentBlockStop", {"contentBlockIndex": index}
            open_block = ""
        if opens:
            index, open_block = index + 1, "text" if isinstance(piece, TextPart) else "tool"
        for event in _events_of(piece, index):
            yield event


def _events_of(piece: Piece, index: int) -> list[Event]:
    if isinstance(piece, Stop):
        return [("messageStop", {"stopReason": piece.reason})]
    if isinstance(piece, ToolStart):
        start = {"toolUse": {"toolUseId": piece.tool_use_id, "name": piece.name}}
        return [("contentBlockStart", {"start": start, "contentBlockIndex": index})]
    delta = {"toolUse": {"input": piece.fragment}} if isinstance(piece, ToolPart) else {"text": piece.text}
    return [("contentBlockDelta", {"delta": delta, "contentBlockIndex": index})]
