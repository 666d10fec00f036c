"""Rank what may have caused an incident, from findings alone.

A cause is named only where three things meet: the part is sick, nothing it depends on is sick, and something happened
to that part at its own onset (a deployment, a change), or it says itself that it is full (a table that throttles,
tasks that are busy, a function that may not run), that one message blocks it, or that a part outside fails it. Each
sick part that suffers from no other has a cause of its own: the smallest set has one for each. A symptom without such
a cause is left unresolved, and so is one that two different causes explain as well as each other: to undo the wrong
one would do harm and cure nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from memory.records.assessment import CauseKind, Hypothesis, Verdict
from tools.analysis.causes.candidate import EVEN, NAMED, Candidate, ids, listed
from tools.analysis.causes.deployments import of_rollout
from tools.analysis.causes.elsewhere import of_outside, unknown
from tools.analysis.causes.fullness import of_function, of_memory, of_resource, of_service, of_table
from tools.analysis.causes.messages import of_queue
from tools.analysis.causes.quotas import of_quota
from tools.analysis.causes.settings import of_change
from tools.analysis.causes.starting import of_stops
from tools.analysis.causes.tasks import of_task
from tools.analysis.findings import Findings
from tools.analysis.outside import blamed_outside
from tools.analysis.paths import causal_path, nearest_first
from tools.analysis.symptoms import roots, sick_parts

# Two causes that are less far apart are not told apart, and neither is more likely than not.
APART = 0.1
NOT_KNOWN = "the cause is not known"
NUMBERS = ("no", "one", "two", "three", "four", "five")


@dataclass(frozen=True)
class Ranking:
    """What findings come to: a verdict, hypotheses most likely first, the causes among them, and where they lead."""

    verdict: Verdict
    hypotheses: tuple[Hypothesis, ...]
    reason: str
    causes: tuple[Hypothesis, ...] = ()
    causal_path: tuple[str, ...] = ()


def rank(findings: Findings) -> Ranking:
    """Return the verdict, the hypotheses most likely first, the smallest set of causes, and the reason."""
    candidates = _candidates(findings)
    ranked = _likely_first(*(one.hypothesis for one in candidates))
    sick = sick_parts(findings)
    if not sick:
        return _without_symptom(findings, ranked)
    found, rivals = _explained(candidates, findings)
    if not found and rivals:
        return _not_told_apart(rivals, ranked)
    if not found:
        reason = (
            f"{listed(_hit(findings))} affected, and no change or full part that was seen explains it: "
            f"{NOT_KNOWN}"
        )
        return Ranking(
            Verdict.UNRESOLVED, _likely_first(unknown(findings, reason), *_leads(ranked, ())), reason
        )
    ordered = nearest_first(found, findings)
    causes = tuple(one.hypothesis for one in ordered)
    others = _leads(ranked, causes)
    return Ranking(Verdict.CAUSE, (*causes, *others), _told(causes), causes, causal_path(ordered, findings))


def _candidates(findings: Findings) -> list[Candidate]:
    """Return all possible causes; a change that made a part too small is told by what says so, not beside it."""
    full = [of_table(table, findings) for table in findings.tables if table.is_sick]
    for one in findings.services:
        # A part that a quota holds back is no larger than the quota lets it be.
        quota = of_quota(one, findings)
        own = (quota,) if quota else (of_service(one, findings), of_function(one, findings))
        full += [found for found in own if found]
    absorbed = {id(change) for candidate in full for change in candidate.changes}
    deployed = [of_rollout(rollout, findings) for rollout in findings.rollouts]
    leaking = {one.part for one in deployed if one.hypothesis.confidence >= NAMED}
    memory = [found for one in findings.services for found in (of_memory(one), of_stops(one)) if found]
    full += [found for one in findings.resources if (found := of_resource(one))]
    return [
        *deployed,
        *(of_change(change, findings) for change in findings.changes if id(change) not in absorbed),
        *full,
        *(one for one in memory if one.part not in leaking),
        *(found for queue in findings.queues if (found := of_queue(queue, findings))),
        *(found for one in findings.services if (found := of_task(one, findings))),
        *(of_outside(part, one, findings) for one in findings.services for part in blamed_outside(one)),
    ]


def _explained(
    candidates: Sequence[Candidate], findings: Findings
) -> tuple[list[Candidate], tuple[Hypothesis, ...]]:
    """Return the cause of each part that suffers from no other, and those that are not told apart, if any."""
    found: list[Candidate] = []
    even: tuple[Hypothesis, ...] = ()
    for part in roots(findings):
        likely = sorted(
            (one for one in candidates if one.part == part and one.hypothesis.confidence >= NAMED),
            key=lambda one: -one.hypothesis.confidence,
        )
        rivals = [one.hypothesis for one in likely[1:] if _rivals(likely[0].hypothesis, one.hypothesis)]
        if rivals:
            even = even or (likely[0].hypothesis, *rivals)
        elif likely:
            found.append(likely[0])
    return found, even


def _rivals(leading: Hypothesis, other: Hypothesis) -> bool:
    """Say whether two causes explain one part as well as each other.

    Of several deployments of one part only the newest ran, so they are no rivals.
    """
    if other.confidence < leading.confidence - APART:
        return False
    if other.kind is leading.kind is CauseKind.DEPLOYMENT:
        return False
    return (other.kind, other.component, other.change) != (leading.kind, leading.component, leading.change)


def _leads(ranked: Sequence[Hypothesis], causes: Sequence[Hypothesis]) -> tuple[Hypothesis, ...]:
    """Return the other hypotheses; what is not claimed as a cause is no likelier than not."""
    return tuple(
        one if one.confidence < NAMED else one.model_copy(update={"confidence": EVEN})
        for one in ranked
        if one not in causes
    )


def _told(causes: Sequence[Hypothesis]) -> str:
    if len(causes) == 1:
        return causes[0].statement
    number = NUMBERS[len(causes)] if len(causes) < len(NUMBERS) else str(len(causes))
    return f"{number} independent causes: {' '.join(one.statement for one in causes)}"


def _hit(findings: Findings) -> list[str]:
    affected = sorted(one.service.name for one in findings.services if one.affected)
    return affected or sorted(sick_parts(findings))


def _not_told_apart(rivals: tuple[Hypothesis, ...], ranked: tuple[Hypothesis, ...]) -> Ranking:
    told = " ".join(one.statement for one in rivals)
    reason = f"{len(rivals)} causes explain it as well as each other, so {NOT_KNOWN}: {told}"
    even = [one.model_copy(update={"confidence": EVEN}) if one in rivals else one for one in ranked]
    return Ranking(Verdict.UNRESOLVED, _likely_first(*_leads(even, ())), reason)


def _likely_first(*hypotheses: Hypothesis) -> tuple[Hypothesis, ...]:
    return tuple(sorted(hypotheses, key=lambda hypothesis: -hypothesis.confidence))


def _without_symptom(findings: Findings, ranked: tuple[Hypothesis, ...]) -> Ranking:
    """Nobody is hit: noise when that was really checked and the alarm's own past explains it, else unresolved."""
    checked = {one.service.name: one.evidence_ids for one in findings.services if one.checked}
    checked |= {one.resource: one.evidence_ids for one in findings.resources if one.checked}
    blind = {one.resource for one in findings.resources if not one.checked}
    missing = (set(findings.own) - set(checked)) | blind
    unread = {*findings.unread, *(what for one in findings.services for what in one.unread)}
    if not checked or missing or unread:
        what = listed(sorted(missing | unread), "") or "what the alarm watches"
        reason = f"no service that was checked is affected, but too little could be checked: not {what}"
    elif not (findings.earlier_spikes or findings.is_usual or findings.alarm_is_over):
        names = ", ".join(sorted(checked))
        reason = f"errors and latency of {names} are as before, but nothing explains why the alarm fired"
    else:
        return _noise(findings, checked, ranked)
    return Ranking(Verdict.UNRESOLVED, _likely_first(unknown(findings, reason), *_leads(ranked, ())), reason)


def _noise(
    findings: Findings, checked: Mapping[str, tuple[str, ...]], ranked: tuple[Hypothesis, ...]
) -> Ranking:
    names = ", ".join(sorted(checked))
    times = "once" if findings.earlier_spikes == 1 else f"{findings.earlier_spikes} times"
    if findings.earlier_spikes:
        past = f"the same spike came {times} before in the time that was read"
    elif findings.is_usual:
        past = "the metric does the same at this time on earlier days"
    else:
        past = "the metric has gone back by itself"
    reason = f"no impact: errors and latency of {names} are as before, and {past}"
    noise = Hypothesis(
        kind=CauseKind.NOISE,
        component=next(iter(checked)),
        statement=f"Nobody is affected, {reason}.",
        evidence_for=ids(*findings.alarm_evidence_ids, *(i for found in checked.values() for i in found)),
        confidence=0.85 if findings.earlier_spikes else 0.7,
    )
    return Ranking(Verdict.NOISE, (noise, *_leads(ranked, ())), reason)
