"""AWS's query protocol: flat forms in, XML out.

https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from botocore.model import ListShape, MapShape, Shape, StructureShape

from simulator.clock import iso
from simulator.wire.protocol import Answer, AwsError, aware, operation_model, service_model, unknown_operation

_NUMBERS = {"integer": int, "long": int, "float": float, "double": float}
_XML = {"Content-Type": "text/xml"}
_REQUEST_ID = "00000000-0000-4000-8000-000000000000"


def read_form(form: Mapping[str, str], shape: StructureShape) -> dict[str, Any]:
    """The parameters of a flat form such as `Dimensions.member.1.Name=Service`."""
    found = _read_structure(form, shape, "")
    return found or {}


def query_answer(service: str, operation: str, result: Mapping[str, Any]) -> Answer:
    """A result in the XML envelope of the query protocol."""
    model = operation_model(service, operation)
    if model is None:
        raise unknown_operation(operation)
    namespace = service_model(service).metadata.get("xmlNamespace", "")
    body = _written(dict(result), model.output_shape) if model.output_shape is not None else ""
    text = (
        f'<{operation}Response xmlns="{namespace}"><{operation}Result>{body}</{operation}Result>'
        f"<ResponseMetadata><RequestId>{_REQUEST_ID}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return Answer(200, dict(_XML), text.encode())


def query_error(error: AwsError) -> Answer:
    """An error in the XML envelope of the query protocol."""
    text = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{escape(error.code)}</Code>"
        f"<Message>{escape(error.message)}</Message></Error>"
        f"<RequestId>{_REQUEST_ID}</RequestId></ErrorResponse>"
    )
    return Answer(error.status, dict(_XML), text.encode())


def _read(form: Mapping[str, str], shape: Shape, name: str) -> Any:
    if isinstance(shape, StructureShape):
        return _read_structure(form, shape, f"{name}.")
    if isinstance(shape, ListShape):
        flattened = shape.serialization.get("flattened")
        return _read_list(form, shape, name if flattened else f"{name}.member")
    if isinstance(shape, MapShape):
        return _read_map(form, shape, name)
    text = form.get(name)
    if text is None:
        return None
    if shape.type_name == "boolean":
        return text.lower() == "true"
    return _NUMBERS.get(shape.type_name, str)(text)


def _read_structure(form: Mapping[str, str], shape: StructureShape, prefix: str) -> dict[str, Any] | None:
    if not any(key.startswith(prefix) for key in form):
        return None
    members = {
        name: _read(form, member, f"{prefix}{member.serialization.get('name', name)}")
        for name, member in shape.members.items()
    }
    return {name: value for name, value in members.items() if value is not None}


def _read_list(form: Mapping[str, str], shape: ListShape, prefix: str) -> list[Any] | None:
    found: list[Any] = []
    while (item := _read(form, shape.member, f"{prefix}.{len(found) + 1}")) is not None:
        found.append(item)
    return found or None


def _read_map(form: Mapping[str, str], shape: MapShape, name: str) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    prefix = name if shape.serialization.get("flattened") else f"{name}.entry"
    while (key := form.get(f"{prefix}.{len(found) + 1}.key")) is not None:
        found[key] = _read(form, shape.value, f"{prefix}.{len(found) + 1}.value")
    return found or None


def _written(value: Any, shape: Shape) -> str:
    if isinstance(shape, StructureShape):
        unknown = set(value) - set(shape.members)
        if unknown:
            raise ValueError(f"{shape.name} has no member {sorted(unknown)}")
        return "".join(
            f"<{name}>{_written(item, shape.members[name])}</{name}>"
            for name, item in value.items()
            if item is not None
        )
    if isinstance(shape, ListShape):
        return "".join(f"<member>{_written(item, shape.member)}</member>" for item in value)
    if shape.type_name == "timestamp":
        return iso(aware(value))
    if isinstance(value, bool):
        return str(value).lower()
    return escape(str(value))
