"""The host of runs in this process, under the incident's lease."""

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command

from graphs.copilot import Records
from graphs.joining import join, noted_on
from graphs.run_port import RECURSION_LIMIT, Started, StartOutcome
from memory.records.alarm import Route
from memory.records.incident import Incident, incident_of
from memory.records.timeline import TimelineEntry, Timer, TimerKind
from memory.stores.leases import IncidentBusyError
from tools.event_cleaning import clean_event
from tools.intake import parse_event

Graph = CompiledStateGraph[Any, Any, Any, Any]


@dataclass(frozen=True)
class InProcessRuns:
    """Runs the graph in this process, under the incident's lease, to its next pause or its end."""

    records: Records
    graph: Graph

    def start(self, event: dict[str, Any], *, only_intake: bool = False) -> Started:
        """Run a new incident to its first pause; a repeated event joins or continues what a crash left.

        What is secret in it is taken out before anything of it is stored. With `only_intake` the run pauses once the
        event is claimed and checkpointed; `wake` does the rest.
        """
        event = clean_event(event)
        records = self.records
        envelope = parse_event(event, records.clock.now(), records.settings.tenant)
        if envelope.route is not Route.OPEN_OR_UPDATE_INCIDENT or envelope.alarm is None:
            return Started(StartOutcome.NOT_STARTED, envelope.route, noted_on(records, envelope))
        incident = incident_of(envelope, envelope.alarm)
        holder = f"run-{uuid.uuid4()}"
        try:
            records.leases.hold(incident.scope, incident.incident_id, holder)
        except IncidentBusyError:
            return self._joined(incident)
        try:
            return self._start_or_continue(event, incident, holder, only_intake)
        finally:
            records.leases.release(incident.scope, incident.incident_id, holder)

    def _start_or_continue(
        self, event: dict[str, Any], incident: Incident, holder: str, only_intake: bool
    ) -> Started:
        incident_id = incident.incident_id
        config = _config(incident_id, holder)
        standing = self.graph.get_state(config)
        if not standing.values:
            met = self.records.incidents.standing(incident)
            if met is not None and met.is_erased:
                return Started(StartOutcome.JOINED, Route.OPEN_OR_UPDATE_INCIDENT, met.incident_id)
            final = self._run({"event": event}, config, pause_after=["intake"] if only_intake else None)
            if final.get("joined"):
                return Started(StartOutcome.JOINED, Route.OPEN_OR_UPDATE_INCIDENT, final["joined"])
            return Started(StartOutcome.OPENED, Route.OPEN_OR_UPDATE_INCIDENT, incident_id)
        if standing.next and not standing.interrupts:
            if not only_intake:
                self._run(None, config)
            return Started(StartOutcome.CONTINUED, Route.OPEN_OR_UPDATE_INCIDENT, incident_id)
        return self._joined(incident)

    def _joined(self, incident: Incident) -> Started:
        """Join the standing incident; an event that only came again leaves no further entry."""
        join(self.records, incident.event_id, incident)
        return Started(StartOutcome.JOINED, Route.OPEN_OR_UPDATE_INCIDENT, incident.incident_id)

    def wake(self, incident_id: str) -> None:
        """Resume a waiting run, or continue one that a crash cut off; one that has ended stays as it is."""
        incident = self.records.incidents.get(incident_id)
        holder = f"run-{uuid.uuid4()}"
        self.records.leases.hold(incident.scope, incident_id, holder)
        try:
            config = _config(incident.thread_id, holder)
            standing = self.graph.get_state(config)
            if not standing.next:
                return
            self._run(Command(resume={"woken": True}) if standing.interrupts else None, config)
        finally:
            self.records.leases.release(incident.scope, incident_id, holder)

    def wake_later(self, incident_id: str) -> None:
        """Ask the next sweep to wake an incident that another run holds now."""
        due = Timer(incident_id=incident_id, kind=TimerKind.CADENCE, wake_at=self.records.clock.now())
        self.records.timers.set(self.records.incidents.scope_of(incident_id), due)

    def cancel(self, incident_id: str) -> None:
        """Do nothing: a run here is the caller's own call, and ends with it."""

    def stream(self, incident_id: str, after: int = 0) -> Iterator[TimelineEntry]:
        """Yield the timeline so far, from a sequence number on."""
        yield from self.records.timeline.entries(
            self.records.incidents.scope_of(incident_id), incident_id, after
        )

    def _run(self, asked: Any, config: Any, pause_after: list[str] | None = None) -> dict[str, Any]:
        going = self.graph.ainvoke(asked, config, durability="sync", interrupt_after=pause_after)
        answer: dict[str, Any] = asyncio.run(going)
        return answer


def in_process(records: Records, graph: Any, saver: BaseCheckpointSaver[Any]) -> InProcessRuns:
    """Return the host of this process: the graph compiled with its checkpointer."""
    return InProcessRuns(records, graph.compile(name="incident", checkpointer=saver))


def _config(thread_id: str, holder: str) -> Any:
    return {"configurable": {"thread_id": thread_id, "holder": holder}, "recursion_limit": RECURSION_LIMIT}
