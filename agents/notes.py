"""What is told about an incident, written by code: facts under their labels, and an opening for each occasion."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from agents.decided import decided
from memory.records.approval import ONE_PERSON, ApprovalRequest, ApprovalStatus, Decision
from memory.records.assessment import IN_PART, Assessment, CauseKind, FirstLook, Hypothesis, Impact, Verdict
from memory.records.incident import Incident, Severity, Status
from memory.records.outcome import DeadLetters, Execution, ExecutionState, Verification, undo_of
from memory.records.plan import Plan, PlannedAction, Review, reviews_of

FIRST_NOTE = "first_note"
APPROVAL = "approval"
PEOPLE_NEEDED = "people_needed"
UPDATE = "update"
CLOSING = "closing"

MOST_CITED = 6
# The record names the rest of what was not read.
MOST_UNREAD = 10
MOST_GIVEN = 400
_TO_PEOPLE = frozenset({Status.ESCALATED, Status.UNRESOLVED})
_UNCERTAIN = frozenset({ExecutionState.CLAIMED, ExecutionState.CALLED, ExecutionState.UNDECIDED})

Facts = dict[str, str]


def facts_of(
    incident: Incident,
    *,
    first_look: FirstLook | None = None,
    assessment: Assessment | None = None,
    plan: Plan | None = None,
    reviews: Sequence[Review] = (),
    approval: ApprovalRequest | None = None,
    decision: Decision | None = None,
    decisions: Iterable[Decision] = (),
    executions: Iterable[Execution] = (),
    verification: Verification | None = None,
    status: Status | None = None,
    reason: str = "",
    left: Iterable[DeadLetters] = (),
) -> Facts:
    """Return every number, name and time that a message may hold, in the order people read them."""
    done = tuple(executions)
    facts = {
        "alarm": incident.alarm.name,
        "severity": _severity(first_look, assessment),
        "status": status.value.replace("_", " ") if status else "",
        "reason": reason,
        **_found(first_look, assessment),
        **_done(plan, approval, decided(decision, decisions), done, verification),
        **(_decided_on(plan, reviews, approval) if plan and approval else {}),
        **(_in_place(done) if status in _TO_PEOPLE else {}),
        "dead_letters": "; ".join(map(str, left)),
        "alarm_since": stamp(incident.episode_started_at),
        "account": f"{incident.scope.account} in {incident.scope.region}",
        "incident": incident.incident_id,
    }
    return _said_once(facts)


def stamp(moment: datetime | None) -> str:
    """Write a time of the account, in UTC, to the second."""
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC") if moment else ""


def spoken(action: PlannedAction) -> str:
    """Write an action with its parameters, as people read it."""
    given = ", ".join(f"{name}={value}" for name, value in action.parameters.items())
    return f"{action.action} ({given})"


def subject_of(kind: str, facts: Mapping[str, str]) -> str:
    """Return the subject line: severity, alarm and occasion."""
    told = {
        FIRST_NOTE: "first look",
        APPROVAL: "your decision is needed",
        PEOPLE_NEEDED: "people are needed",
        UPDATE: "update",
        CLOSING: facts.get("status", "closed"),
    }.get(kind, kind.replace("_", " "))
    return f"[{facts.get('severity', 'unknown')}] {facts.get('alarm', 'alarm')}: {told}"[:100]


def opening_of(kind: str, facts: Mapping[str, str]) -> str:
    """Return the opening that code writes; it stands whenever a model's does not."""
    alarm = facts.get("alarm", "The alarm")
    found = facts.get("cause") or facts.get("first_look") or facts.get("summary") or "no cause is known"
    if kind == FIRST_NOTE:
        return f"{alarm} went off: {_sentence(found)} {_sentence(facts.get('impact', ''))}".strip()
    if kind == APPROVAL:
        wanted = facts.get("proposed", "a change")
        until = f" until {facts['decide_by']}" if "decide_by" in facts else ""
        asked = f"A person must decide{until} on this change: {wanted}. {_sentence(found)}"
        several = (
            f"It takes {facts['needed']}."
            if not facts.get("needed", ONE_PERSON).startswith(ONE_PERSON)
            else ""
        )
        drifted = f"A runbook no longer fits the account: {facts['drifted']}" if "drifted" in facts else ""
        return " ".join(filter(None, (asked.strip(), several, _sentence(drifted))))
    if kind == PEOPLE_NEEDED:
        return f"{alarm}: {_sentence(found)} {_sentence(facts.get('reason', ''))}".strip()
    if kind == CLOSING:
        told = [f"ended as {facts.get('status', 'closed')}", facts.get("reason", "")]
        done = f" Done: {_sentence(facts['done'])}" if "done" in facts else ""
        return f"The incident of {alarm} {_sentence(': '.join(part for part in told if part))}{done}"
    return f"{alarm}: {_sentence(facts.get('reason', found))}"


def listed(facts: Mapping[str, str]) -> str:
    """Return the facts as lines of a message."""
    return "\n".join(f"{label.replace('_', ' ')}: {text}" for label, text in facts.items())


def _severity(first_look: FirstLook | None, assessment: Assessment | None) -> str:
    severity: Severity | None = None
    if assessment is not None:
        severity = assessment.severity
    elif first_look is not None:
        severity = first_look.severity
    return severity.value if severity else ""


def _found(first_look: FirstLook | None, assessment: Assessment | None) -> Facts:
    facts: Facts = {}
    if first_look is not None:
        facts |= {
            "first_look": first_look.reason if assessment is None else "",
            "impact": first_look.severity_reason,
            "onset": stamp(first_look.onset),
            "affected": ", ".join(first_look.affected),
        }
    if first_look is not None and assessment is None:
        facts |= _alone(first_look)
    if assessment is not None:
        facts |= {
            "verdict": assessment.verdict.value,
            "cause": " ".join(_sentence(one.statement) for one in assessment.found_causes),
            "summary": assessment.summary,
            "leads": _leads(assessment),
            "confidence": f"{assessment.confidence:.2f}",
            "evidence": _evidence(assessment.found_causes or assessment.hypotheses[:1]),
            "causal_path": " to ".join(assessment.causal_path),
            "healthy": ", ".join(assessment.healthy),
            "changed_otherwise": ", ".join(assessment.changed_otherwise),
            "not_checked": _unchecked(assessment.not_checked, first_look),
            "gaps": _gaps(assessment),
            "orders_found": _orders(assessment),
            "not_scanned": _unscanned(assessment),
        }
    return facts


def _alone(first_look: FirstLook) -> Facts:
    """Return what the first look says while it stands alone: who is hit, what changed, what it rests on."""
    hit = [one for one in first_look.impacts if one.component in first_look.affected]
    changed = first_look.changes[:MOST_CITED]
    return {
        "hit": "; ".join(filter(None, map(_hit, hit))),
        "changed": "; ".join(changed) or "nothing that was seen",
        "messages_given_up": "; ".join(first_look.given_up),
        "log_lines": "; ".join(first_look.log_shifts),
        "causal_path": " to ".join(first_look.causal_path),
        "changed_otherwise": ", ".join(first_look.changed_otherwise),
        "healthy": ", ".join(first_look.healthy),
        "evidence": _evidence(first_look.causes or first_look.hypotheses[:1]),
        "not_checked": _unchecked(first_look.not_checked, first_look) or "nothing of what was looked for",
    }


def _unchecked(texts: Sequence[str], first_look: FirstLook | None) -> str:
    """Name what was not checked: what others say than the first look, what was not read, what was read in part."""
    known = first_look.not_checked if first_look is not None else ()
    whole = sorted((one for one in texts if not one.endswith(IN_PART)), key=lambda one: one in known)
    rest = [one.removesuffix(IN_PART) for one in texts if one.endswith(IN_PART)]
    told = [*whole[:MOST_UNREAD], *([f"{len(whole) - MOST_UNREAD} more"] if len(whole) > MOST_UNREAD else [])]
    return "; ".join((*told, f"not all of {_named(rest)}") if rest else told)


def _hit(impact: Impact) -> str:
    """Say in figures how requests of one service fare, against how they did."""
    told = []
    if impact.error_share is not None:
        was = f" ({impact.error_share_before:.1%} before)" if impact.error_share_before is not None else ""
        told.append(f"{impact.error_share:.1%} of requests fail{was}")
    if impact.latency_ms is not None:
        was = f" ({impact.latency_ms_before:.0f} before)" if impact.latency_ms_before is not None else ""
        told.append(f"p99 {impact.latency_ms:.0f} ms{was}")
    tier = f" (tier {impact.tier})" if impact.tier is not None else ""
    return f"{impact.component}{tier}: {', '.join(told)}" if told else ""


def _leads(assessment: Assessment) -> str:
    """Return what people may look into where no cause is shown."""
    if assessment.verdict is not Verdict.UNRESOLVED:
        return ""
    known = {CauseKind.UNKNOWN, CauseKind.NOISE}
    return "; ".join(h.statement for h in assessment.hypotheses if h.kind not in known and h.evidence_for)


def _gaps(assessment: Assessment) -> str:
    named = assessment.gaps[:MOST_CITED]
    left = len(assessment.gaps) - len(named) + assessment.gaps_unnamed
    return "; ".join(named) + (f"; and {left} more" if left else "")


def _evidence(hypotheses: Iterable[Hypothesis]) -> str:
    return _named(tuple(dict.fromkeys(one for hypothesis in hypotheses for one in hypothesis.evidence_for)))


def _named(cited: Sequence[str]) -> str:
    more = f" and {len(cited) - MOST_CITED} more" if len(cited) > MOST_CITED else ""
    return ", ".join(cited[:MOST_CITED]) + more


def _orders(assessment: Assessment) -> str:
    """Name the evidence in which somebody gives orders; what it says is repeated nowhere."""
    found = _named(assessment.flagged)
    told = "text that gives orders, or that a guardrail objects to, stands in"
    return f"{told} {found}; it was withheld from the models and not followed" if found else ""


def _unscanned(assessment: Assessment) -> str:
    """Name the evidence that no guard could look at, and how it was treated."""
    found = _named(assessment.unscanned)
    told = "it was withheld from the models, and no explanation rests on it alone"
    return f"no guard could look at {found}: {told}" if found else ""


def _done(
    plan: Plan | None,
    approval: ApprovalRequest | None,
    decision: Facts,
    executions: Iterable[Execution],
    verification: Verification | None,
) -> Facts:
    facts: Facts = {}
    if plan is not None:
        facts["proposed"] = "; ".join(spoken(action) for action in plan.actions)
        facts["no_action"] = plan.no_action_reason or ""
        facts["alternatives"] = "; ".join(plan.alternatives)
    if approval is not None:
        facts["plan"] = approval.plan_hash[:12]
        facts["decide_by"] = stamp(approval.expires_at)
    facts |= decision
    acted = tuple(executions)
    facts["done"] = "; ".join(_told(execution, _undo_of(execution, acted)) for execution in acted)
    if verification is not None:
        facts["recovery"] = f"{verification.recovery.value.replace('_', ' ')}: {verification.detail}"
        facts["alarm_state"] = verification.alarm_state
        facts["recovered_at"] = stamp(verification.recovered_at)
    return facts


def _decided_on(plan: Plan, reviews: Sequence[Review], approval: ApprovalRequest) -> Facts:
    """Return what a decision that is still to be made rests on; afterwards it is no news."""
    if approval.status is not ApprovalStatus.PENDING or approval.plan_hash != plan.plan_hash:
        return {}
    ruled = reviews_of(plan.actions, reviews)
    return {
        "why": _of_each(plan.actions, [one.why for one in plan.actions]),
        "expected": _of_each(plan.actions, [x.told_expected for x in plan.actions]) or plan.expected_effect,
        "wrong_if": _of_each(plan.actions, [one.falsified_by for one in plan.actions]),
        "touches": _of_each(ruled, [one.blast_radius for one in ruled]),
        "way_back": _of_each(ruled, [one.way_back for one in ruled]),
        "no_way_back": "; ".join(approval.no_way_back_beside(ruled)),
        "drifted": "; ".join(map(str, plan.drift)),
        "frozen": approval.freeze_beside(ruled),
        "asked_because": _of_each(ruled, ["; ".join(one.reasons) for one in ruled]),
        "needed": approval.needed,
    }


def _of_each(actions: Sequence[PlannedAction | Review], told: Sequence[str]) -> str:
    """Join what is told of each action, under its name where there are several."""
    if len(actions) == 1:
        return told[0]
    return "; ".join(f"{one.action}: {text}" for one, text in zip(actions, told, strict=True) if text)


def _in_place(executions: Sequence[Execution]) -> Facts:
    """Return what was changed and not taken back, and how people can do that; nobody else will."""
    left = [one for one in executions if _is_left(one, _undo_of(one, executions))]
    return {
        "still_in_place": "; ".join(
            f"{one.action} ({_given(one.parameters)}), {_standing(one, _undo_of(one, executions))}"
            for one in left
        ),
        "undo_by_hand": "; ".join(
            f"{one.action} with {_given(one.inverse)}"
            if one.inverse
            else f"{one.action} has no inverse; before it: {_given(one.before) or 'not known'}"
            for one in left
        ),
    }


def _undo_of(execution: Execution, executions: Iterable[Execution]) -> Execution | None:
    return next((one for one in executions if one.action_id == undo_of(execution.action_id)), None)


def _is_left(execution: Execution, undo: Execution | None) -> bool:
    """Say whether an action may still be in effect; one that was undone is where its undo failed after that."""
    if execution.is_revert:
        return False
    return execution.was_accepted or execution.state in _UNCERTAIN or _failed_undo(execution, undo)


def _failed_undo(execution: Execution, undo: Execution | None) -> bool:
    reverted = execution.state is ExecutionState.REVERTED
    return reverted and undo is not None and undo.state is not ExecutionState.DONE


def _standing(execution: Execution, undo: Execution | None) -> str:
    if undo is not None and _failed_undo(execution, undo):
        return f"whose undo is {undo.state.value}"
    return f"{execution.state.value} since {stamp(execution.done_at or execution.claimed_at)}"


def _given(parameters: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in parameters.items())[:MOST_GIVEN]


def _told(execution: Execution, its_undo: Execution | None) -> str:
    undo = "undo of " if execution.is_revert else ""
    when = f" at {stamp(execution.done_at)}" if execution.done_at else ""
    detail = f" ({execution.detail})" if execution.detail else ""
    if _failed_undo(execution, its_undo):
        return f"{execution.action} was done{when}{detail}"
    if execution.state is ExecutionState.REVERTED:
        return f"{execution.action} was done{when} and undone{detail}"
    return f"{undo}{execution.action} is {execution.state.value}{when}{detail}"


def _said_once(facts: Facts) -> Facts:
    """Leave out what is empty or was said under an earlier label. A fact is one line: none may look like another."""
    kept: Facts = {}
    for label, whole in facts.items():
        text = " ".join(whole.splitlines())
        if text and text not in kept.values():
            kept[label] = text
    return kept


def _sentence(text: str) -> str:
    bare = text.strip()
    return bare if not bare or bare[-1] in ".!?" else f"{bare}."
