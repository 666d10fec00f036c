"""Approval requests and the one decision each may get."""

from collections.abc import Iterator
from datetime import datetime

from memory import keys
from memory.records.approval import ApprovalRequest, ApprovalStatus, Decision
from memory.records.audit import Deed
from memory.records.scope import Scope
from memory.stores.audit import AuditTrail
from memory.table import ConflictError, Item, RecordTable, Write


class ApprovalStore:
    """Writes requests once, and answers each at most once."""

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
        """List what an earlier version has stored and still waits."""
        for item in list(self._table.query(keys.incident(scope, incident_id).pk, "APPROVAL#")):
            request = ApprovalRequest.model_validate(item.body)
            if request.status is ApprovalStatus.PENDING and item.index is None:
                self._table.replace(item, item.body, _pending_item(request).index)

    def decision(self, scope: Scope, incident_id: str, plan_hash: str) -> Decision | None:
        """Read the decision on one plan, or None while there is none."""
        item = self._table.get(keys.decision(scope, incident_id, plan_hash))
        return Decision.model_validate(item.body) if item else None

    def decide(self, scope: Scope, decision: Decision) -> ApprovalRequest:
        """Record a decision and close its request together; raise `ConflictError` if it is closed already."""
        item = self._pending(scope, decision.incident_id, decision.plan_hash)
        status = ApprovalStatus.APPROVED if decision.approved else ApprovalStatus.DENIED
        request = ApprovalRequest.model_validate({**item.body, "status": status})
        answer = Item(
            keys.decision(scope, decision.incident_id, decision.plan_hash), decision.model_dump(mode="json")
        )
        closed = Item(item.key, request.model_dump(mode="json"), item.version + 1)
        by = decision.by
        self._table.create(keys.subject(scope.tenant, by.id, decision.incident_id), {})
        self._trail.commit(
            keys.incident(scope, decision.incident_id).pk,
            [Write(answer, 0), Write(closed, item.version)],
            decision.decided_at,
            Deed.DECIDED,
            who=by.id,
            what=f"{status.value}: {_actions(request)}",
            why=decision.reason,
            approval=decision.plan_hash,
            plan_hash=decision.plan_hash,
            facts={"door": decision.door, "issuer": by.issuer, "roles": [role.value for role in by.roles]},
        )
        return request

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
                what=f"nobody decided: {_actions(request)}",
                plan_hash=request.plan_hash,
            )
        except ConflictError:
            pass
        standing = self.get(request.scope, request.incident_id, request.plan_hash)
        return standing or request

    def _pending(self, scope: Scope, incident_id: str, plan_hash: str) -> Item:
        item = self._table.get(keys.approval(scope, incident_id, plan_hash))
        if item is None:
            raise ConflictError(f"nobody asked to approve plan {plan_hash}")
        if item.body["status"] != ApprovalStatus.PENDING.value:
            raise ConflictError(f"the request is already {item.body['status']}")
        return item


def _pending_item(request: ApprovalRequest) -> Item:
    key = keys.approval(request.scope, request.incident_id, request.plan_hash)
    index = keys.pending_by_time(request.scope.tenant, request.expires_at, request.incident_id)
    return Item(key, request.model_dump(mode="json"), 1, index)


def _actions(request: ApprovalRequest) -> str:
    return ", ".join(act.action for act in request.actions)
