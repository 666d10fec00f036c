"""What the collectors found, in the terms that hypotheses are made of."""

from dataclasses import dataclass
from datetime import datetime

from memory.records.assessment import Impact
from memory.records.config import Service
from tools.analysis.logs import Change


@dataclass(frozen=True)
class ServiceFinding:
    """One service around the onset: how it fares, and on which evidence."""

    service: Service
    impact: Impact
    affected: bool
    checked: bool
    evidence_ids: tuple[str, ...]
    log_changes: tuple[Change, ...] = ()
    log_evidence_id: str | None = None


@dataclass(frozen=True)
class Rollout:
    """A deployment: when it began, which task definition or function's version it brought, on which evidence."""

    service: str
    at: datetime
    task_definition: str
    evidence_id: str
    is_version: bool = False

    @property
    def brought(self) -> str:
        """Return what it brought, as people say it."""
        return (
            f"version {self.task_definition.rpartition(':')[2]}" if self.is_version else self.task_definition
        )


@dataclass(frozen=True)
class AccountChange:
    """A change of settings that names a part of the topology, on which evidence.

    `setting` is what was changed, where that is not the part itself.
    """

    component: str
    at: datetime
    event: str
    evidence_id: str
    setting: str | None = None


@dataclass(frozen=True)
class TableFinding:
    """One table: whether it refuses requests since the onset more than before, and on which evidence.

    `limit` names the property that holds it back, as DynamoDB names it; None where the evidence does not show one.
    """

    table: str
    throttled: bool
    used_share: float | None
    evidence_id: str
    limit: str | None = None


@dataclass(frozen=True)
class Findings:
    """All of the first look's observations, ready to be ranked.

    `own` names the services that the alarm speaks of; `unread` what could not be read and may hide a symptom.
    """

    onset: datetime
    alarm_evidence_ids: tuple[str, ...]
    alarm_is_over: bool
    earlier_spikes: int
    own: tuple[str, ...] = ()
    services: tuple[ServiceFinding, ...] = ()
    rollouts: tuple[Rollout, ...] = ()
    changes: tuple[AccountChange, ...] = ()
    tables: tuple[TableFinding, ...] = ()
    changes_evidence_id: str | None = None
    unread: tuple[str, ...] = ()
