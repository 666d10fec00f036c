"""Service deployments and revisions: what a service moved from and to, and how that went."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulator.ecs.answers import (
    deployment_arn,
    revision_arn,
    service_deployment_answer,
    service_deployment_brief,
    service_revision_answer,
)
from simulator.ecs.records import Cluster, Deployment, Service
from simulator.ecs.state import EcsState
from simulator.wire.paging import UnknownTokenError, page
from simulator.wire.protocol import AwsError, Call


@dataclass(frozen=True)
class DeploymentQueries:
    """Answers ListServiceDeployments, DescribeServiceDeployments and DescribeServiceRevisions."""

    state: EcsState

    def list_deployments(self, call: Call) -> Mapping[str, Any]:
        """The deployments of one service, newest first (API_ListServiceDeployments)."""
        parameters = call.parameters
        cluster = self.state.cluster(parameters.get("cluster"))
        service = self.state.service(cluster, parameters["service"])
        statuses, created = parameters.get("status"), parameters.get("createdAt", {})
        briefs = [
            brief
            for one in history(service)
            if _is_between(one.created_at, created.get("after"), created.get("before"))
            and (brief := service_deployment_brief(service, one, cluster))["status"]
            in (statuses or [brief["status"]])
        ]
        try:
            listed, token = page(
                briefs, parameters.get("nextToken"), min(parameters.get("maxResults", 20), 100)
            )
        except UnknownTokenError as error:
            raise AwsError("InvalidParameterException", "Invalid token.") from error
        return {"serviceDeployments": listed, "nextToken": token}

    def describe_deployments(self, call: Call) -> Mapping[str, Any]:
        """Deployments by ARN (API_DescribeServiceDeployments)."""
        known = {
            deployment_arn(service, one): (service, one, cluster) for cluster, service, one in self._all()
        }
        named = call.parameters["serviceDeploymentArns"]
        return {
            "serviceDeployments": [service_deployment_answer(*known[one]) for one in named if one in known],
            "failures": [{"arn": one, "reason": "MISSING"} for one in named if one not in known],
        }

    def describe_revisions(self, call: Call) -> Mapping[str, Any]:
        """Service revisions by ARN (API_DescribeServiceRevisions)."""
        known = {revision_arn(service, one): (service, one, cluster) for cluster, service, one in self._all()}
        named = call.parameters["serviceRevisionArns"]
        return {
            "serviceRevisions": [service_revision_answer(*known[one]) for one in named if one in known],
            "failures": [{"arn": one, "reason": "MISSING"} for one in named if one not in known],
        }

    def _all(self) -> Iterator[tuple[Cluster, Service, Deployment]]:
        for cluster in self.state.clusters.values():
            for service in cluster.services.values():
                for deployment in history(service):
                    yield cluster, service, deployment


def history(service: Service) -> list[Deployment]:
    """Every deployment of a service, newest first."""
    return sorted([*service.deployments, *service.past], key=lambda one: one.number, reverse=True)


def _is_between(moment: datetime, after: datetime | None, before: datetime | None) -> bool:
    return (after is None or moment >= after) and (before is None or moment <= before)
