"""Show an incident as it happens: the timeline is read while the run writes it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from graphs.copilot import Records
from memory.records.scope import Scope
from memory.records.timeline import TimelineEntry

EVERY_SECONDS = 0.5


@dataclass
class Tail:
    """Reads what is new in one incident's timeline and hands each entry on, once and in order."""

    records: Records
    scope: Scope
    incident_id: str
    show: Callable[[TimelineEntry], None]
    _last: int = field(default=0)

    def skip(self) -> None:
        """Leave out what stands already."""
        self._last = self.records.timeline.caught_up(self.scope, self.incident_id)

    def read(self) -> None:
        """Hand on what is new."""
        for entry in self.records.timeline.entries(self.scope, self.incident_id, self._last):
            self._last = entry.sequence
            self.show(entry)

    @contextmanager
    def following(self) -> Iterator[None]:
        """Hand on entries for as long as the block runs, and the rest at its end."""
        over = threading.Event()
        reader = threading.Thread(target=self._until, args=(over,), name="timeline", daemon=True)
        reader.start()
        try:
            yield
        finally:
            over.set()
            reader.join()
        self.read()

    def _until(self, over: threading.Event) -> None:
        while not over.wait(EVERY_SECONDS):
            try:
                self.read()
            except (ClientError, BotoCoreError):
                continue  # what is missed now is read at the end, where a failure is told
