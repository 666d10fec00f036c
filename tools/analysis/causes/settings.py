"""A change of settings as the cause: a part fell ill just after somebody changed how it works."""

from memory.records.assessment import CauseKind, Hypothesis
from tools.analysis.causes.candidate import Candidate, began, ids, is_near, when
from tools.analysis.findings import AccountChange, Findings
from tools.analysis.symptoms import sick_parts, suffers_from


def of_change(change: AccountChange, findings: Findings) -> Candidate:
    """Weigh a change by its time, by whether its part is sick, and by whether something below is sick too."""
    sick = sick_parts(findings)
    near = is_near(change.at, began(change.component, findings))
    is_sick = change.component in sick
    deepest = is_sick and not any(True for _ in suffers_from(change.component, findings))
    finding = findings.service(change.component)
    support, against = ([change.evidence_id], []) if near else ([], [change.evidence_id])
    if finding is not None:
        (support if is_sick else against).extend(finding.evidence_ids)
    elif is_sick:
        support.extend(sick[change.component])
    hypothesis = Hypothesis(
        kind=CauseKind.CONFIGURATION,
        component=change.setting or change.component,
        change=change.value if change.setting and change.value is not None else change.event,
        statement=_statement(change, findings, near),
        evidence_for=ids(*support),
        evidence_against=ids(*against),
        confidence=round(0.05 + 0.3 * near + 0.2 * is_sick + 0.2 * (near and deepest), 2),
    )
    return Candidate(change.component, hypothesis, (change,))


def _statement(change: AccountChange, findings: Findings, near: bool) -> str:
    at = when(change.at, findings.onset)
    fits = "fits" if near else "does not fit"
    if change.setting and change.value is not None:
        was = f" from {change.old}" if change.old is not None else ""
        return (
            f"{change.setting} of {change.component} was set{was} to {change.value} at {at} UTC, "
            f"which {fits} the onset."
        )
    changed = f"{change.setting} of {change.component}" if change.setting else change.component
    return f"{change.event} changed {changed} at {at} UTC, which {fits} the onset."
