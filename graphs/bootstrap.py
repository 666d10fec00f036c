"""The composition root: settings in, a working copilot out. Nothing else makes clients, stores or agents.

`open_records` is enough for the doors that run no graph and loads no model library.
"""

import importlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from graphs.connecting import open_access, open_clock
from graphs.copilot import Records
from graphs.settings import Settings, from_environment
from memory.records.scope import Scope
from memory.retention import expiry_under
from memory.stores.approvals import ApprovalStore
from memory.stores.audit import AuditTrail
from memory.stores.evidence import EvidenceLedger
from memory.stores.executions import ExecutionStore
from memory.stores.holdings import HoldingStore
from memory.stores.incidents import IncidentStore
from memory.stores.kill_switch import KillSwitchStore
from memory.stores.leases import LeaseStore
from memory.stores.objects import ObjectClass, ObjectStore
from memory.stores.outbox import OutboxStore
from memory.stores.pace import PaceStore
from memory.stores.refusals import RefusalStore
from memory.stores.timeline import TimelineStore
from memory.stores.timers import TimerStore
from memory.stores.traces import TraceStore
from memory.table import RecordTable
from tools.aws.access import AwsAccess
from tools.aws.backend import Backend, BackendNames, ensure_backend, find_backend
from tools.aws.identity import caller
from tools.aws.unrepeated import unrepeated
from tools.event_cleaning import kept_text
from tools.signing import KmsKey, LocalKey, Signer
from tools.topology import load_topology

if TYPE_CHECKING:
    from graphs.consulting import Agents
    from graphs.run_port import RunPort
    from graphs.thinking import Copilot
    from tools.executor import Executor
    from tools.observe.sources import RunbookSearch

Opened = TypeVar("Opened")

# A large model may think for a minute before its first byte.
MODEL_READ_SECONDS = 60.0
# A look takes about a second. What hangs is not waited for longer (agents/scanning.py), and ends by this.
GUARD_READ_SECONDS = 5.0
# The outbox tries again by itself, and a step that tells people waits for the answer.
CHANNEL_READ_SECONDS = 5.0
# What a run in this process imports when it is opened and by its next call to AWS.
GRAPH = ("graphs.wiring", "graphs.runs", "graphs.thinking", "memory.checkpointed", "memory.retrieval")
WRITING = ("tools.executor", "tools.policy", "tools.aws.sessions", "tools.channels.sns", "tools.outbox")


def set_up(settings: Settings) -> Backend:
    """Create what the copilot keeps in the account, where it is missing; list again what version 1 has stored."""
    access = open_access(settings)
    object_days = {of.value: settings.retention.days_of(of.value) for of in ObjectClass}
    backend = ensure_backend(access, BackendNames(settings.prefix), caller(access)[0], object_days)
    table = RecordTable(access.client("dynamodb"), backend.records_table, expiry_under(settings.retention))
    approvals, evidence = ApprovalStore(table), EvidenceLedger(table)
    for incident in IncidentStore(table, settings.tenant).list_again():
        approvals.list_again(incident.scope, incident.incident_id)
        evidence.list_again(incident.scope, incident.incident_id)
    return backend


def open_records(settings: Settings) -> Records:
    """Return the durable side; raise `Misconfigured` with the remedy when it is not set up."""
    access, clock = open_access(settings), open_clock(settings)
    account, arn = caller(access)
    backend = find_backend(access, BackendNames(settings.prefix), account)
    table = RecordTable(access.client("dynamodb"), backend.records_table, expiry_under(settings.retention))
    tenant = settings.tenant
    objects = ObjectStore(lambda: access.client("s3"), backend.bucket, account, settings.retention.days_of)
    return Records(
        settings=settings,
        access=access,
        clock=clock,
        backend=backend,
        home=Scope(tenant=tenant, account=account, region=settings.connection.region),
        caller_arn=arn,
        incidents=IncidentStore(table, tenant),
        timeline=TimelineStore(table, clock),
        evidence=EvidenceLedger(table, objects),
        approvals=ApprovalStore(table),
        executions=ExecutionStore(table),
        timers=TimerStore(table, tenant),
        traces=TraceStore(table),
        leases=LeaseStore(table),
        outbox=OutboxStore(table, tenant),
        refusals=RefusalStore(table, tenant, kept_text),
        audit=AuditTrail(table),
        holdings=HoldingStore(table, tenant),
        objects=objects,
        kill_switch=KillSwitchStore(table, tenant),
        pace=PaceStore(table),
        signer=_signer(settings, access),
        topology=lambda: load_topology(access, settings.topology_parameter, settings.topology),
    )


def _signer(settings: Settings, access: AwsAccess) -> Signer:
    """Return the key that signs decisions: the one of KMS that settings name, else one of this machine."""
    key = settings.access.signing_key
    return KmsKey(access, key) if key else LocalKey.open(settings.state_dir)


def load_graph() -> None:
    """Load what a run in this process needs, about half a second of modules, before anything asks for it."""
    for name in (*GRAPH, *WRITING):
        importlib.import_module(name)


def open_copilot(records: Records) -> "Copilot":
    """Return the copilot over its records: policy, executor, outbox, and the agents once a step asks for them.

    A door that begins incidents asks for them at its start: what is wrong with their settings is told there.
    """
    from graphs.thinking import Copilot
    from memory.records.message import CHANNEL
    from memory.retrieval import RunbookIndex
    from tools.channels.sns import SnsChannel
    from tools.outbox import Outbox

    runbooks = RunbookIndex.open()
    channel_access = open_access(records.settings, CHANNEL_READ_SECONDS)
    on_call = SnsChannel(channel_access, records.backend.topic_arn, CHANNEL)
    return Copilot(
        records=records,
        agents=Deferred(lambda: _agents(records, runbooks)),
        executor=_executor(records),
        outbox=Outbox(records.outbox, records.incidents, (on_call,), records.clock, records.leases),
        runbooks=runbooks,
    )


def _agents(records: Records, runbooks: "RunbookSearch") -> "Agents":
    """Return the agents, each with the model that settings name for its role."""
    from agents.communicator import Communicator
    from agents.critic import Critic
    from agents.guardrails import guard_for
    from agents.models import ModelSettings, RoleModel, role_model
    from agents.remediation import Remediation
    from agents.triage import Triage
    from graphs.consulting import Agents
    from tools.catalogue import OBSERVE

    settings, access = records.settings, records.access
    # Not repeated by the client: agents/around_calls.py is the one layer that asks again.
    models = unrepeated(open_access(settings, MODEL_READ_SECONDS))
    chosen = ModelSettings(region=access.region, **settings.models.model_dump())
    guard = guard_for(open_access(settings, GUARD_READ_SECONDS), chosen)

    def model(role: str) -> RoleModel:
        return role_model(models, chosen, role, settings.prices, settings.limits)

    return Agents(
        records,
        runbooks,
        Triage(model("triage"), OBSERVE, guard),
        Critic(model("critic"), guard, OBSERVE),
        Remediation(model("remediation"), guard),
        Communicator(model("communicator"), guard),
    )


def _executor(records: Records) -> "Executor":
    """Return the one part that writes: by a role of the account's, for one call at a time."""
    from tools.aws.sessions import RoleSessions
    from tools.crowd import Traffic
    from tools.executor import Executor
    from tools.kill_switch import why_stopped
    from tools.policy import Policy

    settings = records.settings
    return Executor(
        access=records.access,
        executions=records.executions,
        approvals=records.approvals,
        leases=records.leases,
        policy=Policy.load(),
        clock=records.clock,
        signer=records.signer,
        sessions=RoleSessions(records.access, settings.autonomy_in(records.home.account).role),
        stopped=lambda: why_stopped(settings.autonomy.kill_switch, records.kill_switch),
        traffic=Traffic(records.pace, records.executions, records.clock),
    )


def open_saver(records: Records) -> Any:
    """Return the checkpointer over the account's checkpoint table."""
    from memory.checkpointed import open_checkpointer

    return open_checkpointer(
        records.access.client("dynamodb"),
        records.backend.checkpoints_table,
        records.settings.retention.checkpoint_seconds,
    )


def open_runs(records: Records, copilot: "Copilot") -> "RunPort":
    """Return the host that settings name: a LangGraph server by its address, else this process."""
    if records.settings.runs_url:
        from graphs.principals import LocalIssuer, own_token
        from graphs.remote_runs import LangGraphServerRuns

        issuer = LocalIssuer.open(records.settings.state_dir)
        tenant = records.settings.tenant
        url = records.settings.outward_url("langgraph_server", records.settings.runs_url)
        return LangGraphServerRuns(records, url, lambda: own_token(issuer, tenant))
    from graphs.runs import in_process
    from graphs.wiring import wire

    return in_process(records, wire(lambda: copilot), open_saver(records))


def open_own() -> "Copilot":
    """Return the copilot over the records of the account that the environment names, with its agents."""
    copilot = open_copilot(open_records(from_environment()))
    copilot.agents()
    return copilot


@dataclass
class Deferred(Generic[Opened]):
    """Opens something when it is first needed, and once, whichever thread is the first.

    The LangGraph server imports the graph before it may open the copilot.
    """

    open: Callable[[], Opened]
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> Opened:
        """Return what was opened."""
        with self._lock:
            return self._opened

    @cached_property
    def _opened(self) -> Opened:
        return self.open()
