"""Past incidents that resemble one: of the same part, and what was done about them and how it ended."""

from datetime import timedelta

from graphs.copilot import Records
from memory.records.assessment import Assessment
from memory.records.incident import Incident
from memory.records.incident_record import IncidentRecord
from memory.records.outcome import ExecutionState
from memory.records.plan import SimilarIncident
from memory.stores.listings import Wanted

MOST = 3
_LOOKED_AT = 12
_SINCE = timedelta(days=180)


def similar_incidents(
    records: Records, incident: Incident, assessment: Assessment
) -> tuple[SimilarIncident, ...]:
    """Return the newest ended incidents of the parts that are to blame, those with the same kind of cause first."""
    since = records.clock.now() - _SINCE
    parts = list(dict.fromkeys(cause.component for cause in assessment.found_causes))
    found: dict[str, SimilarIncident] = {}
    for part in parts:
        wanted = Wanted(service=part, account=incident.scope.account, since=since)
        for line in records.incidents.page(wanted, _LOOKED_AT).lines:
            record = (
                None
                if line.incident_id == incident.incident_id
                else records.incidents.record(line.incident_id)
            )
            if record is not None and record.closed_at is not None:
                found[line.incident_id] = _similar(record)
    kinds = {cause.kind.value for cause in assessment.found_causes}
    return tuple(sorted(found.values(), key=lambda one: one.kind not in kinds)[:MOST])


def _similar(record: IncidentRecord) -> SimilarIncident:
    causes = record.assessment.found_causes if record.assessment else ()
    done = [one for one in record.executions if one.state is not ExecutionState.REFUSED and not one.is_revert]
    return SimilarIncident(
        incident_id=record.incident.incident_id,
        alarm=record.incident.alarm.name,
        service=causes[0].component if causes else "",
        kind=causes[0].kind.value if causes else "",
        status=record.status.value,
        actions=tuple(f"{one.action}: {one.state.value}" for one in done),
        outcome=record.verifications[-1].detail if record.verifications else record.reason[:200],
    )
