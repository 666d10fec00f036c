"""Which parts are sick, which of them suffer from which, and where a cause must be looked for."""

from collections.abc import Iterator

from tools.analysis.findings import Findings, QueueFinding, ServiceFinding
from tools.analysis.outside import blamed_outside
from tools.analysis.stops import most_telling

# A consumer that fails on more than this of its batches fails on what is sound too.
MOSTLY_SOUND = 0.5
# One message fails once each time that it was hidden; who fails this many times as often fails on others too.
MORE_OFTEN = 2.0
# The oldest message gets older by a second each second when nobody is done with it.
STANDING = 48.0


def sick_parts(findings: Findings) -> dict[str, tuple[str, ...]]:
    """Return the sick parts with the evidence for each: services, then tables, then queues, then parts outside."""
    found: dict[str, tuple[str, ...]] = {}
    for one in findings.services:
        if is_sick(one):
            found[one.service.name] = evidence_of(one)
    found |= {table.table: (table.evidence_id,) for table in findings.tables if table.is_sick}
    found |= {one.resource: one.evidence_ids for one in findings.resources if one.is_sick}
    found |= {queue.queue: (queue.evidence_id,) for queue in findings.queues if queue.is_sick}
    for one in findings.services:
        for part in blamed_outside(one):
            found[part] = (*one.evidence_ids, *([one.log_evidence_id] if one.log_evidence_id else []))
    return found


def is_sick(finding: ServiceFinding) -> bool:
    """Say whether a service's requests suffer, its memory leaks away, its tasks stop, or it is refused executions."""
    stops = most_telling(finding.stops)
    does_not_run = stops is not None and stops[1] > 1
    return finding.affected or finding.climb is not None or finding.is_held_back or does_not_run


def evidence_of(finding: ServiceFinding) -> tuple[str, ...]:
    """Return all evidence on a service's own state."""
    more = [finding.reserved_evidence_id if finding.is_held_back else None]
    more += [finding.stops_evidence_id if finding.stops else None]
    return (*finding.evidence_ids, *(one for one in more if one))


def blocking(queue: QueueFinding, findings: Findings) -> tuple[bool, str | None]:
    """Say whether one message holds a queue up, and its id where the consumer's failures name it.

    It does when the oldest message is never done while others are, and the consumer, which is not held back, fails on
    few of its batches: always on the same. Where nothing names it, it fails no more often than one message comes back.
    """
    if queue.climb is None:
        return False, None
    consumers = [one for name in queue.consumers if (one := findings.service(name)) is not None]
    named = [
        line.repeats
        for one in consumers
        for line in one.log_changes
        if line.repeats and (line.is_new or line.is_surging)
    ]
    failing = [one for one in consumers if 0 < (one.impact.error_share or 0) < MOSTLY_SOUND]
    others_go_on = queue.done_per_minute > 0 and queue.climb.per_minute >= STANDING
    held_back = any(one.is_held_back for one in consumers)
    may_be_one = bool(named) or not any(_fails_too_often(one, queue) for one in failing)
    stands = bool(failing) and others_go_on and not held_back and may_be_one
    return stands, named[0] if named and stands else None


def _fails_too_often(consumer: ServiceFinding, queue: QueueFinding) -> bool:
    """Say whether a consumer fails more often than on one message, which stays hidden after each failure."""
    if not queue.hidden_seconds:
        return False
    failures = (consumer.impact.error_share or 0) * (consumer.impact.requests_per_minute or 0)
    return failures > MORE_OFTEN * 60 / queue.hidden_seconds


def suffers_from(part: str, findings: Findings) -> Iterator[str]:
    """Yield the sick parts that a part directly depends on, and that may be why it is sick."""
    sick = sick_parts(findings)
    for queue in findings.queues:
        stands = blocking(queue, findings)[0]
        if queue.queue == part and not stands:
            yield from (name for name in queue.consumers if name in sick)
        if part in queue.consumers and stands:
            yield queue.queue
    finding = findings.service(part)
    if finding is None:
        return
    queues = {queue.queue for queue in findings.queues}
    for dependency in finding.service.depends_on:
        if dependency.name not in queues and dependency.name in sick and _drags(dependency.name, findings):
            yield dependency.name


def _drags(name: str, findings: Findings) -> bool:
    """Say whether what is sick of a part explains its callers; memory that fills is not felt yet.

    Neither does a resource that suffers for a reason it does not show, which may be its callers themselves, nor one
    that was as full before.
    """
    if any(one.resource == name and not (one.is_reason and one.is_new) for one in findings.resources):
        return False
    finding = findings.service(name)
    return finding is None or finding.affected or finding.is_held_back


def roots(findings: Findings) -> tuple[str, ...]:
    """Return the sick parts that suffer from no other; in a circle, all of it."""
    sick = tuple(sick_parts(findings))
    deepest = tuple(part for part in sick if not any(True for _ in suffers_from(part, findings)))
    return deepest or sick
