"""Approval requests and the one decision each may get."""

from collections.abc import Iterator
from datetime import datetime

from memory import keys
from memory.records.approval import ApprovalRequest, ApprovalStatus, Decision
from memory.records.scope import Scope
from memory.table import ConflictError, Item, RecordTable, Write


class ApprovalStore:
    """Writes requests once, and answers each at most once."""

    def __init__(self, table: RecordTable) -> None:
        self._table = table

    def request(self, request: ApprovalRequest) -> ApprovalRequest:
        """Store a request, or return the one that already stands for this plan."""
        key = keys.approval(request.scope, request.incident_id, request.plan_hash)
        if self._table.create(key, request.model_dump(mode="json")):
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
        self._table.transact([Write(answer, 0), Write(closed, item.version)])
        return request

    def expire(self, request: ApprovalRequest, now: datetime) -> ApprovalRequest:
        """Close a request whose time is up; return how it stands, which may be decided after all."""
        if now < request.expires_at:
            return request
        try:
            item = self._pending(request.scope, request.incident_id, request.plan_hash)
            self._table.replace(item, {**item.body, "status": ApprovalStatus.EXPIRED.value})
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
