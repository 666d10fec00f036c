"""Let policy rule on every action of the plan."""

from typing import Any

from graphs.step import Turn
from memory.records.timeline import EntryKind


def review(turn: Turn) -> dict[str, Any]:
    """Return a ruling for each action: permit, ask or refuse, with the policy ids."""
    incident = turn.state["incident"]
    reviews = list(turn.copilot.review(incident, turn.state["plan"]))
    for ruling in reviews:
        text = f"{ruling.action}: {ruling.ruling.value} ({'; '.join(ruling.reasons)})"
        turn.copilot.tell(
            incident, EntryKind.REVIEW, text, "review", {"review": ruling.model_dump(mode="json")}
        )
    return {"reviews": reviews}
