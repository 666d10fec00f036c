"""One task of a service as the cause: it alone tells of failures, and they are no more than one task can fail."""

import re

from memory.records.assessment import CauseKind, Hypothesis
from tools.analysis.causes.candidate import EVEN, Candidate, began, changes_near, ids, is_near
from tools.analysis.findings import Findings, ServiceFinding
from tools.analysis.logs import Change
from tools.analysis.symptoms import suffers_from

# The awslogs driver names a stream prefix/container/task
# (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html).
_STREAM = re.compile(r"[^/]+/[^/]+/([0-9a-f]{32}|[0-9a-f-]{36})")
# A balancer gives one task no more than its share of the requests; chance and retries add to it.
SPREAD = 1.4


def of_task(finding: ServiceFinding, findings: Findings) -> Candidate | None:
    """Weigh one task of several, by where a service's new failures come from and how many they are.

    Where the service itself was changed at its onset, a first task of what is new looks the same.
    """
    name, tasks = finding.service.name, finding.tasks or 0
    told = [one for one in finding.log_changes if (one.is_new or one.is_surging) and _task(one)]
    if not finding.affected or tasks < 2 or not told:
        return None
    failing = [one for one in finding.log_changes if one.is_new or one.is_surging]
    share = finding.impact.error_share or 0.0
    alone = len({_task(one) for one in failing if one.place}) == 1 and _mostly(told, failing)
    if not alone or share > SPREAD / tasks:
        return None
    onset = began(name, findings)
    happened = [
        one.evidence_id for one in findings.rollouts if one.service == name and is_near(one.at, onset)
    ]
    happened += [one.evidence_id for one in changes_near(name, findings)]
    deepest = not any(True for _ in suffers_from(name, findings))
    task = _task(told[0])
    hypothesis = Hypothesis(
        kind=CauseKind.TASK,
        component=name,
        change=task,
        statement=(
            f"Task {task}, one of {tasks} of {name}, is ill: since {onset:%H:%M:%S} UTC nearly all new failures come "
            f"from it alone, and {share:.0%} of the requests of {name} fail."
        ),
        evidence_for=ids(*finding.evidence_ids, finding.log_evidence_id, finding.tasks_evidence_id),
        evidence_against=ids(*happened),
        confidence=0.85 if deepest and not happened else EVEN,
    )
    return Candidate(name, hypothesis)


def _task(change: Change) -> str | None:
    found = _STREAM.fullmatch(change.place or "")
    return found.group(1) if found else None


def _mostly(told: list[Change], failing: list[Change]) -> bool:
    """Say whether what one task tells is most of what is new; lines of others tell of something else as well."""
    theirs = sum(one.after_per_minute for one in told)
    return theirs >= sum(one.after_per_minute for one in failing) * 0.8
