"""A whole incident in memory: real stores, executor and graph; what reads the account or asks a model is made up."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from agents.communicator import Draft
from graphs.autonomy import AutonomySettings
from graphs.consulting import Agents
from graphs.settings import World, load
from graphs.step import Turn, Wait, Work
from graphs.thinking import Copilot
from graphs.wiring import DECIDING, READING, wire
from memory.records.assessment import Assessment, CauseKind, FirstLook, Hypothesis, Verdict
from memory.records.config import Autonomy, Topology
from memory.records.incident import Severity, Status
from memory.records.message import Audience
from memory.records.plan import Plan, Review, Risk, Ruling
from memory.records.timeline import EntryKind, TimelineEntry
from memory.stores.approvals import ApprovalStore
from memory.stores.evidence import EvidenceLedger
from memory.stores.incidents import IncidentStore
from memory.stores.leases import LeaseStore
from memory.stores.outbox import OutboxStore
from memory.stores.timeline import TimelineStore
from memory.stores.timers import TimerStore
from memory.stores.traces import TraceStore
from tests.simulated import ROOT
from tests.tools.dials import SIGNER, Dials, decision_on, executor, incident, plan
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import NOW, SCOPE, ScriptedAccess
from tools.errors import CopilotError
from tools.executor import Executor
from tools.outbox import Outbox

CAUSE = Hypothesis(
    kind=CauseKind.CONFIGURATION, component="dial", statement="the dial stands wrong", confidence=0.9
)
OUTSIDE = CAUSE.model_copy(update={"kind": CauseKind.DEPENDENCY})
TURNS = 60


@dataclass
class MovingClock:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def wait_until(self, moment: datetime) -> datetime:
        self.at = max(self.at, moment)
        return self.at


@dataclass
class Alarms:
    """CloudWatch with one alarm, OK since now or ringing on; so many looks at it can fail."""

    clock: MovingClock
    state: str = "OK"
    looks: int = 0
    raising: Exception | None = None
    raising_for: int = 10_000

    def describe_alarms(self, **_: Any) -> dict[str, Any]:
        self.looks += 1
        if self.raising and self.looks <= self.raising_for:
            raise self.raising
        since = self.clock.at if self.state == "OK" else NOW
        return {
            "MetricAlarms": [{"AlarmName": "a", "StateValue": self.state, "StateUpdatedTimestamp": since}]
        }

    def describe_alarm_history(self, **_: Any) -> dict[str, Any]:
        return {"AlarmHistoryItems": []}


class NoTrail:
    """CloudTrail before it has the call."""

    def lookup_events(self, **_: Any) -> dict[str, Any]:
        return {"Events": []}


class Telling:
    """Keeps the facts that each message is made of."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, str]]] = []

    def note(self, kind: str, audience: Audience, facts: dict[str, str], budget: Any) -> Draft:
        self.told.append((kind, facts))
        return Draft(kind, "told")


@dataclass
class FailingDesk:
    """One incident that goes one way: `done`, `undone`, `asked`, `stand_by` or `noise`; `failing` wraps its steps."""

    way: str = "done"
    failing: Callable[[str, Work], Work] = lambda _, work: work
    dials: Dials = field(default_factory=Dials)
    table: MemoryTable = field(default_factory=MemoryTable)
    clock: MovingClock = field(default_factory=MovingClock)
    runs_failed: int = 0

    def __post_init__(self) -> None:
        self.telling = Telling()
        self.alarms = Alarms(self.clock, "ALARM" if self.way == "undone" else "OK")
        self.copilot = self._copilot()
        made_up: dict[str, Work] = {
            "intake": self._intake,
            "first_look": lambda turn: {"first_look": _look()},
            "triage": lambda turn: {},
            "critic": lambda turn: {"assessment": self._assessment()},
            "remediation": lambda turn: {"plan": self._plan(), "status": Status.OPEN},
            "review": lambda turn: {"reviews": [self._review()]},
        }
        named = {**{name: work for name, (work, _) in READING.items()}, **DECIDING, **made_up}
        works = {name: self.failing(name, work) for name, work in named.items()}
        reading = {name: (works[name], seconds) for name, (_, seconds) in READING.items()}
        deciding = {name: works[name] for name in DECIDING}
        graph = wire(lambda: self.copilot, reading, deciding)
        self.app = graph.compile(checkpointer=InMemorySaver())

    def run(self) -> Status:
        """Take the incident to its end, as sweeps and a person would: what waits is waited for and decided."""
        asked: Any = {"event": {}}
        config: Any = {"configurable": {"thread_id": incident().thread_id}, "recursion_limit": 80}
        for _ in range(TURNS):
            try:
                asyncio.run(self.app.ainvoke(asked, config))
            except (RuntimeError, CopilotError):
                self.runs_failed += 1
            state = self.app.get_state(config)
            if not state.next:
                return cast(Status, state.values["status"])
            self._approve()
            self.clock.at += timedelta(seconds=61)
            asked = Command(resume={"woken": True}) if state.interrupts else None
        raise AssertionError(f"the incident does not end; it stands before {state.next}")

    def entries(self, kind: EntryKind, step: str = "") -> list[TimelineEntry]:
        found = self.copilot.records.timeline.entries(SCOPE, incident().incident_id)
        return [one for one in found if one.kind is kind and step in {"", one.step}]

    def closing(self) -> list[dict[str, str]]:
        """The facts of each closing message."""
        return [facts for kind, facts in self.telling.told if kind == "closing"]

    def _approve(self) -> None:
        approvals = self.copilot.records.approvals
        for request in approvals.pending(SCOPE.tenant):
            approvals.decide(SCOPE, decision_on(request, at=self.clock.at))

    def _intake(self, turn: Turn) -> dict[str, Any]:
        self.copilot.records.incidents.claim(incident())
        seen = {"first_look": {"severity": Severity.LOW.value}}
        self.copilot.tell(incident(), EntryKind.FIRST_LOOK, "seen", "intake", seen)
        return {"incident": incident(), "status": Status.OPEN, "attempt": 1, "event": {}}

    def _assessment(self) -> Assessment:
        cause = OUTSIDE if self.way == "stand_by" else CAUSE
        verdict = Verdict.NOISE if self.way == "noise" else Verdict.CAUSE
        return Assessment(
            verdict=verdict, severity=Severity.LOW, summary="found", hypotheses=(cause,), confidence=0.9
        )

    def _plan(self) -> Plan:
        return Plan(actions=(), no_action_reason="nothing to do") if self.way == "stand_by" else plan()

    def _review(self) -> Review:
        return Review(
            action="set_dial",
            ruling=Ruling.ASK if self.way == "asked" else Ruling.PERMIT,
            reasons=(),
            policy_ids=(),
            policy_set_sha256="",
            risk=Risk.LOW,
            blast_radius="",
            fingerprint="",
            inverse="",
        )

    def _copilot(self) -> Copilot:
        table, clock = self.table, self.clock
        acting = executor(table, self.dials)
        access = ScriptedAccess(SCOPE.region, clients={"cloudwatch": self.alarms, "cloudtrail": NoTrail()})
        acting = Executor(**{**vars(acting), "access": access, "clock": clock})
        settings = load({"CLOUDOPS_WORLD": "aws", "AWS_REGION": SCOPE.region}, ROOT, World.AWS)
        by_itself = {"autonomy": AutonomySettings(default=Autonomy.ACT_ON_MEDIUM)}
        outbox, leases = OutboxStore(table, SCOPE.tenant), LeaseStore(table)
        incidents = IncidentStore(table, SCOPE.tenant)
        records = SimpleNamespace(
            settings=settings.model_copy(update=by_itself),
            access=access,
            clock=clock,
            home=SCOPE,
            incidents=incidents,
            executions=acting.executions,
            approvals=ApprovalStore(table),
            evidence=EvidenceLedger(table),
            timeline=TimelineStore(table, clock),
            timers=TimerStore(table, SCOPE.tenant),
            traces=TraceStore(table),
            outbox=outbox,
            leases=leases,
            signer=SIGNER,
            topology=Topology,
        )
        unused: Any = None
        return Copilot(
            records=cast(Any, records),
            agents=lambda: Agents(unused, unused, unused, unused, unused, cast(Any, self.telling)),
            executor=acting,
            outbox=Outbox(outbox, incidents, (), clock, leases),
            runbooks=unused,
        )


def _look() -> FirstLook:
    return FirstLook(severity=Severity.LOW, severity_reason="few are hit", verdict=Verdict.CAUSE)


def never(turn: Turn) -> dict[str, Any] | Wait:
    """A step that fails for good."""
    raise RuntimeError("a defect: password=correct-horse-battery")
