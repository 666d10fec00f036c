"""A world and the scenario played in it, as frozen records. Every name comes from the files."""

from typing import Literal

from pydantic import Field

from simulator.world.base import LogOccasion, LogTemplate, Offset, Record, Share, Slo, offset
from simulator.world.events import (
    ApiCall,
    Backfill,
    Batch,
    Deploy,
    Event,
    FunctionDeploy,
    Illness,
    ImageExpiry,
    Outage,
    Poison,
    Silence,
    Slowdown,
    Through,
    TrafficChange,
)
from simulator.world.faults import FaultWorld
from simulator.world.functions import (
    ApplicationWorld,
    DeploymentConfigWorld,
    DeploymentGroupWorld,
    FunctionMetric,
    FunctionWorld,
    QueueWorld,
    Version,
)
from simulator.world.services import (
    Dependency,
    ExtraMetric,
    Flag,
    Reach,
    Reads,
    Release,
    Revision,
    Sends,
    ServiceWorld,
    Wear,
    Writes,
)
from simulator.world.settings import (
    AlarmWorld,
    Deployer,
    DocumentWorld,
    ExternalWorld,
    ParameterWorld,
    QuotaWorld,
    TableWorld,
    Traffic,
)

__all__ = [
    "AlarmWorld",
    "ApiCall",
    "ApplicationWorld",
    "Backfill",
    "Batch",
    "Dependency",
    "Deploy",
    "Deployer",
    "DeploymentConfigWorld",
    "DeploymentGroupWorld",
    "DocumentWorld",
    "Event",
    "ExternalWorld",
    "ExtraMetric",
    "FaultWorld",
    "Flag",
    "FunctionDeploy",
    "FunctionMetric",
    "FunctionWorld",
    "Illness",
    "ImageExpiry",
    "LogOccasion",
    "LogTemplate",
    "Offset",
    "Outage",
    "ParameterWorld",
    "Poison",
    "QueueWorld",
    "QuotaWorld",
    "Reach",
    "Reads",
    "Record",
    "Release",
    "Revision",
    "Sends",
    "ServiceWorld",
    "Share",
    "Silence",
    "Slo",
    "Slowdown",
    "TableWorld",
    "Through",
    "Traffic",
    "TrafficChange",
    "Version",
    "Wear",
    "World",
    "Writes",
    "offset",
]


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
    topics: list[str] = Field(default_factory=list)
    deployer: Deployer
    traffic: Traffic
    services: list[ServiceWorld] = Field(min_length=1)
    releases: list[Release]
    tables: list[TableWorld] = Field(default_factory=list)
    queues: list[QueueWorld] = Field(default_factory=list)
    functions: list[FunctionWorld] = Field(default_factory=list)
    quotas: list[QuotaWorld] = Field(default_factory=list)
    applications: list[ApplicationWorld] = Field(default_factory=list)
    deployment_configs: list[DeploymentConfigWorld] = Field(default_factory=list)
    parameters: list[ParameterWorld] = Field(default_factory=list)
    externals: list[ExternalWorld] = Field(default_factory=list)
    alarms: list[AlarmWorld] = Field(default_factory=list)
    documents: list[DocumentWorld] = Field(default_factory=list)
    events: list[Event] = Field(default_factory=list)
    faults: list[FaultWorld] = Field(default_factory=list)

    def service(self, name: str) -> ServiceWorld:
        """The service of that name."""
        return next(one for one in self.services if one.name == name)

    def function(self, name: str) -> FunctionWorld:
        """The function of that name."""
        return next(one for one in self.functions if one.name == name)

    def queue(self, name: str) -> QueueWorld:
        """The queue of that name."""
        return next(one for one in self.queues if one.name == name)
