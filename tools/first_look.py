"""The first look: what code alone finds in seconds, with every observation stored."""

import time
from dataclasses import dataclass, replace

from memory.clock import AtOneMoment
from memory.records.assessment import FirstLook, Impact, Learned, Verdict
from memory.records.config import Rubric, Service, Topology
from memory.records.incident import Incident, Severity
from tools.analysis.findings import Findings
from tools.analysis.hypotheses import Ranking, rank
from tools.analysis.neighbourhood import alarms_of_rule, around, own_services
from tools.analysis.paths import changed_otherwise, changes_told
from tools.analysis.severity import rate
from tools.analysis.symptoms import sick_parts
from tools.collectors.alarm import AlarmView, read_alarm
from tools.collectors.around import SERVICES, Around, parts_of
from tools.collectors.reading import read_findings
from tools.collectors.running import Collecting
from tools.observe.alarm_metric import metric_of
from tools.observe.sources import Sources


@dataclass(frozen=True)
class _Seen:
    """All that was read, and what it comes to."""

    alarm: AlarmView
    findings: Findings
    ranking: Ranking
    evidence_ids: tuple[str, ...]
    learned: tuple[Learned, ...]
    missing: tuple[str, ...]


def take_first_look(sources: Sources, incident: Incident, rubric: Rubric) -> FirstLook:
    """Read around the alarm in parallel, and rank what may have caused it. No model takes part.

    Every window ends at the moment at which the look begins, so that what is compared is of one time; each observation
    tells when it was taken.
    """
    seen = _look(replace(sources, clock=AtOneMoment(sources.clock.now(), sources.clock)), incident)
    findings, ranking = seen.findings, seen.ranking
    hit = _hit(findings, sources.topology)
    unread = _unread(findings, sources.topology)
    severity, why = rate(rubric, hit, unread)
    if ranking.verdict is Verdict.NOISE:
        severity, why = Severity.NONE, ranking.reason
    sick = tuple(sick_parts(findings))
    return FirstLook(
        onset=findings.onset,
        recovered_at=seen.alarm.recovered_at,
        impacts=(*(finding.impact for finding in findings.services), *_suffering(findings)),
        severity=severity,
        severity_reason=why if hit or unread else ranking.reason,
        verdict=ranking.verdict,
        hypotheses=ranking.hypotheses,
        evidence_ids=seen.evidence_ids,
        affected=sick,
        healthy=_healthy(findings, sick),
        changed_otherwise=changed_otherwise(findings, ranking.causes),
        not_checked=seen.missing,
        causes=ranking.causes,
        causal_path=ranking.causal_path,
        changes=changes_told(findings),
        reason=ranking.reason,
        given_up=findings.given_up,
        log_shifts=findings.log_shifts,
        learned=seen.learned,
    )


def _look(sources: Sources, incident: Incident) -> _Seen:
    """Start at once what needs neither the alarm's rule nor its onset, then read the logs around the onset."""
    collecting = Collecting(time.monotonic() + sources.limits.first_look_seconds)
    try:
        names = (incident.alarm.name, *alarms_of_rule(incident.alarm.alarm_rule))
        told = metric_of(incident.alarm, {}, 60)
        own = own_services(sources.topology, names, told.dimensions if told else {})
        rule = read_alarm(sources, incident, collecting)
        if not own:
            own = own_services(sources.topology, names, rule.view().dimensions)
        reading = _around(sources, own, collecting)
        reading.begin()
        reading.begin_neighbours(told)
        onset = rule.onset()
        if told is None:
            # Only the rule names the metric.
            told = rule.told
            reading.begin_neighbours(told)
        reading.begin_logs(onset, own)
        reading.join_tags(onset)
        alarm = rule.view()
        findings = read_findings(reading, alarm, tuple(service.name for service in own), told)
    finally:
        collecting.end()
    seen = tuple(dict.fromkeys((*alarm.seen, *reading.seen)))
    learned = tuple(reading.learned.values())
    return _Seen(alarm, findings, rank(findings), seen, learned, collecting.not_checked)


def _hit(findings: Findings, topology: Topology) -> tuple[Impact, ...]:
    """Return what the users of affected services get; where none is, of resources that tell it themselves."""
    affected = tuple(finding.impact for finding in findings.services if finding.affected)
    tiers = [service.tier for name in findings.own if (service := topology.service(name)) is not None]
    tier = min(tiers, default=None)
    return affected or tuple(one.model_copy(update={"tier": tier}) for one in _suffering(findings))


def _suffering(findings: Findings) -> tuple[Impact, ...]:
    return tuple(one.impact for one in findings.resources if one.is_sick and one.impact is not None)


def _unread(findings: Findings, topology: Topology) -> tuple[Impact, ...]:
    """Return what the alarm speaks of and of whose requests it is not known how many fail, as impacts of no figures.

    Where it speaks of no service that is known, that is what it watches, unless that was read and is well.
    """
    if not findings.own:
        blind = [one.resource for one in findings.resources if one.is_sick or not one.checked]
        names = blind if findings.resources else ["what the alarm watches"]
        return tuple(Impact(component=name) for name in names)
    unread = []
    for name in findings.own:
        finding, service = findings.service(name), topology.service(name)
        if finding is None or not (
            finding.affected or finding.checked or finding.impact.error_share is not None
        ):
            unread.append(Impact(component=name, tier=service.tier if service else None))
    return tuple(unread)


def _around(sources: Sources, own: tuple[Service, ...], collecting: Collecting) -> Around:
    near = around(sources.topology, own)
    collecting.missing += [f"service {service.name}" for service in near[SERVICES:]]
    near = near[:SERVICES]
    return Around(sources, collecting, near, parts_of(near, "table"), parts_of(near, "queue"))


def _healthy(findings: Findings, sick: tuple[str, ...]) -> tuple[str, ...]:
    """Return the parts that were checked and fare as before."""
    names = [one.service.name for one in findings.services if one.is_known]
    names += [one.resource for one in findings.resources if one.checked]
    names += [one.table for one in findings.tables] + [one.queue for one in findings.queues]
    return tuple(name for name in names if name not in sick)
