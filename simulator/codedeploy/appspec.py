"""AppSpec files of Lambda deployments: which alias goes from which version to which.

https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
A file with hooks is refused: the functions of this account run no code, so no hook would ever report back.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from simulator.wire.protocol import AwsError

_TYPE = "AWS::Lambda::Function"
_PROPERTIES = ("name", "alias", "currentversion", "targetversion")


@dataclass(frozen=True)
class Target:
    """An alias of a function, the version that it names, and the version that it will name."""

    function: str
    alias: str
    current: str
    target: str

    def back(self) -> "Target":
        """The way back."""
        return Target(self.function, self.alias, self.target, self.current)


def read_appspec(content: str) -> Target:
    """The target of an AppSpec file as YAML or JSON; `InvalidRevisionException` where it is none."""
    try:
        given = yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise _invalid("the AppSpec file is neither YAML nor JSON") from error
    if not isinstance(given, dict):
        raise _invalid("the AppSpec file is not a mapping")
    members = {str(key).lower(): value for key, value in given.items()}
    if str(members.get("version")) not in ("0.0", "0"):
        raise _invalid("the AppSpec file's version is not 0.0")
    if members.get("hooks"):
        raise _invalid("hooks are not simulated")
    return _target(_resource(members.get("resources")))


def written_appspec(target: Target) -> str:
    """The AppSpec file of a target, as JSON."""
    properties = {
        "Name": target.function,
        "Alias": target.alias,
        "CurrentVersion": target.current,
        "TargetVersion": target.target,
    }
    resource = {target.function: {"Type": _TYPE, "Properties": properties}}
    return json.dumps({"version": 0.0, "Resources": [resource]})


def _resource(resources: Any) -> Mapping[str, Any]:
    listed = resources if isinstance(resources, list) else []
    if len(listed) != 1 or not isinstance(listed[0], dict) or len(listed[0]) != 1:
        raise _invalid("the AppSpec file does not have exactly one resource")
    (resource,) = listed[0].values()
    if not isinstance(resource, dict) or resource.get("Type") != _TYPE:
        raise _invalid(f"the AppSpec file's resource is not of the type {_TYPE}")
    return resource


def _target(resource: Mapping[str, Any]) -> Target:
    given = resource.get("Properties")
    properties = {str(key).lower(): value for key, value in given.items()} if isinstance(given, dict) else {}
    missing = [name for name in _PROPERTIES if not str(properties.get(name) or "")]
    if missing:
        raise _invalid(f"the AppSpec file's resource lacks {', '.join(missing)}")
    return Target(*(str(properties[name]) for name in _PROPERTIES))


def _invalid(why: str) -> AwsError:
    return AwsError("InvalidRevisionException", f"The revision is not valid: {why}.")
