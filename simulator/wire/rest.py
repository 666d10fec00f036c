"""AWS's REST-JSON protocol, both ways: members that travel in headers and as the whole body.

https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
"""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.model import StructureShape

from simulator.wire.protocol import Answer, json_answer, operation_model, service_model, unknown_operation


def placed_parameters(
    service: str, operation: str, headers: Mapping[str, str], body: bytes
) -> dict[str, Any]:
    """The parameters that travel in headers, and a body whose bytes are a parameter as they are."""
    shape = _input_shape(service, operation)
    if shape is None:
        return {}
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        key = str(member.serialization.get("name", name)).lower()
        if member.serialization.get("location") == "header" and key in headers:
            found[name] = headers[key]
    payload = payload_member(shape)
    return found | ({payload: body} if payload is not None and body else {})


def _input_shape(service: str, operation: str) -> StructureShape | None:
    try:
        model = operation_model(service, operation)
    except UnknownServiceError:
        return None
    if model is None or service_model(service).metadata.get("protocol") != "rest-json":
        return None
    return model.input_shape


def payload_member(shape: StructureShape | None) -> str | None:
    """The member whose bytes are the whole body, if there is one."""
    name = shape.serialization.get("payload") if shape is not None else None
    return str(name) if name and shape is not None and shape.members[name].type_name == "blob" else None


def rest_answer(service: str, operation: str, result: Mapping[str, Any]) -> Answer:
    """A result on the wire: its status, its headers, and the rest of it as JSON or as the bytes that it is."""
    model = operation_model(service, operation)
    if model is None:
        raise unknown_operation(operation)
    shape, status, headers, rest = model.output_shape, int(model.http.get("responseCode", 200)), {}, {}
    for name, value in result.items():
        member = shape.members.get(name) if shape is not None else None
        where = member.serialization.get("location") if member is not None else None
        if where == "statusCode":
            status = int(value)
        elif where == "header" and member is not None and value is not None:
            headers[str(member.serialization.get("name", name))] = str(value)
        else:
            rest[name] = value
    payload = payload_member(shape)
    if payload is not None:
        return Answer(status, {"Content-Type": "application/json", **headers}, rest.get(payload) or b"")
    answer = json_answer(service, operation, rest)
    body = b"" if status == 204 else answer.body
    return Answer(status, {"Content-Type": "application/json", **headers}, body)
