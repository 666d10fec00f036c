"""What an overlay is, and how its answers travel on AWS's JSON protocols.

An overlay answers some operations of one service as AWS does, or refuses them with AWS's own error.
Requests and answers are read against botocore's service models, so a member that the API does not
have never leaves this process. JSON protocol: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, Protocol

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

REGION = "us-east-1"
ACCOUNT = "123456789012"

VALIDATION_CODES = {
    "cloudtrail": "InvalidParameterException",
    "cloudwatch": "InvalidParameterValue",
    "ecs": "InvalidParameterException",
    "logs": "InvalidParameterException",
    "service-quotas": "IllegalArgumentException",
    "ssm": "ValidationException",
}


@dataclass(frozen=True)
class Call:
    """One AWS request, as its overlay sees it. Timestamps in `parameters` are aware datetimes."""

    service: str
    operation: str
    parameters: dict[str, Any]
    caller_arn: str
    access_key: str
    region: str
    account: str
    at: datetime


class AwsError(Exception):
    """A refusal with AWS's own code and wording. `fields` are further members of a modelled error."""

    def __init__(
        self, code: str, message: str, status: int = 400, fields: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.fields = dict(fields or {})


class Overlay(Protocol):
    """Answers some operations of one service.

    `service` is botocore's name of it ("logs", "cloudwatch"). Operations outside `operations` go to
    the emulator below, unless `exclusive`: then they are refused as unknown.
    """

    @property
    def service(self) -> str:
        """Botocore's name of the service."""
        ...

    @property
    def operations(self) -> frozenset[str]:
        """The operations answered here."""
        ...

    @property
    def exclusive(self) -> bool:
        """Whether every other operation is refused."""
        ...

    async def answer(self, call: Call) -> Mapping[str, Any]:
        """The operation's result, or `AwsError`."""
        ...


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@cache
def service_model(service: str) -> ServiceModel:
    """Botocore's model of a service. Slow the first time, so it is kept."""
    return ServiceModel(_loader().load_service_model(service, "service-2"), service)


def service_names() -> list[str]:
    """Every service that botocore has a model of."""
    names: list[str] = _loader().list_available_services("service-2")
    return names


@cache
def _loader() -> Loader:
    # A botocore session would do the same and take a tenth of a second more.
    return Loader(include_default_search_paths=True)


def operation_model(service: str, operation: str) -> OperationModel | None:
    """The model of one operation, or None where the API has no such operation."""
    model = service_model(service)
    return model.operation_model(operation) if operation in model.operation_names else None


def unknown_operation(operation: str) -> AwsError:
    """The refusal AWS gives to an operation it does not have."""
    return AwsError("UnknownOperationException", f"The operation {operation} is not supported.")


def read_parameters(service: str, operation: str, raw: object) -> dict[str, Any]:
    """Check a decoded request against the API's model and give its timestamps as datetimes."""
    model = operation_model(service, operation)
    if model is None:
        raise unknown_operation(operation)
    if not isinstance(raw, dict):
        raise AwsError("SerializationException", "Start of structure or map found where not expected.")
    if model.input_shape is None:
        return {}
    given: dict[str, Any] = _without_nulls(raw)
    report = ParamValidator().validate(given, model.input_shape)
    if report.has_errors():
        code = VALIDATION_CODES.get(service, "ValidationException")
        raise AwsError(code, _one_line(report.generate_report()))
    parsed: dict[str, Any] = _from_wire(given, model.input_shape)
    return parsed


def json_answer(service: str, operation: str, result: Mapping[str, Any]) -> Answer:
    """A result on the wire. A member that the API's model lacks is a defect and raises ValueError."""
    model = operation_model(service, operation)
    if model is None:
        raise unknown_operation(operation)
    body: object = {}
    if model.output_shape is not None:
        body = _to_wire(dict(result), model.output_shape, operation)
    return Answer(200, {"Content-Type": json_content_type(service)}, json.dumps(body).encode())


def json_error(service: str, error: AwsError) -> Answer:
    """An error on the wire, named in the header and in the body as AWS does."""
    headers = {"Content-Type": json_content_type(service), "x-amzn-errortype": error.code}
    body = {"__type": error.code, "message": error.message, **error.fields}
    return Answer(error.status, headers, json.dumps(body).encode())


def json_content_type(service: str) -> str:
    """The media type of a service's JSON protocol version."""
    version = service_model(service).metadata.get("jsonVersion", "1.1")
    return f"application/x-amz-json-{version}"


def aware(value: object) -> datetime:
    """An AWS timestamp (epoch seconds, ISO 8601 or datetime) as an aware UTC datetime."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, str):
        try:
            return datetime.fromtimestamp(float(value), UTC)
        except ValueError:
            return aware(datetime.fromisoformat(value))
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    raise TypeError(f"not a timestamp: {value!r}")


def _one_line(report: str) -> str:
    return " ".join(report.split())


def _from_wire(value: Any, shape: Shape) -> Any:
    if isinstance(shape, StructureShape):
        known = {name: member for name, member in shape.members.items() if name in value}
        return {name: _from_wire(value[name], member) for name, member in known.items()}
    if isinstance(shape, ListShape):
        return [_from_wire(item, shape.member) for item in value]
    if isinstance(shape, MapShape):
        return {key: _from_wire(item, shape.value) for key, item in value.items()}
    return aware(value) if shape.type_name == "timestamp" else value


def _to_wire(value: Any, shape: Shape, where: str) -> Any:
    if isinstance(shape, StructureShape):
        return _structure_to_wire(value, shape, where)
    if isinstance(shape, ListShape):
        return [_to_wire(item, shape.member, where) for item in value]
    if isinstance(shape, MapShape):
        return {key: _to_wire(item, shape.value, f"{where}.{key}") for key, item in value.items()}
    return aware(value).timestamp() if shape.type_name == "timestamp" else value


def _structure_to_wire(value: Mapping[str, Any], shape: StructureShape, where: str) -> dict[str, Any]:
    unknown = set(value) - set(shape.members)
    if unknown:
        raise ValueError(f"{where}: {shape.name} has no member {sorted(unknown)}")
    return {
        name: _to_wire(item, shape.members[name], f"{where}.{name}")
        for name, item in value.items()
        if item is not None
    }


def _without_nulls(value: Any) -> Any:
    """A JSON null is an absent member to AWS."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
