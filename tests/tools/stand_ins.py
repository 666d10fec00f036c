"""Stand-ins for the ports that reads go through: a ledger in memory, a still clock, scripted AWS clients."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from memory.records.config import Limits, Topology
from memory.records.evidence import Evidence
from memory.records.scope import Scope
from memory.stores.evidence import EvidenceLedger
from tools.aws.access import AwsAccess
from tools.budget import IncidentBudget
from tools.evidence import Recorder
from tools.observe.sources import Sources

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
SCOPE = Scope(account="123456789012", region="us-east-1")


@dataclass(frozen=True)
class StillClock:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def wait_until(self, moment: datetime) -> datetime:
        return max(self.at, moment)


@dataclass
class Kept:
    """The ledger's `add`, in memory."""

    evidence: list[Evidence] = field(default_factory=list)

    def add(self, evidence: Evidence, whole: bytes | None = None) -> Evidence:
        self.evidence.append(evidence)
        return evidence


@dataclass(frozen=True)
class ScriptedAccess(AwsAccess):
    """Hands out clients that a test wrote."""

    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        return self.clients[service]


class NoRunbooks:
    def search(self, text: str, k: int = 3) -> list[dict[str, Any]]:
        return []


def recorder(kept: Kept, at: datetime = NOW, limits: Limits | None = None) -> Recorder:
    budget = IncidentBudget(limits or Limits())
    return Recorder(cast(EvidenceLedger, kept), StillClock(at), SCOPE, "i-1", budget)


def sources(
    clients: dict[str, Any],
    *,
    limits: Limits | None = None,
    topology: Topology | None = None,
    at: datetime = NOW,
) -> Sources:
    return Sources(
        access=ScriptedAccess("us-east-1", clients=clients),
        recorder=recorder(Kept(), at, limits),
        clock=StillClock(at),
        topology=topology or Topology(),
        scope=SCOPE,
        limits=limits or Limits(),
        runbooks=NoRunbooks(),
    )
