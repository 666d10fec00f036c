"""The one place where any error is caught: what fails in one part of a round must not end the others.

Rounds are what a server or a worker does over and over: timers, messages, events of the queue. A defect that only one
of their parts meets would otherwise keep all of them from their turn for good.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

log = logging.getLogger(__name__)


@dataclass
class Met:
    """What the work of a bulkhead met; `is_defect` when it is nothing that passes by itself."""

    error: Exception | None = None
    is_defect: bool = False


@contextmanager
def bulkhead(
    doing: str, passing: tuple[type[Exception], ...] = (), **facts: str | int | None
) -> Iterator[Met]:
    """Log an error of the block and go on behind it; tell what was met by what is yielded.

    `passing` are the errors that may pass by themselves: a warning each. Any other is a defect, logged with its
    traceback. A cancellation, Ctrl-C and a wish to exit are no errors of the work and end it as ever.
    """
    met = Met()
    said: dict[str, Any] = facts
    try:
        yield met
    except passing as error:
        met.error = error
        log.warning("%s failed: %s", doing, error, extra=said)
    except Exception as error:
        met.error, met.is_defect = error, True
        log.exception("%s failed", doing, extra=said)
