"""A deployment as the cause: new code went out to a part just before it fell ill, and what it needs is well."""

from datetime import datetime

from memory.records.assessment import CauseKind, Hypothesis
from tools.analysis.causes.candidate import AFTER_ONSET, BEFORE_ONSET, Candidate, ids, is_near, when
from tools.analysis.findings import Findings, Rollout, ServiceFinding
from tools.analysis.stops import StopReason, most_telling
from tools.analysis.symptoms import suffers_from

AT_START = {StopReason.NO_IMAGE, StopReason.UNHEALTHY, StopReason.CRASHED}


def of_rollout(rollout: Rollout, findings: Findings) -> Candidate:
    """Weigh a deployment by its time, by what its service shows, and by whether something below is sick too."""
    finding = findings.service(rollout.service)
    if finding is not None and _leaks(rollout, finding):
        return Candidate(rollout.service, _leak(rollout, finding))
    if finding is not None and (why := _fails_to_start(rollout, finding)):
        return Candidate(rollout.service, _start(rollout, finding, why, findings))
    return Candidate(rollout.service, _by_requests(rollout, finding, findings))


def _leaks(rollout: Rollout, finding: ServiceFinding) -> bool:
    return finding.climb is not None and is_near(rollout.at, finding.climb.since)


def _leak(rollout: Rollout, finding: ServiceFinding) -> Hypothesis:
    climb = finding.climb
    assert climb is not None
    killed = [stop for stop in finding.stops if stop.reason is StopReason.OUT_OF_MEMORY]
    also = f", and {len(killed)} of its tasks were stopped for want of memory" if killed else ""
    at = when(rollout.at, climb.since)
    return Hypothesis(
        kind=CauseKind.DEPLOYMENT,
        component=rollout.service,
        change=rollout.task_definition,
        statement=(
            f"The deployment of {rollout.brought} to {rollout.service} at {at} UTC leaks memory: it climbs by "
            f"{climb.per_minute:.1f} points a minute since {climb.since:%H:%M:%S} UTC, from {climb.before:.0f} % "
            f"to {climb.now:.0f} %{also}."
        ),
        evidence_for=ids(
            rollout.evidence_id, *finding.evidence_ids, finding.stops_evidence_id if killed else None
        ),
        confidence=0.9 if killed else 0.85,
    )


def _fails_to_start(rollout: Rollout, finding: ServiceFinding) -> StopReason | None:
    own = [stop for stop in finding.stops if stop.task_definition == rollout.task_definition]
    told = most_telling(own)
    return told[0] if told is not None and told[0] in AT_START and told[1] > 1 else None


def _start(rollout: Rollout, finding: ServiceFinding, why: StopReason, findings: Findings) -> Hypothesis:
    at = when(rollout.at, findings.onset)
    return Hypothesis(
        kind=CauseKind.DEPLOYMENT,
        component=rollout.service,
        change=rollout.task_definition,
        statement=(
            f"Tasks of {rollout.brought}, which went out to {rollout.service} at {at} UTC, do not stay up: {why.value}."
        ),
        evidence_for=ids(rollout.evidence_id, finding.stops_evidence_id, *finding.evidence_ids),
        confidence=0.85,
    )


def _by_requests(rollout: Rollout, finding: ServiceFinding | None, findings: Findings) -> Hypothesis:
    affected = finding is not None and finding.affected
    onset = finding.since if finding is not None and finding.since is not None else findings.onset
    near = _fits(rollout, onset)
    deepest = affected and not any(True for _ in suffers_from(rollout.service, findings))
    speaks = finding is not None and any(change.is_new for change in finding.log_changes)
    score = 0.05 + 0.3 * near + 0.2 * affected + (near and deepest) * (0.2 + 0.15 * speaks)
    support, against = ([rollout.evidence_id], []) if near else ([], [rollout.evidence_id])
    if finding is not None:
        (support if affected else against).extend(finding.evidence_ids)
        if speaks and finding.log_evidence_id:
            support.append(finding.log_evidence_id)
    return Hypothesis(
        kind=CauseKind.DEPLOYMENT,
        component=rollout.service,
        change=rollout.task_definition,
        statement=_statement(rollout, findings, near, affected, deepest),
        evidence_for=ids(*support),
        evidence_against=ids(*against),
        confidence=round(score, 2),
    )


def _fits(rollout: Rollout, onset: datetime) -> bool:
    """Say whether a deployment could have caused what began at the onset; one that goes out bit by bit, at any bit."""
    if rollout.shift is None:
        return is_near(rollout.at, onset)
    return rollout.at - AFTER_ONSET <= onset <= rollout.shift.until + BEFORE_ONSET


def _shifted(rollout: Rollout) -> str:
    """Tell by which deployment it goes out, and how far that is."""
    shift = rollout.shift
    if shift is None:
        return ""
    far = (
        f"it has moved {shift.percent or 0:g} % of the traffic and goes on"
        if shift.is_under_way
        else "it is over"
    )
    return f" It went out by CodeDeploy deployment {shift.deployment} of {shift.place}: {far}."


def _statement(rollout: Rollout, findings: Findings, near: bool, affected: bool, deepest: bool) -> str:
    finding = findings.service(rollout.service)
    since = finding.since if finding is not None and finding.since is not None else findings.onset
    at, onset = when(rollout.at, findings.onset), f"{since:%H:%M:%S}"
    went = f"{rollout.brought} went out to {rollout.service} at {at} UTC"
    if near and deepest:
        return (
            f"The deployment of {rollout.brought} to {rollout.service} at {at} UTC broke it; "
            f"the change of level began at {onset} UTC.{_shifted(rollout)}"
        )
    if not near:
        return f"{went}, which does not fit the onset at {onset} UTC."
    if not affected:
        return f"{went}, near the onset, but {rollout.service} is not affected."
    return f"{went}, near the onset, but something that {rollout.service} depends on is affected too."
