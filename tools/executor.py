"""The executor: the only code that changes an account. It believes the stored records, the policies and AWS.

Graph state is never proof. Before a call it rules again, on all that the review ruled on, reads the approval and the
live state itself, claims `(incident, action)` once, and writes down what was there and how to undo it.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from memory.audit_told import Told
from memory.clock import Clock
from memory.records.incident import Incident
from memory.records.outcome import Execution, ExecutionState, undo_of
from memory.records.plan import Plan, PlannedAction, Review
from memory.stores.approvals import ApprovalStore
from memory.stores.executions import ExecutionStore
from memory.stores.leases import LeaseStore
from memory.table import ConflictError, Write
from tools.actions.base import targets_of
from tools.actions.registry import ACTIONS, Catalogue
from tools.authority import Attempt, doubt, objection
from tools.aws.access import AwsAccess
from tools.aws.sessions import NotAssumedError, ScopedCall, Session, Sessions
from tools.crowd import Crowd, Traffic
from tools.inspection import Inspection, changed_before, inspect
from tools.once import OPEN, Authority, ClaimLostError, Grant, Once, Refusal
from tools.policy import Circumstances, Policy
from tools.rehearsal import rehearsed
from tools.signing import Signer
from tools.undo import Undo, marked, no_undo

_READS = 4
_NOTHING = PlannedAction(action="", parameters={})


@dataclass(frozen=True)
class Executor:
    """Performs actions of plans, and undoes them, each once.

    `access` reads; each write has a session of its own, out of `sessions`. `stopped` says why nothing may be written.
    Raises `IncidentBusyError` when somebody else performs the same action right now.
    """

    access: AwsAccess
    executions: ExecutionStore
    approvals: ApprovalStore
    policy: Policy
    clock: Clock
    leases: LeaseStore
    signer: Signer
    sessions: Sessions
    stopped: Callable[[], str | None]
    traffic: Traffic
    catalogue: Catalogue = ACTIONS

    def review(self, incident: Incident, plan: Plan, around: Circumstances) -> tuple[Review, ...]:
        """Rule on every action of a plan, with all that can be known before anybody is asked."""
        return tuple(
            self.policy.rule(self._ahead(incident, self._look(incident, plan, index)), around)
            for index in range(len(plan.actions))
        )

    def execute(
        self,
        incident: Incident,
        plan: Plan,
        index: int,
        around: Circumstances,
        observed: Mapping[str, Any] | None = None,
    ) -> Execution:
        """Perform one action of a plan, or say why not. `observed` is kept with the state before.

        A repeat finds what the first attempt left: a settled action is returned as it stands, an unsettled one
        is settled by asking the account. A refusal is not stored, since what is refused now may be approved
        later.
        """
        action_id = action_id_of(plan, index)
        if not 0 <= index < len(plan.actions):
            return self._refusal(incident, action_id, _NOTHING, "the plan has no such action")

        def work() -> Execution:
            return self._execute(incident, plan, index, around, dict(observed or {}))

        return self._under_lease(incident, action_id, work)

    def revert(self, incident: Incident, execution: Execution, around: Circumstances) -> Execution:
        """Undo an action once, by the way back that was captured before it.

        The stored account of the action is believed, not the one that is passed. Nothing is undone when
        somebody else has changed the target since.
        """
        action_id = undo_of(execution.action_id)
        return self._under_lease(
            incident, action_id, lambda: self._revert(incident, execution.action_id, action_id, around)
        )

    def confirm(self, incident: Incident, execution: Execution) -> Execution:
        """Ask how an accepted action went on; one that failed after it was accepted is recorded so."""
        stored = self.executions.get(incident.scope, incident.incident_id, execution.action_id)
        if stored is None or stored.state is not ExecutionState.DONE:
            return stored or execution
        once = self._once(incident, inspect(self.access, _planned(stored), self.catalogue))
        return once.check(stored) if once else stored

    def is_under_way(self, incident: Incident, execution: Execution) -> bool:
        """Say whether an accepted action may still take effect; where AWS does not say, it may."""
        once = self._once(incident, inspect(self.access, _planned(execution), self.catalogue))
        return once is None or once.is_under_way(execution)

    def _execute(
        self, incident: Incident, plan: Plan, index: int, around: Circumstances, observed: dict[str, Any]
    ) -> Execution:
        planned, action_id = plan.actions[index], action_id_of(plan, index)
        standing = self.executions.get(incident.scope, incident.incident_id, action_id)
        if standing is not None and standing.state not in OPEN:
            return standing
        inspection = self._look(incident, plan, index)
        once = self._once(incident, inspection)
        if once is None:
            return standing or self._refusal(incident, action_id, planned, "; ".join(inspection.problems))

        def authorise() -> Grant | Refusal:
            looked = self._ahead(incident, inspection)
            attempt = self._attempt(incident, plan, index, looked, around)
            return self._leave(replace(attempt, standing=standing), looked, once)

        if standing is not None:
            doubted = doubt(self.signer, self._told_beside(incident, standing)[1], standing)
            if doubted is not None:
                return self._refusal(incident, action_id, planned, doubted)
            return once.resume(standing, inspection.state, authorise)
        try:
            leave = authorise()
            if isinstance(leave, Refusal):
                return self._refusal(incident, action_id, planned, leave)
            return once.start(incident.incident_id, action_id, inspection, observed, leave, is_revert=False)
        except ClaimLostError as error:
            return self._refusal(incident, action_id, planned, f"somebody else was first: {error}")

    def _look(self, incident: Incident, plan: Plan, index: int) -> Inspection:
        """Look at a planned action's target, and at who else changes it."""
        found = inspect(self.access, plan.actions[index], self.catalogue)
        again = changed_before(plan, index, self.catalogue)
        seen = self._crowded(incident, found, action_id_of(plan, index))
        return replace(seen, problems=(*found.problems, *again))

    def _crowded(self, incident: Incident, found: Inspection, action_id: str) -> Inspection:
        """Look at who else changes the target, beside the action and its undo."""
        if found.action is None or found.params is None:
            return found
        targets, under_way = targets_of(found.action, found.params), partial(self.is_under_way, incident)
        crowd = self.traffic.around(incident.scope, targets, incident.incident_id, action_id, under_way)
        return replace(found, crowd=crowd)

    def _ahead(self, incident: Incident, found: Inspection) -> Inspection:
        """Find out beforehand whether the role may do it, and what a dry run says."""
        return rehearsed(self.access, self.sessions.role_arn, incident.scope, found)

    def _revert(self, incident: Incident, undone_id: str, action_id: str, around: Circumstances) -> Execution:
        scope, incident_id = incident.scope, incident.incident_id
        undone = self.executions.get(scope, incident_id, undone_id)
        standing = self.executions.get(scope, incident_id, action_id)
        if undone is None or undone.is_revert or not undone.inverse:
            return self._refusal(incident, action_id, *no_undo(undone, self.catalogue))
        planned = PlannedAction(action=undone.action, parameters=undone.inverse)
        if standing is not None and standing.state not in OPEN:
            return marked(self.executions, scope, undone, standing, at=self.clock.now())
        inspection = inspect(self.access, planned, self.catalogue, undoing=True)
        once = self._once(incident, inspection)
        if once is None:
            unread = Refusal("; ".join(inspection.problems), passing=inspection.params is not None)
            return standing or self._refusal(incident, action_id, planned, unread)
        inspection = self._crowded(incident, inspection, undone_id)
        reaches = (around.account, self.access.region)
        undone, told = self._told_beside(incident, undone)
        undo = Undo(
            undone,
            inspection,
            once,
            self.policy,
            around,
            self.stopped(),
            reaches,
            self.signer,
            told,
            standing,
        )
        if standing is not None:
            doubted = doubt(self.signer, told, undone, standing)
            if doubted is not None:
                return self._refusal(incident, action_id, planned, doubted)
            resumed = once.resume(standing, inspection.state, lambda: self._leave_to_undo(undo, action_id))
            return undo.mark(resumed)
        why_not = undo.objection()
        if why_not is not None:
            return self._refusal(incident, action_id, planned, why_not)
        if undo.is_needless:
            said = "already as it was before"
            return undo.mark(once.skip(incident_id, action_id, inspection, undo.authority, said))
        leave = self._leave_to_undo(undo, action_id)
        begun = leave if isinstance(leave, Refusal) else undo.start(action_id, leave)
        if isinstance(begun, Refusal):
            return self._refusal(incident, action_id, planned, begun)
        return begun

    def _told_beside(self, incident: Incident, stored: Execution) -> tuple[Execution, Told]:
        """Read what the audit tells, and an account as it stands then: CloudTrail's event may be noted meanwhile."""
        scope, incident_id = incident.scope, incident.incident_id
        for _ in range(_READS):
            told = Told.by(*self.executions.audit(scope, incident_id))
            now = self.executions.get(scope, incident_id, stored.action_id)
            if now is None or now == stored:
                break
            stored = now
        return stored, told

    def _attempt(
        self, incident: Incident, plan: Plan, index: int, inspection: Inspection, around: Circumstances
    ) -> Attempt:
        """Read everything that the checks look at."""
        place = (incident.scope, incident.incident_id, plan.plan_hash)
        return Attempt(
            incident=incident,
            plan=plan,
            index=index,
            action_id=action_id_of(plan, index),
            fingerprint=inspection.fingerprint,
            bound=inspection.bound,
            blast=inspection.blast,
            no_way_back=inspection.ahead.no_way_back,
            quorum=around.approvers(inspection.blast.percent),
            review=self.policy.rule(inspection, around),
            request=self.approvals.get(*place),
            decisions=self.approvals.decisions(*place),
            signer=self.signer,
            stopped=self.stopped(),
            reaches=(around.account, self.access.region),
            now=self.clock.now(),
            told=Told.by(*self.executions.audit(incident.scope, incident.incident_id)),
        )

    def _leave(self, attempt: Attempt, inspection: Inspection, once: Once) -> Grant | Refusal:
        """Hold an attempt against every check; give leave only when none objects and a session stands open."""
        why_not, authority = objection(attempt), _authority(attempt)
        if why_not is not None:
            return Refusal(why_not, authority=authority)
        try:
            session = self._session(attempt.incident, attempt.action_id, once, attempt.approved_by)
        except NotAssumedError as error:
            return Refusal(str(error), authority=authority)
        uses = () if attempt.standing is not None else self._uses(attempt, once, inspection.crowd)
        return Grant(session, authority, uses)

    def _uses(self, attempt: Attempt, once: Once, crowd: Crowd) -> tuple[Write, ...]:
        """Return what the claim uses up: the approval for this action, and a place in its targets' pace."""
        scope, incident_id, action_id = once.scope, attempt.incident.incident_id, attempt.action_id
        counted = self.traffic.count(scope, crowd, incident_id, action_id)
        if attempt.request is None:
            return counted
        try:
            return (*counted, self.approvals.use(attempt.request, action_id))
        except ConflictError as error:
            raise ClaimLostError(str(error)) from error

    def _leave_to_undo(self, undo: Undo, action_id: str) -> Grant | Refusal:
        """Give leave to undo when no check objects. Who approved the action stands behind its undo."""
        undone, why_not = undo.undone, undo.objection()
        if why_not is not None:
            return why_not
        by = undone.approved_by
        try:
            session = self._session(undone, action_id, undo.once, by)
        except NotAssumedError as error:
            return Refusal(str(error), authority=undo.authority)
        uses = () if undo.standing else self.traffic.held(undo.once.scope, undo.inspection.crowd)
        return Grant(session, undo.authority, uses)

    def _session(
        self, of: Incident | Execution, action_id: str, once: Once, approved_by: tuple[str, ...]
    ) -> Session:
        statements = once.action.permissions(once.params, once.scope)
        return self.sessions.open(
            ScopedCall(of.incident_id, action_id, once.action.name, statements, approved_by)
        )

    def _once(self, incident: Incident, inspection: Inspection) -> Once | None:
        """Return the means to perform an action, or None where it is unknown or its target cannot be read."""
        action, params = inspection.action, inspection.params
        if action is None or params is None or not inspection.state:
            return None
        scope, executions = incident.scope, self.executions
        return Once(action, params, scope, self.access, executions, self.clock, self.stopped, self.signer)

    def _refusal(
        self,
        incident: Incident,
        action_id: str,
        planned: PlannedAction,
        why: str | Refusal,
    ) -> Execution:
        """Return an attempt that was refused, and tell the audit of it."""
        now, refusal = self.clock.now(), why if isinstance(why, Refusal) else Refusal(why)
        refused = Execution(
            incident_id=incident.incident_id,
            action_id=action_id,
            action=planned.action,
            parameters=planned.parameters,
            state=ExecutionState.REFUSED,
            claimed_at=now,
            done_at=now,
            detail=refusal.why,
            is_revert=action_id.endswith("-undo"),
            passing=refusal.passing,
            **vars(refusal.authority),
        )
        return self.executions.refuse(incident.scope, refused, now)

    def _under_lease(self, incident: Incident, action_id: str, work: Callable[[], Execution]) -> Execution:
        """Let one caller at a time at an action, whether or not it holds the incident's own lease."""
        name, holder = f"{incident.incident_id}/{action_id}", str(uuid.uuid4())
        self.leases.hold(incident.scope, name, holder)
        try:
            return work()
        finally:
            self.leases.release(incident.scope, name, holder)


def action_id_of(plan: Plan, index: int) -> str:
    """Return the id of one action of a plan, under which it is claimed."""
    return f"{plan.plan_hash[:12]}-{index}"


def _authority(attempt: Attempt) -> Authority:
    """Return on whose word an attempt is made. What people were told is signed; what the plan says of itself is not."""
    request, index = attempt.request, attempt.index
    told = request.actions[index : index + 1] if request else (attempt.plan.actions[index],)
    return Authority(
        why="; ".join(one.why for one in told),
        policy_ids=attempt.review.policy_ids,
        policy_set_sha256=attempt.review.policy_set_sha256,
        approval=attempt.plan.plan_hash if request else None,
        approved_by=attempt.approved_by,
    )


def _planned(execution: Execution) -> PlannedAction:
    return PlannedAction(action=execution.action, parameters=execution.parameters)
