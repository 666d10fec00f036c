"""Queues of a world and the Lambda functions that consume them."""

from typing import Literal

from pydantic import Field

from simulator.world.base import LogTemplate, Offset, Record, Slo


class QueueWorld(Record):
    """An SQS queue. A name that ends in `.fifo` makes it one, with so many message `groups` in use.

    What was received `max_receives` times without success goes to `dead_letter`, where one is named.
    """

    name: str
    groups: int = Field(default=4, ge=1, le=50)
    visibility_seconds: int = Field(default=60, ge=1, le=43_200)
    dead_letter: str | None = None
    max_receives: int = Field(default=5, ge=1, le=1000)
    body: str = '{"id":"$order_id"}'
    tags: dict[str, str] = Field(default_factory=dict)

    @property
    def is_fifo(self) -> bool:
        """Whether messages of a group wait for those before them."""
        return self.name.endswith(".fifo")


class Version(Record):
    """A version of a function that was published before the scenario."""

    image: str
    published: Offset


class FunctionMetric(Record):
    """A further metric of a function, every minute, zeros too.

    `handled` counts messages that were done, `lost` those that were removed from the queue unhandled.
    """

    name: str
    counts: Literal["handled", "lost"]


class DeploymentConfigWorld(Record):
    """A deployment configuration of the team's own: `percentage` of the traffic at a time, `interval_minutes` apart."""

    name: str
    type: Literal["TimeBasedCanary", "TimeBasedLinear"]
    percentage: int = Field(ge=1, le=99)
    interval_minutes: int = Field(ge=1, le=2880)


class DeploymentGroupWorld(Record):
    """A deployment group of CodeDeploy.

    `alarms` stop its deployments, and `rollback_on` says what lets CodeDeploy roll back by itself.
    """

    name: str
    config: str
    role: str
    alarms: list[str] = Field(default_factory=list)
    rollback_on: list[
        Literal["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"]
    ] = Field(default_factory=list)


class ApplicationWorld(Record):
    """An application of CodeDeploy, for functions, with its deployment groups."""

    name: str
    groups: list[DeploymentGroupWorld] = Field(min_length=1)


class FunctionWorld(Record):
    """A Lambda function behind an alias, which consumes a queue."""

    name: str
    alias: str
    log_group: str
    owner: str
    tier: int = 2
    slo: Slo
    consumes: str
    batch_size: int = Field(default=10, ge=1, le=10)
    poll_seconds: float = Field(default=10.0, gt=0)
    memory_mb: int = Field(default=256, ge=128, le=10_240)
    timeout_seconds: int = Field(default=30, ge=1, le=900)
    reserved_concurrency: int | None = Field(default=None, ge=0)
    base_duration_ms: float = Field(default=100.0, gt=0)
    message_duration_ms: float = Field(default=100.0, ge=0)
    first_version: int = Field(default=1, ge=1)
    versions: list[Version] = Field(min_length=1)
    metrics: list[FunctionMetric] = Field(default_factory=list)
    logs: list[LogTemplate] = Field(default_factory=list)
    environment: dict[str, str] = Field(default_factory=dict)
    tags: dict[str, str] = Field(default_factory=dict)
