"""The executor: the only code that changes an account, and the only reader of approvals that counts.

Graph state is never proof. Before a call it rules again, reads the approval record and the live state itself,
claims `(incident, action)` once, and writes down what was there and how to undo it. What was started and not
finished by a process that died is settled by asking AWS, never by calling again blindly.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from memory.clock import Clock
from memory.records.approval import ApprovalStatus
from memory.records.incident import Incident
from memory.records.outcome import Execution, ExecutionState
from memory.records.plan import Plan, PlannedAction, Review, Ruling
from memory.stores.approvals import ApprovalStore
from memory.stores.executions import ExecutionStore
from memory.table import ConflictError
from tools.actions.base import Action, Parameters
from tools.actions.registry import read_parameters
from tools.aws.access import AwsAccess
from tools.errors import Transient, error_code
from tools.policy import Circumstances, Policy

AFTER_EXPIRY = timedelta(minutes=10)
FINAL = {
    ExecutionState.DONE,
    ExecutionState.REFUSED,
    ExecutionState.FAILED,
    ExecutionState.UNDECIDED,
    ExecutionState.REVERTED,
}


@dataclass(frozen=True)
class Executor:
    """Performs each approved action once; `circumstances` is read anew for every action."""

    access: AwsAccess
    executions: ExecutionStore
    approvals: ApprovalStore
    policy: Policy
    clock: Clock

    def execute(self, incident: Incident, plan: Plan, index: int, around: Circumstances) -> Execution:
        """Perform one action of a plan, or return what became of it before. A refusal makes no AWS call."""
        planned = plan.actions[index]
        action_id = f"{plan.plan_hash[:16]}-{index}"
        standing = self.executions.get(incident.scope, incident.incident_id, action_id)
        if standing is not None:
            return self._settle(incident, standing, planned)
        review = self.policy.review_action(self.access, planned, around)
        refusal = self._refusal(incident, plan, index, review)
        if refusal:
            return self._refused(incident, action_id, planned, refusal)
        return self._perform(incident, action_id, planned, is_revert=False)

    def revert(self, incident: Incident, execution: Execution) -> Execution:
        """Undo a done action once, under a claim of its own. It needs no new approval: it restores what was."""
        action_id = f"{execution.action_id}-undo"
        planned = PlannedAction(action=execution.action, parameters=execution.inverse)
        standing = self.executions.get(incident.scope, incident.incident_id, action_id)
        if standing is not None:
            return self._settle(incident, standing, planned)
        if execution.state is not ExecutionState.DONE or not execution.inverse:
            return self._refused(incident, action_id, planned, "there is nothing done that can be undone")
        return self._perform(incident, action_id, planned, is_revert=True)

    def _refusal(self, incident: Incident, plan: Plan, index: int, review: Review) -> str:
        """Return why the action must not run, or an empty text."""
        if review.ruling is Ruling.REFUSE:
            return "; ".join(review.reasons)
        if review.ruling is Ruling.PERMIT:
            return ""
        request = self.approvals.get(incident.scope, incident.incident_id, plan.plan_hash)
        decision = self.approvals.decision(incident.scope, incident.incident_id, plan.plan_hash)
        if request is None or decision is None or request.status is not ApprovalStatus.APPROVED:
            return "there is no approval for this plan"
        if not decision.approved or decision.plan_hash != plan.plan_hash:
            return "the decision does not approve this plan"
        if request.actions != plan.actions:
            return "the plan is not the one that was approved"
        if decision.by.id == request.proposer.id or not decision.by.has(request.role_needed):
            return f"{decision.by.id} could not approve this"
        if decision.decided_at >= request.expires_at or self.clock.now() > request.expires_at + AFTER_EXPIRY:
            return "the approval has expired"
        if index >= len(request.fingerprints) or request.fingerprints[index] != review.fingerprint:
            return "the target has changed since the approval was asked"
        return ""

    def _perform(
        self, incident: Incident, action_id: str, planned: PlannedAction, *, is_revert: bool
    ) -> Execution:
        """Capture, claim, call and record, in that order, each durable before the next."""
        action, asked = read_parameters(planned)
        before = action.read_state(self.access, asked)
        claimed = Execution(
            incident_id=incident.incident_id,
            action_id=action_id,
            action=planned.action,
            parameters=planned.parameters,
            state=ExecutionState.CLAIMED,
            claimed_at=self.clock.now(),
            before=before,
            inverse=action.inverse(asked, before) or {},
            is_revert=is_revert,
        )
        if not self.executions.claim(incident.scope, claimed):
            standing = self.executions.get(incident.scope, incident.incident_id, action_id)
            return self._settle(incident, standing or claimed, planned)
        return self._call(incident, claimed, action, asked)

    def _call(self, incident: Incident, claimed: Execution, action: Action, asked: Parameters) -> Execution:
        called = self._move(incident, claimed, ExecutionState.CALLED)
        try:
            answer = action.call(self.access, asked, f"{incident.incident_id}:{claimed.action_id}")
        except ClientError as error:
            if error_code(error).lower().startswith("internal"):
                return self._ask_aws(incident, called, action, asked, str(error))
            return self._move(incident, called, ExecutionState.FAILED, str(error))
        except (BotoCoreError, Transient) as error:
            return self._ask_aws(incident, called, action, asked, str(error))
        if answer.get("failed"):
            return self._move(incident, called, ExecutionState.FAILED, str(answer["failed"]), answer)
        return self._move(incident, called, ExecutionState.DONE, "", answer)

    def _settle(self, incident: Incident, standing: Execution, planned: PlannedAction) -> Execution:
        """Return a finished account as it is; finish one that another process left behind."""
        if standing.state in FINAL:
            return standing
        action, asked = read_parameters(planned)
        if standing.state is ExecutionState.CLAIMED:
            return self._take_over(incident, standing, action, asked)
        return self._ask_aws(incident, standing, action, asked, "the answer was lost")

    def _take_over(
        self, incident: Incident, standing: Execution, action: Action, asked: Parameters
    ) -> Execution:
        """Make the call that was claimed and provably not made: CALLED is written before every call."""
        try:
            return self._call(incident, standing, action, asked)
        except ConflictError:
            moved = self.executions.get(incident.scope, incident.incident_id, standing.action_id)
            return moved or standing

    def _ask_aws(
        self, incident: Incident, called: Execution, action: Action, asked: Parameters, why: str
    ) -> Execution:
        """Find out from AWS whether a call took effect; what cannot be known stops and goes to people."""
        token = f"{incident.incident_id}:{called.action_id}"
        took = self._asked(lambda: action.happened(self.access, asked, called.before, token))
        if took:
            return self._move(incident, called, ExecutionState.DONE, f"{why}; AWS shows that it took effect")
        if took is False:
            return self._move(
                incident, called, ExecutionState.FAILED, f"{why}; AWS shows that nothing changed"
            )
        return self._move(
            incident, called, ExecutionState.UNDECIDED, f"{why}; AWS does not show what happened"
        )

    def _asked(self, question: Callable[[], bool | None]) -> bool | None:
        try:
            return question()
        except (ClientError, BotoCoreError):
            return None

    def _move(
        self,
        incident: Incident,
        standing: Execution,
        state: ExecutionState,
        detail: str = "",
        answer: dict[str, Any] | None = None,
    ) -> Execution:
        done_at = self.clock.now() if state is not ExecutionState.CALLED else None
        after = standing.model_copy(
            update={"state": state, "detail": detail, "answer": answer or {}, "done_at": done_at}
        )
        return self.executions.advance(incident.scope, standing, after)

    def _refused(self, incident: Incident, action_id: str, planned: PlannedAction, why: str) -> Execution:
        now = self.clock.now()
        return Execution(
            incident_id=incident.incident_id,
            action_id=action_id,
            action=planned.action,
            parameters=json.loads(json.dumps(planned.parameters)),
            state=ExecutionState.REFUSED,
            claimed_at=now,
            done_at=now,
            detail=why,
        )
