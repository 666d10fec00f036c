"""Capacity as the cause: a table, a service, a function or a task's memory is too small for what is asked of it."""

from memory.records.assessment import CauseKind, Hypothesis
from tools.analysis.causes.candidate import (
    BUSIER,
    EVEN,
    Candidate,
    began,
    changes_near,
    ids,
    listed,
    when,
)
from tools.analysis.findings import AccountChange, Findings, ServiceFinding, TableFinding
from tools.analysis.resources import ResourceFinding
from tools.analysis.stops import StopReason
from tools.analysis.symptoms import suffers_from
from tools.analysis.tables import FULL

# In percent of what tasks are given: beyond this, requests wait for each other.
BUSY_CPU = 70.0
CLIMBED = 1.5


def of_table(table: TableFinding, findings: Findings) -> Candidate:
    """Weigh a table that refuses requests, or will as soon as its burst is used up."""
    hit = [
        finding
        for finding in findings.services
        if finding.affected and any(d.name == table.table for d in finding.service.depends_on)
    ]
    full = table.used_share is not None and table.used_share >= FULL
    of = f"its {table.limit}" if table.limit else "its provisioned capacity"
    share = f" at {table.used_share:.0%} of {of}" if table.used_share is not None else ""
    does = "throttles requests" if table.throttled else "takes less than is asked of it and uses up its burst"
    who = listed(sorted(f.service.name for f in hit), "affected with it") if hit else "no caller is affected"
    made = _made(changes_near(table.table, findings), findings) if table.limit else ((), "")
    hypothesis = Hypothesis(
        kind=CauseKind.CAPACITY,
        component=table.table,
        change=table.limit,
        statement=f"The table {table.table} {does}{share}, and {who}{made[1]}.",
        evidence_for=ids(
            table.evidence_id,
            *(i for finding in hit for i in finding.evidence_ids),
            *(change.evidence_id for change in made[0]),
        ),
        confidence=round(0.5 + 0.2 * (bool(hit) or bool(made[0])) + 0.2 * full, 2),
    )
    return Candidate(table.table, hypothesis, made[0])


def of_service(finding: ServiceFinding, findings: Findings) -> Candidate | None:
    """Weigh a service whose tasks are busy since more is asked of it, or since fewer of them run."""
    name, cpu = finding.service.name, finding.cpu
    more = finding.more_requests or 1.0
    fewer = tuple(one for one in changes_near(name, findings) if one.event == "UpdateService")
    busy = cpu is not None and cpu.now >= BUSY_CPU and cpu.now >= CLIMBED * cpu.before
    if not finding.affected or not (more >= BUSIER or (fewer and busy)):
        return None
    deepest = not any(True for _ in suffers_from(name, findings))
    impact, since = finding.impact, began(name, findings)
    asked = (
        f"requests rose from {impact.requests_per_minute_before:.0f} to {impact.requests_per_minute:.0f} a minute "
        f"since {since:%H:%M:%S} UTC"
        if more >= BUSIER
        else f"it runs fewer tasks since {when(fewer[0].at, findings.onset)} UTC"
    )
    used = f", and its tasks use {cpu.now:.0f} % of their CPU, {cpu.before:.0f} % before" if cpu else ""
    hypothesis = Hypothesis(
        kind=CauseKind.CAPACITY if busy else CauseKind.TRAFFIC,
        component=name,
        change="desiredCount" if busy else None,
        statement=f"{name} is too small for its traffic: {asked}{used}.",
        evidence_for=ids(*finding.evidence_ids, *(one.evidence_id for one in fewer)),
        confidence=round(0.25 + deepest * (0.2 + 0.45 * busy), 2),
    )
    return Candidate(name, hypothesis, fewer if busy else ())


def of_function(finding: ServiceFinding, findings: Findings) -> Candidate | None:
    """Weigh a function that is refused executions: it may run no more often at once than it is let."""
    if not finding.is_held_back:
        return None
    name, reserved = finding.service.name, finding.reserved
    waiting = [queue for queue in findings.queues if name in queue.consumers and queue.is_sick]
    limit = f"ReservedConcurrentExecutions {reserved}" if reserved is not None else None
    held = (
        f"may run at most {reserved} at a time"
        if reserved is not None
        else "may not run as often as is asked"
    )
    of_limit = tuple(one for one in changes_near(name, findings) if "Concurrency" in one.event)
    made = _made(of_limit, findings)
    who = f", and messages in {waiting[0].queue} wait longer and longer" if waiting else ""
    hypothesis = Hypothesis(
        kind=CauseKind.CAPACITY,
        component=name,
        change=limit,
        statement=(
            f"The function {name} {held}, and is refused {finding.refused:.0f} times a minute: its concurrency "
            f"is too small{who}{made[1]}."
        ),
        evidence_for=ids(
            *finding.evidence_ids,
            finding.reserved_evidence_id,
            *(queue.evidence_id for queue in waiting),
            *(one.evidence_id for one in made[0]),
        ),
        confidence=round(0.5 + 0.2 * (bool(waiting) or finding.affected) + 0.2 * (reserved is not None), 2),
    )
    return Candidate(name, hypothesis, made[0])


def of_resource(finding: ResourceFinding) -> Candidate | None:
    """Weigh a resource that has reached one of its limits; how else it suffers has a reason that it does not show.

    One that was as full before is worth a look, and not why something began now.
    """
    if finding.limit is None or not finding.is_reason:
        return None
    also = "" if finding.is_new else "; it was as full before"
    figures = f", from {finding.before:g} to {finding.now:g}" if finding.before is not None else ""
    hypothesis = Hypothesis(
        kind=CauseKind.CAPACITY,
        component=finding.resource,
        change=finding.limit,
        statement=f"{finding.resource} has reached a limit: {finding.told}{figures}{also}.",
        evidence_for=finding.evidence_ids,
        confidence=0.75 if finding.is_new else EVEN,
    )
    return Candidate(finding.resource, hypothesis)


def of_memory(finding: ServiceFinding) -> Candidate | None:
    """Weigh tasks that run out of memory, where no deployment explains it."""
    killed = [stop for stop in finding.stops if stop.reason is StopReason.OUT_OF_MEMORY]
    if finding.climb is None and len(killed) < 2:
        return None
    name = finding.service.name
    climbs = f"climbs since {finding.climb.since:%H:%M:%S} UTC" if finding.climb else "is used up"
    stopped = f", and {len(killed)} of its tasks were stopped for want of it" if killed else ""
    hypothesis = Hypothesis(
        kind=CauseKind.CAPACITY,
        component=name,
        change="memory",
        statement=f"The memory of {name} {climbs}{stopped}.",
        evidence_for=ids(*finding.evidence_ids, finding.stops_evidence_id if killed else None),
        confidence=0.65 if killed else 0.45,
    )
    return Candidate(name, hypothesis)


def _made(changes: tuple[AccountChange, ...], findings: Findings) -> tuple[tuple[AccountChange, ...], str]:
    """Return the changes that made a part what it is, and how that is told."""
    if not changes:
        return (), ""
    last = changes[-1]
    return changes, f"; {last.event} changed it at {when(last.at, findings.onset)} UTC"
