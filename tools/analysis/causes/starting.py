"""Tasks that do not start or do not stay up as the cause, where no deployment brought them."""

from memory.records.assessment import CauseKind, Hypothesis
from tools.analysis.causes.candidate import Candidate, ids
from tools.analysis.findings import ServiceFinding
from tools.analysis.stops import StopReason, most_telling

# A task that has no room asks for more than there is; the others are told wrongly what to run or how to be checked.
_KINDS = {
    StopReason.NO_ROOM: (CauseKind.CAPACITY, "there is no room for its tasks", 0.7),
    StopReason.NO_IMAGE: (CauseKind.CONFIGURATION, "its image cannot be pulled", 0.7),
    StopReason.UNHEALTHY: (
        CauseKind.CONFIGURATION,
        "its tasks fail their health check and are stopped",
        0.65,
    ),
}


def of_stops(finding: ServiceFinding) -> Candidate | None:
    """Weigh why tasks stop. A health check is doubted only where those whom the service serves are well."""
    told = most_telling(finding.stops)
    if told is None or told[1] < 2 or told[0] not in _KINDS:
        return None
    reason, count = told
    kind, what, confidence = _KINDS[reason]
    if reason is StopReason.UNHEALTHY and (finding.affected or not finding.checked):
        confidence = 0.4
    name = finding.service.name
    hypothesis = Hypothesis(
        kind=kind,
        component=name,
        change=reason.value,
        statement=f"{name} does not run as it should: {what}, {count} times lately.",
        evidence_for=ids(finding.stops_evidence_id, *finding.evidence_ids),
        confidence=confidence,
    )
    return Candidate(name, hypothesis)
