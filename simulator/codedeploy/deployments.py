"""Deployments: made, listed, looked at and stopped."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.codedeploy.answers import deployment_answer, target_answer
from simulator.codedeploy.appspec import read_appspec
from simulator.codedeploy.configs import shifting_config
from simulator.codedeploy.groups import safeguards_of
from simulator.codedeploy.paging import paged
from simulator.codedeploy.records import (
    CodeDeployState,
    Deployment,
    Group,
    Revision,
    RollbackEvent,
    Status,
)
from simulator.codedeploy.shifting import Shifter
from simulator.wire.protocol import AwsError, Call

MOST_IDS, LONGEST_DESCRIPTION = 25, 256
_ID = re.compile(r"d-[A-Z0-9]{9}")
_STATUSES = frozenset(
    {"Created", "Queued", "InProgress", "Baking", "Succeeded", "Failed", "Stopped", "Ready"}
)


@dataclass(frozen=True)
class DeploymentOperations:
    """Answers the operations on deployments."""

    state: CodeDeployState
    shifter: Shifter

    def answers(self) -> dict[str, Callable[[Call], Mapping[str, Any]]]:
        """Each operation with what answers it."""
        return {
            "CreateDeployment": self._create,
            "GetDeployment": self._get,
            "BatchGetDeployments": self._batch,
            "ListDeployments": self._list,
            "StopDeployment": self._stop,
            "ListDeploymentTargets": self._list_targets,
            "GetDeploymentTarget": self._target,
            "BatchGetDeploymentTargets": self._targets,
        }

    def _create(self, call: Call) -> Mapping[str, Any]:
        given = call.parameters
        self.state.application(given["applicationName"])
        if not given.get("deploymentGroupName"):
            message = "The deployment group name was not specified."
            raise AwsError("DeploymentGroupNameRequiredException", message)
        group = self.state.group(given["applicationName"], given["deploymentGroupName"])
        if given.get("targetInstances") or given.get("updateOutdatedInstancesOnly"):
            raise AwsError("InvalidTargetInstancesException", "A function has no instances to choose.")
        if len(given.get("description", "")) > LONGEST_DESCRIPTION:
            raise AwsError("DescriptionTooLongException", "The description is too long.")
        revision = _revision(given.get("revision"))
        target = read_appspec(revision.content)
        config = shifting_config(self.state, given.get("deploymentConfigName", group.config))
        safeguards = safeguards_of(given, group.safeguards)
        made = list(self.state.deployments_of(group))
        self._check_room(group, made)
        succeeded = next((one for one in made if one.status is Status.SUCCEEDED), None)
        deployment = Deployment(
            id=self.state.next_id(group),
            application=group.application,
            group=group.name,
            config=config,
            revision=revision,
            target=target,
            safeguards=safeguards,
            created_at=call.at,
            description=given.get("description", ""),
            previous=succeeded.revision if succeeded is not None else None,
        )
        self.state.deployments[deployment.id] = deployment
        return {"deploymentId": deployment.id}

    def _check_room(self, group: Group, made: list[Deployment]) -> None:
        """A group has one deployment at a time."""
        active = next((one for one in made if not one.is_over), None)
        if active is not None:
            message = f"The Deployment Group '{group.name}' already has an active Deployment '{active.id}'"
            raise AwsError("DeploymentLimitExceededException", message)

    def _get(self, call: Call) -> Mapping[str, Any]:
        return {"deploymentInfo": deployment_answer(self._named(call))}

    def _batch(self, call: Call) -> Mapping[str, Any]:
        ids = call.parameters["deploymentIds"]
        if not ids:
            raise AwsError("DeploymentIdRequiredException", "At least one deployment ID must be specified.")
        if len(ids) > MOST_IDS:
            raise AwsError("BatchLimitExceededException", f"At most {MOST_IDS} deployments can be asked for.")
        for one in ids:
            _check_id(one)
        found = [self.state.deployments[one] for one in ids if one in self.state.deployments]
        return {"deploymentsInfo": [deployment_answer(one) for one in found]}

    def _list(self, call: Call) -> Mapping[str, Any]:
        given = call.parameters
        application, group = given.get("applicationName"), given.get("deploymentGroupName")
        if application and not group:
            message = "The deployment group name was not specified."
            raise AwsError("DeploymentGroupNameRequiredException", message)
        if group and not application:
            raise AwsError("ApplicationNameRequiredException", "The application name was not specified.")
        if given.get("externalId"):
            raise AwsError("InvalidExternalIdException", "No external resource deploys here.")
        _check_filters(given)
        listed = list(reversed(self.state.deployments.values()))
        if group:
            listed = list(self.state.deployments_of(self.state.group(str(application), group)))
        return paged(call, "deployments", [one.id for one in listed if _is_wanted(one, given)])

    def _stop(self, call: Call) -> Mapping[str, Any]:
        deployment = self._named(call)
        if deployment.is_over:
            message = f"The deployment {deployment.id} is already in a terminal state."
            raise AwsError("DeploymentAlreadyCompletedException", message)
        usual = deployment.safeguards.rolls_back_on(RollbackEvent.REQUEST)
        self.shifter.stop(deployment, bool(call.parameters.get("autoRollbackEnabled", usual)), call.at)
        return {
            "status": "Succeeded",
            "statusMessage": "No more commands will be scheduled for execution in the deployment instances",
        }

    def _list_targets(self, call: Call) -> Mapping[str, Any]:
        deployment = self._started(call)
        wanted = call.parameters.get("targetFilters", {})
        for name in wanted:
            if name not in ("TargetStatus", "ServerInstanceLabel"):
                raise AwsError("InvalidTargetFilterNameException", f"Invalid target filter name: {name}")
        status = target_answer(deployment)["lambdaTarget"]["status"]
        is_wanted = "ServerInstanceLabel" not in wanted and status in wanted.get("TargetStatus", [status])
        return paged(call, "targetIds", [deployment.target.function] if is_wanted else [])

    def _target(self, call: Call) -> Mapping[str, Any]:
        deployment = self._started(call)
        return {"deploymentTarget": _of(deployment, call.parameters["targetId"])}

    def _targets(self, call: Call) -> Mapping[str, Any]:
        deployment, ids = self._started(call), call.parameters["targetIds"]
        if len(ids) > MOST_IDS:
            message = f"At most {MOST_IDS} targets can be asked for."
            raise AwsError("DeploymentTargetListSizeExceededException", message)
        return {"deploymentTargets": [_of(deployment, one) for one in ids]}

    def _named(self, call: Call) -> Deployment:
        identity = call.parameters["deploymentId"]
        _check_id(identity)
        if identity not in self.state.deployments:
            message = f"The deployment {identity} could not be found"
            raise AwsError("DeploymentDoesNotExistException", message)
        return self.state.deployments[identity]

    def _started(self, call: Call) -> Deployment:
        deployment = self._named(call)
        if deployment.started_at is None:
            raise AwsError(
                "DeploymentNotStartedException", f"The deployment {deployment.id} has not started."
            )
        return deployment


def _revision(given: Mapping[str, Any] | None) -> Revision:
    """The revision that a request names. Only what it brings along can be deployed here."""
    if not given:
        raise AwsError("RevisionRequiredException", "The revision was not specified.")
    kind = given.get("revisionType", "")
    member = {"AppSpecContent": "appSpecContent", "String": "string"}.get(kind)
    if member is None:
        message = f"A revision of the type {kind or 'none'} is not simulated; give AppSpecContent."
        raise AwsError("InvalidRevisionException", message)
    revision = Revision(kind, str(given.get(member, {}).get("content", "")))
    said = given.get(member, {}).get("sha256")
    if said not in (None, revision.digest):
        raise AwsError("InvalidRevisionException", "The SHA-256 is not that of the content.")
    return revision


def _check_filters(given: Mapping[str, Any]) -> None:
    for one in given.get("includeOnlyStatuses", []):
        if one not in _STATUSES:
            raise AwsError("InvalidDeploymentStatusException", f"Invalid deployment status: {one}")
    span = given.get("createTimeRange", {})
    start, end = span.get("start"), span.get("end")
    if start is not None and end is not None and start > end:
        raise AwsError("InvalidTimeRangeException", "The start time is after the end time.")


def _is_wanted(deployment: Deployment, given: Mapping[str, Any]) -> bool:
    statuses, span = given.get("includeOnlyStatuses", []), given.get("createTimeRange", {})
    start, end, made = span.get("start"), span.get("end"), deployment.created_at
    is_then = (start is None or made >= start) and (end is None or made <= end)
    return is_then and (not statuses or deployment.status.value in statuses)


def _of(deployment: Deployment, target: str) -> dict[str, Any]:
    if target != deployment.target.function:
        raise AwsError("DeploymentTargetDoesNotExistException", f"No target found for id: {target}")
    return target_answer(deployment)


def _check_id(identity: str) -> None:
    if _ID.fullmatch(identity) is None:
        message = f"Specified DeploymentId is not in the valid format: {identity}"
        raise AwsError("InvalidDeploymentIdException", message)
