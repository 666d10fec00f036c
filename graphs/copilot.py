"""What the steps and the doors are handed: the durable records, and the parts that think and act."""

from collections.abc import Callable
from dataclasses import dataclass

from graphs.settings import Settings
from memory.clock import Clock
from memory.records.config import Topology
from memory.records.scope import Scope
from memory.stores.approvals import ApprovalStore
from memory.stores.audit import AuditTrail
from memory.stores.evidence import EvidenceLedger
from memory.stores.executions import ExecutionStore
from memory.stores.holdings import HoldingStore
from memory.stores.incidents import IncidentStore
from memory.stores.kill_switch import KillSwitchStore
from memory.stores.leases import LeaseStore
from memory.stores.objects import ObjectStore
from memory.stores.outbox import OutboxStore
from memory.stores.pace import PaceStore
from memory.stores.refusals import RefusalStore
from memory.stores.timeline import TimelineStore
from memory.stores.timers import TimerStore
from memory.stores.traces import TraceStore
from tools.aws.access import AwsAccess
from tools.aws.backend import Backend
from tools.aws.sessions import sessions_of
from tools.signing import Signer


@dataclass(frozen=True)
class Records:
    """The durable side: enough for every door that runs no graph."""

    settings: Settings
    access: AwsAccess
    clock: Clock
    backend: Backend
    home: Scope
    caller_arn: str
    incidents: IncidentStore
    timeline: TimelineStore
    evidence: EvidenceLedger
    approvals: ApprovalStore
    executions: ExecutionStore
    timers: TimerStore
    traces: TraceStore
    leases: LeaseStore
    outbox: OutboxStore
    refusals: RefusalStore
    audit: AuditTrail
    holdings: HoldingStore
    objects: ObjectStore
    kill_switch: KillSwitchStore
    pace: PaceStore
    signer: Signer
    topology: Callable[[], Topology]

    def is_own(self, arn: str) -> bool:
        """Say whether calls under an ARN are the copilot's: its caller's, or those of the role that it acts with."""
        role = self.settings.autonomy_in(self.home.account).role
        return arn == self.caller_arn or (role is not None and arn.startswith(sessions_of(role)))
