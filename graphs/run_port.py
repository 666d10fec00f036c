"""The one port that starts, wakes, streams and cancels runs. It loads no graph.

`graphs/runs.py` is its host in this process, `graphs/remote_runs.py` is a LangGraph server. Both obey the incident's
lease.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from memory.records.alarm import Route
from memory.records.timeline import TimelineEntry
from tools.errors import CopilotError

RECURSION_LIMIT = 80


class RunHostError(CopilotError):
    """The host of the runs does not answer, or refuses; what waits is woken by a later sweep."""


class StartOutcome(StrEnum):
    """What starting a run for an event came to."""

    OPENED = "opened"
    JOINED = "joined"
    CONTINUED = "continued"
    NOT_STARTED = "not_started"


@dataclass(frozen=True)
class Started:
    """What became of an event: the incident it belongs to, if any, and its route."""

    outcome: StartOutcome
    route: Route
    incident_id: str | None = None


class RunPort(Protocol):
    """Whoever runs the graph: this process or a LangGraph server."""

    def start(self, event: dict[str, Any]) -> Started:
        """Start a run for an event, or join the incident it belongs to."""
        ...

    def wake(self, incident_id: str) -> None:
        """Let a waiting run look again.

        Raises `IncidentBusyError` when another run holds the incident, `RunHostError` when its host does not take it.
        """
        ...

    def cancel(self, incident_id: str) -> None:
        """Stop a run that works in this host."""
        ...

    def stream(self, incident_id: str, after: int = 0) -> Iterator[TimelineEntry]:
        """Yield the timeline so far, from a sequence number on."""
        ...


@dataclass(frozen=True)
class LaterRuns:
    """A host that is opened when it is first asked: what comes before that need not wait for it.

    One that cannot be opened takes no run: `RunHostError`, as from one that does not answer.
    """

    opened: Callable[[], RunPort]

    def start(self, event: dict[str, Any]) -> Started:
        """Start a run for an event, or join the incident it belongs to."""
        return self._host().start(event)

    def wake(self, incident_id: str) -> None:
        """Let a waiting run look again."""
        self._host().wake(incident_id)

    def cancel(self, incident_id: str) -> None:
        """Stop a run that works in that host."""
        self._host().cancel(incident_id)

    def stream(self, incident_id: str, after: int = 0) -> Iterator[TimelineEntry]:
        """Yield the timeline so far, from a sequence number on."""
        return self._host().stream(incident_id, after)

    def _host(self) -> RunPort:
        try:
            return self.opened()
        except (CopilotError, ClientError, BotoCoreError, OSError, ImportError) as error:
            raise RunHostError(f"the runs cannot be opened: {error}") from error
