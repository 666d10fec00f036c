"""Wake what is due. The worker, the server and `cloudops tick` sweep; nothing sleeps in a run."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from graphs.copilot import Records
from graphs.runs import RunPort
from memory.records.timeline import Timer, TimerKind
from memory.stores.incidents import UnknownIncidentError
from memory.stores.leases import IncidentBusyError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Swept:
    """What one sweep did; `failed` are the incidents that met a defect, and are tried again by the next."""

    woken: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    messages_sent: int = 0
    failed: tuple[str, ...] = ()


def wake_stranded(records: Records, runs: RunPort) -> Swept:
    """Wake what goes on and waits for no timer: a crash or Ctrl-C has cut off the run that moved it.

    An incident that another run moves at this moment holds its lease, and is left to that run.
    """
    tally = _Tally()
    for incident_id in list(records.incidents.unfinished()):
        tally.note(incident_id, partial(_wake_without_timer, records, runs, incident_id))
    return tally.swept(0)


def sweep(records: Records, runs: RunPort, flush: Callable[[], int]) -> Swept:
    """Wake every incident whose timer is due and send what is still in the outbox.

    A timer that could not be served stays and is found again by the next sweep.
    """
    tally = _Tally()
    for timer in list(records.timers.due(records.clock.now())):
        tally.note(timer.incident_id, partial(serve, records, runs, timer))
    return tally.swept(flush())


@dataclass
class _Tally:
    """What became of each incident of a sweep."""

    woken: list[str] = field(default_factory=list)
    busy: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def note(self, incident_id: str, wake: Callable[[], bool]) -> None:
        """Wake an incident; one that cannot be woken must not keep the others asleep."""
        try:
            if wake():
                self.woken.append(incident_id)
        except (IncidentBusyError, UnknownIncidentError):
            self.busy.append(incident_id)
        except (ClientError, BotoCoreError) as error:
            facts = {"incident_id": incident_id, "error": str(error)}
            log.warning("an incident could not be woken", extra=facts)
            self.busy.append(incident_id)
        except Exception:
            log.exception("an incident could not be woken", extra={"incident_id": incident_id})
            self.failed.append(incident_id)

    def swept(self, messages_sent: int) -> Swept:
        return Swept(tuple(self.woken), tuple(self.busy), messages_sent, tuple(self.failed))


def _wake_without_timer(records: Records, runs: RunPort, incident_id: str) -> bool:
    scope = records.incidents.scope_of(incident_id)
    if any(records.timers.get(scope, incident_id, kind) is not None for kind in TimerKind):
        return False
    runs.wake(incident_id)
    return True


def serve(records: Records, runs: RunPort, timer: Timer) -> bool:
    """Wake the incident of a timer; its timer goes when that was all it was for, unless it was set anew meanwhile."""
    scope, incident_id = records.incidents.scope_of(timer.incident_id), timer.incident_id
    runs.wake(incident_id)
    if records.timers.get(scope, incident_id, timer.kind) != timer:
        return True
    record = records.incidents.record(incident_id) if timer.kind is not TimerKind.CADENCE else None
    if timer.kind is TimerKind.CADENCE or (record is not None and record.status.is_end):
        records.timers.cancel(scope, incident_id, timer.kind)
    return True
