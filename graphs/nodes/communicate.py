"""Tell people how it ended and what is left to them, and let the alarm's next firing open a new incident."""

from typing import Any

from agents.notes import CLOSING
from graphs.record import LEFT
from graphs.step import Turn
from memory.records.incident import Status
from memory.records.message import Audience
from memory.records.outcome import DeadLetters
from memory.records.spend import Spend
from memory.records.timeline import EntryKind
from tools.errors import CopilotError


def communicate(turn: Turn) -> dict[str, Any]:
    """Send the closing message and close the episode."""
    incident, state = turn.state["incident"], turn.state
    left, looked = _left(turn)
    spend, models = turn.copilot.announce(state, CLOSING, Audience.ON_CALL, left=left)
    text = f"{state['status'].value}: {state.get('reason', '')}"
    turn.copilot.tell(incident, EntryKind.CLOSED, text, "communicate", {"status": state["status"].value})
    turn.copilot.records.incidents.close_episode(incident)
    return {"spend": looked + spend, "models": models}


def _left(turn: Turn) -> tuple[tuple[DeadLetters, ...], Spend]:
    """Say which messages lie in dead-letter queues. Nothing that this meets keeps the closing message back."""
    incident = turn.state["incident"]
    if turn.state["status"] is Status.NOISE:
        return (), Spend()
    try:
        left, spend = turn.copilot.letters_left(incident, turn.state.get("spend"))
    except CopilotError as error:
        text = f"what waits in dead-letter queues could not be read: {error}"
        turn.copilot.tell(incident, EntryKind.NOTE, text, "communicate")
        return (), Spend()
    if left:
        facts = {LEFT: [one.model_dump(mode="json") for one in left]}
        turn.copilot.tell(incident, EntryKind.NOTE, "; ".join(map(str, left)), "communicate", facts)
    return left, spend
