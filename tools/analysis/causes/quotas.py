"""An account's quota as the cause: a part is refused what it asks for, and what all parts share is used up."""

import re

from memory.records.assessment import CauseKind, Hypothesis
from tools.analysis.causes.candidate import Candidate, began, ids, is_near, when
from tools.analysis.findings import Findings, QuotaFinding, ServiceFinding

CODE = re.compile(r"L-[0-9A-F]{8}")
"""How Service Quotas names a quota: the `component` of a cause that is one."""


def of_quota(finding: ServiceFinding, findings: Findings) -> Candidate | None:
    """Weigh a quota of the account that holds a service back: executions of a function, vCPUs of tasks."""
    if finding.is_held_back:
        return _of_executions(finding, findings)
    return _of_vcpus(finding, findings) if finding.unplaced_since is not None else None


def _of_executions(finding: ServiceFinding, findings: Findings) -> Candidate | None:
    """A function without a reservation that is refused since the account runs as many as it may."""
    quota, since = _met("lambda", findings), finding.refused_since or findings.onset
    # Whether the function has a reservation of its own must be known: that would be what holds it back.
    if quota is None or finding.reserved is not None or finding.reserved_evidence_id is None:
        return None
    assert quota.met_since is not None
    name = finding.service.name
    waiting = [queue for queue in findings.queues if name in queue.consumers and queue.is_sick]
    fits = is_near(quota.met_since, since) or quota.met_since <= since
    users = ", ".join(f"{who} up to {most:.0f}" for who, most in quota.users if who != name)
    by = f", of which {users}" if users else ""
    who = f", and messages in {waiting[0].queue} wait longer and longer" if waiting else ""
    at = when(quota.met_since, findings.onset)
    statement = (
        f"The account's quota {quota.name} ({quota.code}) is used up since {at} UTC: "
        f"{quota.most:.0f} of {quota.value:.0f} run at once{by}; the function {name}, which has no reservation, is "
        f"refused {finding.refused:.0f} times a minute{who}."
    )
    support = ids(
        *quota.evidence_ids,
        *finding.evidence_ids,
        finding.reserved_evidence_id,
        *(queue.evidence_id for queue in waiting),
    )
    score = 0.3 + 0.2 + 0.2 * (bool(waiting) or finding.affected) + 0.2 * fits
    return Candidate(name, _hypothesis(quota.code, quota.name, statement, support, score))


def _of_vcpus(finding: ServiceFinding, findings: Findings) -> Candidate | None:
    """A service whose tasks ECS cannot place since the account has no vCPUs left, by its own words."""
    since, name = finding.unplaced_since, finding.service.name
    assert since is not None
    quota = next((one for one in findings.quotas if one.service == "fargate"), None)
    if quota is None or not finding.affected:
        return None
    statement = (
        f"The account's quota {quota.name} ({quota.code}) is used up, {quota.most:g} of {quota.value:g}: since "
        f"{when(since, findings.onset)} UTC ECS cannot place the tasks that {name} lacks."
    )
    fits = is_near(since, began(name, findings))
    support = ids(finding.unplaced_evidence_id, *quota.evidence_ids, *finding.evidence_ids)
    score = 0.5 + 0.2 * fits + 0.2 * (quota.met_since is not None)
    return Candidate(name, _hypothesis(quota.code, quota.name, statement, support, score))


def _met(service: str, findings: Findings) -> QuotaFinding | None:
    """Return the quota of a service that is used up around the onset."""
    return next(
        (one for one in findings.quotas if one.service == service and one.met_since is not None), None
    )


def _hypothesis(code: str, name: str, statement: str, support: tuple[str, ...], score: float) -> Hypothesis:
    return Hypothesis(
        kind=CauseKind.CAPACITY,
        component=code,
        change=name,
        statement=statement,
        evidence_for=support,
        confidence=round(score, 2),
    )
