"""Take the first look: code alone, in seconds, with every observation stored."""

from typing import Any

from graphs.step import Turn
from memory.records.timeline import EntryKind
from tools.first_look import take_first_look


def first_look(turn: Turn) -> dict[str, Any]:
    """Collect evidence around the alarm and rank what may have caused it."""
    incident = turn.state["incident"]
    sources = turn.copilot.sources(incident, turn.state.get("spend"))
    look = take_first_look(sources, incident, turn.copilot.records.settings.rubric)
    turn.copilot.tell(
        incident,
        EntryKind.FIRST_LOOK,
        look.reason,
        "first_look",
        {"first_look": look.model_dump(mode="json")},
    )
    return {"first_look": look, "spend": sources.recorder.spend}
