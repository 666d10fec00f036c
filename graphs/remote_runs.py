"""Runs hosted by a LangGraph server, reached over its own protocol."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from langgraph_sdk import get_sync_client
from langgraph_sdk.errors import ConflictError as ServerConflictError
from langgraph_sdk.errors import LangGraphError

from graphs.copilot import Records
from graphs.joining import join, noted_on
from graphs.run_port import RECURSION_LIMIT, RunHostError, Started, StartOutcome
from memory.records.alarm import Route
from memory.records.incident import incident_of
from memory.records.timeline import TimelineEntry
from memory.stores.leases import IncidentBusyError
from tools.event_cleaning import clean_event
from tools.intake import parse_event

GRAPH = "incident"


@dataclass(frozen=True)
class LangGraphServerRuns:
    """Starts and wakes runs on a LangGraph server; `token` signs each call anew."""

    records: Records
    url: str
    token: Callable[[], str]

    def start(self, event: dict[str, Any]) -> Started:
        """Start a run on the incident's thread, or join the incident when it stands already.

        The server keeps what a run is given, so what is secret in the event is taken out before.
        """
        event = clean_event(event)
        records = self.records
        envelope = parse_event(event, records.clock.now(), records.settings.tenant)
        if envelope.route is not Route.OPEN_OR_UPDATE_INCIDENT or envelope.alarm is None:
            return Started(StartOutcome.NOT_STARTED, envelope.route, noted_on(records, envelope))
        incident = incident_of(envelope, envelope.alarm)
        standing = records.incidents.standing(incident)
        if standing is None and self._run(incident.thread_id, {"input": {"event": event}}):
            return Started(StartOutcome.OPENED, envelope.route, incident.incident_id)
        met = standing or incident
        join(records, incident.event_id, met)
        return Started(StartOutcome.JOINED, envelope.route, met.incident_id)

    def wake(self, incident_id: str) -> None:
        """Resume the run on the incident's thread; what it carries is no decision."""
        incident = self.records.incidents.get(incident_id)
        if not self._run(incident.thread_id, {"command": {"resume": {"woken": True}}}):
            raise IncidentBusyError(f"incident {incident_id} is being worked on by another run")

    def cancel(self, incident_id: str) -> None:
        """Cancel the runs that work on the incident's thread."""
        incident = self.records.incidents.get(incident_id)
        with self._client() as client:
            for run in client.runs.list(incident.thread_id):
                if run["status"] in {"pending", "running"}:
                    client.runs.cancel(incident.thread_id, run["run_id"])

    def stream(self, incident_id: str, after: int = 0) -> Iterator[TimelineEntry]:
        """Yield the timeline so far, from a sequence number on."""
        yield from self.records.timeline.entries(
            self.records.incidents.scope_of(incident_id), incident_id, after
        )

    def _run(self, thread_id: str, asked: dict[str, Any]) -> bool:
        """Start one run; say False when the thread is busy. A thread the server forgot is made anew."""
        with self._client() as client:
            client.threads.create(thread_id=thread_id, graph_id=GRAPH, if_exists="do_nothing")
            try:
                client.runs.create(
                    thread_id,
                    GRAPH,
                    multitask_strategy="reject",
                    durability="sync",
                    config={"recursion_limit": RECURSION_LIMIT},
                    **asked,
                )
            except ServerConflictError:
                return False
        return True

    @contextmanager
    def _client(self) -> Iterator[Any]:
        """Reach the server; raise `RunHostError` when it does not answer, or refuses."""
        try:
            with get_sync_client(url=self.url, headers={"authorization": f"Bearer {self.token()}"}) as client:
                yield client
        except (httpx.HTTPError, LangGraphError) as error:
            raise RunHostError(f"the LangGraph server {self.url} does not take it: {error}") from error
