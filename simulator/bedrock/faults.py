"""Faults of the runtime that only it can carry out: in the middle of a stream, and by a guardrail."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# Where a request's ASGI scope carries its orders.
EXTENSION = "simulator.bedrock"


class StreamException(StrEnum):
    """The exceptions ConverseStream declares for its stream, and the connection that just ends."""

    THROTTLING = "throttlingException"
    MODEL_STREAM_ERROR = "modelStreamErrorException"
    INTERNAL_SERVER = "internalServerException"
    VALIDATION = "validationException"
    SERVICE_UNAVAILABLE = "serviceUnavailableException"
    CUT = "cut"


@dataclass(frozen=True)
class StreamFault:
    """After `after_frames` frames of the next stream, this exception ends it."""

    exception: StreamException
    after_frames: int = 2
    message: str = "Too many requests, please wait before trying again."


@dataclass(frozen=True)
class Orders:
    """What was ordered for one request: what ends its stream, and that its guardrail intervenes."""

    stream: StreamFault | None = None
    guarded: bool = False


def orders_of(scope: Mapping[str, Any]) -> Orders:
    """What was ordered for the request of this scope."""
    found = scope.get("extensions", {}).get(EXTENSION)
    return found if isinstance(found, Orders) else Orders()
