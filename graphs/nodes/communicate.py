"""Tell people how it ended, and let the alarm's next firing open a new incident."""

from typing import Any

from graphs.step import Turn
from memory.records.message import Audience
from memory.records.timeline import EntryKind


def communicate(turn: Turn) -> dict[str, Any]:
    """Send the closing message and close the episode."""
    incident, state = turn.state["incident"], turn.state
    spend, models = turn.copilot.announce(state, "closing", Audience.ON_CALL)
    text = f"{state['status'].value}: {state.get('reason', '')}"
    turn.copilot.tell(incident, EntryKind.CLOSED, text, "communicate", {"status": state["status"].value})
    turn.copilot.records.incidents.close_episode(incident)
    return {"spend": spend, "models": models}
