"""Approval requests, the decisions that answer them, and what was done on them."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime

from memory import keys
from memory.records.approval import ApprovalRequest, ApprovalStatus, BrokenGlass, Decision, GlassReview
from memory.records.audit import Deed
from memory.records.scope import Scope, people_in
from memory.stores.audit import AuditTrail
from memory.table import ConflictError, Item, RecordTable, Write

_TRIES = 8
_REVIEW = "review"


class ApprovalStore:
    """Writes requests once, closes each at most once, and lets each be used once for each of its actions."""

    def __init__(self, table: RecordTable) -> None:
        self._table = table
        self._trail = AuditTrail(table)

    def request(self, request: ApprovalRequest) -> ApprovalRequest:
        """Store a request, or return the one that already stands for this plan."""
        try:
            self._trail.commit(
                keys.incident(request.scope, request.incident_id).pk,
                [Write(_pending_item(request), 0)],
                request.requested_at,
                Deed.ASKED,
                who=request.proposer.id,
                what=_actions(request),
                why="; ".join(act.why for act in request.actions),
                plan_hash=request.plan_hash,
            )
        except ConflictError:
            pass
        else:
            return request
        standing = self.get(request.scope, request.incident_id, request.plan_hash)
        if standing is None:
            raise ConflictError(f"the request to approve {request.plan_hash} vanished")
        return standing

    def get(self, scope: Scope, incident_id: str, plan_hash: str) -> ApprovalRequest | None:
        """Read the request to approve one plan."""
        item = self._table.get(keys.approval(scope, incident_id, plan_hash))
        return ApprovalRequest.model_validate(item.body) if item else None

    def requests(self, scope: Scope, incident_id: str) -> Iterator[ApprovalRequest]:
        """Yield all requests of an incident."""
        for item in self._table.query(keys.incident(scope, incident_id).pk, "APPROVAL#"):
            yield ApprovalRequest.model_validate(item.body)

    def pending(self, tenant: str) -> Iterator[ApprovalRequest]:
        """Yield a tenant's requests that wait for a decision, the one that expires first at the front."""
        for item in self._table.by_time(keys.pending_by_time(tenant, keys.EPOCH, "").pk):
            yield ApprovalRequest.model_validate(item.body)

    def list_again(self, scope: Scope, incident_id: str) -> None:
        """List what an earlier version has stored and still waits, as it stands.

        It is not signed: nobody can tell whether that version stored it or whoever can write the table. So nobody can
        approve it, and it expires.
        """
        for item in list(self._table.query(keys.incident(scope, incident_id).pk, "APPROVAL#")):
            request = ApprovalRequest.model_validate(item.body)
            if request.status is ApprovalStatus.PENDING and item.index is None:
                self._table.replace(item, item.body, _pending_item(request).index)

    def decision(self, scope: Scope, incident_id: str, plan_hash: str) -> Decision | None:
        """Read the decision that closed the request for one plan, or None while it waits."""
        item = self._table.get(keys.decision(scope, incident_id, plan_hash))
        return Decision.model_validate(item.body) if item else None

    def decisions(self, scope: Scope, incident_id: str, plan_hash: str) -> tuple[Decision, ...]:
        """Read every decision on one plan, in the order in which they were made."""
        key = keys.decision(scope, incident_id, plan_hash)
        found = [Decision.model_validate(item.body) for item in self._table.query(key.pk, key.sk)]
        return tuple(sorted(found, key=lambda decision: decision.decided_at))

    def decide(self, scope: Scope, decision: Decision) -> ApprovalRequest:
        """Record a decision, and close its request when that completes it.

        A denial closes it, a break-glass decision closes it, an approval does when it is the last of the quorum.
        Raises `ConflictError` if the request is closed already, or if the same principal approves twice, unless the
        second time is by break-glass. An approval by somebody who cannot be told apart from who approved before is
        stored, and adds nobody to the quorum.
        """
        for _ in range(_TRIES):
            item = self._pending(scope, decision.incident_id, decision.plan_hash)
            try:
                return self._decide(scope, decision, item)
            except ConflictError:
                # Somebody else's approval came in between, unless this one is refused for itself.
                now = self._table.get(item.key)
                if now is not None and now.version == item.version:
                    raise
        raise ConflictError(f"too many decide on plan {decision.plan_hash} at once")

    def _decide(self, scope: Scope, decision: Decision, item: Item) -> ApprovalRequest:
        request, by = ApprovalRequest.model_validate(item.body), decision.by
        earlier = self.decisions(scope, decision.incident_id, decision.plan_hash)
        _check_first(decision, earlier)
        approvals = people_in((*(one.by for one in earlier), by))
        closes = not decision.approved or decision.break_glass or approvals >= request.quorum
        status = (ApprovalStatus.APPROVED if decision.approved else ApprovalStatus.DENIED) if closes else None
        key = keys.decision(scope, decision.incident_id, decision.plan_hash)
        if status is None:
            key = keys.endorsement(scope, decision.incident_id, decision.plan_hash, by.id)
        request = request.model_copy(update={"status": status or request.status})
        # A request that goes on waiting stays listed where it was.
        standing = Item(
            item.key,
            request.model_dump(mode="json"),
            item.version + 1,
            None if status else item.index,
            {} if status else item.also,
        )
        writes = [Write(Item(key, decision.model_dump(mode="json")), 0), Write(standing, item.version)]
        if decision.break_glass:
            writes.append(_for_review(scope, decision))
        self._table.create(keys.subject(scope.tenant, by.id, decision.incident_id), {})
        said = status.value if status else f"approved by {approvals} of {request.quorum}"
        self._trail.commit(
            keys.incident(scope, decision.incident_id).pk,
            writes,
            decision.decided_at,
            Deed.DECIDED,
            who=by.id,
            what=f"{'break-glass, ' if decision.break_glass else ''}{said}: {_actions(request)}",
            why=decision.reason,
            approval=decision.plan_hash,
            plan_hash=decision.plan_hash,
            facts={
                "door": decision.door,
                "issuer": by.issuer,
                "roles": [role.value for role in by.roles],
                "request_sha256": decision.request_sha256,
                "signed_with": decision.key_id,
            },
        )
        return request

    def use(self, request: ApprovalRequest, action_id: str) -> Write:
        """Return the write that uses an approval up for one action, to be done together with the action's claim.

        Raises `ConflictError` when the request no longer stands as it was read, or was used for that action.
        """
        item = self._table.get(keys.approval(request.scope, request.incident_id, request.plan_hash))
        if item is None or ApprovalRequest.model_validate(item.body) != request or action_id in request.used:
            raise ConflictError(f"the approval of plan {request.plan_hash} changed while it was used")
        used = request.model_copy(update={"used": (*request.used, action_id)})
        return Write(Item(item.key, used.model_dump(mode="json"), item.version + 1), item.version)

    def break_glass(self, tenant: str) -> tuple[BrokenGlass, ...]:
        """Return a tenant's break-glass decisions, oldest first, those that nobody has reviewed before all others."""
        items = self._table.query(keys.break_glass(tenant, keys.EPOCH, "").pk)
        return tuple(sorted(map(_broken, items), key=lambda one: one.review is not None))

    def review(self, scope: Scope, decision: Decision, review: GlassReview) -> BrokenGlass:
        """Record that somebody has reviewed a break-glass decision, in the incident's audit too.

        Raises `ConflictError` when it is not listed, or was reviewed before.
        """
        item = self._table.get(keys.break_glass(scope.tenant, decision.decided_at, decision.incident_id))
        if item is None or _broken(item).review is not None:
            raise ConflictError(f"{'it is not listed' if item is None else 'it was reviewed before'}")
        body = {**item.body, _REVIEW: review.model_dump(mode="json")}
        self._table.create(keys.subject(scope.tenant, review.by.id, decision.incident_id), {})
        self._trail.commit(
            keys.incident(scope, decision.incident_id).pk,
            [Write(Item(item.key, body, item.version + 1), item.version)],
            review.at,
            Deed.REVIEWED,
            who=review.by.id,
            what=f"reviewed the break-glass approval by {decision.by.id}",
            why=review.note,
            approval=decision.plan_hash,
            plan_hash=decision.plan_hash,
        )
        return BrokenGlass(decision=decision, review=review)

    def too_few(self, request: ApprovalRequest) -> str:
        """Say of a request that nobody denied and too few approved how many did."""
        made = self.decisions(request.scope, request.incident_id, request.plan_hash)
        approved = people_in(one.by for one in made)
        return f"only {approved} of {request.quorum} people approved" if approved else "nobody decided"

    def expire(self, request: ApprovalRequest, now: datetime) -> ApprovalRequest:
        """Close a request whose time is up; return how it stands, which may be decided after all."""
        if now < request.expires_at:
            return request
        try:
            item = self._pending(request.scope, request.incident_id, request.plan_hash)
            closed = Item(item.key, {**item.body, "status": ApprovalStatus.EXPIRED.value}, item.version + 1)
            self._trail.commit(
                item.key.pk,
                [Write(closed, item.version)],
                now,
                Deed.EXPIRED,
                who=request.proposer.id,
                what=f"{self.too_few(request)}: {_actions(request)}",
                plan_hash=request.plan_hash,
            )
        except ConflictError:
            pass
        standing = self.get(request.scope, request.incident_id, request.plan_hash)
        return standing or request

    def withdraw(self, request: ApprovalRequest, now: datetime, why: str) -> ApprovalRequest:
        """Close a request that waits, or was approved and not used: its reason has passed. Return how it stands."""
        open_still = {ApprovalStatus.PENDING.value, ApprovalStatus.APPROVED.value}
        item = self._table.get(keys.approval(request.scope, request.incident_id, request.plan_hash))
        if item is not None and item.body["status"] in open_still and not item.body.get("used"):
            body = {**item.body, "status": ApprovalStatus.WITHDRAWN.value, "withdrawn": why}
            with suppress(ConflictError):
                self._trail.commit(
                    item.key.pk,
                    [Write(Item(item.key, body, item.version + 1), item.version)],
                    now,
                    Deed.WITHDRAWN,
                    who=request.proposer.id,
                    what=f"withdrawn: {_actions(request)}",
                    why=why,
                    plan_hash=request.plan_hash,
                )
        return self.get(request.scope, request.incident_id, request.plan_hash) or request

    def _pending(self, scope: Scope, incident_id: str, plan_hash: str) -> Item:
        item = self._table.get(keys.approval(scope, incident_id, plan_hash))
        if item is None:
            raise ConflictError(f"nobody asked to approve plan {plan_hash}")
        if item.body["status"] != ApprovalStatus.PENDING.value:
            raise ConflictError(f"the request is already {item.body['status']}")
        return item


def _check_first(decision: Decision, earlier: Iterable[Decision]) -> None:
    """Refuse a second approval of one identity, which would add nobody.

    Whoever has approved may still deny, which only stops something, and may break the glass where nobody else comes.
    """
    by = decision.by
    twice = next((one.by for one in earlier if one.by.is_same_as(by)), None)
    if twice is not None and decision.approved and not decision.break_glass:
        also = "" if twice.id == by.id else f", as {twice.id}"
        raise ConflictError(f"{by.id} has decided already{also}; another person has to")


def _pending_item(request: ApprovalRequest) -> Item:
    key = keys.approval(request.scope, request.incident_id, request.plan_hash)
    index = keys.pending_by_time(request.scope.tenant, request.expires_at, request.incident_id)
    return Item(key, request.model_dump(mode="json"), 1, index)


def _for_review(scope: Scope, decision: Decision) -> Write:
    key = keys.break_glass(scope.tenant, decision.decided_at, decision.incident_id)
    return Write(Item(key, decision.model_dump(mode="json")), 0)


def _broken(item: Item) -> BrokenGlass:
    body = dict(item.body)
    review = body.pop(_REVIEW, None)
    return BrokenGlass.model_validate({"decision": body, "review": review})


def _actions(request: ApprovalRequest) -> str:
    return ", ".join(act.action for act in request.actions)
