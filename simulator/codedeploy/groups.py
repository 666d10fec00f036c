"""Applications and deployment groups."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.codedeploy.answers import application_answer, group_answer
from simulator.codedeploy.configs import ALL_AT_ONCE, shifting_config
from simulator.codedeploy.paging import paged
from simulator.codedeploy.records import (
    PLATFORM,
    Application,
    CodeDeployState,
    Group,
    RollbackEvent,
    Safeguards,
)
from simulator.wire.protocol import AwsError, Call

MOST_ALARMS, MOST_NAMES = 10, 100
_NAME = re.compile(r"[A-Za-z0-9+=,.@_-]{1,100}")
_ROLE = re.compile(r"arn:aws:iam::\d{12}:role/[\w+=,.@/-]+")
_STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
# What belongs to servers and ECS services, and what nobody here would send.
_ELSEWHERE = (
    "ec2TagFilters",
    "onPremisesInstanceTagFilters",
    "autoScalingGroups",
    "triggerConfigurations",
    "blueGreenDeploymentConfiguration",
    "loadBalancerInfo",
    "ec2TagSet",
    "ecsServices",
    "onPremisesTagSet",
    "tags",
)


@dataclass(frozen=True)
class GroupOperations:
    """Answers the operations on applications and deployment groups."""

    state: CodeDeployState

    def answers(self) -> dict[str, Callable[[Call], Mapping[str, Any]]]:
        """Each operation with what answers it."""
        return {
            "CreateApplication": self._create_application,
            "GetApplication": self._application,
            "BatchGetApplications": self._applications,
            "ListApplications": self._list_applications,
            "CreateDeploymentGroup": self._create_group,
            "GetDeploymentGroup": self._group,
            "BatchGetDeploymentGroups": self._groups,
            "ListDeploymentGroups": self._list_groups,
        }

    def _create_application(self, call: Call) -> Mapping[str, Any]:
        given = call.parameters
        name = _named(given["applicationName"], "InvalidApplicationNameException", "application")
        if name in self.state.applications:
            raise AwsError("ApplicationAlreadyExistsException", f"Application already exists: {name}")
        if given.get("computePlatform", "Server") != PLATFORM:
            message = f"Only the {PLATFORM} compute platform is simulated."
            raise AwsError("InvalidComputePlatformException", message)
        if given.get("tags"):
            raise AwsError("InvalidTagsToAddException", "Tags are not simulated.")
        self.state.applications[name] = Application(name, call.at)
        return {"applicationId": self.state.applications[name].id}

    def _application(self, call: Call) -> Mapping[str, Any]:
        return {"application": application_answer(self.state.application(call.parameters["applicationName"]))}

    def _applications(self, call: Call) -> Mapping[str, Any]:
        names = call.parameters["applicationNames"]
        _limit(names, MOST_NAMES)
        return {"applicationsInfo": [application_answer(self.state.application(name)) for name in names]}

    def _list_applications(self, call: Call) -> Mapping[str, Any]:
        return paged(call, "applications", sorted(self.state.applications))

    def _create_group(self, call: Call) -> Mapping[str, Any]:
        given = call.parameters
        application = self.state.application(given["applicationName"])
        kind = "InvalidDeploymentGroupNameException"
        name = _named(given["deploymentGroupName"], kind, "deployment group")
        if name in application.groups:
            message = f"Deployment group name already exists for application: {name}"
            raise AwsError("DeploymentGroupAlreadyExistsException", message)
        if _ROLE.fullmatch(given["serviceRoleArn"]) is None:
            raise AwsError("InvalidRoleException", "The service role ARN is not valid.")
        if given.get("deploymentStyle") != _STYLE:
            message = (
                "For Lambda deployment group, deployment type can only be BLUE_GREEN and deployment option "
                "can only be WITH_TRAFFIC_CONTROL"
            )
            raise AwsError("InvalidDeploymentStyleException", message)
        for member in _ELSEWHERE:
            if given.get(member):
                message = f"{member} is not simulated, or not for the {PLATFORM} compute platform."
                raise AwsError("InvalidInputException", message)
        config = shifting_config(self.state, given.get("deploymentConfigName", ALL_AT_ONCE))
        group = Group(application.name, name, config.name, given["serviceRoleArn"], safeguards_of(given))
        application.groups[name] = group
        return {"deploymentGroupId": group.id}

    def _group(self, call: Call) -> Mapping[str, Any]:
        given = call.parameters
        group = self.state.group(given["applicationName"], given["deploymentGroupName"])
        return {"deploymentGroupInfo": group_answer(group, list(self.state.deployments_of(group)))}

    def _groups(self, call: Call) -> Mapping[str, Any]:
        given, names = call.parameters, call.parameters["deploymentGroupNames"]
        _limit(names, MOST_NAMES)
        groups = self.state.application(given["applicationName"]).groups
        found = [groups[name] for name in names if name in groups]
        missing = [name for name in names if name not in groups]
        answers = [group_answer(one, list(self.state.deployments_of(one))) for one in found]
        said = f"No Deployment Group found for name: {', '.join(missing)}" if missing else None
        return {"deploymentGroupsInfo": answers, "errorMessage": said}

    def _list_groups(self, call: Call) -> Mapping[str, Any]:
        application = self.state.application(call.parameters["applicationName"])
        answer = paged(call, "deploymentGroups", sorted(application.groups))
        return {"applicationName": application.name, **answer}


def safeguards_of(given: Mapping[str, Any], fallback: Safeguards | None = None) -> Safeguards:
    """The alarms and the rollback that a request sets; what it does not set is `fallback`'s."""
    base = fallback or Safeguards()
    alarms = given.get("alarmConfiguration") or given.get("overrideAlarmConfiguration")
    rollback = given.get("autoRollbackConfiguration")
    names, watches, ignores = base.alarms, base.watches, base.ignores_unread
    if alarms is not None:
        names = tuple(one.get("name", "") for one in alarms.get("alarms", []))
        watches, ignores = bool(alarms.get("enabled")), bool(alarms.get("ignorePollAlarmFailure"))
        if watches and not all(names or [""]):
            raise AwsError("InvalidAlarmConfigException", "The alarm configuration names no alarm.")
        if len(names) > MOST_ALARMS:
            raise AwsError("AlarmsLimitExceededException", f"At most {MOST_ALARMS} alarms can be added.")
    events, rolls_back = base.events, base.rolls_back
    if rollback is not None:
        events = frozenset(RollbackEvent(one) for one in rollback.get("events", []))
        rolls_back = bool(rollback.get("enabled"))
        if rolls_back and not events:
            message = "At least one event type has to be given to enable automatic rollback."
            raise AwsError("InvalidAutoRollbackConfigException", message)
    return Safeguards(names, watches, ignores, events, rolls_back)


def _named(name: str, code: str, what: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise AwsError(code, f"Invalid {what} name: {name}")
    return name


def _limit(names: list[str], most: int) -> None:
    if len(names) > most:
        raise AwsError("BatchLimitExceededException", f"At most {most} can be asked for at once.")
