"""A part outside the account as the cause, by what its callers say of it; and a cause that was not seen."""

from memory.records.assessment import CauseKind, Hypothesis
from tools.analysis.causes.candidate import EVEN, Candidate, began, ids, is_near
from tools.analysis.findings import Findings, ServiceFinding
from tools.analysis.symptoms import roots, sick_parts


def of_outside(part: str, finding: ServiceFinding, findings: Findings) -> Candidate:
    """Blame a part outside by what its caller says, unless something happened to the caller itself as well."""
    name = finding.service.name
    onset = began(name, findings)
    happened = [(one.service, one.at, one.evidence_id) for one in findings.rollouts]
    happened += [(one.component, one.at, one.evidence_id) for one in findings.changes]
    at_once = [seen for whose, at, seen in happened if whose == name and is_near(at, onset)]
    # A caller that was changed just then may itself be why its calls fail.
    also = f", but {name} was changed then too" if at_once else ""
    hypothesis = Hypothesis(
        kind=CauseKind.DEPENDENCY,
        component=part,
        change="outage",
        statement=f"Calls of {name} to {part}, which lies outside, fail since {onset:%H:%M:%S} UTC{also}.",
        evidence_for=ids(*finding.evidence_ids, finding.log_evidence_id),
        evidence_against=ids(*at_once),
        confidence=EVEN if at_once else 0.8,
    )
    return Candidate(part, hypothesis)


def unknown(findings: Findings, reason: str) -> Hypothesis:
    """Say that the cause was not seen, at the deepest part that is sick."""
    sick = sick_parts(findings)
    named = [*(part for part in roots(findings) if part in sick), *findings.own, "unknown"]
    seen = [i for found in sick.values() for i in found]
    return Hypothesis(
        kind=CauseKind.UNKNOWN,
        component=named[0],
        statement=f"The cause is not in the evidence: {reason}.",
        evidence_for=ids(*(seen or findings.alarm_evidence_ids)),
        confidence=0.3,
    )
