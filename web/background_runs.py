"""Runs beside the requests of a server that stands alone: an answer never waits for a model."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from graphs.run_port import Started, StartOutcome
from graphs.runs import InProcessRuns
from memory.records.timeline import TimelineEntry
from memory.stores.leases import IncidentBusyError
from tools.errors import Transient

RUN_THREADS = 8
MOST_UNDER_WAY = 64
log = logging.getLogger(__name__)


class TooBusyError(Transient):
    """As many runs are under way as this server takes on; the event must be delivered again later."""


class BackgroundRuns:
    """Takes an event in while the caller waits, and does the rest of the run in a pool of threads.

    What was taken in is checkpointed before `start` returns, so a run that a crash cuts off is continued by
    the next `wake`.
    """

    def __init__(self, inner: InProcessRuns, threads: int = RUN_THREADS, most: int = MOST_UNDER_WAY) -> None:
        self._inner = inner
        self._most = most
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="run")
        self._lock = threading.Lock()
        self._under_way: dict[str, bool] = {}

    def has_room(self) -> bool:
        """Say whether another run can be taken on."""
        return len(self._under_way) < self._most

    def start(self, event: dict[str, Any]) -> Started:
        """Take an event in; a new incident goes on in the background."""
        if not self.has_room():
            raise TooBusyError(f"{self._most} runs are under way here")
        started = self._inner.start(event, only_intake=True)
        if started.incident_id and started.outcome in {StartOutcome.OPENED, StartOutcome.CONTINUED}:
            self.wake(started.incident_id)
        return started

    def wake(self, incident_id: str) -> None:
        """Let the incident's run look again, soon; a wake that comes during a run is not lost."""
        with self._lock:
            if incident_id in self._under_way:
                self._under_way[incident_id] = True
                return
            self._under_way[incident_id] = False
        self._pool.submit(self._work, incident_id).add_done_callback(_say_if_failed)

    def cancel(self, incident_id: str) -> None:
        """Do nothing: a step that has begun is never cut off here."""

    def stream(self, incident_id: str, after: int = 0) -> Iterator[TimelineEntry]:
        """Yield the timeline so far, from a sequence number on."""
        yield from self._inner.stream(incident_id, after)

    def close(self) -> None:
        """Wait for the steps under way; what only waits for a thread is left to the next start."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _work(self, incident_id: str) -> None:
        again = True
        try:
            while again:
                with self._lock:
                    self._under_way[incident_id] = False
                self._inner.wake(incident_id)
                with self._lock:
                    again = self._under_way[incident_id]
        except IncidentBusyError:
            log.info("another process works on the incident", extra={"incident_id": incident_id})
            # Whoever was told that the run is woken must not depend on what that process looks at next.
            self._inner.wake_later(incident_id)
        finally:
            with self._lock:
                self._under_way.pop(incident_id, None)


def _say_if_failed(done: "Future[None]") -> None:
    error = None if done.cancelled() else done.exception()
    if error is not None:
        log.error("a run failed", exc_info=error)
