"""Rank what may have caused an incident, from findings alone.

A cause is named only where three things meet: the part is affected, nothing it depends on is affected, and something
happened to that part at the onset (a rollout) or it says itself that it is full (a table that throttles). A symptom
without such a cause is left unresolved.
"""

from datetime import timedelta

from memory.records.assessment import CauseKind, Hypothesis, Verdict
from tools.analysis.findings import Findings, Rollout, ServiceFinding, TableFinding

BEFORE_ONSET = timedelta(minutes=15)
AFTER_ONSET = timedelta(minutes=3)
NAMED = 0.6


def rank(findings: Findings) -> tuple[Verdict, tuple[Hypothesis, ...], str]:
    """Return the verdict, the hypotheses most likely first, and the reason in a sentence."""
    affected = [finding for finding in findings.services if finding.affected]
    candidates = [
        *(_of_rollout(rollout, findings) for rollout in findings.rollouts),
        *(_of_table(table, findings) for table in findings.tables if table.throttled),
    ]
    ranked = tuple(sorted(candidates, key=lambda hypothesis: -hypothesis.confidence))
    throttled = any(table.throttled for table in findings.tables)
    if not affected and not throttled:
        return _without_symptom(findings, ranked)
    if ranked and ranked[0].confidence >= NAMED:
        return Verdict.CAUSE, ranked, ranked[0].statement
    names = ", ".join(sorted(finding.service.name for finding in affected))
    reason = f"{names} is affected, and no change or full part that was seen explains it"
    return Verdict.UNRESOLVED, (*ranked, _unknown(findings, affected, reason)), reason


def _without_symptom(
    findings: Findings, ranked: tuple[Hypothesis, ...]
) -> tuple[Verdict, tuple[Hypothesis, ...], str]:
    """Nobody is hit: noise when that was really checked and the alarm's own past explains it, else unresolved."""
    checked = [finding for finding in findings.services if finding.checked]
    explained = findings.earlier_spikes >= 1 or findings.alarm_is_over
    if not checked or not explained:
        reason = "no service that was checked is affected, but too little could be checked to call it noise"
        return Verdict.UNRESOLVED, (*ranked, _unknown(findings, [], reason)), reason
    names = ", ".join(sorted(finding.service.name for finding in checked))
    past = (
        f"the same spike came {findings.earlier_spikes} times before in the hours that were read"
        if findings.earlier_spikes
        else "the metric has gone back by itself"
    )
    reason = f"errors and latency of {names} are as before, and {past}"
    noise = Hypothesis(
        kind=CauseKind.NOISE,
        component=checked[0].service.name,
        statement=f"Nobody is affected: {reason}.",
        evidence_for=_ids(*findings.alarm_evidence_ids, *(i for f in checked for i in f.evidence_ids)),
        confidence=0.85 if findings.earlier_spikes else 0.7,
    )
    return Verdict.NOISE, (noise, *ranked), reason


def _of_rollout(rollout: Rollout, findings: Findings) -> Hypothesis:
    finding = next((f for f in findings.services if f.service.name == rollout.service), None)
    near = findings.onset is not None and -BEFORE_ONSET <= rollout.at - findings.onset <= AFTER_ONSET
    affected = finding is not None and finding.affected
    deepest = affected and finding is not None and not _affected_below(finding, findings)
    speaks = finding is not None and any(change.is_new for change in finding.log_changes)
    score = (
        0.05 + 0.3 * near + 0.2 * affected + 0.2 * (near and deepest) + 0.15 * (near and affected and speaks)
    )
    when = f"{rollout.at:%H:%M:%S}"
    onset = f"{findings.onset:%H:%M:%S}" if findings.onset else "an unknown time"
    support = [rollout.evidence_id] if near or affected else []
    against = [] if near else [rollout.evidence_id]
    if finding is not None:
        (support if affected else against).extend(finding.evidence_ids)
        if speaks and finding.log_evidence_id:
            support.append(finding.log_evidence_id)
    return Hypothesis(
        kind=CauseKind.DEPLOYMENT,
        component=rollout.service,
        change=rollout.task_definition,
        statement=(
            f"The deployment of {rollout.task_definition} to {rollout.service} at {when} UTC broke it; "
            f"the change of level began at {onset} UTC."
            if near and affected
            else f"{rollout.task_definition} went out to {rollout.service} at {when} UTC, which does not fit the onset."
        ),
        evidence_for=_ids(*support),
        evidence_against=_ids(*against),
        confidence=round(min(score, 0.95), 2),
    )


def _affected_below(finding: ServiceFinding, findings: Findings) -> bool:
    names = {dependency.name for dependency in finding.service.depends_on}
    below = any(other.affected for other in findings.services if other.service.name in names)
    return below or any(table.throttled for table in findings.tables if table.table in names)


def _of_table(table: TableFinding, findings: Findings) -> Hypothesis:
    callers = [
        finding
        for finding in findings.services
        if any(dependency.name == table.table for dependency in finding.service.depends_on)
    ]
    hit = [finding for finding in callers if finding.affected]
    full = table.used_share is not None and table.used_share >= 0.8
    score = 0.5 + 0.2 * bool(hit) + 0.2 * full
    share = f" at {table.used_share:.0%} of its provisioned capacity" if table.used_share is not None else ""
    who = ", ".join(finding.service.name for finding in hit) or "its callers"
    return Hypothesis(
        kind=CauseKind.CAPACITY,
        component=table.table,
        statement=f"The table {table.table} throttles requests{share}, and {who} fail with it.",
        evidence_for=_ids(table.evidence_id, *(i for finding in hit for i in finding.evidence_ids)),
        confidence=round(score, 2),
    )


def _unknown(findings: Findings, affected: list[ServiceFinding], reason: str) -> Hypothesis:
    seen = [i for finding in affected for i in finding.evidence_ids]
    component = affected[0].service.name if affected else "unknown"
    return Hypothesis(
        kind=CauseKind.UNKNOWN,
        component=component,
        statement=f"The cause is not in the evidence: {reason}.",
        evidence_for=_ids(*(seen or findings.alarm_evidence_ids)),
        confidence=0.3,
    )


def _ids(*ids: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))
