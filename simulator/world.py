"""A world and the scenario played in it, as frozen records. Every name comes from the files."""

import re
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_OFFSET = re.compile(r"(?P<sign>[+-]?)(?:(?P<d>\d+)d)?(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s)?")


def offset(text: object) -> timedelta:
    """`+4m`, `-1h30m`, `45s` as a time span."""
    if isinstance(text, timedelta):
        return text
    found = _OFFSET.fullmatch(text) if isinstance(text, str) else None
    if found is None or not any(found[unit] for unit in "dhms"):
        raise ValueError(f"not an offset like '+4m' or '-1h30m': {text!r}")
    days, hours, minutes, seconds = (int(found[unit] or 0) for unit in "dhms")
    span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -span if found["sign"] == "-" else span


Offset = Annotated[timedelta, BeforeValidator(offset)]
Share = Annotated[float, Field(ge=0, le=1)]


class Record(BaseModel):
    """Frozen, and a key that nobody reads is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LogOccasion(StrEnum):
    """When a log template is written."""

    REQUEST = "request"
    ERROR = "error"
    THROTTLE = "throttle"
    OVERLOAD = "overload"
    DEPENDENCY = "dependency"
    BATCH = "batch"
    ALWAYS = "always"


class LogTemplate(Record):
    """One kind of log line. `$name` is filled from the request or from `fields`.

    `share` of the occasion's happenings are written; for `always`, `per_minute` lines.
    """

    on: LogOccasion
    text: str
    share: Share = 1.0
    per_minute: float = Field(default=0.0, ge=0)
    fields: dict[str, list[str]] = {}


class Dependency(Record):
    """A call from one service to another: `per_request` calls for each request."""

    service: str
    per_request: float = Field(gt=0)


class Writes(Record):
    """Writes to a table: `per_request` write units, tried `attempts` times before the request fails."""

    table: str
    per_request: float = Field(gt=0)
    attempts: int = Field(default=3, ge=1)


class ExtraMetric(Record):
    """A further metric of a service, counted every minute, zeros too."""

    name: str
    counts: Literal["failed_writes", "writes", "dependency_errors"]


class Slo(Record):
    """What a service promises."""

    availability: Share
    latency_ms_p99: float


class Revision(Record):
    """A task definition revision the account had before the scenario."""

    image: str
    registered: Offset


class ServiceWorld(Record):
    """One service: where it runs, what it can do, what it says."""

    name: str
    family: str
    container: str = "app"
    log_group: str
    owner: str
    tier: int = 2
    slo: Slo
    desired: int = Field(ge=1)
    minimum_healthy_percent: int = Field(default=100, ge=0, le=100)
    capacity_per_task: float = Field(gt=0)
    entry_share: Share = 0.0
    base_latency_ms: float = Field(gt=0)
    idle_cpu: float = 8.0
    full_cpu: float = 60.0
    memory: float = 45.0
    cpu_units: str = "512"
    memory_mb: str = "1024"
    target_group: str | None = None
    first_revision: int = Field(default=1, ge=1)
    revisions: list[Revision] = Field(min_length=1)
    calls: list[Dependency] = []
    writes: list[Writes] = []
    metrics: list[ExtraMetric] = []
    logs: list[LogTemplate] = []
    tags: dict[str, str] = {}


class Release(Record):
    """How an image behaves when it runs. An image that no release declares cannot be pulled."""

    image: str
    can_be_pulled: bool = True
    error_share: Share = 0.002
    latency_factor: float = 1.0
    cpu_factor: float = 1.0
    logs: list[LogTemplate] = []


class TableWorld(Record):
    """A DynamoDB table with provisioned capacity."""

    name: str
    key: str
    read_capacity: int = 10
    write_capacity: int = Field(ge=1)
    burst_seconds: int = Field(default=30, ge=0, le=300)


class AlarmWorld(Record):
    """A metric alarm, with the parameters of PutMetricAlarm."""

    name: str
    service: str
    parameters: dict[str, Any]
    notifies: str | None = None


class DocumentWorld(Record):
    """A Systems Manager document, with its content as a string."""

    name: str
    format: Literal["YAML", "JSON"] = "YAML"
    content: str


class Deployer(Record):
    """The role whose sessions deploy."""

    role: str
    session: str


class Traffic(Record):
    """Requests at the front door. The daily wave peaks at `peak` after the account's start."""

    requests_per_minute: float = Field(gt=0)
    daily_swing: Share = 0.15
    peak: Offset = timedelta(hours=5)
    noise: Share = 0.03


class EventBase(Record):
    """Something that happens at an offset from the account's start."""

    at: Offset


class Deploy(EventBase):
    """A new revision of a service is registered and rolled out by the deployer."""

    kind: Literal["deploy"]
    service: str
    image: str
    session: str | None = None


class ImageExpiry(EventBase):
    """The registry expires an image: what runs goes on, and no further task can pull it."""

    kind: Literal["image_expiry"]
    image: str


class TrafficChange(EventBase):
    """Traffic moves to `factor` over `ramp`, and back after `lasts` if that is given."""

    kind: Literal["traffic"]
    factor: float = Field(gt=0)
    ramp: Offset = timedelta(minutes=2)
    lasts: Offset | None = None


class Batch(EventBase):
    """A job beside the requests burns CPU for `lasts`, again `every` so often."""

    kind: Literal["batch"]
    service: str
    cpu_percent: float
    lasts: Offset
    every: Offset | None = None


class Slowdown(EventBase):
    """A service becomes slow and errs, for no reason that the account shows."""

    kind: Literal["slowdown"]
    service: str
    latency_factor: float = Field(default=1.0, gt=0)
    error_share: Share = 0.0
    lasts: Offset | None = None


Event = Annotated[Deploy | ImageExpiry | TrafficChange | Batch | Slowdown, Field(discriminator="kind")]


class World(Record):
    """Everything that exists in the account and everything that will happen to it."""

    schema_version: Literal[1] = Field(alias="schema")
    name: str
    title: str
    description: str
    cluster: str
    namespace: str
    topology_parameter: str
    load_balancer: str
    topics: list[str] = []
    deployer: Deployer
    traffic: Traffic
    services: list[ServiceWorld] = Field(min_length=1)
    releases: list[Release]
    tables: list[TableWorld] = []
    alarms: list[AlarmWorld] = []
    documents: list[DocumentWorld] = []
    events: list[Event] = []

    def service(self, name: str) -> ServiceWorld:
        """The service of that name."""
        return next(one for one in self.services if one.name == name)
