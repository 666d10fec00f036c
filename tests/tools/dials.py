"""An action on dials in memory, whose every write is counted and can be lost, refused or cut short."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from memory.records.alarm import Alarm, AlarmState
from memory.records.approval import ApprovalRequest, Decision
from memory.records.config import Autonomy
from memory.records.incident import Incident, Severity
from memory.records.plan import Direction, ExpectedSignal, Plan, PlannedAction, Risk
from memory.records.scope import COPILOT, Principal, PrincipalKind, Role, Scope
from memory.stores.approvals import ApprovalStore
from memory.stores.executions import ExecutionStore
from memory.stores.leases import LeaseStore
from memory.stores.pace import PaceStore
from memory.table import RecordTable
from tests.tools.memory_table import Killed
from tests.tools.stand_ins import NOW, SCOPE, StillClock
from tools.actions.base import BlastRadius, IamStatement, Parameters, Reversibility, State
from tools.aws.access import AwsAccess
from tools.aws.sessions import ScopedCall, Session, Sessions, session_name, source_identity
from tools.crowd import Traffic
from tools.executor import Executor
from tools.inspection import inspect
from tools.policy import Circumstances, Policy
from tools.signing import LocalKey, signed_request

POLICY = Policy.load()
SIGNER = LocalKey(b"k" * 32)
URL = "http://127.0.0.1:1"
APPROVER = Principal(kind=PrincipalKind.PERSON, id="ada", issuer="team", roles=(Role.APPROVER,))
INCIDENT_ID = "5f0a3ad8-91c1-8a55-8e6d-6f4ad7b9a001"


class Fate(StrEnum):
    """What becomes of one call."""

    ANSWERED = "answered"
    ANSWER_LOST = "answer lost"
    LOST_ON_THE_WAY = "lost on the way"
    NOT_CONNECTED = "not connected"
    REFUSED = "refused"
    BROKEN_BEFORE = "5xx, not done"
    BROKEN_AFTER = "5xx, done"
    KILLED_BEFORE = "killed before the call"
    KILLED_AFTER = "killed after the call"


@dataclass
class Dials:
    """The account: dials with a value, and every write that was made to them."""

    values: dict[str, int] = field(default_factory=lambda: {"main": 7, "other": 3})
    writes: list[tuple[str, int]] = field(default_factory=list)
    sent: int = 0
    fates: list[Fate] = field(default_factory=list)
    turned_by_others: int = 0
    settles: bool | None = True
    settling: dict[str, bool | None] = field(default_factory=dict)
    busy: str = ""
    stuck: bool = False
    """Where it stands is nothing that it can be set to."""


class SetDial(Parameters):
    dial: str
    value: int


@dataclass(frozen=True)
class SetDialAction:
    """Sets a dial."""

    dials: Dials
    name: str = "set_dial"
    description: str = "Set a dial."
    effect: str = "The dial has the value."
    risk: Risk = Risk.MEDIUM
    repeatable: bool = True
    reads: tuple[str, ...] = ()
    preconditions: tuple[str, ...] = ("the dial is there",)
    blast: str = "one dial"
    reversibility: Reversibility = Reversibility.INVERSE
    way_back: str = "the dial is set to what it was"
    example: dict[str, Any] = field(default_factory=lambda: {"dial": "main", "value": 9})
    share: float = 0.1
    amount: int = 0
    within_seconds: int = 60
    parameters: type[SetDial] = SetDial

    def permissions(self, params: SetDial, scope: Scope) -> tuple[IamStatement, ...]:
        return ()

    def target(self, params: SetDial) -> str:
        return f"dial {params.dial}"

    def read_state(self, access: AwsAccess, params: SetDial) -> State:
        value = self.dials.values.get(params.dial)
        return {"found": value is not None, "value": value, "by_others": self.dials.turned_by_others}

    def bound(self, state: State) -> State:
        return {key: state[key] for key in ("found", "value", "by_others")}

    def expected(self, params: SetDial, state: State) -> tuple[ExpectedSignal, ...]:
        return (
            ExpectedSignal(
                text=f"dial {params.dial} stands at {params.value}",
                direction=Direction.BECOMES,
                within_seconds=self.within_seconds,
                state_key="value",
                level=params.value,
            ),
        )

    def blast_radius(self, params: SetDial, state: State) -> BlastRadius:
        return BlastRadius(text="one dial", share=self.share, amount=self.amount)

    def problems(self, params: SetDial, state: State, *, undoing: bool = False) -> tuple[str, ...]:
        if not state["found"]:
            return ("there is no such dial",)
        if self.dials.busy:
            return (self.dials.busy,)
        return ("it has the value already",) if state["value"] == params.value else ()

    def inverse(self, params: SetDial, state: State) -> dict[str, Any] | None:
        before = None if self.dials.stuck else state["value"]
        return {"dial": params.dial, "value": before} if state["found"] else None

    def call(self, access: AwsAccess, params: SetDial, state: State, token: str) -> dict[str, Any]:
        fate = self.dials.fates.pop(0) if self.dials.fates else Fate.ANSWERED
        self.dials.sent += 1
        if fate in {Fate.ANSWERED, Fate.ANSWER_LOST, Fate.BROKEN_AFTER, Fate.KILLED_AFTER}:
            self.dials.writes.append((params.dial, params.value))
            self.dials.values[params.dial] = params.value
        if fate is not Fate.ANSWERED:
            raise _end_of(fate)
        return {"token": token}

    def holds(self, params: SetDial, state: State) -> bool:
        return bool(state["value"] == params.value)

    def settled(self, access: AwsAccess, params: SetDial, answer: Mapping[str, Any]) -> bool | None:
        return self.dials.settling.get(params.dial, self.dials.settles)


def _end_of(fate: Fate) -> BaseException:
    if fate in {Fate.KILLED_BEFORE, Fate.KILLED_AFTER}:
        return Killed()
    if fate is Fate.ANSWER_LOST:
        return ConnectionClosedError(endpoint_url=URL)
    if fate is Fate.LOST_ON_THE_WAY:
        return ReadTimeoutError(endpoint_url=URL)
    if fate is Fate.NOT_CONNECTED:
        return EndpointConnectionError(endpoint_url=URL)
    status = 400 if fate is Fate.REFUSED else 500
    code = "AccessDeniedException" if fate is Fate.REFUSED else "InternalFailure"
    answer: Any = {
        "Error": {"Code": code, "Message": fate.value},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "SetDial")


def incident(scope: Scope = SCOPE, incident_id: str = INCIDENT_ID) -> Incident:
    arn = f"arn:aws:cloudwatch:{scope.region}:{scope.account}:alarm:a"
    alarm = Alarm(name="a", arn=arn, scope=scope, state=AlarmState.ALARM, changed_at=NOW)
    return Incident(
        incident_id=incident_id,
        thread_id=incident_id,
        scope=scope,
        alarm=alarm,
        event_id="e-1",
        episode_started_at=NOW,
        opened_at=NOW,
    )


def plan(*values: int, dial: str = "main", attempt: int = 1, action: str = "set_dial") -> Plan:
    acts = tuple(PlannedAction(action=action, parameters={"dial": dial, "value": v}) for v in values or (9,))
    return Plan(actions=acts, attempt=attempt)


def around(
    severity: Severity = Severity.HIGH,
    autonomy: Autonomy = Autonomy.ACT_ON_MEDIUM,
    *,
    account: str = SCOPE.account,
    kill_switch: bool = False,
    freeze: bool = False,
) -> Circumstances:
    return Circumstances(account, severity, autonomy, kill_switch, freeze, approvers=lambda _: 1)


BY_ITSELF = around(Severity.LOW)
WITH_APPROVAL = around(Severity.HIGH)


def executor(
    table: RecordTable,
    dials: Dials,
    *,
    at: datetime = NOW,
    repeatable: bool = True,
    region: str = SCOPE.region,
    stopped: str | None = None,
    sessions: Sessions | None = None,
    share: float = 0.1,
    amount: int = 0,
) -> Executor:
    return Executor(
        access=AwsAccess(region),
        executions=ExecutionStore(table),
        approvals=ApprovalStore(table),
        policy=POLICY,
        clock=StillClock(at),
        leases=LeaseStore(table),
        signer=SIGNER,
        sessions=sessions or GivenSessions(),
        stopped=lambda: stopped,
        traffic=Traffic(PaceStore(table), ExecutionStore(table), StillClock(at)),
        catalogue=(SetDialAction(dials, repeatable=repeatable, share=share, amount=amount),),
    )


class GivenSessions:
    """Sessions that always open, with the names that a real one would have."""

    role_arn: str | None = "arn:aws:iam::123456789012:role/cloudops-executor"

    def open(self, call: ScopedCall) -> Session:
        return Session(AwsAccess(SCOPE.region), session_name(call), source_identity(call.approved_by))


def request_for(
    acting: Executor,
    planned: Plan,
    about: Incident,
    *,
    minutes: int = 30,
    quorum: int = 1,
    no_way_back: tuple[str, ...] = (),
) -> ApprovalRequest:
    found = [inspect(acting.access, one, acting.catalogue) for one in planned.actions]
    asked = ApprovalRequest(
        incident_id=about.incident_id,
        scope=about.scope,
        plan_hash=planned.plan_hash,
        actions=planned.actions,
        fingerprints=tuple(one.fingerprint for one in found),
        states=tuple(one.bound for one in found),
        proposer=COPILOT,
        requested_at=NOW,
        expires_at=NOW + timedelta(minutes=minutes),
        quorum=quorum,
        blast_percents=tuple(one.blast.percent for one in found),
        amounts=tuple(one.blast.amount for one in found),
        no_way_back=no_way_back,
    )
    return signed_request(SIGNER, asked)


def signed(decision: Decision) -> Decision:
    """Sign a decision as the door does."""
    named = decision.model_copy(update={"key_id": SIGNER.key_id})
    return named.model_copy(update={"signature": SIGNER.sign(named.signed_text)})


def decision_on(
    request: ApprovalRequest,
    *,
    approved: bool = True,
    by: Principal = APPROVER,
    break_glass: bool = False,
    at: datetime = NOW,
) -> Decision:
    return signed(
        Decision(
            incident_id=request.incident_id,
            plan_hash=request.plan_hash,
            approved=approved,
            by=by,
            decided_at=at,
            door="test",
            request_sha256=request.sha256,
            break_glass=break_glass,
        )
    )


def approve(acting: Executor, planned: Plan, about: Incident, *, no_way_back: tuple[str, ...] = ()) -> None:
    request = request_for(acting, planned, about, no_way_back=no_way_back)
    acting.approvals.request(request)
    acting.approvals.decide(about.scope, decision_on(request))
