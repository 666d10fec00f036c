"""What the collectors found, in the terms that hypotheses are made of."""

from dataclasses import dataclass
from datetime import datetime

from memory.records.assessment import Impact
from memory.records.config import Service
from tools.analysis.logs import Change
from tools.analysis.ramps import Ramp
from tools.analysis.resources import ResourceFinding
from tools.analysis.stops import Stop


@dataclass(frozen=True)
class Gauge:
    """How full something is: before the onset, and at the end of what was read."""

    before: float
    now: float


@dataclass(frozen=True)
class ServiceFinding:
    """One service around the onset: how it fares, how full it is, and on which evidence.

    `affected` speaks of its requests: they fail, are slow or do not come. `since` is the earliest sign of that.
    `unplaced_since` is when ECS began to say that the account has no vCPUs left for its tasks.
    `more_requests` is how many times more it is asked than before. `climb` is memory that climbs without an end.
    `tasks` is how many tasks of it run, where it runs in ECS. `unread` names what else tells how it fares, its stopped
    tasks, its deployments or its logs, and could not be read.
    """

    service: Service
    impact: Impact
    affected: bool
    checked: bool
    evidence_ids: tuple[str, ...]
    log_changes: tuple[Change, ...] = ()
    log_evidence_id: str | None = None
    since: datetime | None = None
    more_requests: float | None = None
    cpu: Gauge | None = None
    climb: Ramp | None = None
    refused: float = 0.0
    refused_since: datetime | None = None
    concurrency: Gauge | None = None
    reserved: int | None = None
    reserved_evidence_id: str | None = None
    stops: tuple[Stop, ...] = ()
    stops_evidence_id: str | None = None
    tasks: int | None = None
    tasks_evidence_id: str | None = None
    unplaced_since: datetime | None = None
    unplaced_evidence_id: str | None = None
    unread: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """Say whether all was read that tells how it fares: only then is no sign of harm a sign of health."""
        return self.checked and not self.unread

    @property
    def is_held_back(self) -> bool:
        """Say whether a function is refused executions since the onset."""
        return self.refused > 0


@dataclass(frozen=True)
class Shift:
    """A deployment of CodeDeploy that moves traffic bit by bit: until when, and whether it goes on."""

    deployment: str
    place: str
    until: datetime
    is_under_way: bool
    percent: float | None = None


@dataclass(frozen=True)
class Rollout:
    """A deployment: when it began, which task definition or function's version it brought, on which evidence."""

    service: str
    at: datetime
    task_definition: str
    evidence_id: str
    is_version: bool = False
    by: str = ""
    shift: Shift | None = None

    @property
    def brought(self) -> str:
        """Return what it brought, as people say it."""
        return (
            f"version {self.task_definition.rpartition(':')[2]}" if self.is_version else self.task_definition
        )


@dataclass(frozen=True)
class AccountChange:
    """A change of settings that names a part of the topology, on which evidence.

    `setting` is what was changed, where that is not the part itself; `value` what it was set to, `old` what it was
    before, where that is known.
    """

    component: str
    at: datetime
    event: str
    evidence_id: str
    setting: str | None = None
    by: str = ""
    value: str | None = None
    old: str | None = None


@dataclass(frozen=True)
class TableFinding:
    """One table: whether it refuses requests since the onset more than before, and on which evidence.

    `limit` names the property that holds it back, as DynamoDB names it; None where the evidence does not show one.
    `is_small` says that less is provisioned now than was used before: it will refuse as soon as its burst is used up.
    """

    table: str
    throttled: bool
    used_share: float | None
    evidence_id: str
    limit: str | None = None
    is_small: bool = False

    @property
    def is_sick(self) -> bool:
        """Say whether it is, or is about to be, why its callers fail."""
        return self.throttled or self.is_small


@dataclass(frozen=True)
class QueueFinding:
    """One queue: whether its oldest message waits longer and longer, who takes from it, and on which evidence.

    `comes_back` says that clearly more of what is received is received again than before the onset. `hidden_seconds` is
    how long what was received and not done stays hidden, where that could be read. `untouched_since` is since when
    messages wait and none is taken; `piles_up` says that far more come than are done.
    """

    queue: str
    evidence_id: str
    consumers: tuple[str, ...] = ()
    climb: Ramp | None = None
    sent_per_minute: float = 0.0
    done_per_minute: float = 0.0
    again_per_minute: float = 0.0
    comes_back: bool = False
    hidden_seconds: int | None = None
    untouched_since: datetime | None = None
    piles_up: bool = False

    @property
    def is_sick(self) -> bool:
        """Say whether something in it waits longer and longer, comes back, is not taken at all, or piles up."""
        return self.since is not None or self.comes_back or self.piles_up

    @property
    def since(self) -> datetime | None:
        """Return since when something waits in it that should not."""
        return self.climb.since if self.climb is not None else self.untouched_since


@dataclass(frozen=True)
class QuotaFinding:
    """A quota of the account: how much of it was used at most since the onset, and on which evidence.

    `met_since` is when it was used up, where it was around the onset; `users` are the parts that use the most of it.
    """

    service: str
    code: str
    name: str
    value: float
    most: float
    met_since: datetime | None
    users: tuple[tuple[str, float], ...]
    evidence_ids: tuple[str, ...]


@dataclass(frozen=True)
class Findings:
    """All of the first look's observations, ready to be ranked.

    `own` names the services that the alarm speaks of; `unread` what could not be read and may hide a symptom.
    `is_usual` says that the alarm's metric does the same at this time on earlier days. `given_up` tells, in sentences,
    of messages that a dead-letter queue got since the onset, `log_shifts` of ordinary log lines that no longer come,
    are new or surge.
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
    queues: tuple[QueueFinding, ...] = ()
    resources: tuple[ResourceFinding, ...] = ()
    changes_evidence_id: str | None = None
    unread: tuple[str, ...] = ()
    is_usual: bool = False
    given_up: tuple[str, ...] = ()
    quotas: tuple[QuotaFinding, ...] = ()
    log_shifts: tuple[str, ...] = ()

    def service(self, name: str) -> ServiceFinding | None:
        """Return the finding of a service."""
        return next((one for one in self.services if one.service.name == name), None)
