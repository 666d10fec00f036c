"""Deployment configurations: those that every account has, and those that its people make.

https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulator.codedeploy.paging import paged
from simulator.codedeploy.records import PLATFORM, CodeDeployState, Config, Routing
from simulator.wire.protocol import AwsError, Call

ALL_AT_ONCE = "CodeDeployDefault.LambdaAllAtOnce"
LONGEST_MINUTES = 2880
_NAME = re.compile(r"[A-Za-z0-9+=,.@_-]{1,100}")
_MEMBERS = {
    "TimeBasedCanary": ("timeBasedCanary", "canaryPercentage", "canaryInterval"),
    "TimeBasedLinear": ("timeBasedLinear", "linearPercentage", "linearInterval"),
}


def _predefined() -> dict[str, Config]:
    """The configurations that CodeDeploy brings, of all its compute platforms."""
    canary, linear = "TimeBasedCanary", "TimeBasedLinear"
    routings = {
        ALL_AT_ONCE: Routing("AllAtOnce"),
        "CodeDeployDefault.ECSAllAtOnce": Routing("AllAtOnce"),
        "CodeDeployDefault.ECSCanary10Percent5Minutes": Routing(canary, 10, 5),
        "CodeDeployDefault.ECSCanary10Percent15Minutes": Routing(canary, 10, 15),
        "CodeDeployDefault.ECSLinear10PercentEvery1Minutes": Routing(linear, 10, 1),
        "CodeDeployDefault.ECSLinear10PercentEvery3Minutes": Routing(linear, 10, 3),
        "CodeDeployDefault.LambdaLinear10PercentEvery1Minute": Routing(linear, 10, 1),
        **{
            f"CodeDeployDefault.LambdaCanary10Percent{n}Minutes": Routing(canary, 10, n)
            for n in (5, 10, 15, 30)
        },
        **{
            f"CodeDeployDefault.LambdaLinear10PercentEvery{n}Minutes": Routing(linear, 10, n)
            for n in (2, 3, 10)
        },
    }
    hosts = {
        "AllAtOnce": ("HOST_COUNT", 0),
        "HalfAtATime": ("FLEET_PERCENT", 50),
        "OneAtATime": ("HOST_COUNT", 1),
    }
    shifting = {
        name: Config(name, "ECS" if ".ECS" in name else PLATFORM, routing)
        for name, routing in routings.items()
    }
    servers = {f"CodeDeployDefault.{name}": healthy for name, healthy in hosts.items()}
    return shifting | {name: Config(name, "Server", healthy=healthy) for name, healthy in servers.items()}


PREDEFINED: Mapping[str, Config] = _predefined()


def config_of(state: CodeDeployState, name: str) -> Config:
    """The configuration of that name."""
    if _NAME.fullmatch(name) is None:
        raise AwsError("InvalidDeploymentConfigNameException", f"Invalid deployment config name: {name}")
    found = state.configs.get(name) or PREDEFINED.get(name)
    if found is None:
        message = f"No deployment configuration found for name: {name}"
        raise AwsError("DeploymentConfigDoesNotExistException", message)
    return found


def shifting_config(state: CodeDeployState, name: str) -> Config:
    """The configuration of that name, which has to be one for functions."""
    found = config_of(state, name)
    if found.platform != PLATFORM or found.routing is None:
        message = f"The deployment configuration {name} is not for the {PLATFORM} compute platform."
        raise AwsError("InvalidDeploymentConfigNameException", message)
    return found


@dataclass(frozen=True)
class ConfigOperations:
    """Answers the operations on deployment configurations."""

    state: CodeDeployState

    def answers(self) -> dict[str, Callable[[Call], Mapping[str, Any]]]:
        """Each operation with what answers it."""
        return {
            "CreateDeploymentConfig": self._create,
            "GetDeploymentConfig": self._get,
            "ListDeploymentConfigs": self._list,
        }

    def _create(self, call: Call) -> Mapping[str, Any]:
        given = call.parameters
        name = given["deploymentConfigName"]
        if _NAME.fullmatch(name) is None or name.startswith("CodeDeployDefault."):
            raise AwsError("InvalidDeploymentConfigNameException", f"Invalid deployment config name: {name}")
        if name in self.state.configs:
            message = f"Deployment configuration already exists: {name}"
            raise AwsError("DeploymentConfigAlreadyExistsException", message)
        if given.get("computePlatform", "Server") != PLATFORM:
            message = f"Only the {PLATFORM} compute platform is simulated."
            raise AwsError("InvalidComputePlatformException", message)
        self.state.configs[name] = custom_config(name, given.get("trafficRoutingConfig"), call.at)
        return {"deploymentConfigId": self.state.configs[name].id}

    def _get(self, call: Call) -> Mapping[str, Any]:
        return {
            "deploymentConfigInfo": _answer(config_of(self.state, call.parameters["deploymentConfigName"]))
        }

    def _list(self, call: Call) -> Mapping[str, Any]:
        return paged(call, "deploymentConfigsList", sorted({*PREDEFINED, *self.state.configs}))


def custom_config(name: str, routing: Mapping[str, Any] | None, at: datetime) -> Config:
    """A configuration by API_TrafficRoutingConfig; `InvalidTrafficRoutingConfigurationException` where it is none."""
    given = routing or {}
    kind = given.get("type", "")
    if kind == "AllAtOnce":
        return Config(name, PLATFORM, Routing(kind), created_at=at)
    if kind not in _MEMBERS:
        raise _invalid(f"the type {kind!r} is unknown")
    member, percentage, interval = _MEMBERS[kind]
    terms = given.get(member, {})
    found = Routing(kind, int(terms.get(percentage, 0)), int(terms.get(interval, 0)))
    if not 1 <= found.percentage <= 99:
        raise _invalid(f"{percentage} has to be between 1 and 99")
    if not 1 <= found.interval_minutes <= LONGEST_MINUTES:
        raise _invalid(f"{interval} has to be between 1 and {LONGEST_MINUTES} minutes")
    return Config(name, PLATFORM, found, created_at=at)


def _answer(config: Config) -> dict[str, Any]:
    """API_DeploymentConfigInfo."""
    routing = config.routing
    shown: dict[str, Any] | None = {"type": routing.type} if routing is not None else None
    if routing is not None and shown is not None and routing.type in _MEMBERS:
        member, percentage, interval = _MEMBERS[routing.type]
        shown[member] = {percentage: routing.percentage, interval: routing.interval_minutes}
    healthy = config.healthy
    return {
        "deploymentConfigId": config.id,
        "deploymentConfigName": config.name,
        "computePlatform": config.platform,
        "createTime": config.created_at,
        "trafficRoutingConfig": shown,
        "minimumHealthyHosts": {"type": healthy[0], "value": healthy[1]} if healthy is not None else None,
    }


def _invalid(why: str) -> AwsError:
    message = f"The traffic routing configuration is not valid: {why}."
    return AwsError("InvalidTrafficRoutingConfigurationException", message)
