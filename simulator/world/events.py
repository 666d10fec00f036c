"""What happens in a world, each at an offset from the account's start."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from simulator.world.base import LogTemplate, Offset, Record, Share


class EventBase(Record):
    """Something that happens at an offset from the account's start."""

    at: Offset


class Deploy(EventBase):
    """A new revision of a service is registered and rolled out by the deployer."""

    kind: Literal["deploy"]
    service: str
    image: str
    session: str | None = None


class Through(Record):
    """Which deployment group of CodeDeploy moves an alias, and by which configuration where not by the group's."""

    application: str
    group: str
    config: str | None = None


class FunctionDeploy(EventBase):
    """A function's code is updated and published, and its alias moved there, by the deployer.

    With `through`, the deployer leaves the alias to a deployment of CodeDeploy.
    """

    kind: Literal["function_deploy"]
    function: str
    image: str
    description: str = ""
    session: str | None = None
    through: Through | None = None


class ApiCall(EventBase):
    """Somebody calls AWS: `operation` of `service` (botocore's names), as a session of `role`."""

    kind: Literal["call"]
    service: str
    operation: str
    parameters: dict[str, Any]
    role: str
    session: str


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


class Illness(EventBase):
    """One of the tasks of a service that run then goes wrong, until it is stopped; the others are well."""

    kind: Literal["illness"]
    service: str
    error_share: Share
    logs: list[LogTemplate] = Field(default_factory=list)


class Outage(EventBase):
    """An external system fails calls and answers late, until `lasts` is over if that is given."""

    kind: Literal["outage"]
    external: str
    error_share: Share
    latency_ms: float = Field(default=0.0, ge=0)
    lasts: Offset | None = None


class Silence(EventBase):
    """A service's own metrics, or its log lines, stop coming. What AWS measures of it goes on."""

    kind: Literal["silence"]
    service: str
    metrics: bool = True
    logs: bool = True
    lasts: Offset | None = None


class Poison(EventBase):
    """A message comes into a queue on which its consumer always fails."""

    kind: Literal["poison"]
    queue: str
    body: str


class Backfill(EventBase):
    """A job puts messages into a queue, so many a minute, until `lasts` is over if that is given."""

    kind: Literal["backfill"]
    queue: str
    per_minute: float = Field(gt=0)
    lasts: Offset | None = None

    def due(self, begin: timedelta, end: timedelta) -> int:
        """How many messages have come at the end of a stretch that had not at its beginning."""
        return self._until(end) - self._until(begin)

    def _until(self, moment: timedelta) -> int:
        over = moment - self.at if self.lasts is None else min(moment - self.at, self.lasts)
        return max(0, int(over.total_seconds() / 60 * self.per_minute))


Event = Annotated[
    Deploy
    | FunctionDeploy
    | ApiCall
    | ImageExpiry
    | TrafficChange
    | Batch
    | Slowdown
    | Illness
    | Outage
    | Silence
    | Poison
    | Backfill,
    Field(discriminator="kind"),
]
