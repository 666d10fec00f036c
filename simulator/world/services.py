"""The services of a world, what they call and write, and the releases they run."""

from typing import Literal

from pydantic import Field

from simulator.world.base import LogTemplate, Offset, Record, Share, Slo


class Dependency(Record):
    """A call from one service to another: `per_request` calls for each request.

    With `timeout_parameter`, a call that takes longer than that many milliseconds is given up and made again,
    `attempts` times in all. A parameter that is gone or is no number leaves `timeout_ms` in force.
    """

    service: str
    per_request: float = Field(gt=0)
    timeout_parameter: str | None = None
    timeout_ms: float = Field(default=30_000.0, gt=0)
    attempts: int = Field(default=1, ge=1, le=10)


class Reach(Record):
    """Calls to an external system. `shares` gives `per_request` by the value of `route_parameter`."""

    external: str
    per_request: float = Field(ge=0)
    route_parameter: str | None = None
    shares: dict[str, float] = Field(default_factory=dict)


class Writes(Record):
    """Writes to a table: `per_request` write units, tried `attempts` times before the request fails."""

    table: str
    per_request: float = Field(gt=0)
    attempts: int = Field(default=3, ge=1)


class Reads(Record):
    """Reads of a table: `per_request` read units, tried `attempts` times before the request fails."""

    table: str
    per_request: float = Field(gt=0)
    attempts: int = Field(default=3, ge=1)


class Sends(Record):
    """Messages to a queue: `per_request` for each request that succeeds."""

    queue: str
    per_request: float = Field(gt=0)


class Flag(Record):
    """What a service does differently while a parameter has a value."""

    parameter: str
    value: str
    error_share: Share = 0.0
    latency_factor: float = Field(default=1.0, gt=0)
    cpu_factor: float = Field(default=1.0, gt=0)
    capacity_factor: float = Field(default=1.0, gt=0)
    logs: list[LogTemplate] = Field(default_factory=list)


class ExtraMetric(Record):
    """A further metric of a service, counted every minute, zeros too."""

    name: str
    counts: Literal[
        "failed_writes", "writes", "failed_reads", "dependency_errors", "external_errors", "timeouts"
    ]


class Revision(Record):
    """A task definition revision the account had before the scenario."""

    image: str
    registered: Offset


class LogBulk(Record):
    """Lines that a log group has beside those written here, more than this machine could keep.

    `bytes` of them have come evenly since `since`, and they go on coming. Queries scan them, and none of them matches.
    """

    bytes: int = Field(gt=0)
    since: Offset
    retention_days: int | None = Field(default=None, ge=1)


class ServiceWorld(Record):
    """One service: where it runs, what it can do, what it says."""

    name: str
    family: str
    container: str = "app"
    log_group: str
    log_bulk: LogBulk | None = None
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
    calls: list[Dependency] = Field(default_factory=list)
    reaches: list[Reach] = Field(default_factory=list)
    writes: list[Writes] = Field(default_factory=list)
    reads: list[Reads] = Field(default_factory=list)
    sends: list[Sends] = Field(default_factory=list)
    flags: list[Flag] = Field(default_factory=list)
    metrics: list[ExtraMetric] = Field(default_factory=list)
    logs: list[LogTemplate] = Field(default_factory=list)
    tags: dict[str, str] = Field(default_factory=dict)


class Wear(Record):
    """What becomes of a task that has run for longer than `after`: a share of its requests fails, in these words."""

    after: Offset
    error_share: Share
    logs: list[LogTemplate] = Field(default_factory=list)


class Release(Record):
    """How an image behaves when it runs. An image that no release declares cannot be pulled.

    A task keeps `leak_kb_per_request` of each request it has served, until it is out of memory. What `wears` it
    comes with its age: a task that is started anew is as good as new.
    """

    image: str
    can_be_pulled: bool = True
    error_share: Share = 0.002
    latency_factor: float = 1.0
    cpu_factor: float = 1.0
    leak_kb_per_request: float = Field(default=0.0, ge=0)
    wears: Wear | None = None
    logs: list[LogTemplate] = Field(default_factory=list)
