"""What the collectors found, in the terms that hypotheses are made of."""

from dataclasses import dataclass, field
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
    """A deployment of a service: when it began, what it brought, on which evidence."""

    service: str
    at: datetime
    task_definition: str
    previous: str | None
    evidence_id: str


@dataclass(frozen=True)
class TableFinding:
    """One table: whether it refuses requests, and on which evidence."""

    table: str
    throttled: bool
    used_share: float | None
    first_throttle: datetime | None
    evidence_id: str
    raised_recently: bool = False


@dataclass(frozen=True)
class Findings:
    """All of the first look's observations, ready to be ranked."""

    onset: datetime | None
    alarm_evidence_ids: tuple[str, ...]
    alarm_is_over: bool
    earlier_spikes: int
    services: tuple[ServiceFinding, ...] = ()
    rollouts: tuple[Rollout, ...] = ()
    tables: tuple[TableFinding, ...] = ()
    changes_evidence_id: str | None = None
    changes_near_onset: int = 0
    not_checked: tuple[str, ...] = field(default=())
