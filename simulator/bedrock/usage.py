"""Token counts and the prompt cache.

A token is estimated as four UTF-8 bytes, which is near what the public models count for English and
JSON; tool results, tool schemas and system blocks count as sent. The prompt cache follows
https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html : a prefix that ends at a
cachePoint is written once and read until its ttl (5m or 1h, renewed by a read) is over; a prefix
below 1,024 tokens is not cached.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from simulator.bedrock.answer import Answer, ToolCall
from simulator.bedrock.request import ConverseRequest

BYTES_PER_TOKEN = 4
LEAST_CACHED = 1024
_TTL = {"5m": timedelta(minutes=5), "1h": timedelta(hours=1)}


def estimate(text: str) -> int:
    """How many tokens a text is taken to be."""
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


def output_tokens(answer: Answer) -> int:
    """How many tokens an answer is taken to be."""
    return sum(estimate(_written(block)) for block in answer.blocks)


@dataclass(frozen=True)
class InputUsage:
    """The input of one request, split as AWS bills it."""

    fresh: int
    read: int = 0
    written: int = 0
    written_by_ttl: dict[str, int] = field(default_factory=dict)

    def fields(self, output: int) -> dict[str, Any]:
        """The `usage` member of an answer with so many output tokens."""
        usage: dict[str, Any] = {
            "inputTokens": self.fresh,
            "outputTokens": output,
            "totalTokens": self.fresh + self.read + self.written + output,
            "cacheReadInputTokens": self.read,
            "cacheWriteInputTokens": self.written,
        }
        if self.written_by_ttl:
            details = self.written_by_ttl.items()
            usage["cacheDetails"] = [{"ttl": ttl, "inputTokens": count} for ttl, count in details]
        return usage


@dataclass
class PromptCache:
    """Prefixes seen lately, by model. It holds hashes, never texts."""

    ends: dict[str, datetime] = field(default_factory=dict)

    def count(self, request: ConverseRequest, now: datetime) -> InputUsage:
        """Count a request's input and remember its prefixes."""
        tokens, read, written = 0, 0, 0
        by_ttl: dict[str, int] = {}
        digest = hashlib.sha256(request.model_id.encode())
        for block in _blocks(request):
            point = block.get("cachePoint")
            if point is None:
                text = _text_of(block)
                tokens += estimate(text)
                digest.update(text.encode() + b"\0")
            elif tokens >= LEAST_CACHED:
                ttl = point.get("ttl", "5m")
                if self._known(digest.hexdigest(), _TTL[ttl], now):
                    read, written, by_ttl = tokens, 0, {}
                else:
                    by_ttl[ttl] = by_ttl.get(ttl, 0) + tokens - read - written
                    written = tokens - read
        return InputUsage(tokens - read - written, read, written, by_ttl)

    def _known(self, prefix: str, ttl: timedelta, now: datetime) -> bool:
        end = self.ends.get(prefix)
        self.ends[prefix] = now + ttl
        return end is not None and now < end


def _blocks(request: ConverseRequest) -> Iterator[dict[str, Any]]:
    yield from request.body.get("toolConfig", {}).get("tools", [])
    yield from request.system
    for message in request.messages:
        yield from message["content"]


def _text_of(block: dict[str, Any]) -> str:
    text = block.get("text")
    return text if isinstance(text, str) else json.dumps(block, default=str)


def _written(block: str | ToolCall) -> str:
    return block if isinstance(block, str) else block.name + json.dumps(block.arguments)
