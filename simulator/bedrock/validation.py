"""Request checks: first the API's own model, then what Converse demands beyond it."""

import re
from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.validate import ParamValidator

from simulator.bedrock.conversation import check_conversation
from simulator.wire.protocol import AwsError, service_model


def checked(operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters, or the ValidationException that AWS would give."""
    shape = service_model("bedrock-runtime").operation_model(operation).input_shape
    assert shape is not None, f"{operation} has no input"
    known = {name: value for name, value in parameters.items() if value is not None}
    report = ParamValidator().validate(known, shape)
    if report.has_errors():
        raise AwsError("ValidationException", " ".join(report.generate_report().split()))
    for where, value, member in _leaves(known, shape, ""):
        _check_leaf(where, value, member)
    if operation in ("Converse", "ConverseStream"):
        check_conversation(known)
    return known


def _leaves(value: Any, shape: Shape, where: str) -> list[tuple[str, Any, Shape]]:
    if isinstance(shape, StructureShape):
        if shape.is_document_type:
            return []
        return [
            leaf
            for name, item in value.items()
            if name in shape.members
            for leaf in _leaves(item, shape.members[name], f"{where}.{name}" if where else name)
        ]
    if isinstance(shape, ListShape):
        items = [leaf for n, item in enumerate(value) for leaf in _leaves(item, shape.member, f"{where}.{n}")]
        return [(where, value, shape), *items]
    if isinstance(shape, MapShape):
        return [leaf for key, item in value.items() for leaf in _leaves(item, shape.value, f"{where}.{key}")]
    return [(where, value, shape)]


def _check_leaf(where: str, value: Any, shape: Shape) -> None:
    """The constraints botocore leaves to the service: enums, patterns and maxima."""
    allowed = getattr(shape, "enum", [])
    if allowed and value not in allowed:
        raise _constraint(where, f"Member must satisfy enum value set: [{', '.join(allowed)}]")
    most = shape.metadata.get("max")
    if most is not None:
        _check_most(where, value, most)
    pattern = shape.metadata.get("pattern")
    if pattern and isinstance(value, str) and re.fullmatch(pattern, value) is None:
        raise _constraint(where, f"Member must satisfy regular expression pattern: {pattern}")


def _check_most(where: str, value: Any, most: float) -> None:
    if isinstance(value, int | float) and not isinstance(value, bool) and value > most:
        raise _constraint(where, f"Member must have value less than or equal to {most}")
    if isinstance(value, str | list) and len(value) > most:
        raise _constraint(where, f"Member must have length less than or equal to {most}")


def _constraint(where: str, demand: str) -> AwsError:
    text = f"1 validation error detected: Value at '{where}' failed to satisfy constraint: {demand}"
    return AwsError("ValidationException", text)
