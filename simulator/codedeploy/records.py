"""What the account's CodeDeploy holds. Times are account time."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from uuid import NAMESPACE_URL, uuid5

from simulator.codedeploy.appspec import Target
from simulator.wire.protocol import ACCOUNT, REGION, AwsError

PLATFORM = "Lambda"


class Status(StrEnum):
    """How far a deployment is."""

    CREATED = "Created"
    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    STOPPED = "Stopped"


class RollbackEvent(StrEnum):
    """What lets a deployment group roll back by itself."""

    FAILURE = "DEPLOYMENT_FAILURE"
    ALARM = "DEPLOYMENT_STOP_ON_ALARM"
    REQUEST = "DEPLOYMENT_STOP_ON_REQUEST"


@dataclass(frozen=True)
class Routing:
    """How traffic moves (API_TrafficRoutingConfig): `percentage` at a time, with so many minutes between."""

    type: str
    percentage: int = 100
    interval_minutes: int = 0

    def shifted(self, elapsed: timedelta) -> int:
        """The percentage of traffic that the target has, so long after the shift began."""
        interval = timedelta(minutes=self.interval_minutes)
        if self.type == "TimeBasedCanary":
            return 100 if elapsed >= interval else self.percentage
        if self.type == "TimeBasedLinear":
            return min(100, self.percentage * (1 + elapsed // interval))
        return 100


@dataclass(frozen=True)
class Config:
    """A deployment configuration. `healthy` is `minimumHealthyHosts`, of servers only."""

    name: str
    platform: str
    routing: Routing | None = None
    healthy: tuple[str, int] | None = None
    created_at: datetime | None = None

    @property
    def id(self) -> str:
        """The configuration's id."""
        return str(uuid5(NAMESPACE_URL, f"deploymentconfig/{self.name}"))


@dataclass(frozen=True)
class Safeguards:
    """Which alarms stop a deployment, and what lets it roll back."""

    alarms: tuple[str, ...] = ()
    watches: bool = False
    ignores_unread: bool = False
    events: frozenset[RollbackEvent] = frozenset()
    rolls_back: bool = False

    def rolls_back_on(self, event: RollbackEvent) -> bool:
        """Whether what happened is undone."""
        return self.rolls_back and event in self.events


@dataclass
class Group:
    """A deployment group."""

    application: str
    name: str
    config: str
    role: str
    safeguards: Safeguards = Safeguards()

    @property
    def id(self) -> str:
        """The group's id."""
        return str(uuid5(NAMESPACE_URL, f"deploymentgroup/{self.application}/{self.name}"))

    @property
    def arn(self) -> str:
        """The group's ARN."""
        return f"arn:aws:codedeploy:{REGION}:{ACCOUNT}:deploymentgroup:{self.application}/{self.name}"


@dataclass
class Application:
    """An application with its deployment groups."""

    name: str
    created_at: datetime
    groups: dict[str, Group] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The application's id."""
        return str(uuid5(NAMESPACE_URL, f"application/{self.name}"))


@dataclass(frozen=True)
class Revision:
    """What a deployment deploys: an AppSpec file, in the member of API_RevisionLocation that it was given in."""

    type: str
    content: str

    @property
    def digest(self) -> str:
        """The SHA-256 of the content."""
        return sha256(self.content.encode()).hexdigest()


@dataclass
class Deployment:
    """One deployment. `shifted` is the percentage that the target was given last, None before the first shift."""

    id: str
    application: str
    group: str
    config: Config
    revision: Revision
    target: Target
    safeguards: Safeguards
    created_at: datetime
    creator: str = "user"
    description: str = ""
    previous: Revision | None = None
    status: Status = Status.CREATED
    started_at: datetime | None = None
    updated_at: datetime | None = None
    completed_at: datetime | None = None
    shifted: int | None = None
    problem: tuple[str, str] | None = None
    rollback: str | None = None
    rolls_back: str | None = None
    rollback_message: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens to it."""
        return self.status in (Status.SUCCEEDED, Status.FAILED, Status.STOPPED)

    def end(self, status: Status, at: datetime, problem: tuple[str, str] | None = None) -> None:
        """Let it be over, with the code and words of what went wrong."""
        self.status, self.completed_at, self.updated_at, self.problem = status, at, at, problem


@dataclass
class CodeDeployState:
    """All applications, configurations and deployments of the account, deployments in the order they were made."""

    applications: dict[str, Application] = field(default_factory=dict)
    configs: dict[str, Config] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)

    def application(self, name: str) -> Application:
        """The application of that name."""
        if name not in self.applications:
            raise AwsError("ApplicationDoesNotExistException", f"No application found for name: {name}")
        return self.applications[name]

    def group(self, application: str, name: str) -> Group:
        """The group of that name."""
        groups = self.application(application).groups
        if name not in groups:
            raise AwsError(
                "DeploymentGroupDoesNotExistException", f"No Deployment Group found for name: {name}"
            )
        return groups[name]

    def deployments_of(self, group: Group) -> Iterator[Deployment]:
        """A group's deployments, newest first."""
        for one in reversed(self.deployments.values()):
            if (one.application, one.group) == (group.application, group.name):
                yield one

    def group_arn(self, deployment_id: str) -> str | None:
        """The ARN of the group that a deployment belongs to, which is what policies are about."""
        found = self.deployments.get(deployment_id)
        return self.group(found.application, found.group).arn if found is not None else None

    def next_id(self, group: Group) -> str:
        """An id that no deployment has, in CodeDeploy's form: the same for the same course of events."""
        counted = f"{group.arn}/{len(self.deployments)}"
        return f"d-{base64.b32encode(sha256(counted.encode()).digest()).decode()[:9]}"
