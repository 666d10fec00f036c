"""Service deployments and revisions: what a service moved from and to, and how that went."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulator.ecs.answers import (
    deployment_arn,
    outcome,
    revision_arn,
    service_deployment_answer,
    service_deployment_brief,
    service_revision_answer,
)
from simulator.ecs.listing import listed
from simulator.ecs.records import Cluster, Deployment, RolloutState, Service
from simulator.ecs.state import EcsState
from simulator.ecs.wording import STOPPED_BY_USER
from simulator.wire.protocol import AwsError, Call

# Developer guide, "Stopping Amazon ECS service deployments"; none is ever PENDING or STOP_REQUESTED here.
_STOPPABLE = frozenset({"IN_PROGRESS", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"})


@dataclass(frozen=True)
class DeploymentQueries:
    """Answers ListServiceDeployments, DescribeServiceDeployments, StopServiceDeployment, DescribeServiceRevisions."""

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
        return listed(call, "serviceDeployments", briefs, 20)

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

    def stop_deployment(self, call: Call) -> Mapping[str, Any]:
        """Roll an ongoing deployment back (API_StopServiceDeployment; ROLLBACK is its only valid type)."""
        wanted = call.parameters["serviceDeploymentArn"]
        found = next((one for _, service, one in self._all() if deployment_arn(service, one) == wanted), None)
        if found is None:
            raise AwsError("ServiceDeploymentNotFoundException", "Service deployment not found.")
        if call.parameters.get("stopType", "ROLLBACK") != "ROLLBACK":
            raise AwsError("InvalidParameterException", "The stop type is not valid. Valid values: ROLLBACK.")
        status = outcome(found)
        if status not in _STOPPABLE:
            message = f"Service deployment cannot be stopped because it is in {status} state."
            raise AwsError("ConflictException", message)
        if found.source is None:
            message = (
                "Service deployment cannot be rolled back because there is no previous service revision."
            )
            raise AwsError("ConflictException", message)
        if found.stop_requested_at is None and found.state is RolloutState.IN_PROGRESS:
            found.stop_requested_at = found.updated_at = call.at
            found.reason = STOPPED_BY_USER
        return {"serviceDeploymentArn": wanted}

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
