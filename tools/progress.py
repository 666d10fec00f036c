"""What a read that takes several calls has brought so far, so that stopping it loses nothing of that."""

import threading
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class Progress(Generic[T]):
    """Of one read at a time, what it has brought; safe to share between who reads and who stops it."""

    _brought: T | None = None
    _stopped: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def keep(self, brought: T) -> None:
        """Keep what there is so far, in place of what was kept before."""
        with self._lock:
            if not self._stopped:
                self._brought = brought

    def stop(self) -> T | None:
        """Take what there is so far, or None where there is nothing or the read has ended."""
        with self._lock:
            if self._stopped or self._brought is None:
                return None
            self._stopped = True
            return self._brought

    def end(self) -> tuple[T | None, bool]:
        """Return what was kept last, and whether the read was stopped meanwhile; then nothing is kept any more."""
        with self._lock:
            brought = self._brought
            if not self._stopped:
                self._brought = None
            return brought, self._stopped
