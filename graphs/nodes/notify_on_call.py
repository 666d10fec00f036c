"""Tell on-call what the first look found, before any model is asked."""

from typing import Any

from graphs.step import Turn
from memory.records.message import Audience


def notify_on_call(turn: Turn) -> dict[str, Any]:
    """Send the first note, written by code from the first look alone."""
    turn.copilot.announce(turn.state, "first_note", Audience.ON_CALL)
    return {}
