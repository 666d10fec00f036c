"""The real executor at work in a simulated account: its policies, its approvals, and a session for each call."""

from dataclasses import dataclass
from datetime import timedelta

from memory.records.approval import ApprovalRequest
from memory.records.assessment import Assessment, CauseKind, Hypothesis, Verdict
from memory.records.config import Topology
from memory.records.incident import Incident, Severity
from memory.records.outcome import Execution
from memory.records.plan import Plan, PlannedAction
from memory.records.scope import COPILOT, Scope
from memory.stores.approvals import ApprovalStore
from memory.stores.executions import ExecutionStore
from memory.stores.leases import LeaseStore
from memory.stores.pace import PaceStore
from memory.table import RecordTable
from tests.simulated import SimulatedAccount
from tests.tools.dials import POLICY, SIGNER, around, decision_on, incident
from tools.actions.registry import ACTIONS
from tools.aws.access import AwsAccess
from tools.aws.clock import AccountClock
from tools.aws.sessions import RoleSessions
from tools.crowd import Traffic
from tools.executor import Executor
from tools.inspection import inspect
from tools.options import Options, options
from tools.signing import signed_request
from tools.topology import load_topology

TABLE = "bench-records"
HIGH = around(Severity.HIGH)


@dataclass(frozen=True)
class Bench:
    """The executor at work in an account."""

    account: SimulatedAccount
    access: AwsAccess
    executor: Executor
    incident: Incident

    def options(
        self, kind: CauseKind, component: str, change: str | None = None
    ) -> tuple[PlannedAction, ...]:
        return self.looked_for(kind, component, change).offers

    def looked_for(self, kind: CauseKind, component: str, change: str | None = None) -> Options:
        topology = load_topology(self.access, "/storefront/topology", Topology())
        hypothesis = Hypothesis(kind=kind, component=component, change=change, statement="s", confidence=0.9)
        assessment = Assessment(
            verdict=Verdict.CAUSE,
            severity=Severity.HIGH,
            summary="s",
            hypotheses=(hypothesis,),
            confidence=0.9,
        )
        return options(self.access, assessment, topology, self.executor.clock)

    def approve(self, plan: Plan, no_way_back: tuple[str, ...] = ()) -> None:
        found = [inspect(self.access, one, ACTIONS) for one in plan.actions]
        now = self.executor.clock.now()
        request = ApprovalRequest(
            incident_id=self.incident.incident_id,
            scope=self.incident.scope,
            plan_hash=plan.plan_hash,
            actions=plan.actions,
            fingerprints=tuple(one.fingerprint for one in found),
            states=tuple(one.bound for one in found),
            no_way_back=no_way_back,
            proposer=COPILOT,
            requested_at=now,
            expires_at=now + timedelta(minutes=30),
        )
        request = signed_request(SIGNER, request)
        self.executor.approvals.request(request)
        self.executor.approvals.decide(self.incident.scope, decision_on(request, at=now))

    def finish(self, execution: Execution) -> None:
        """Let time pass until AWS has finished what it accepted: until then nobody else may change the target."""
        for _ in range(40):
            if not self.executor.is_under_way(self.incident, execution):
                return
            self.account.advance(30)
        raise AssertionError(f"{execution.action} is still under way")

    def calls(self, operation: str) -> int:
        return len(self.account.calls(operation))


def bench(account: SimulatedAccount, incident_id: str, endpoint: str | None = None) -> Bench:
    """The executor in an account, which it reaches straight or through another endpoint."""
    keys = account.credentials
    access = AwsAccess("us-east-1", endpoint or account.endpoint, keys.access_key_id, keys.secret_access_key)
    # The account's own user may not touch this table; the executor's records are not what is tried here.
    records = RecordTable(account.client("dynamodb"), TABLE)
    role = f"arn:aws:iam::{account.local['account']}:role/cloudops-executor"
    clock = AccountClock(account.local["clock"])
    acting = Executor(
        access=access,
        executions=ExecutionStore(records),
        approvals=ApprovalStore(records),
        policy=POLICY,
        clock=clock,
        leases=LeaseStore(records),
        signer=SIGNER,
        sessions=RoleSessions(access, role),
        stopped=lambda: None,
        traffic=Traffic(PaceStore(records), ExecutionStore(records), clock),
    )
    scope = Scope(account=account.local["account"], region="us-east-1")
    return Bench(account, access, acting, incident(scope, incident_id))
