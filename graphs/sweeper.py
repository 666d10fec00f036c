"""Wake what is due. The worker, the server and `cloudops tick` sweep; nothing sleeps in a run."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from graphs.copilot import Records
from graphs.runs import RunPort
from memory.records.timeline import TimerKind
from memory.stores.incidents import UnknownIncidentError
from memory.stores.leases import IncidentBusyError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Swept:
    """What one sweep did."""

    woken: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    messages_sent: int = 0


def wake_stranded(records: Records, runs: RunPort) -> Swept:
    """Wake what goes on and waits for no timer: a crash or Ctrl-C has cut off the run that moved it.

    An incident that another run moves at this moment holds its lease, and is left to that run.
    """
    woken: list[str] = []
    busy: list[str] = []
    for incident_id in list(records.incidents.unfinished()):
        scope = records.incidents.scope_of(incident_id)
        if any(records.timers.get(scope, incident_id, kind) is not None for kind in TimerKind):
            continue
        try:
            runs.wake(incident_id)
            woken.append(incident_id)
        except IncidentBusyError:
            busy.append(incident_id)
    return Swept(tuple(woken), tuple(busy))


def sweep(records: Records, runs: RunPort, flush: Callable[[], int]) -> Swept:
    """Wake every incident whose timer is due and send what is still in the outbox.

    A timer that could not be served stays and is found again by the next sweep.
    """
    woken: list[str] = []
    busy: list[str] = []
    for timer in list(records.timers.due(records.clock.now())):
        try:
            scope = records.incidents.scope_of(timer.incident_id)
            runs.wake(timer.incident_id)
            woken.append(timer.incident_id)
            record = records.incidents.record(timer.incident_id)
            if timer.kind is TimerKind.CADENCE or (record is not None and record.status.is_end):
                records.timers.cancel(scope, timer.incident_id, timer.kind)
        except (IncidentBusyError, UnknownIncidentError):
            busy.append(timer.incident_id)
        except (ClientError, BotoCoreError) as error:
            log.warning(
                "a timer could not be served", extra={"incident_id": timer.incident_id, "error": str(error)}
            )
            busy.append(timer.incident_id)
    return Swept(tuple(woken), tuple(busy), flush())
