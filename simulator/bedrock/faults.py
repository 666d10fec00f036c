"""Faults in the middle of a ConverseStream, asked for by a test."""

from dataclasses import dataclass
from enum import StrEnum


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
