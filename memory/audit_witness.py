"""Hold what is stored of an incident against its audit: a sound chain may still leave out what was done.

Whoever can write the table can cut a chain short and put its head back, or drop all of it. What was done stands in
records of its own, each written in one transaction with its entry, so a record without its entry shows that; and an
entry without its record, or one that tells otherwise, shows that a record was wiped out or put back.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from memory.audit_chain import Link
from memory.records.approval import ApprovalRequest, ApprovalStatus, BrokenGlass, Decision
from memory.records.audit import AuditPayload, Deed
from memory.records.incident import ERASED
from memory.records.kill_switch import KillSwitch
from memory.records.outcome import Execution, ExecutionState
from memory.records.timeline import EntryKind, TimelineEntry
from memory.records.trace import Trace, TraceState
from memory.stores.dossier import Dossier
from memory.stores.executions import told_of
from memory.stores.kill_switch import told_of_turn
from memory.stores.timeline import AUDITED
from memory.stores.traces import told_of_trace

_CLOSED_BY = {ApprovalStatus.EXPIRED: Deed.EXPIRED, ApprovalStatus.WITHDRAWN: Deed.WITHDRAWN}


IsOver = Callable[[str, datetime], bool]


def _kept(of: str, at: datetime) -> bool:
    """Say that nothing's time is over."""
    return False


def untold(links: Sequence[Link], dossier: Dossier, is_over: IsOver = _kept) -> Iterator[str]:
    """Yield what is stored and the audit does not tell, or tells otherwise, and what it tells and is not stored.

    `is_over` says whether what a class of records held at a time need not be kept any more.

    Where payloads were erased or are over, entries are counted by their deeds: there must be one for each record.
    """
    payloads = [link.payload for link in links if link.payload is not None]
    deeds = Counter(link.entry.deed for link in links)
    yield from _too_few(deeds, dossier)
    if len(payloads) == len(links):
        traced = [one.payload for one in links if one.payload and one.entry.deed is Deed.TRACED]
        yield from _otherwise([one for one in payloads if one not in traced], dossier)
        yield from _traced_otherwise(traced, dossier)
        yield from _gone(links, dossier, is_over)
        yield from _put_back(links, dossier)
        yield from _refused(links, dossier)


def untraced(dossier: Dossier) -> Iterator[str]:
    """Yield the calls of which CloudTrail has shown nothing: a finding about the account, and no fault of the audit."""
    for trace in dossier.of("TRACE", Trace):
        if trace.state in {TraceState.ABSENT, TraceState.UNASKED}:
            yield f"action {trace.action_id} ({told_of_trace(trace)['what']}): {trace.detail}"


def untold_of_glass(
    links: Sequence[Link], dossier: Dossier, listed: Callable[[], Iterable[BrokenGlass]]
) -> Iterator[str]:
    """Yield which approvals by break-glass of an incident are not listed for review, or reviewed otherwise.

    `listed` reads the tenant's list, where the incident has one. What was erased is told by nobody any more.
    """
    broken = [one for one in dossier.of("DECISION", Decision) if one.break_glass]
    if not broken or any(link.payload is None for link in links):
        return
    standing = {one.decision.signature: one for one in listed()}
    reviews = [link.payload for link in links if link.payload and link.entry.deed is Deed.REVIEWED]
    for made in broken:
        named, found = f"the break-glass approval by {made.by.id}", standing.get(made.signature)
        told = {(one.who, one.why) for one in reviews if one.approval == made.plan_hash}
        if found is None:
            yield f"{named} is not listed for review"
        elif found.review is None and told:
            yield f"{named} waits for review, and the audit tells that it was reviewed"
        elif found.review is not None and (found.review.by.id, found.review.note) not in told:
            yield f"{named} is listed as reviewed by {found.review.by.id}, and the audit does not tell of it"


def untold_of_switch(links: Sequence[Link], switch: KillSwitch) -> Iterator[str]:
    """Yield how a tenant's kill switch stands otherwise than its audit's last turn of it tells."""
    if switch.at is None:
        return
    last = next((link for link in reversed(links) if link.entry.deed is Deed.SWITCHED), None)
    if last is None or last.entry.at != switch.at:
        yield f"the kill switch was turned at {switch.at:%Y-%m-%d %H:%M:%S} UTC, and its last turn is told otherwise"
    elif last.payload is not None and switch.by != ERASED and _turned(switch) != _told_turn(last.payload):
        yield "the kill switch stands otherwise than its last entry tells"


def _turned(switch: KillSwitch) -> tuple[str, str, str]:
    return switch.by, told_of_turn(switch), switch.reason


def _told_turn(payload: AuditPayload) -> tuple[str, str, str]:
    return payload.who, payload.what, payload.why


def _too_few(deeds: Counter[Deed], dossier: Dossier) -> Iterator[str]:
    requests = dossier.of("APPROVAL", ApprovalRequest)
    kinds = Counter(entry.kind for entry in dossier.of("TIMELINE", TimelineEntry))
    stored = Counter(
        {
            Deed.CLAIMED: len(dossier.of("ACTION", Execution)),
            Deed.ASKED: len(requests),
            Deed.TRACED: sum(one.state is not TraceState.OWED for one in dossier.of("TRACE", Trace)),
            Deed.DECIDED: len(dossier.of("DECISION", Decision)),
            Deed.OPENED: min(1, kinds[EntryKind.OPENED]),
            **{deed: kinds[kind] for kind, deed in AUDITED.items()},
            **{deed: sum(one.status is status for one in requests) for status, deed in _CLOSED_BY.items()},
        }
    )
    for deed, count in (stored - deeds).items():
        yield f"{stored[deed]} records tell of something {deed.value}, and {count} of them have no entry"


def _otherwise(payloads: Sequence[AuditPayload], dossier: Dossier) -> Iterator[str]:
    for execution in dossier.of("ACTION", Execution):
        if not is_told(execution, [one for one in payloads if one.execution_id == execution.action_id]):
            yield f"action {execution.action_id} is stored otherwise than its last entry tells"
    for decision in dossier.of("DECISION", Decision):
        who = (decision.by.id, decision.plan_hash, decision.request_sha256)
        if not any(who == (one.who, one.plan_hash, one.facts.get("request_sha256")) for one in payloads):
            yield f"the decision of {decision.by.id} on plan {decision.plan_hash[:12]} has no entry"


def _gone(links: Sequence[Link], dossier: Dossier, is_over: IsOver) -> Iterator[str]:
    """Yield what the audit tells of actions, requests and decisions of which nothing is stored."""
    actions = {one.action_id for one in dossier.of("ACTION", Execution)}
    requests = {one.plan_hash for one in dossier.of("APPROVAL", ApprovalRequest)}
    decisions = {(one.by.id, one.plan_hash) for one in dossier.of("DECISION", Decision)}
    for link in links:
        deed, told = link.entry.deed, link.payload
        if told is None or is_over("actions" if deed is Deed.CLAIMED else "approvals", link.entry.at):
            continue
        if deed is Deed.CLAIMED and told.execution_id not in actions:
            yield f"the audit tells of action {told.execution_id}, and nothing is stored of it"
        elif deed is Deed.ASKED and told.plan_hash not in requests:
            yield f"the audit tells that approval of plan {told.plan_hash} was asked, and no request is stored"
        elif deed is Deed.DECIDED and (told.who, told.plan_hash) not in decisions:
            yield f"the audit tells that {told.who} decided on plan {told.plan_hash}, and no decision is stored"


def _put_back(links: Sequence[Link], dossier: Dossier) -> Iterator[str]:
    """Yield which requests stand better than the audit tells: open though closed, unused though used."""
    decisions = dossier.of("DECISION", Decision)
    for request in dossier.of("APPROVAL", ApprovalRequest):
        mine = [link for link in links if link.payload and link.payload.plan_hash == request.plan_hash]
        named = f"the request to approve plan {request.plan_hash[:12]}"
        for status, deed in _CLOSED_BY.items():
            if request.status is not status and any(link.entry.deed is deed for link in mine):
                yield f"{named} is {request.status.value}, and the audit tells that it was {deed.value}"
        used = _used_by(links, request.plan_hash)
        if used != set(request.used):
            yield f"{named} is used otherwise than the audit tells: for {', '.join(sorted(used)) or 'nothing'}"
        if request.status is not ApprovalStatus.DENIED:
            for one in decisions:
                if one.plan_hash == request.plan_hash and not one.approved:
                    yield f"{named} is {request.status.value}, and it was denied by {one.by.id}"


def _refused(links: Sequence[Link], dossier: Dossier) -> Iterator[str]:
    """Yield which attempts the timeline calls refused and the audit does not tell of; nothing else tells of them."""
    told = {
        one.payload.facts.get("action_id") for one in links if one.payload and one.entry.deed is Deed.REFUSED
    }
    attempts = [
        Execution.model_validate(entry.facts["execution"])
        for entry in dossier.of("TIMELINE", TimelineEntry)
        if entry.kind in {EntryKind.ACTION, EntryKind.REVERT} and "execution" in entry.facts
    ]
    refused = (one.action_id for one in attempts if one.state is ExecutionState.REFUSED)
    for action_id in dict.fromkeys(refused):
        if action_id not in told:
            yield f"the timeline tells that action {action_id} was refused, and the audit does not"


def _used_by(links: Sequence[Link], plan_hash: str) -> set[str]:
    """Return the actions that were claimed on an approval by the audit; an undo uses none."""
    claims = [link.payload for link in links if link.payload and link.entry.deed is Deed.CLAIMED]
    mine = [one for one in claims if one.approval == plan_hash and not one.what.startswith("undo, ")]
    return {one.execution_id for one in mine if one.execution_id}


def is_told(execution: Execution, mine: Sequence[AuditPayload]) -> bool:
    """Say whether an action stands as the last of its entries tells, and has as many as it must have."""
    if len(mine) < _entries_of(execution):
        return False
    told = {"salt": mine[-1].salt, **told_of(_audited(execution))}
    return mine[-1] == AuditPayload.model_validate(told)


def _traced_otherwise(told: Sequence[AuditPayload], dossier: Dossier) -> Iterator[str]:
    """Yield each search for CloudTrail's event that is stored otherwise than its one entry tells."""
    for trace in dossier.of("TRACE", Trace):
        mine = [one for one in told if one.execution_id == trace.action_id]
        wanted = told_of_trace(trace) if trace.state is not TraceState.OWED else None
        if [one.model_dump(include=set(wanted or ())) for one in mine] != ([wanted] if wanted else []):
            yield f"CloudTrail's event of action {trace.action_id} is stored otherwise than its entry tells"


def _entries_of(execution: Execution) -> int:
    """Return how many entries there must be of an action as it stands: each of its states has one but the call's."""
    if execution.state in {ExecutionState.CLAIMED, ExecutionState.CALLED}:
        return 1
    # An undo that needs no call is claimed as done.
    settled = 1 if execution.is_revert and execution.session is None else 2
    return settled + (execution.state is ExecutionState.REVERTED)


def _audited(execution: Execution) -> Execution:
    """Return an execution as its last entry tells it: that a call is about to be made has no entry."""
    if execution.state is not ExecutionState.CALLED:
        return execution
    return execution.model_copy(update={"state": ExecutionState.CLAIMED})
