"""The plays that are cut off: an incident opened, planned for, acted on, undone, and watched with nothing done."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from langgraph.types import Command

from graphs.decision import decide
from memory.records.incident import Status
from memory.records.incident_record import IncidentRecord
from memory.records.timeline import TimerKind
from memory.stores.leases import IncidentBusyError
from tests.graphs.desk import Desk, asked_plan
from tests.graphs.kills import Play
from tests.graphs.scenarios import red_herring
from tests.simulated import START

DOOR = "the decision door"
TOGETHER = "notify_on_call+triage"
_SINCE = ("--seed", "1", "--start", START, "--history-hours", "3")


def _release(_: Path) -> tuple[str, ...]:
    return ("--scenario", "bad-deployment", *_SINCE)


def _function(_: Path) -> tuple[str, ...]:
    return ("--scenario", "bad-function", *_SINCE)


def _passing(_: Path) -> tuple[str, ...]:
    return ("--scenario", "self-recovery", *_SINCE)


def _elsewhere(folder: Path) -> tuple[str, ...]:
    return ("--scenario", "red-herring", "--scenarios", str(red_herring(folder)), *_SINCE)


def _goes_on(at: Desk, incident_id: str, asked: Any, **until: Any) -> tuple[str, ...]:
    """Let a run go on until before or after a step, and return what comes next."""
    incident = at.records.incidents.get(incident_id)
    config: Any = {"configurable": {"thread_id": incident.thread_id, "holder": "stage"}}
    asyncio.run(at.runs.graph.ainvoke(asked, config, durability="sync", **until))
    at.records.leases.release(incident.scope, incident_id, "stage")
    return at.runs.graph.get_state(config).next


def _opened(at: Desk) -> str:
    event = at.alarm_event()
    return str(at.runs.start(event, only_intake=True).incident_id)


def _alarm(at: Desk) -> dict[str, Any]:
    return {"event": at.alarm_event()}


def _delivered(at: Desk, knows: Mapping[str, Any]) -> IncidentRecord:
    """Deliver the event, again if need be, and see that people are asked."""
    at.runs.start(dict(knows["event"]))
    (listed,) = at.records.incidents.newest(5)
    record = at.record(listed.incident_id)
    assert record.status is Status.AWAITING_APPROVAL, record.reason
    return record


def _looked(at: Desk) -> dict[str, Any]:
    """Run an incident until its first look is over."""
    incident_id = _opened(at)
    _goes_on(at, incident_id, None, interrupt_after=["first_look"])
    return {"event": at.event}


def _asked(at: Desk) -> dict[str, Any]:
    record = at.start()
    assert record.status is Status.AWAITING_APPROVAL, record.reason
    return {"incident_id": record.incident.incident_id}


def _approved(at: Desk, knows: Mapping[str, Any]) -> IncidentRecord:
    """Approve what waits unless somebody has, and follow the incident to its end."""
    incident_id = str(knows["incident_id"])
    record = at.record(incident_id)
    request = record.approval
    assert request is not None
    if at.records.approvals.decision(record.incident.scope, incident_id, request.plan_hash) is None:
        at.decide(record, approved=True)
    return at.to_the_end(incident_id)


class _Busy:
    """A host of runs that moves nothing."""

    def wake(self, incident_id: str) -> None:
        raise IncidentBusyError(incident_id)


def _to_be_undone(at: Desk) -> dict[str, Any]:
    """Approve, and run the incident until what was done did not help."""
    knows = _asked(at)
    incident_id = knows["incident_id"]
    scope = at.records.incidents.scope_of(incident_id)
    busy: Any = _Busy()
    plan = asked_plan(at.record(incident_id))
    decide(at.records, busy, incident_id, at.me(), plan=plan, approved=True, reason="seen", door="test")
    at.records.timers.cancel(scope, incident_id, TimerKind.CADENCE)
    for _ in range(20):
        if _goes_on(at, incident_id, Command(resume={"woken": True}), interrupt_before=["revert"]) == (
            "revert",
        ):
            return knows
        wake = at.records.timers.next_wake()
        assert wake is not None
        at.records.clock.wait_until(wake + timedelta(seconds=1))
    raise AssertionError("what was done is not undone")


def _to_be_watched(at: Desk) -> dict[str, Any]:
    """Run an incident until it is known that nothing can be done about it."""
    incident_id = _opened(at)
    assert _goes_on(at, incident_id, None, interrupt_before=["stand_by"]) == ("stand_by",)
    return {"incident_id": incident_id}


def _followed(at: Desk, knows: Mapping[str, Any]) -> IncidentRecord:
    """Let the run go on, and follow the incident to its end."""
    incident_id = str(knows["incident_id"])
    if not at.record(incident_id).status.is_end:
        at.runs.wake(incident_id)
    return at.to_the_end(incident_id)


def _without_a_switch(at: Desk) -> dict[str, Any]:
    """A topology that declares no way to do without what is outside."""
    found = at.records.topology()
    services = []
    for one in found.services:
        parts = tuple(part.model_copy(update={"switch": None}) for part in one.depends_on)
        services.append(one.model_copy(update={"depends_on": parts}))
    bare = found.model_copy(update={"services": tuple(services)})
    return {"topology": bare, "topology_parameter": None}


OPENING = Play("opening", "intake", ("intake", "first_look"), _release, _alarm, _delivered)
PLANNING = Play(
    "planning",
    "first_look",
    (TOGETHER, "critic", "remediation", "review", "approve"),
    _release,
    _looked,
    _delivered,
)
ACTING = Play(
    "acting",
    DOOR,
    (DOOR, "approve", "act", "watch", "verify", "close", "communicate"),
    _release,
    _asked,
    _approved,
)
SHIFTING = replace(ACTING, name="shifting", how=_function)
"""Another kind of action over the same steps, of which some points are tried."""
UNDOING = Play("undoing", "verify", ("revert", "escalate"), _elsewhere, _to_be_undone, _followed)
STANDING_BY = Play(
    "standing by", "remediation", ("stand_by",), _passing, _to_be_watched, _followed, _without_a_switch
)
PLAYS = (OPENING, PLANNING, ACTING, UNDOING, STANDING_BY)
