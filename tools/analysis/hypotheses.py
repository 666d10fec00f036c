"""Rank what may have caused an incident, from findings alone.

A cause is named only where three things meet: the part is affected, nothing it depends on is affected, and something
happened to that part at the onset (a rollout, a change), or it says itself that it is full (a table that throttles) or
that a part outside fails it. A symptom without such a cause is left unresolved, and so is one that two different causes
explain as well as each other: to undo the wrong one would do harm and cure nothing.
"""

from datetime import datetime, timedelta

from memory.records.assessment import CauseKind, Hypothesis, Verdict
from tools.analysis.findings import AccountChange, Findings, Rollout, ServiceFinding, TableFinding
from tools.analysis.outside import blamed_outside
from tools.analysis.tables import FULL

BEFORE_ONSET = timedelta(minutes=15)
# A datapoint is dated by the start of its minute, so what it shows may have begun up to a minute later.
AFTER_ONSET = timedelta(seconds=90)
NAMED = 0.6
# Two causes that are less far apart are not told apart, and neither is more likely than not.
APART = 0.1
EVEN = 0.5
NOT_KNOWN = "the cause is not known"


def rank(findings: Findings) -> tuple[Verdict, tuple[Hypothesis, ...], str]:
    """Return the verdict, the hypotheses most likely first, and the reason in a sentence."""
    affected = [finding for finding in findings.services if finding.affected]
    throttled = [table for table in findings.tables if table.throttled]
    candidates = [
        *(_of_rollout(rollout, findings) for rollout in findings.rollouts),
        *(_of_change(change, findings) for change in findings.changes if not _made_full(change, throttled)),
        *(_of_table(table, findings) for table in throttled),
        *(_of_outside(part, one, findings) for one in affected for part in blamed_outside(one)),
    ]
    ranked = _likely_first(*candidates)
    if not affected and not throttled:
        return _without_symptom(findings, ranked)
    rivals = _rivals(ranked, findings)
    if rivals:
        return _not_told_apart(rivals, ranked)
    if ranked and ranked[0].confidence >= NAMED:
        return Verdict.CAUSE, ranked, ranked[0].statement
    hit = sorted(finding.service.name for finding in affected) or [table.table for table in throttled]
    reason = f"{_listed(hit)} affected, and no change or full part that was seen explains it: {NOT_KNOWN}"
    return Verdict.UNRESOLVED, _likely_first(_unknown(findings, affected, reason), *ranked), reason


def _rivals(ranked: tuple[Hypothesis, ...], findings: Findings) -> tuple[Hypothesis, ...]:
    """Return the leading cause with those of another kind or change that explain the same part as well.

    Of several deployments of one part only the newest ran, so they are no rivals.
    """
    if not ranked or ranked[0].confidence < NAMED:
        return ()
    leading, part = ranked[0], _part_of(ranked[0], findings)
    others = [
        one
        for one in ranked[1:]
        if one.confidence >= max(NAMED, leading.confidence - APART)
        and _part_of(one, findings) == part
        and (one.kind, one.component, one.change) != (leading.kind, leading.component, leading.change)
        and not (one.kind is leading.kind is CauseKind.DEPLOYMENT)
    ]
    return (leading, *others) if others else ()


def _part_of(hypothesis: Hypothesis, findings: Findings) -> str:
    """Return the part that a hypothesis explains: of a setting, the one that its change names."""
    named = (change.component for change in findings.changes if change.setting == hypothesis.component)
    return next(named, hypothesis.component)


def _not_told_apart(
    rivals: tuple[Hypothesis, ...], ranked: tuple[Hypothesis, ...]
) -> tuple[Verdict, tuple[Hypothesis, ...], str]:
    told = " ".join(one.statement for one in rivals)
    reason = f"{len(rivals)} causes explain it as well as each other, so {NOT_KNOWN}: {told}"
    even = [one.model_copy(update={"confidence": EVEN}) if one in rivals else one for one in ranked]
    return Verdict.UNRESOLVED, _likely_first(*even), reason


def _likely_first(*hypotheses: Hypothesis) -> tuple[Hypothesis, ...]:
    return tuple(sorted(hypotheses, key=lambda hypothesis: -hypothesis.confidence))


def is_near(moment: datetime, onset: datetime) -> bool:
    """Say whether something happened when it could have caused what began at the onset."""
    return -BEFORE_ONSET <= moment - onset <= AFTER_ONSET


def _without_symptom(
    findings: Findings, ranked: tuple[Hypothesis, ...]
) -> tuple[Verdict, tuple[Hypothesis, ...], str]:
    """Nobody is hit: noise when that was really checked and the alarm's own past explains it, else unresolved."""
    checked = [finding for finding in findings.services if finding.checked]
    missing = set(findings.own) - {finding.service.name for finding in checked}
    if not checked or missing or findings.unread:
        what = _listed(sorted(missing | set(findings.unread)), verb="") or "what the alarm watches"
        reason = f"no service that was checked is affected, but too little could be checked: not {what}"
    elif not (findings.earlier_spikes or findings.alarm_is_over):
        names = ", ".join(sorted(finding.service.name for finding in checked))
        reason = f"errors and latency of {names} are as before, but nothing explains why the alarm fired"
    else:
        return _noise(findings, checked, ranked)
    return Verdict.UNRESOLVED, _likely_first(_unknown(findings, [], reason), *ranked), reason


def _noise(
    findings: Findings, checked: list[ServiceFinding], ranked: tuple[Hypothesis, ...]
) -> tuple[Verdict, tuple[Hypothesis, ...], str]:
    names = ", ".join(sorted(finding.service.name for finding in checked))
    times = "once" if findings.earlier_spikes == 1 else f"{findings.earlier_spikes} times"
    past = (
        f"the same spike came {times} before in the time that was read"
        if findings.earlier_spikes
        else "the metric has gone back by itself"
    )
    reason = f"no impact: errors and latency of {names} are as before, and {past}"
    noise = Hypothesis(
        kind=CauseKind.NOISE,
        component=checked[0].service.name,
        statement=f"Nobody is affected, {reason}.",
        evidence_for=_ids(*findings.alarm_evidence_ids, *(i for f in checked for i in f.evidence_ids)),
        confidence=0.85 if findings.earlier_spikes else 0.7,
    )
    return Verdict.NOISE, (noise, *ranked), reason


def _of_rollout(rollout: Rollout, findings: Findings) -> Hypothesis:
    finding = _finding(rollout.service, findings)
    near, affected, deepest = _standing(rollout.service, rollout.at, findings)
    speaks = finding is not None and any(change.is_new for change in finding.log_changes)
    brought = rollout.brought
    score = 0.05 + 0.3 * near + 0.2 * affected + (near and deepest) * (0.2 + 0.15 * speaks)
    when, onset = _when(rollout.at, findings.onset), f"{findings.onset:%H:%M:%S}"
    went = f"{brought} went out to {rollout.service} at {when} UTC"
    if near and deepest:
        statement = (
            f"The deployment of {brought} to {rollout.service} at {when} UTC broke it; "
            f"the change of level began at {onset} UTC."
        )
    elif not near:
        statement = f"{went}, which does not fit the onset at {onset} UTC."
    elif not affected:
        statement = f"{went}, near the onset, but {rollout.service} is not affected."
    else:
        statement = (
            f"{went}, near the onset, but something that {rollout.service} depends on is affected too."
        )
    support, against = _for_and_against(rollout.evidence_id, finding, near, affected)
    if speaks and finding is not None and finding.log_evidence_id:
        support.append(finding.log_evidence_id)
    return Hypothesis(
        kind=CauseKind.DEPLOYMENT,
        component=rollout.service,
        change=rollout.task_definition,
        statement=statement,
        evidence_for=_ids(*support),
        evidence_against=_ids(*against),
        confidence=round(score, 2),
    )


def _of_change(change: AccountChange, findings: Findings) -> Hypothesis:
    finding = _finding(change.component, findings)
    near, affected, deepest = _standing(change.component, change.at, findings)
    fits = "fits" if near else "does not fit"
    when = _when(change.at, findings.onset)
    changed = f"{change.setting} of {change.component}" if change.setting else change.component
    support, against = _for_and_against(change.evidence_id, finding, near, affected)
    return Hypothesis(
        kind=CauseKind.CONFIGURATION,
        component=change.setting or change.component,
        change=change.event,
        statement=f"{change.event} changed {changed} at {when} UTC, which {fits} the onset.",
        evidence_for=_ids(*support),
        evidence_against=_ids(*against),
        confidence=round(0.05 + 0.3 * near + 0.2 * affected + 0.2 * (near and deepest), 2),
    )


def _standing(component: str, at: datetime, findings: Findings) -> tuple[bool, bool, bool]:
    """Say whether a change came near the onset, hit an affected part, and one with nothing affected below."""
    finding = _finding(component, findings)
    full = any(table.table == component and table.throttled for table in findings.tables)
    affected = full or (finding is not None and finding.affected)
    deepest = affected and not (finding is not None and _affected_below(finding, findings))
    return is_near(at, findings.onset), affected, deepest


def _for_and_against(
    evidence_id: str, finding: ServiceFinding | None, near: bool, affected: bool
) -> tuple[list[str], list[str]]:
    support, against = ([evidence_id], []) if near else ([], [evidence_id])
    if finding is not None:
        (support if affected else against).extend(finding.evidence_ids)
    return support, against


def _finding(component: str, findings: Findings) -> ServiceFinding | None:
    return next((f for f in findings.services if f.service.name == component), None)


def _affected_below(finding: ServiceFinding, findings: Findings) -> bool:
    names = {dependency.name for dependency in finding.service.depends_on}
    below = any(other.affected for other in findings.services if other.service.name in names)
    full = any(table.throttled for table in findings.tables if table.table in names)
    return below or full or bool(blamed_outside(finding))


def _made_full(change: AccountChange, throttled: list[TableFinding]) -> bool:
    """Say whether a change is of a table that is full: then what fills it is told by the table itself."""
    return any(table.table == change.component and table.limit is not None for table in throttled)


def _of_outside(part: str, finding: ServiceFinding, findings: Findings) -> Hypothesis:
    """Blame a part outside by what its caller says, unless something happened to the caller itself as well."""
    name, onset = finding.service.name, findings.onset
    at_once = [
        *(
            rollout.evidence_id
            for rollout in findings.rollouts
            if _hits(rollout.service, rollout.at, name, onset)
        ),
        *(
            change.evidence_id
            for change in findings.changes
            if _hits(change.component, change.at, name, onset)
        ),
    ]
    # A caller that was changed just then may itself be why its calls fail.
    also = f", but {name} was changed then too" if at_once else ""
    support = (*finding.evidence_ids, *([finding.log_evidence_id] if finding.log_evidence_id else []))
    return Hypothesis(
        kind=CauseKind.DEPENDENCY,
        component=part,
        change="outage",
        statement=f"Calls of {name} to {part}, which lies outside, fail since {onset:%H:%M:%S} UTC{also}.",
        evidence_for=_ids(*support),
        evidence_against=_ids(*at_once),
        confidence=EVEN if at_once else 0.8,
    )


def _hits(part: str, at: datetime, name: str, onset: datetime) -> bool:
    return part == name and is_near(at, onset)


def _of_table(table: TableFinding, findings: Findings) -> Hypothesis:
    hit = [
        finding
        for finding in findings.services
        if finding.affected and any(d.name == table.table for d in finding.service.depends_on)
    ]
    full = table.used_share is not None and table.used_share >= FULL
    of = f"its {table.limit}" if table.limit else "its provisioned capacity"
    share = f" at {table.used_share:.0%} of {of}" if table.used_share is not None else ""
    who = (
        f"{_listed(sorted(f.service.name for f in hit))} affected with it" if hit else "no caller is affected"
    )
    return Hypothesis(
        kind=CauseKind.CAPACITY,
        component=table.table,
        change=table.limit,
        statement=f"The table {table.table} throttles requests{share}, and {who}.",
        evidence_for=_ids(table.evidence_id, *(i for finding in hit for i in finding.evidence_ids)),
        confidence=round(0.5 + 0.2 * bool(hit) + 0.2 * full, 2),
    )


def _unknown(findings: Findings, affected: list[ServiceFinding], reason: str) -> Hypothesis:
    """Say that the cause was not seen, at the deepest part that is affected."""
    deepest = [finding for finding in affected if not _affected_below(finding, findings)] or affected
    named = [*(finding.service.name for finding in deepest), *findings.own, "unknown"]
    seen = [i for finding in affected for i in finding.evidence_ids]
    return Hypothesis(
        kind=CauseKind.UNKNOWN,
        component=named[0],
        statement=f"The cause is not in the evidence: {reason}.",
        evidence_for=_ids(*(seen or findings.alarm_evidence_ids)),
        confidence=0.3,
    )


def _when(moment: datetime, onset: datetime) -> str:
    return f"{moment:%H:%M:%S}" if moment.date() == onset.date() else f"{moment:%Y-%m-%d %H:%M:%S}"


def _listed(names: list[str], verb: str | None = None) -> str:
    """Join names with a verb that agrees; an empty verb is left out."""
    verb = verb if verb is not None else ("is" if len(names) == 1 else "are")
    return f"{', '.join(names)} {verb}".strip()


def _ids(*ids: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))
