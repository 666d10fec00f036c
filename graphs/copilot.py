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
from memory.stores.leases import LeaseStore
from memory.stores.objects import ObjectStore
from memory.stores.outbox import OutboxStore
from memory.stores.refusals import RefusalStore
from memory.stores.timeline import TimelineStore
from memory.stores.timers import TimerStore
from tools.aws.access import AwsAccess
from tools.aws.backend import Backend


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
    leases: LeaseStore
    outbox: OutboxStore
    refusals: RefusalStore
    audit: AuditTrail
    holdings: HoldingStore
    objects: ObjectStore
    topology: Callable[[], Topology]
