"""A possible cause of what one part shows, and the words and figures that all kinds of them share."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from memory.records.assessment import Hypothesis
from tools.analysis.findings import AccountChange, Findings

BEFORE_ONSET = timedelta(minutes=15)
# A datapoint is dated by the start of its minute, so what it shows may have begun up to a minute later.
AFTER_ONSET = timedelta(seconds=90)
# From here on a cause is claimed, where no other explains the same part as well.
NAMED = 0.6
EVEN = 0.5
# Who is asked this many times more than before has more to do than its past tells.
BUSIER = 1.3


@dataclass(frozen=True)
class Candidate:
    """A hypothesis, and the part whose symptom it explains. `changes` are those that it is made of."""

    part: str
    hypothesis: Hypothesis
    changes: tuple[AccountChange, ...] = ()


def is_near(moment: datetime, onset: datetime) -> bool:
    """Say whether something happened when it could have caused what began at the onset."""
    return -BEFORE_ONSET <= moment - onset <= AFTER_ONSET


def began(part: str, findings: Findings) -> datetime:
    """Return the earliest sign of a part's own, or the alarm's onset where it shows none."""
    service = findings.service(part)
    queue = next((one for one in findings.queues if one.queue == part), None)
    if queue is not None and queue.since is not None:
        return queue.since
    if service is None:
        return findings.onset
    if service.since is not None:
        return service.since
    if service.is_held_back and service.refused_since is not None:
        return service.refused_since
    return service.climb.since if service.climb is not None else findings.onset


def changes_near(part: str, findings: Findings) -> tuple[AccountChange, ...]:
    """Return the changes of a part that happened when they could have caused what it shows."""
    onset = began(part, findings)
    return tuple(one for one in findings.changes if one.component == part and is_near(one.at, onset))


def when(moment: datetime, onset: datetime) -> str:
    """Return a time as text, with the day where it is another than the onset's."""
    return f"{moment:%H:%M:%S}" if moment.date() == onset.date() else f"{moment:%Y-%m-%d %H:%M:%S}"


def listed(names: list[str], verb: str | None = None) -> str:
    """Join names with a verb that agrees; an empty verb is left out."""
    verb = verb if verb is not None else ("is" if len(names) == 1 else "are")
    return f"{', '.join(names)} {verb}".strip()


def ids(*found: str | None) -> tuple[str, ...]:
    """Return ids of evidence once each, in their order."""
    return tuple(dict.fromkeys(one for one in found if one))
