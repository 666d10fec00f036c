"""Which operation an HTTP request to AWS asks for, and with which parameters, on any protocol."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs, unquote

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel

from simulator.wire.protocol import operation_model, service_model
from simulator.wire.query import read_form
from simulator.wire.rest import placed_parameters

Query = Mapping[str, list[str]]


class Form(StrEnum):
    """How a request is written."""

    JSON = "json"
    QUERY = "query"
    REST = "rest"


@dataclass(frozen=True)
class Asked:
    """An operation and its parameters as they came, unchecked."""

    operation: str
    parameters: Any
    form: Form


def read_request(
    service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, query: Query
) -> Asked:
    """What a request asks for. `path` and `query` are those of the URL."""
    target = headers.get("x-amz-target", "")
    if target:
        return Asked(target.rpartition(".")[2], _json(body), Form.JSON)
    form = {**query}
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        form |= parse_qs(body.decode(errors="replace"), keep_blank_values=True)
    if "Action" in form:
        action = form["Action"][0]
        return Asked(action, _form_parameters(service, action, form), Form.QUERY)
    operation, labels = rest_operation(service, method, path, query, headers)
    placed = placed_parameters(service, operation, headers, body)
    parameters = {**_typed(service, operation, query), **labels, **placed}
    if body and body not in placed.values() and "json" in headers.get("content-type", ""):
        given = _json(body)
        parameters |= given if isinstance(given, dict) else {}
    return Asked(operation, parameters, Form.REST)


def _typed(service: str, operation: str, query: Query) -> dict[str, Any]:
    """The parameters in a URL's query by the members they stand for, numbers as numbers."""
    given: dict[str, Any] = {key: values[0] for key, values in query.items()}
    try:
        model = operation_model(service, operation)
    except UnknownServiceError:
        return given
    if model is None or model.input_shape is None:
        return given
    for name, shape in model.input_shape.members.items():
        wire = shape.serialization.get("name", name)
        if shape.serialization.get("location") == "querystring" and wire in given:
            text = given.pop(wire)
            given[name] = int(text) if shape.type_name in ("integer", "long") and text.isdigit() else text
    return given


def rest_operation(
    service: str, method: str, path: str, query: Query, headers: Mapping[str, str]
) -> tuple[str, dict[str, str]]:
    """The operation that a REST request stands for, and the labels in its path."""
    best: tuple[int, str, dict[str, str]] | None = None
    for operation in _operations(service):
        template, _, wanted = str(operation.http["requestUri"]).partition("?")
        labels = _labels(template, path)
        if operation.http["method"] != method or labels is None or not _has_all(operation, query, headers):
            continue
        if not set(parse_qs(wanted, keep_blank_values=True)) <= set(query):
            continue
        # Of two operations that are asked for alike, one is deprecated: S3's first form of lifecycle rules, say.
        fit = len(wanted) * 1000 + len(re.sub(r"\{[^}]*\}", "", template)) * 2 + (not operation.deprecated)
        if best is None or fit > best[0]:
            best = (fit, operation.name, labels)
    return (best[1], best[2]) if best is not None else (f"{method} {path}", {})


def _has_all(operation: OperationModel, query: Query, headers: Mapping[str, str]) -> bool:
    """Whether what the operation requires of headers and query is there: it tells copies from uploads."""
    shape = operation.input_shape
    if shape is None:
        return True
    places: dict[str, Mapping[str, Any]] = {"querystring": query, "header": headers}
    for name in shape.required_members:
        where = shape.members[name].serialization
        place = places.get(where.get("location", ""))
        if place is not None and where["name"].lower() not in {key.lower() for key in place}:
            return False
    return True


def _operations(service: str) -> Iterator[OperationModel]:
    try:
        model = service_model(service)
    except UnknownServiceError:
        return
    for name in model.operation_names:
        yield model.operation_model(name)


def _labels(template: str, path: str) -> dict[str, str] | None:
    pattern = re.sub(
        r"\\\{(\w+)(\\\+)?\\\}",
        lambda label: f"(?P<{label[1]}>{'.+' if label[2] else '[^/]+'})",
        re.escape(template.rstrip("/")),
    )
    found = re.fullmatch(pattern + "/?", path)
    return {key: unquote(value) for key, value in found.groupdict().items()} if found else None


def _form_parameters(service: str, action: str, form: Query) -> dict[str, Any]:
    flat = {key: values[0] for key, values in form.items()}
    try:
        model = operation_model(service, action)
    except UnknownServiceError:
        model = None
    if model is None or model.input_shape is None:
        return {key: value for key, value in flat.items() if key not in ("Action", "Version")}
    return read_form(flat, model.input_shape)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else {}
    except ValueError:
        return None
