"""All clusters, services and task definitions of the account, and how calls name them."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from simulator.ecs.records import Cluster, Service, TaskDefinition
from simulator.wire.protocol import AwsError


class EcsState:
    """What ECS knows. Lookups take names or ARNs and refuse in ECS's words."""

    def __init__(self) -> None:
        self.clusters: dict[str, Cluster] = {}
        self.definitions: dict[str, list[TaskDefinition]] = defaultdict(list)
        self.deregistered: dict[str, datetime] = {}
        self.next_revision: dict[str, int] = {}
        self.tags: dict[str, dict[str, str]] = defaultdict(dict)

    def cluster(self, named: str | None) -> Cluster:
        """The cluster a call names; without a name, `default`."""
        found = self.clusters.get(_last(named or "default"))
        if found is None:
            raise AwsError("ClusterNotFoundException", "Cluster not found.")
        return found

    def service(self, cluster: Cluster, named: str) -> Service:
        """The active service a call names."""
        found = cluster.services.get(_last(named))
        if found is None:
            raise AwsError("ServiceNotFoundException", "Service not found.")
        if not found.is_active:
            raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
        return found

    def service_by_arn(self, service_arn: str) -> tuple[Cluster, Service] | None:
        """The service of an ARN and its cluster, or None."""
        for cluster in self.clusters.values():
            for service in cluster.services.values():
                if service.arn == service_arn:
                    return cluster, service
        return None

    def services(self) -> list[Service]:
        """Every active service."""
        return [
            service
            for cluster in self.clusters.values()
            for service in cluster.services.values()
            if service.is_active
        ]

    def definition(self, named: str, refusal: str) -> TaskDefinition:
        """The revision a call names: ARN, `family:revision`, or the newest of a family."""
        family, _, revision = named.rpartition("/")[2].partition(":")
        revisions = self.definitions.get(family, [])
        matching = [
            one
            for one in revisions
            if (str(one.revision) == revision if revision else one.arn not in self.deregistered)
        ]
        if not matching:
            raise AwsError("ClientException", refusal)
        return matching[-1]

    def register(self, parameters: dict[str, Any], at: datetime, by: str) -> TaskDefinition:
        """A new revision of a family."""
        family = str(parameters["family"])
        revision = self.next_revision.get(family, 1)
        self.next_revision[family] = revision + 1
        definition = TaskDefinition(family, revision, parameters, at, by)
        self.definitions[family].append(definition)
        self.tag(definition.arn, parameters.get("tags", []))
        return definition

    def tag(self, resource: str, tags: list[dict[str, str]]) -> None:
        """Set tags on a resource."""
        self.tags[resource].update({one["key"]: one.get("value", "") for one in tags})

    def tags_of(self, resource: str) -> list[dict[str, str]]:
        """A resource's tags in the API's shape."""
        return [{"key": key, "value": value} for key, value in self.tags.get(resource, {}).items()]


def _last(named: str) -> str:
    return named.rpartition("/")[2]
