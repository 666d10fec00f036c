"""The decision door: the only place where a decision comes into being."""

from dataclasses import dataclass
from datetime import datetime

from graphs.copilot import Records
from graphs.run_port import RunHostError, RunPort
from memory.records.approval import MOST_REASON, NAMED_BY, ApprovalRequest, ApprovalStatus, Decision
from memory.records.base import digest
from memory.records.message import CHANNEL, Audience, Message
from memory.records.scope import Principal, PrincipalKind, Role, people_in
from memory.records.timeline import EntryKind, Timer, TimerKind
from memory.stores.leases import IncidentBusyError
from memory.table import ConflictError
from tools.authority import changed_since_asked

TELL_APART = "settings/access.toml says who is who, under named_sessions and [[people]]"
"""What to do about people who count as one."""
BUSY = "another run holds the incident and goes on with it"


class DecisionRefusedError(Exception):
    """This caller cannot decide this, or it is decided already; the message says which and what to do."""


class OtherPlanError(DecisionRefusedError):
    """Another plan is asked than the one that the caller names: they have not seen what they would decide on."""


class NotAllowedError(DecisionRefusedError):
    """The caller does not hold the role that the decision needs."""


@dataclass(frozen=True)
class Decided:
    """A decision that now stands, whether the run could be woken at once, and how many more people have to approve.

    `alike` are who approved before and cannot be told apart from who decided: they count as one person. `held_up` says
    what kept a run from being woken that goes on by this decision.
    """

    decision: Decision
    woken: bool
    held_up: str = ""
    missing: int = 0
    alike: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """Say how many more people have to approve, and whom the last one did not add to; empty when it is enough."""
        if not self.missing:
            return ""
        more = more_of(self.missing)
        if not self.alike:
            return f"{more}, {'' if self.missing == 1 else 'each '}another person"
        return (
            f"{more}: {self.decision.by.id} cannot be told apart from {', '.join(self.alike)}, and counts with them as "
            f"one person; {TELL_APART}"
        )


def more_of(missing: int) -> str:
    """Say how many more people have to approve."""
    return f"{missing} more {'has' if missing == 1 else 'have'} to approve it"


def decide(
    records: Records,
    runs: RunPort,
    incident_id: str,
    by: Principal,
    *,
    plan: str,
    approved: bool,
    reason: str,
    door: str,
    break_glass: bool = False,
    seen: ApprovalRequest | None = None,
) -> Decided:
    """Record one decision on the pending request of an incident, and wake its run once no further one is needed.

    `plan` is the hash of the plan that the caller has seen, or at least its first `NAMED_BY` digits: a decision made
    over another plan's page or prompt is none on this one. `seen` is the request where the caller has just read it: one
    that is no longer pending is refused when the decision is stored.

    Raises `NotAllowedError` for a wrong role, the proposer itself or another tenant, `OtherPlanError` for another plan,
    and `DecisionRefusedError` when nothing waits, the request was changed since, the time is up or not yet begun,
    somebody else decided first or the same person before. With `break_glass`, one approval stands for all of them: it
    needs a role of its own and a reason, and people are paged. A run that cannot be woken now is woken by a sweep.
    """
    request, now = seen or pending_request(records, incident_id), records.clock.now()
    _check_principal(by, request, break_glass=break_glass)
    _check_plan(plan, request)
    _check_reason(reason, approved=approved, break_glass=break_glass)
    _check_stands(records, request, now, approved=approved)
    made = Decision(
        incident_id=incident_id,
        plan_hash=request.plan_hash,
        approved=approved,
        by=by,
        reason=reason,
        decided_at=now,
        door=door,
        request_sha256=request.sha256,
        break_glass=break_glass,
    )
    decision = _signed(records, made)
    standing, due = _stored(records, decision)
    missing, alike = _missing(records, standing, by)
    tell_decision(records, decision, missing)
    if missing:
        _served(records, due)
        return Decided(decision, woken=False, missing=missing, alike=alike)
    held_up = _wake(records, runs, decision)
    return Decided(decision, woken=not held_up, held_up=held_up)


def _stored(records: Records, decision: Decision) -> tuple[ApprovalRequest, Timer]:
    """Store a decision behind a timer that wakes its run, and return how the request stands."""
    due = _due(records, decision)
    try:
        standing = records.approvals.decide(records.incidents.scope_of(decision.incident_id), decision)
    except ConflictError as error:
        # The timer stays: it may have taken the place of one that wakes the run for the decision that stands.
        _check_plan(decision.plan_hash, pending_request(records, decision.incident_id))
        raise DecisionRefusedError(f"it is not taken: {error}") from error
    return standing, due


def _due(records: Records, decision: Decision) -> Timer:
    """Set a timer that is due: whatever ends the door's call before the run was woken, the next sweep wakes it.

    It stands before the decision does, and again after it, since a sweep in between finds nothing to go on with.
    """
    incident_id = decision.incident_id
    due = Timer(incident_id=incident_id, kind=TimerKind.CADENCE, wake_at=decision.decided_at)
    records.timers.set(records.incidents.scope_of(incident_id), due)
    return due


def _served(records: Records, due: Timer) -> None:
    """Take the door's timer away, unless it was set anew meanwhile."""
    scope = records.incidents.scope_of(due.incident_id)
    if records.timers.get(scope, due.incident_id, due.kind) == due:
        records.timers.cancel(scope, due.incident_id, due.kind)


def _wake(records: Records, runs: RunPort, decision: Decision) -> str:
    """Wake the run that waits, now or by a timer that is due; say why not now, and nothing when it was."""
    due = _due(records, decision)
    try:
        runs.wake(decision.incident_id)
    except IncidentBusyError:
        return BUSY
    except RunHostError as error:
        return f"the next sweep lets the incident go on, since {error}"
    _served(records, due)
    return ""


def _signed(records: Records, decision: Decision) -> Decision:
    named = decision.model_copy(update={"key_id": records.signer.key_id})
    return named.model_copy(update={"signature": records.signer.sign(named.signed_text)})


def _missing(records: Records, request: ApprovalRequest, by: Principal) -> tuple[int, tuple[str, ...]]:
    """Return how many more people have to approve a request, and who cannot be told apart from who just did."""
    if request.status is not ApprovalStatus.PENDING:
        return 0, ()
    made = records.approvals.decisions(request.scope, request.incident_id, request.plan_hash)
    people = [one.by for one in made]
    alike = tuple(one.id for one in people if one.id != by.id and not by.is_surely_another(one))
    return max(0, request.quorum - people_in(people)), alike


def tell_decisions(records: Records, request: ApprovalRequest) -> None:
    """Tell every decision on a request that a door was cut off from telling; what was told is not told again.

    While it waits, each approval tells how many it left missing; afterwards nobody is needed any more.
    """
    made = records.approvals.decisions(request.scope, request.incident_id, request.plan_hash)
    waits = request.status is ApprovalStatus.PENDING
    for count, decision in enumerate(made, 1):
        missing = max(0, request.quorum - people_in(one.by for one in made[:count])) if waits else 0
        tell_decision(records, decision, missing)


def tell_decision(records: Records, decision: Decision, missing: int = 0) -> None:
    """Tell the timeline, and page people about a broken glass, and that more of them are needed.

    Where the door was cut off, the step does it.
    """
    scope, by = records.incidents.scope_of(decision.incident_id), decision.by.id
    verb = "approved" if decision.approved else "denied"
    text = f"{by} {verb} the plan" + (" by break-glass" if decision.break_glass else "")
    text += f"; {more_of(missing)}" if missing else ""
    facts, once = decision.model_dump(mode="json"), f"decision {decision.plan_hash} {decision.by.id}"
    # Whoever approved may deny afterwards, or break the glass.
    once += "" if decision.approved else " denied"
    once += " by break-glass" if decision.break_glass else ""
    records.timeline.append(scope, decision.incident_id, EntryKind.DECISION, text, facts=facts, once=once)
    if decision.break_glass:
        review = f"cloudops audit break-glass review {decision.incident_id[:8]} --note ..."
        subject = f"Break-glass approval of incident {decision.incident_id[:8]}"
        body = f"{text}. Reason: {' '.join(decision.reason.split())}\nReview it, as another person: {review}"
        _page(records, decision, f"break_glass:{decision.plan_hash[:12]}", subject, body)
    elif missing:
        subject = f"Incident {decision.incident_id[:8]}: {more_of(missing)}"
        news = f"more_needed:{decision.plan_hash[:12]}:{digest(by)[:16]}"
        _page(records, decision, news, subject, f"{text}.\n{_still_asked(records, decision)}")


def _still_asked(records: Records, decision: Decision) -> str:
    """Say what waits for another person, until when, and how they decide on it."""
    incident_id, plan = decision.incident_id, decision.plan_hash[:12]
    request = records.approvals.get(records.incidents.scope_of(incident_id), incident_id, decision.plan_hash)
    asked, until = "", ""
    if request is not None:
        asked = ": " + ", ".join(act.action for act in request.actions)
        until = f" until {request.expires_at:%Y-%m-%d %H:%M:%S} UTC"
    return (
        f"So it stood at {decision.decided_at:%Y-%m-%d %H:%M:%S} UTC. Plan {plan}{asked}\n"
        f"Decide{until}, as another person: cloudops approve {incident_id[:8]} --plan {plan}"
    )


def _page(records: Records, decision: Decision, news: str, subject: str, body: str) -> None:
    """Queue one message to on-call; the same news is queued once, and the outbox sends it."""
    page = Message(
        incident_id=decision.incident_id,
        send_key=f"{decision.incident_id}:{news}",
        audience=Audience.ON_CALL,
        channel=CHANNEL,
        subject=subject,
        body=body,
        queued_at=decision.decided_at,
    )
    records.outbox.queue(records.incidents.scope_of(decision.incident_id), page)


def pending_request(records: Records, incident_id: str) -> ApprovalRequest:
    """Return what an incident asks people now. Raises `DecisionRefusedError` when nothing waits."""
    scope = records.incidents.scope_of(incident_id)
    requests = list(records.approvals.requests(scope, incident_id))
    pending = [request for request in requests if request.status is ApprovalStatus.PENDING]
    if pending:
        return max(pending, key=lambda request: request.requested_at)
    if requests:
        newest = max(requests, key=lambda request: request.requested_at)
        raise DecisionRefusedError(f"nothing waits for a decision: the last request is {newest.status.value}")
    raise DecisionRefusedError("nothing waits for a decision: no approval was asked")


def _check_stands(records: Records, request: ApprovalRequest, now: datetime, *, approved: bool) -> None:
    """Refuse to approve what is not as it was asked, and to decide when the time is up."""
    changed = changed_since_asked(records.signer, request) if approved else None
    if changed is not None:
        raise DecisionRefusedError(
            f"it cannot be approved: {changed}; deny it, and find out who wrote to the table"
        )
    if approved and now < request.requested_at:
        raise DecisionRefusedError(
            f"this host's clock says {now:%Y-%m-%d %H:%M:%S} UTC, and the request was made at "
            f"{request.requested_at:%H:%M:%S} UTC: nobody could act on a decision from before it; set the clock, and "
            "decide again"
        )
    if now >= request.expires_at:
        raise DecisionRefusedError(f"the request expired at {request.expires_at:%Y-%m-%d %H:%M:%S} UTC")


def _check_reason(reason: str, *, approved: bool, break_glass: bool) -> None:
    if break_glass and not (approved and reason.strip()):
        raise DecisionRefusedError("break-glass is for approving, and needs a reason")
    if len(reason) > MOST_REASON:
        raise DecisionRefusedError(
            f"a reason has at most {MOST_REASON} characters, and this has {len(reason)}"
        )


def _check_plan(plan: str, request: ApprovalRequest) -> None:
    if request.is_named(plan):
        return
    if len(plan) < NAMED_BY:
        raise OtherPlanError(f"name the plan that you decide on, by {NAMED_BY} digits of its hash or more")
    asked = ", ".join(act.action for act in request.actions)
    raise OtherPlanError(
        f"it is about plan {plan}, but plan {request.plan_hash} is asked now: {asked}; look at it"
    )


def _check_principal(by: Principal, request: ApprovalRequest, *, break_glass: bool) -> None:
    if by.tenant != request.scope.tenant:
        raise NotAllowedError(f"{by.id} belongs to another tenant")
    is_no_person = by.kind in {PrincipalKind.COPILOT, PrincipalKind.STUDIO}
    if is_no_person or not by.is_surely_another(request.proposer):
        raise NotAllowedError(f"{by.id} cannot decide: whoever proposes or debugs a plan does not approve it")
    needed = Role.BREAK_GLASS if break_glass else request.role_needed
    if not by.has(needed):
        raise NotAllowedError(f"{by.id} does not hold the role {needed.value}")
