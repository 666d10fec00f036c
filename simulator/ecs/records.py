"""What the account's ECS holds. Times are account time."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from hashlib import md5
from typing import Any

from simulator.wire.protocol import ACCOUNT, REGION


class RolloutState(StrEnum):
    """A deployment's way (API_Deployment, `rolloutState`)."""

    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class TaskStatus(StrEnum):
    """The task states the scheduler distinguishes (ECS developer guide, task lifecycle)."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"


@dataclass(frozen=True)
class TaskDefinition:
    """One registered revision. `parameters` are those of RegisterTaskDefinition."""

    family: str
    revision: int
    parameters: dict[str, Any]
    registered_at: datetime
    registered_by: str

    @property
    def arn(self) -> str:
        """The ARN with its revision."""
        return arn(f"task-definition/{self.short}")

    @property
    def short(self) -> str:
        """`family:revision`."""
        return f"{self.family}:{self.revision}"

    @property
    def images(self) -> tuple[str, ...]:
        """The images of its containers."""
        return tuple(one["image"] for one in self.parameters["containerDefinitions"])


@dataclass(frozen=True)
class Ending:
    """How a task ends by itself: when, counted from its creation, and what it leaves of the container that ended."""

    after: timedelta
    code: str
    reason: str
    container: str
    exit_code: int | None = None
    container_reason: str = ""


@dataclass
class Task:
    """One task of a service. `announced` is the state that the default bus has heard of, in so many `versions`."""

    id: str
    definition: TaskDefinition
    deployment: str
    created_at: datetime
    status: TaskStatus = TaskStatus.PENDING
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    stop_code: str = ""
    stopped_reason: str = ""
    exit_code: int | None = None
    container_reason: str = ""
    ended_container: str = ""
    ending: Ending | None = None
    announced: TaskStatus | None = None
    versions: int = 0


@dataclass
class Deployment:
    """One rollout of a task definition. `number` names its service revision."""

    number: int
    definition: TaskDefinition
    desired: int
    created_at: datetime
    updated_at: datetime
    is_primary: bool = True
    state: RolloutState = RolloutState.IN_PROGRESS
    reason: str = ""
    failed_tasks: int = 0
    finished_at: datetime | None = None
    source: "Deployment | None" = None
    rolled_back_to: "Deployment | None" = None
    is_rollback: bool = False
    has_run: bool = False
    stop_requested_at: datetime | None = None

    @cached_property
    def id(self) -> str:
        """`ecs-svc/` and nineteen digits, as ECS names deployments."""
        return f"ecs-svc/{digits(self.definition.short, self.number)}"


@dataclass
class Service:
    """A service, its deployments (newest first), its tasks and what was said about it."""

    name: str
    cluster: str
    parameters: dict[str, Any]
    desired: int
    created_at: datetime
    created_by: str
    deployments: list[Deployment] = field(default_factory=list)
    past: list[Deployment] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    is_active: bool = True
    sequence: int = 0
    is_steady: bool = True
    failed_rounds: int = 0
    next_start: datetime | None = None

    @property
    def arn(self) -> str:
        """The long service ARN."""
        return arn(f"service/{self.cluster}/{self.name}")

    @property
    def primary(self) -> Deployment:
        """The deployment that the service is moving to, or stands on."""
        return self.deployments[0]

    @property
    def definition(self) -> TaskDefinition:
        """The task definition the service names."""
        return self.primary.definition

    def running(self, deployment: Deployment | None = None) -> list[Task]:
        """The running tasks, of one deployment or of all."""
        return self.tasks_in(TaskStatus.RUNNING, deployment)

    def tasks_in(self, status: TaskStatus, deployment: Deployment | None = None) -> list[Task]:
        """The tasks in a state, of one deployment or of all."""
        wanted = None if deployment is None else deployment.id
        return [one for one in self.tasks if one.status is status and wanted in (None, one.deployment)]

    def say(self, at: datetime, message: str) -> None:
        """Add a service event, newest first, the last hundred kept (API_Service, `events`)."""
        self.sequence += 1
        event = {"id": identifier(self.arn, self.sequence), "createdAt": at, "message": message}
        self.events.insert(0, event)
        del self.events[100:]


@dataclass
class Cluster:
    """A cluster and its services by name."""

    name: str
    services: dict[str, Service] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The cluster's ARN."""
        return arn(f"cluster/{self.name}")


def arn(resource: str) -> str:
    """An ECS resource's ARN in this account."""
    return f"arn:aws:ecs:{REGION}:{ACCOUNT}:{resource}"


def identifier(*parts: object) -> str:
    """A stable id shaped like a UUID."""
    text = _digest(*parts)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def hexadecimal(*parts: object) -> str:
    """A stable id of 32 hexadecimal digits, as ECS names tasks."""
    return _digest(*parts)


def digits(*parts: object) -> str:
    """A stable id of nineteen digits, as ECS names deployments and service revisions."""
    return str(int(_digest(*parts), 16))[:19]


def _digest(*parts: object) -> str:
    return md5("/".join(str(one) for one in parts).encode(), usedforsecurity=False).hexdigest()
