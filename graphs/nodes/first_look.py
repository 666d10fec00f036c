"""Take the first look: code alone, in seconds, with every observation stored."""

from typing import Any

from graphs.step import Turn
from memory.records.timeline import EntryKind


def first_look(turn: Turn) -> dict[str, Any]:
    """Collect evidence around the alarm and rank what may have caused it."""
    # Only here: the collectors and their arrays take long to load, and a run that goes on from an approval, whose
    # call somebody waits for, takes no first look.
    from tools.first_look import take_first_look

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
