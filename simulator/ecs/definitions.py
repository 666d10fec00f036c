"""Task definitions: registered, described, listed, deregistered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.ecs.answers import task_definition_answer
from simulator.ecs.listing import listed
from simulator.ecs.records import TaskDefinition
from simulator.ecs.state import EcsState
from simulator.wire.protocol import AwsError, Call

_GB = 1024
# CPU units and the memory in MiB they go with: developer guide, "Task CPU and memory" of Fargate.
_FARGATE: dict[int, range | tuple[int, ...]] = {
    256: (512, 1 * _GB, 2 * _GB),
    512: range(1 * _GB, 4 * _GB + 1, _GB),
    1024: range(2 * _GB, 8 * _GB + 1, _GB),
    2048: range(4 * _GB, 16 * _GB + 1, _GB),
    4096: range(8 * _GB, 30 * _GB + 1, _GB),
    8192: range(16 * _GB, 60 * _GB + 1, 4 * _GB),
    16384: range(32 * _GB, 120 * _GB + 1, 8 * _GB),
}


@dataclass(frozen=True)
class DefinitionOperations:
    """Answers the operations on task definitions."""

    state: EcsState

    def answers(self) -> dict[str, Callable[[Call], Mapping[str, Any]]]:
        """Each operation with what answers it."""
        return {
            "RegisterTaskDefinition": self._register,
            "DescribeTaskDefinition": self._describe,
            "ListTaskDefinitions": self._list,
            "DeregisterTaskDefinition": self._deregister,
        }

    def _register(self, call: Call) -> Mapping[str, Any]:
        parameters = call.parameters
        _check(parameters)
        definition = self.state.register(parameters, call.at, call.caller_arn)
        return {"taskDefinition": task_definition_answer(definition), "tags": parameters.get("tags", [])}

    def _describe(self, call: Call) -> Mapping[str, Any]:
        named = call.parameters["taskDefinition"]
        definition = self.state.definition(named, "Unable to describe task definition.")
        answer: dict[str, Any] = {"taskDefinition": self._answer(definition)}
        if "TAGS" in call.parameters.get("include", []):
            answer["tags"] = self.state.tags_of(definition.arn)
        return answer

    def _list(self, call: Call) -> Mapping[str, Any]:
        prefix, status = call.parameters.get("familyPrefix"), call.parameters.get("status", "ACTIVE")
        found = [
            one
            for family in sorted(self.state.definitions)
            if prefix in (None, family)
            for one in self.state.definitions[family]
            if status == ("INACTIVE" if one.arn in self.state.deregistered else "ACTIVE")
        ]
        if call.parameters.get("sort", "ASC") == "DESC":
            found.reverse()
        return listed(call, "taskDefinitionArns", [one.arn for one in found], 100)

    def _deregister(self, call: Call) -> Mapping[str, Any]:
        named = call.parameters["taskDefinition"]
        if ":" not in named.rpartition("/")[2]:
            raise AwsError("InvalidParameterException", "Revision is missing.")
        definition = self.state.definition(named, "The specified task definition does not exist.")
        self.state.deregistered.setdefault(definition.arn, call.at)
        return {"taskDefinition": self._answer(definition)}

    def _answer(self, definition: TaskDefinition) -> dict[str, Any]:
        return task_definition_answer(definition, self.state.deregistered.get(definition.arn))


def _check(parameters: Mapping[str, Any]) -> None:
    """Refuse a definition that ECS would not register."""
    containers = parameters["containerDefinitions"]
    if not containers:
        raise _refused("Container list cannot be empty.")
    for container in containers:
        if not container.get("name") or not container.get("image"):
            raise _refused("Container.image should not be null or empty.")
        if not (parameters.get("memory") or container.get("memory") or container.get("memoryReservation")):
            raise _refused(
                f"Invalid setting for container '{container['name']}'. At least one of 'memory' or "
                "'memoryReservation' must be specified."
            )
    if not any(one.get("essential", True) for one in containers):
        raise _refused("A task definition must have at least one essential container.")
    if "FARGATE" in parameters.get("requiresCompatibilities", []):
        _check_size(parameters)


def _check_size(parameters: Mapping[str, Any]) -> None:
    try:
        cpu, memory = (int(parameters.get(name, "0")) for name in ("cpu", "memory"))
    except ValueError as error:
        # Sizes may be written as "1 vCPU" and "2 GB" too.
        raise _refused("cpu and memory in units other than CPU units and MiB are not simulated.") from error
    if memory not in _FARGATE.get(cpu, ()):
        raise _refused("No Fargate configuration exists for given values.")


def _refused(message: str) -> AwsError:
    return AwsError("ClientException", message)
