"""The calls that make what a world has in CodeDeploy."""

from collections.abc import Iterator
from typing import Any

from simulator.codedeploy.answers import STYLE
from simulator.codedeploy.records import PLATFORM
from simulator.wire.protocol import ACCOUNT
from simulator.world import DeploymentConfigWorld, DeploymentGroupWorld, World

_MEMBERS = {
    "TimeBasedCanary": ("timeBasedCanary", "canaryPercentage", "canaryInterval"),
    "TimeBasedLinear": ("timeBasedLinear", "linearPercentage", "linearInterval"),
}


def codedeploy_calls(world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """Operation and parameters of each call, in an order in which they succeed."""
    for config in world.deployment_configs:
        yield "CreateDeploymentConfig", _config(config)
    for application in world.applications:
        named = {"applicationName": application.name}
        yield "CreateApplication", {**named, "computePlatform": PLATFORM}
        for group in application.groups:
            yield "CreateDeploymentGroup", {**named, **_group(group)}


def _config(config: DeploymentConfigWorld) -> dict[str, Any]:
    member, percentage, interval = _MEMBERS[config.type]
    terms = {percentage: config.percentage, interval: config.interval_minutes}
    return {
        "deploymentConfigName": config.name,
        "computePlatform": PLATFORM,
        "trafficRoutingConfig": {"type": config.type, member: terms},
    }


def _group(group: DeploymentGroupWorld) -> dict[str, Any]:
    alarms = [{"name": name} for name in group.alarms]
    return {
        "deploymentGroupName": group.name,
        "deploymentConfigName": group.config,
        "serviceRoleArn": f"arn:aws:iam::{ACCOUNT}:role/{group.role}",
        "deploymentStyle": STYLE,
        "alarmConfiguration": {"enabled": bool(alarms), "alarms": alarms},
        "autoRollbackConfiguration": {"enabled": bool(group.rollback_on), "events": group.rollback_on},
    }
