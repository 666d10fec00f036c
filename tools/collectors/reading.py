"""From what was read around an alarm to findings, part by part."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from tools.analysis.changes import changes_of, rollouts_in
from tools.analysis.findings import (
    AccountChange,
    Findings,
    QueueFinding,
    QuotaFinding,
    Rollout,
    ServiceFinding,
    TableFinding,
)
from tools.analysis.queues import queue_finding, tells_of_now
from tools.analysis.quotas import quota_finding
from tools.analysis.resources import ResourceFinding
from tools.analysis.services import EARLIER, service_finding
from tools.analysis.tables import is_used, table_finding
from tools.collectors.alarm import AlarmView
from tools.collectors.around import Around
from tools.collectors.dead_letters import given_up_in
from tools.collectors.functions import consumers_in
from tools.collectors.lines import told_shifts
from tools.collectors.logs import compared
from tools.collectors.neighbours import is_judged, resource_of, resources_in
from tools.collectors.parts import DAYS
from tools.collectors.quotas import use_in
from tools.collectors.readable import facts_in
from tools.collectors.series import MINUTES, STEP, incomplete_in, series_in
from tools.collectors.settings import values_around
from tools.collectors.shifts import shifts_in
from tools.collectors.tasks import stops_in, unplaced_in
from tools.observe.get_metric import GetMetric


def read_findings(
    around: Around, alarm: AlarmView, own: tuple[str, ...], metric: GetMetric | None
) -> Findings:
    """Return all findings; what could not be read is among what the collecting misses.

    The logs come last, since they wait for the onset; so they are taken last, with all else made of what came before.
    """
    services = tuple(_services(around, alarm.onset))
    tables = tuple(_tables(around, alarm.onset))
    queues = tuple(_queues(around, alarm.onset))
    names = {service.name for service in around.near}
    resources = tuple(_resources(around, metric, alarm.onset))
    changed = around.taken("changes", "")
    told = facts_in(changed).get("changes", []) if changed else []
    key = changed.evidence_id if changed else ""
    shifting = around.taken("codedeploy", "")
    shifted = shifts_in(shifting, told, names, around.sources.clock.now()) if shifting else ()
    changes = tuple(_with_values(around, tuple(changes_of(told, around.parts, key))))
    rollouts = _once((*shifted, *rollouts_in(told, names, key), *_rollouts(around)))
    given_up = tuple(_given_up(around, alarm.onset))
    quotas = tuple(_quotas(around, alarm.onset))
    found = Findings(
        onset=alarm.onset,
        alarm_evidence_ids=alarm.seen,
        alarm_is_over=alarm.recovered_at is not None,
        earlier_spikes=alarm.earlier_spikes,
        is_usual=alarm.is_usual,
        own=own,
        services=tuple(_with_logs(around, finding) for finding in services),
        rollouts=rollouts,
        changes=changes,
        tables=tables,
        queues=queues,
        resources=resources,
        changes_evidence_id=key or None,
        unread=(*_unread(around, services, tables, queues), *_unseen(resources, metric)),
        given_up=given_up,
        quotas=quotas,
        log_shifts=tuple(_log_shifts(around, own)),
    )
    around.take_rest()
    return found


def _services(around: Around, onset: datetime) -> Iterator[ServiceFinding]:
    """Yield how each service fares, with what its stopped tasks and its limits say."""
    now = around.sources.clock.now()
    for service in around.near:
        evidence = around.taken("metrics", service.name)
        if evidence is None:
            continue
        lacking = incomplete_in(evidence)
        series, days = series_in(evidence), around.taken("errors", service.name)
        come = bool(days and series_in(days))
        finding = service_finding(service, series, onset, now, evidence.evidence_id, lacking, come)
        if days is not None:
            finding = replace(finding, evidence_ids=(*finding.evidence_ids, days.evidence_id))
        if days is not None and not come and not incomplete_in(days):
            around.collecting.missing.append(f"errors of {service.name} (none published in {DAYS} days)")
        elif finding.impact.error_share is None or finding.impact.latency_ms is None:
            around.collecting.missing.append(f"requests, errors and latency of {service.name}")
        tagged = around.learned.get(service.name)
        if tagged is not None:
            finding = replace(finding, evidence_ids=(*finding.evidence_ids, tagged.evidence_id))
        told = _with_placing(around, _with_limit(around, _with_tasks(around, finding)), onset)
        yield _with_stops(around, told, onset)


def _with_logs(around: Around, finding: ServiceFinding) -> ServiceFinding:
    name = finding.service.name
    before, since = around.taken("calm", name), around.taken("since", name)
    if before is None or since is None:
        return _lacking(finding, "logs") if finding.service.log_group else finding
    sides = compared(before, since)
    return replace(finding, log_changes=sides.changes or (), log_evidence_id=since.evidence_id)


def _lacking(finding: ServiceFinding, what: str) -> ServiceFinding:
    """Name what else tells how a service fares, and was not read: it may hide that its tasks stop, or what fails."""
    return replace(finding, unread=(*finding.unread, f"{what} of {finding.service.name}"))


def _with_stops(around: Around, finding: ServiceFinding, onset: datetime) -> ServiceFinding:
    evidence = around.taken("stops", finding.service.name)
    if evidence is None:
        return _lacking(finding, "stopped tasks") if finding.service.cluster else finding
    late = tuple(one for one in stops_in(evidence) if one.at is None or one.at >= onset - EARLIER)
    return replace(finding, stops=late, stops_evidence_id=evidence.evidence_id)


def _with_tasks(around: Around, finding: ServiceFinding) -> ServiceFinding:
    evidence = around.taken("ecs", finding.service.name)
    running = facts_in(evidence).get("running") if evidence else None
    if evidence is None or not isinstance(running, int):
        return finding
    return replace(finding, tasks=running, tasks_evidence_id=evidence.evidence_id)


def _with_limit(around: Around, finding: ServiceFinding) -> ServiceFinding:
    evidence = around.taken("limit", finding.service.name)
    if evidence is None:
        return finding
    reserved = facts_in(evidence).get("reserved")
    return replace(finding, reserved=reserved, reserved_evidence_id=evidence.evidence_id)


def _with_placing(around: Around, finding: ServiceFinding, onset: datetime) -> ServiceFinding:
    evidence = around.taken("ecs", finding.service.name)
    if evidence is None or "deployments" not in facts_in(evidence):
        return _lacking(finding, "deployments") if finding.service.cluster else finding
    since = unplaced_in(evidence, onset - EARLIER)
    if since is None:
        return finding
    return replace(finding, unplaced_since=since, unplaced_evidence_id=evidence.evidence_id)


def _quotas(around: Around, onset: datetime) -> Iterator[QuotaFinding]:
    """Yield how much of each quota is used that was read together with its usage."""
    usage, busiest = around.taken("usage", ""), around.taken("busiest", "")
    for one in around.watched:
        use = use_in(around.taken("quota", one.key), usage, busiest, one)
        if use is not None:
            yield quota_finding(use, onset)


def _rollouts(around: Around) -> Iterator[Rollout]:
    for service in around.near:
        evidence = around.taken("ecs", service.name)
        facts = facts_in(evidence) if evidence else {}
        if evidence is not None and "deployments" not in facts:
            around.collecting.missing.append(f"deployments of {service.name}")
        for one in facts.get("deployments", []):
            at = datetime.fromisoformat(one["created_at"])
            yield Rollout(service.name, at, one["task_definition"], evidence.evidence_id if evidence else "")


def _once(rollouts: tuple[Rollout, ...]) -> tuple[Rollout, ...]:
    """Join what CodeDeploy, CloudTrail and ECS tell; the first to tell of a deployment knows most of it."""
    known: dict[tuple[str, str], Rollout] = {}
    for one in rollouts:
        known.setdefault((one.service, one.task_definition), one)
    return tuple(known.values())


def _tables(around: Around, onset: datetime) -> Iterator[TableFinding]:
    now = around.sources.clock.now()
    for table in around.tables:
        evidence = around.taken("table", table)
        facts = facts_in(evidence) if evidence else {}
        if evidence is None or "write_throttles" not in facts:
            around.collecting.missing.append(f"table {table}")
            continue
        window = (now - MINUTES * STEP, now + STEP)
        found = table_finding(table, facts, onset, window, evidence.evidence_id)
        if not (found.is_sick or (is_used(facts) and not incomplete_in(evidence))):
            around.collecting.missing.append(f"metrics of table {table}")
            continue
        yield found


def _queues(around: Around, onset: datetime) -> Iterator[QueueFinding]:
    for queue in around.queues:
        evidence = around.taken("queue", queue)
        series = series_in(evidence) if evidence else None
        mapped = around.taken("consumers", queue)
        if evidence is None or series is None:
            continue
        consumers = consumers_in(mapped) if mapped else ()
        found = queue_finding(queue, series, consumers, evidence.evidence_id, onset)
        dead = around.taken("dead", queue)
        facts = facts_in(dead) if dead else {}
        # CloudWatch has nothing of a queue that nobody used for hours, and of one that is not there: only the first
        # says itself that it holds nothing.
        is_idle = not series and facts.get("holds") == 0
        is_told = tells_of_now(series, around.sources.clock.now()) or is_idle
        if not found.is_sick and (not is_told or incomplete_in(evidence)):
            around.collecting.missing.append(f"metrics of queue {queue}")
            continue
        yield replace(found, hidden_seconds=facts.get("hidden_seconds"))


def _resources(around: Around, metric: GetMetric | None, onset: datetime) -> Iterator[ResourceFinding]:
    """Yield what the alarm watches, and name what too little was published of."""
    beside = around.taken("neighbours", "")
    for found in resources_in(beside, metric, onset) if beside and metric else ():
        if not found.checked:
            around.collecting.missing.append(f"{', '.join(found.unjudged)} of {found.resource}")
        yield found


def _log_shifts(around: Around, own: tuple[str, ...]) -> Iterator[str]:
    """Tell of ordinary lines that no longer come, are new or surge."""
    for name in own:
        before, since = around.taken("usual", name), around.taken("ordinary", name)
        if before is not None and since is not None:
            yield from told_shifts(name, before, since)


def _given_up(around: Around, onset: datetime) -> Iterator[str]:
    """Tell, by queue, of messages that were given up since the onset."""
    for queue in around.queues:
        evidence = around.taken("dead", queue)
        told = given_up_in(evidence, onset) if evidence else None
        if told:
            yield told


def _with_values(around: Around, changes: tuple[AccountChange, ...]) -> Iterator[AccountChange]:
    """Yield the changes, those of parameters with what they were set to and what they were before."""
    for change in changes:
        evidence = around.taken("values", change.setting) if change.setting else None
        if evidence is None:
            yield change
            continue
        value, old = values_around(evidence, change.at)
        yield replace(change, value=value, old=old)


def _unread(
    around: Around,
    services: tuple[ServiceFinding, ...],
    tables: tuple[TableFinding, ...],
    queues: tuple[QueueFinding, ...],
) -> tuple[str, ...]:
    """Name the parts that publish how they fare and could not be read: they may hide a symptom."""
    checked = {finding.service.name for finding in services if finding.checked}
    blind = [one.name for one in around.near if one.metrics is not None and one.name not in checked]
    read = {*(one.table for one in tables), *(one.queue for one in queues)}
    return (*blind, *(name for name in (*around.tables, *around.queues) if name not in read))


def _unseen(resources: tuple[ResourceFinding, ...], metric: GetMetric | None) -> tuple[str, ...]:
    """Name the resource that the alarm watches where nothing of it could be read."""
    return (resource_of(metric),) if metric and is_judged(metric) and not resources else ()
