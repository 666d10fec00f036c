"""A step that was cut off goes on in its thread; the incident goes on without it."""

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from graphs.record import save_record
from graphs.step import Step, Turn, Wait
from memory.records.incident import Status
from memory.records.timeline import EntryKind
from memory.state import IncidentState
from tests.graphs.failing_desk import FailingDesk
from tests.tools.dials import incident
from tests.tools.stand_ins import SCOPE


@dataclass
class Slow:
    """Work that ends when it may, with what it is given."""

    ends_with: dict[str, Any] | Wait
    began: threading.Event = field(default_factory=threading.Event)
    may_end: threading.Event = field(default_factory=threading.Event)

    def __call__(self, turn: Turn) -> dict[str, Any] | Wait:
        self.began.set()
        assert self.may_end.wait(30)
        return self.ends_with


async def cut_off(step: Step, work: Slow, state: IncidentState, holder: str) -> None:
    """Begin a step, and cancel it once its work has begun, as LangGraph does with one that takes too long."""
    going = asyncio.create_task(step(state, {"configurable": {"thread_id": "t", "holder": holder}}))
    assert await asyncio.to_thread(work.began.wait, 30)
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going


@pytest.mark.parametrize("late", [{"status": Status.OPEN}, Wait({"waiting_for": "recovery"})])
def test_a_step_that_was_cut_off_changes_nothing_when_it_ends_late(late: dict[str, Any] | Wait) -> None:
    at, work = FailingDesk(), Slow(late)
    records = at.copilot.records
    records.incidents.claim(incident())
    state = cast(IncidentState, {"incident": incident(), "status": Status.OPEN, "attempt": 1})
    step = Step("verify", work, lambda: at.copilot)

    asyncio.run(cut_off(step, work, state, "run-1"))
    save_record(records, cast(IncidentState, {**state, "status": Status.ESCALATED}))
    work.may_end.set()
    step.threads.shutdown(wait=True)

    record = records.incidents.record(incident().incident_id)
    assert record is not None
    assert record.status is Status.ESCALATED
    assert at.entries(EntryKind.STEP_ENDED) == []
    assert records.leases.is_held(SCOPE, incident().incident_id)


def test_a_step_that_ends_in_time_is_told_and_kept() -> None:
    at, work = FailingDesk(), Slow({"status": Status.OPEN})
    records = at.copilot.records
    records.incidents.claim(incident())
    state = cast(IncidentState, {"incident": incident(), "status": Status.OPEN, "attempt": 1})
    step = Step("verify", work, lambda: at.copilot)
    work.may_end.set()

    asyncio.run(step(state, {"configurable": {"thread_id": "t", "holder": "run-1"}}))

    assert records.incidents.record(incident().incident_id) is not None
    assert len(at.entries(EntryKind.STEP_ENDED, "verify")) == 1
