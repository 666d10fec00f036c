"""The parameters an execution is started with, held against those its document declares."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from simulator.ssm.runbooks import Parameter, Runbook
from simulator.wire.protocol import AwsError


def read_parameters(runbook: Runbook, given: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Every parameter's value with its type; InvalidAutomationExecutionParametersException otherwise."""
    declared = {parameter.name: parameter for parameter in runbook.parameters}
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise refused_parameters(f"Parameters not defined in the document: {', '.join(unknown)}")
    missing = [name for name, parameter in declared.items() if parameter.required and name not in given]
    if missing:
        raise refused_parameters(f"Required parameters are missing: {', '.join(missing)}")
    return {
        name: _value(parameter, given[name]) if name in given else parameter.default
        for name, parameter in declared.items()
    }


def refused_parameters(message: str) -> AwsError:
    """InvalidAutomationExecutionParametersException."""
    return AwsError("InvalidAutomationExecutionParametersException", message)


def _value(parameter: Parameter, given: Sequence[str]) -> Any:
    is_list = parameter.type == "StringList" or parameter.type.startswith("List<")
    if not is_list and len(given) != 1:
        raise refused_parameters(f"Parameter {parameter.name} takes one value")
    _check_limits(parameter, "Items", len(given))
    for text in given:
        _check_limits(parameter, "Chars", len(text))
        _check_allowed(parameter, text)
    return list(given) if is_list else _typed(parameter, given[0])


def _check_allowed(parameter: Parameter, text: str) -> None:
    allowed = [_plain(value) for value in parameter.allowed_values]
    if allowed and text not in allowed:
        raise refused_parameters(f"Parameter {parameter.name} must be one of: {', '.join(allowed)}")
    pattern = parameter.allowed_pattern
    if pattern is not None and not re.search(pattern, text):
        raise refused_parameters(f"Parameter {parameter.name} does not match the pattern {pattern}")


def _check_limits(parameter: Parameter, what: str, size: int) -> None:
    least, most = parameter.limits.get(f"min{what}", 0), parameter.limits.get(f"max{what}", size)
    if not least <= size <= most:
        raise refused_parameters(f"Parameter {parameter.name} breaks its min{what} or max{what}: {size}")


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _typed(parameter: Parameter, text: str) -> Any:
    if parameter.type == "Integer":
        if re.fullmatch(r"[+-]?[0-9]{1,18}", text):
            return int(text)
        raise refused_parameters(f"Parameter {parameter.name} must be an integer: {text}")
    if parameter.type == "Boolean":
        if text.lower() in {"true", "false"}:
            return text.lower() == "true"
        raise refused_parameters(f"Parameter {parameter.name} must be true or false: {text}")
    if parameter.type in {"StringMap", "MapList"}:
        return _decoded(parameter, text)
    return text


def _decoded(parameter: Parameter, text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict if parameter.type == "StringMap" else list):
        raise refused_parameters(f"Parameter {parameter.name} is not a {parameter.type}")
    return value
