"""The public record holds what a step said in the end, not what it said before it was cut off."""

from typing import Any, cast

from graphs.record import build_record
from memory.records.timeline import EntryKind
from memory.state import IncidentState
from memory.stores.dossier import read_dossier
from memory.stores.timeline import TimelineStore
from tests.tools.dials import incident, plan
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import NOW, SCOPE, StillClock


def test_a_plan_that_was_made_anew_after_a_kill_stands_once() -> None:
    table, about = MemoryTable(), incident()
    timeline = TimelineStore(table, StillClock())
    for turn, made in (("r:1", plan(9)), ("r:1", plan(11)), ("r:2", plan(30)), ("", plan(31))):
        facts: dict[str, Any] = {"plan": made.model_dump(mode="json")}
        timeline.append(SCOPE, about.incident_id, EntryKind.PLAN, made.summary, facts=facts, turn=turn)

    dossier = read_dossier(table, SCOPE, about.incident_id)
    record = build_record(dossier, cast(IncidentState, {"incident": about}), NOW)

    assert record.plans == (plan(11), plan(30), plan(31))
