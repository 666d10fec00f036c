"""Errors on the wire, in the shape of each of AWS's protocols, with the code and status that a service uses.

JSON: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization
Query compatibility: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait
S3: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

import json
from functools import cache
from xml.sax.saxutils import escape

from botocore.exceptions import UnknownServiceError
from botocore.model import Shape

from simulator.wire.protocol import Answer, AwsError, json_error, operation_model, service_model
from simulator.wire.query import query_error
from simulator.wire.requests import Form

_REQUEST_ID = "00000000-0000-4000-8000-000000000000"
_XML = {"Content-Type": "application/xml"}
# What a service says when it throttles an operation whose model lists one of these.
_THROTTLES = (
    "ProvisionedThroughputExceededException",
    "TooManyRequestsException",
    "RequestThrottled",
    "ThrottlingException",
    "ThrottledException",
)
_THROTTLED = {
    "ec2": ("RequestLimitExceeded", 503, "Request limit exceeded."),
    "query": ("Throttling", 400, "Rate exceeded"),
    "json": ("ThrottlingException", 400, "Rate exceeded"),
    "rest-json": ("ThrottlingException", 429, "Rate exceeded"),
    "rest-xml": ("SlowDown", 503, "Please reduce your request rate."),
    "smithy-rpc-v2-cbor": ("Throttling", 400, "Rate exceeded"),
}


def refused(service: str, form: Form, error: AwsError) -> Answer:
    """An error as the service itself would send it to a request of that form."""
    protocol = _protocol(service)
    if form is Form.JSON:
        answer = json_error(service, error)
        if _is_query_compatible(service):
            answer.headers["x-amzn-query-error"] = f"{error.code};{_side(error)}"
        return answer
    if form is Form.QUERY:
        return _ec2_error(error) if protocol == "ec2" else query_error(error)
    if protocol == "rest-xml":
        return _s3_error(error) if service == "s3" else query_error(error)
    body = json.dumps({"message": error.message, **error.fields}).encode()
    return Answer(error.status, {"Content-Type": "application/json", "x-amzn-errortype": error.code}, body)


def throttled(service: str, operation: str) -> AwsError:
    """The refusal of a service that an operation is called too often."""
    code, status, message = _THROTTLED.get(_protocol(service), _THROTTLED["json"])
    model = operation_model(service, operation) if _is_known(service) else None
    listed = {shape.name: shape for shape in model.error_shapes} if model is not None else {}
    found = next((listed[name] for name in _THROTTLES if name in listed), None)
    if found is None:
        return AwsError(code, message, status)
    return AwsError(_code(found), message, _status(found))


def modelled_error(service: str, code: str, message: str, status: int | None = None) -> AwsError:
    """An error under its code, with the status that the service's model gives it unless one is named."""
    return AwsError(code, message, status or _modelled_status(service, code))


@cache
def _modelled_status(service: str, code: str) -> int:
    if not _is_known(service):
        return 400
    model = service_model(service)
    for name in model.shape_names:
        shape = model.shape_for(name)
        if shape.metadata.get("exception") and code in (shape.name, _code(shape)):
            return _status(shape)
    return 400


def _code(shape: Shape) -> str:
    return str(shape.metadata.get("error", {}).get("code", shape.name))


def _status(shape: Shape) -> int:
    return int(shape.metadata.get("error", {}).get("httpStatusCode", 400))


def _protocol(service: str) -> str:
    return str(service_model(service).metadata.get("protocol", "json")) if _is_known(service) else "json"


def _is_query_compatible(service: str) -> bool:
    return _is_known(service) and "awsQueryCompatible" in service_model(service).metadata


def _is_known(service: str) -> bool:
    try:
        service_model(service)
    except UnknownServiceError:
        return False
    return True


def _side(error: AwsError) -> str:
    return "Receiver" if error.status >= 500 else "Sender"


def _s3_error(error: AwsError) -> Answer:
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
        f"<RequestId>{_REQUEST_ID}</RequestId></Error>"
    )
    return Answer(error.status, dict(_XML), text.encode())


def _ec2_error(error: AwsError) -> Answer:
    text = (
        f"<Response><Errors><Error><Code>{escape(error.code)}</Code>"
        f"<Message>{escape(error.message)}</Message></Error></Errors>"
        f"<RequestID>{_REQUEST_ID}</RequestID></Response>"
    )
    return Answer(error.status, dict(_XML), text.encode())
