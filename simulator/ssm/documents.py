"""SSM documents, runbooks and change calendars: made, described, read, listed.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import yaml

from simulator.clock import AccountClock
from simulator.ssm.calendars import Calendar, is_open, moment_of, next_change, parse_calendar, written
from simulator.ssm.runbooks import Parameter, Runbook, parse_runbook, read_content
from simulator.wire.paging import UnknownTokenError, page
from simulator.wire.protocol import AwsError, Call

_NAME = re.compile(r"[a-zA-Z0-9_\-.]{3,128}")
_RESERVED = ("aws", "amazon", "amzn")
_LARGEST = 65_536
_LIST_SIZE = 50
_PLATFORMS = ["Windows", "Linux", "MacOS"]
_VERSION = "1"


@dataclass(frozen=True)
class Document:
    """A document and what its content says."""

    name: str
    content: str
    format: str
    means: Runbook | Calendar
    created: datetime
    owner: str
    tags: tuple[tuple[str, str], ...]
    display_name: str | None = None

    @property
    def type(self) -> str:
        """The document's type (API_DocumentDescription)."""
        return "ChangeCalendar" if isinstance(self.means, Calendar) else "Automation"


class SsmDocuments:
    """Answers the operations on documents."""

    def __init__(self, clock: AccountClock) -> None:
        self._clock = clock
        self._documents: dict[str, Document] = {}

    def get(self, name: str, version: str | None) -> Document | None:
        """The document of that name or ARN, if it has that version."""
        return self._documents.get(name.rpartition("document/")[2]) if version_exists(version) else None

    def runbook(self, name: str, version: str | None) -> Runbook | None:
        """The runbook of that name or ARN, if it has that version."""
        found = self.get(name, version)
        return found.means if found is not None and isinstance(found.means, Runbook) else None

    async def calendar_state(self, call: Call) -> Mapping[str, Any]:
        """GetCalendarState: open where every calendar named is."""
        calendars = [self._calendar(name) for name in call.parameters["CalendarNames"]]
        given = call.parameters.get("AtTime")
        at = self._clock.now() if given is None else moment_of(given)
        following = next_change(calendars, at)
        return {
            "State": "OPEN" if is_open(calendars, at) else "CLOSED",
            "AtTime": given or written(at),
            "NextTransitionTime": None if following is None else written(following),
        }

    def _calendar(self, name: str) -> Calendar:
        found = self.get(name, None)
        if found is None:
            raise AwsError("InvalidDocument", f"Document with name {name} does not exist.")
        if not isinstance(found.means, Calendar):
            message = f"Document {name} is not of type ChangeCalendar."
            raise AwsError("InvalidDocumentType", message)
        return found.means

    def exists(self, name: str) -> bool:
        """Whether the account has a document of that name or ARN."""
        return name.rpartition("document/")[2] in self._documents

    async def create(self, call: Call) -> Mapping[str, Any]:
        """CreateDocument."""
        given = call.parameters
        name = _checked_name(given["Name"])
        if name in self._documents:
            raise AwsError("DocumentAlreadyExists", f"Document with same name {name} already exists")
        content, document_format = given["Content"], given.get("DocumentFormat", "JSON")
        if len(content.encode()) > _LARGEST:
            raise AwsError("MaxDocumentSizeExceeded", "The size limit of a document is 64 KB.")
        document = Document(
            name=name,
            content=content,
            format=document_format,
            means=_meaning(given.get("DocumentType", "Command"), content, document_format),
            created=self._clock.now(),
            owner=call.account,
            tags=tuple((tag["Key"], tag["Value"]) for tag in given.get("Tags", [])),
            display_name=given.get("DisplayName"),
        )
        self._documents[name] = document
        return {"DocumentDescription": _description(document)}

    async def delete(self, call: Call) -> Mapping[str, Any]:
        """DeleteDocument."""
        del self._documents[self._named(call.parameters).name]
        return {}

    async def describe(self, call: Call) -> Mapping[str, Any]:
        """DescribeDocument."""
        return {"Document": _description(self._named(call.parameters))}

    async def read(self, call: Call) -> Mapping[str, Any]:
        """GetDocument: the content, in the format asked for."""
        document = self._named(call.parameters)
        wanted = call.parameters.get("DocumentFormat", document.format)
        return {
            "Name": document.name,
            "CreatedDate": document.created,
            "DocumentVersion": _VERSION,
            "Status": "Active",
            "Content": _rewritten(document, wanted),
            "DocumentType": document.type,
            "DocumentFormat": wanted,
        }

    async def list(self, call: Call) -> Mapping[str, Any]:
        """ListDocuments: by name."""
        given = call.parameters
        filters = [(item["Key"], item["Values"]) for item in given.get("Filters", [])]
        filters += [(item["key"], [item["value"]]) for item in given.get("DocumentFilterList", [])]
        chosen = [
            document
            for _, document in sorted(self._documents.items())
            if all(_passes(document, key, values) for key, values in filters)
        ]
        try:
            shown, token = page(chosen, given.get("NextToken"), given.get("MaxResults", _LIST_SIZE))
        except UnknownTokenError as error:
            raise AwsError("InvalidNextToken", "The specified token isn't valid.") from error
        return {"DocumentIdentifiers": [_identifier(document) for document in shown], "NextToken": token}

    async def versions(self, call: Call) -> Mapping[str, Any]:
        """ListDocumentVersions: the one that a document has."""
        document = self._named(call.parameters)
        version = {
            "Name": document.name,
            "DisplayName": document.display_name,
            "DocumentVersion": _VERSION,
            "CreatedDate": document.created,
            "IsDefaultVersion": True,
            "DocumentFormat": document.format,
            "Status": "Active",
        }
        return {"DocumentVersions": [version]}

    def _named(self, given: Mapping[str, Any]) -> Document:
        if not self.exists(given["Name"]):
            raise AwsError("InvalidDocument", f"Document with name {given['Name']} does not exist.")
        document = self.get(given["Name"], given.get("DocumentVersion"))
        if document is None or "VersionName" in given:
            raise AwsError("InvalidDocumentVersion", "The document version is not valid or does not exist.")
        return document


def _meaning(kind: str, content: str, document_format: str) -> Runbook | Calendar:
    if kind == "ChangeCalendar":
        if document_format != "TEXT":
            raise AwsError("InvalidDocumentContent", "A change calendar is written as TEXT.")
        return parse_calendar(content)
    if kind != "Automation":
        raise AwsError("InvalidDocumentContent", f"Document type {kind} is not supported")
    return parse_runbook(read_content(content, document_format))


def version_exists(version: str | None) -> bool:
    """A document has one version; $DEFAULT and $LATEST name it too."""
    return version in {None, "$DEFAULT", "$LATEST", _VERSION}


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise AwsError("ValidationException", f"Invalid document name: {name}")
    if name.lower().startswith(_RESERVED):
        raise AwsError("ValidationException", f"Document name cannot begin with a reserved prefix: {name}")
    return name


def _description(document: Document) -> dict[str, Any]:
    return {
        **_identifier(document),
        "Hash": hashlib.sha256(document.content.encode()).hexdigest(),
        "HashType": "Sha256",
        "Status": "Active",
        **_declared(document.means),
        "LatestVersion": _VERSION,
        "DefaultVersion": _VERSION,
    }


def _declared(means: Runbook | Calendar) -> dict[str, Any]:
    if isinstance(means, Calendar):
        return {}
    parameters = [_parameter(parameter) for parameter in means.parameters]
    return {"Description": means.description, "Parameters": parameters}


def _identifier(document: Document) -> dict[str, Any]:
    return {
        "Name": document.name,
        "CreatedDate": document.created,
        "DisplayName": document.display_name,
        "Owner": document.owner,
        "PlatformTypes": _PLATFORMS,
        "DocumentVersion": _VERSION,
        "DocumentType": document.type,
        "SchemaVersion": "0.3" if isinstance(document.means, Runbook) else None,
        "DocumentFormat": document.format,
        "Tags": [{"Key": key, "Value": value} for key, value in document.tags],
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    is_list = parameter.type == "StringList" or parameter.type.startswith("List<")
    default = parameter.default
    return {
        "Name": parameter.name,
        "Type": "StringList" if is_list else "String",
        "Description": parameter.description,
        "DefaultValue": default if default is None or isinstance(default, str) else json.dumps(default),
    }


def _rewritten(document: Document, wanted: str) -> str:
    if wanted in {document.format, "TEXT"}:
        return document.content
    data = read_content(document.content, document.format)
    if wanted == "JSON":
        return json.dumps(data, indent=2, default=str)
    return str(yaml.safe_dump(data, sort_keys=False))


def _passes(document: Document, key: str, values: "list[str]") -> bool:
    if key == "Name":
        return any(document.name.startswith(value) for value in values)
    if key == "Owner":
        return any(value in {"Self", "All", "Private"} for value in values)
    if key == "DocumentType":
        return document.type in values
    if key == "PlatformTypes":
        return any(value in _PLATFORMS for value in values)
    if key.startswith("tag:"):
        return any((key.removeprefix("tag:"), value) in document.tags for value in values)
    raise AwsError("InvalidFilterKey", f"The specified key isn't valid: {key}")
