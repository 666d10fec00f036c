"""Look once for the events of CloudTrail that one incident's calls still miss: a step does, and who reads its audit."""

import time

from graphs.copilot import Records
from memory.records.scope import Scope
from tools.trail import LOOKUP_SECONDS, Wait, look_for


def trace_incident(records: Records, scope: Scope, incident_id: str, wait: Wait = time.sleep) -> None:
    """Look once for each call of an incident that is still looked for, whether or not that is due."""
    if scope.key != records.home.key:
        return
    for number, owed in enumerate(records.traces.owed(scope, incident_id)):
        wait(LOOKUP_SECONDS if number else 0)
        look_for(records.access, records.traces, scope, owed, records.clock.now(), wait)
