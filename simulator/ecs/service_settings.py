"""What a service may be told: the parameters that are kept, those that roll it out anew, those refused."""

from collections.abc import Mapping
from typing import Any

from simulator.wire.protocol import AwsError

_DEFAULT_ROLLOUT = {
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
}
_UNSIMULATED = frozenset(
    {
        "capacityProviderStrategy",
        "monitoring",
        "placementConstraints",
        "placementStrategy",
        "serviceConnectConfiguration",
        "serviceRegistries",
        "volumeConfigurations",
        "vpcLatticeConfigurations",
    }
)
_UNSIMULATED_ROLLOUT = frozenset(
    {
        "bakeTimeInMinutes",
        "canaryConfiguration",
        "earlySuccessCriteria",
        "lifecycleHooks",
        "linearConfiguration",
    }
)
# UpdateService begins a deployment where one of these changes, as with another task definition.
_ROLLED_OUT = ("loadBalancers", "networkConfiguration", "platformVersion")
_KEPT = (
    "availabilityZoneRebalancing",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
    "propagateTags",
)


def check_service(parameters: Mapping[str, Any]) -> None:
    """Refuse what ECS refuses of a service, and what is not simulated."""
    unsupported = [name for name in _UNSIMULATED if parameters.get(name)]
    if parameters.get("deploymentController", {}).get("type", "ECS") != "ECS":
        unsupported.append("deploymentController")
    if parameters.get("schedulingStrategy", "REPLICA") != "REPLICA":
        unsupported.append("schedulingStrategy")
    rollout = parameters.get("deploymentConfiguration", {})
    unsupported += [name for name in _UNSIMULATED_ROLLOUT if rollout.get(name)]
    if rollout.get("strategy", "ROLLING") != "ROLLING":
        unsupported.append("strategy")
    if rollout.get("alarms", {}).get("enable"):
        unsupported.append("alarms")
    if unsupported:
        message = f"{', '.join(sorted(unsupported))} not supported in this region."
        raise AwsError("UnsupportedFeatureException", message)
    if parameters.get("desiredCount", 0) < 0:
        raise AwsError("InvalidParameterException", "desiredCount must not be negative.")


def rollout_settings(current: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The deployment configuration that holds from now on."""
    settings = {**_DEFAULT_ROLLOUT, **current, **parameters.get("deploymentConfiguration", {})}
    if settings["maximumPercent"] == 100 and settings["minimumHealthyPercent"] == 100:
        message = (
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments."
        )
        raise AwsError("InvalidParameterException", message)
    return settings


def adopt(kept: dict[str, Any], parameters: Mapping[str, Any]) -> bool:
    """Keep what UpdateService says beside counts and definition; whether that needs a deployment."""
    needed = any(name in parameters and parameters[name] != kept.get(name) for name in _ROLLED_OUT)
    kept.update({name: parameters[name] for name in (*_ROLLED_OUT, *_KEPT) if name in parameters})
    return needed
