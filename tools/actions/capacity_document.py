"""Know an SSM Automation document by what its steps call, and refuse one that does anything else.

Names are no proof: which parameter is the table and which the units is read from where their placeholders
stand in the one UpdateTable step.
https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-executeawsapi.html
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError
from pydantic import BaseModel, Field, ValidationError

from memory.records.base import Record

_PLACEHOLDER = re.compile(r"^\{\{\s*([A-Za-z0-9_.:]+)\s*\}\}$")
_API_STEPS = frozenset(
    {"aws:executeAwsApi", "aws:waitForAwsResourceProperty", "aws:assertAwsResourceProperty"}
)
_OTHER_STEPS = frozenset({"aws:sleep", "aws:branch"})
_LISTED_PAGES = 4


class _Step(BaseModel):
    name: str = ""
    action: str
    inputs: dict[str, Any] = Field(default_factory=dict)

    @property
    def operation(self) -> str:
        """The step's DynamoDB operation in lower case, or nothing."""
        is_dynamodb = str(self.inputs.get("Service", "")).lower() == "dynamodb"
        return str(self.inputs.get("Api", "")).replace("_", "").lower() if is_dynamodb else ""


class _Content(BaseModel):
    """The parts of an Automation document that say what it does."""

    parameters: dict[str, dict[str, Any]] = Field(default_factory=dict)
    steps: list[_Step] = Field(alias="mainSteps", min_length=1)
    assume_role: Any = Field(default=None, alias="assumeRole")

    @property
    def is_of_the_caller(self) -> bool:
        """Whether its steps run as whoever starts it, where nobody gives it a role."""
        asked = _placeholder(self.assume_role)
        return not (self.parameters[asked].get("default") if asked in self.parameters else self.assume_role)


class CapacityDocument(Record):
    """An Automation document that sets a table's write capacity, or the reasons why it is none."""

    name: str
    version: str
    content_sha256: str
    table_parameter: str = ""
    write_parameter: str = ""
    read_parameter: str | None = None
    read_units: int | None = None
    problems: tuple[str, ...] = ()


def read_document(ssm: Any, name: str, version: str = "$DEFAULT") -> CapacityDocument | None:
    """Read one document of the account, or None when it has none of that name and version."""
    # Only here: every command that acts loads the whole catalogue, and few actions read a document.
    import yaml

    try:
        answer = ssm.get_document(Name=name, DocumentVersion=version)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"InvalidDocument", "InvalidDocumentVersion"}:
            return None
        raise
    if answer.get("Status", "Active") != "Active" or answer.get("DocumentType") != "Automation":
        return _refused(answer, "it is not an active Automation document")
    try:
        content = _Content.model_validate(yaml.safe_load(answer["Content"]))
    except (yaml.YAMLError, ValidationError, ValueError, RecursionError):
        return _refused(answer, "its content is not that of an Automation document")
    return _read_content(answer, content)


def find_document(ssm: Any) -> CapacityDocument | None:
    """Return the account's own document that sets write capacity; the first by name where several do."""
    for name in sorted(_own_documents(ssm)):
        document = read_document(ssm, name)
        if document is not None and not document.problems:
            return document
    return None


def _own_documents(ssm: Any) -> Iterator[str]:
    request: dict[str, Any] = {
        "Filters": [
            {"Key": "Owner", "Values": ["Self"]},
            {"Key": "DocumentType", "Values": ["Automation"]},
        ]
    }
    for _ in range(_LISTED_PAGES):
        page = ssm.list_documents(**request)
        yield from (one["Name"] for one in page["DocumentIdentifiers"])
        if not page.get("NextToken"):
            return
        request["NextToken"] = page["NextToken"]


def _read_content(answer: Mapping[str, Any], content: _Content) -> CapacityDocument:
    foreign = tuple(problem for step in content.steps for problem in _foreign(step))
    updates = [step for step in content.steps if step.operation == "updatetable"]
    if foreign or len(updates) != 1:
        return _refused(answer, *(foreign or ("it does not update exactly one table",)))
    inputs, declared = updates[0].inputs, content.parameters
    capacity = inputs.get("ProvisionedThroughput")
    if set(inputs) != {"Service", "Api", "TableName", "ProvisionedThroughput"} or not isinstance(
        capacity, dict
    ):
        return _refused(answer, "its UpdateTable step sets other things than provisioned throughput")
    table, write = _placeholder(inputs["TableName"]), _placeholder(capacity.get("WriteCapacityUnits"))
    if table not in declared or write not in declared or table == write:
        return _refused(answer, "table and write capacity are not parameters of it")
    fixed = capacity.get("ReadCapacityUnits")
    read = _placeholder(fixed)
    read_parameter = read if read in declared else None
    given = {table, write, read_parameter}
    missing = [name for name, facts in declared.items() if name not in given and "default" not in facts]
    tables = {_placeholder(step.inputs.get("TableName")) for step in content.steps if step.operation}
    problems = (
        *(("its steps touch other tables",) if tables != {table} else ()),
        *(f"it also needs {name}" for name in missing),
        *(("it sets no read capacity",) if fixed is None else ()),
        *(() if content.is_of_the_caller else ("its steps run as a role of its own",)),
    )
    return CapacityDocument(
        **_identity(answer),
        table_parameter=table or "",
        write_parameter=write or "",
        read_parameter=read_parameter,
        read_units=int(str(fixed)) if str(fixed).isdecimal() else None,
        problems=problems,
    )


def _foreign(step: _Step) -> Iterator[str]:
    """Yield why a step is not one that setting a table's capacity needs."""
    if step.action in _OTHER_STEPS:
        return
    if step.action not in _API_STEPS:
        yield f"its step {step.name} is {step.action}"
    elif step.operation not in {"updatetable", "describetable"}:
        yield f"its step {step.name} calls {step.inputs.get('Service')}:{step.inputs.get('Api')}"
    elif step.operation == "updatetable" and step.action != "aws:executeAwsApi":
        yield f"its step {step.name} writes while it waits"


def _placeholder(value: object) -> str | None:
    found = _PLACEHOLDER.match(value) if isinstance(value, str) else None
    return found[1] if found else None


def _identity(answer: Mapping[str, Any]) -> dict[str, str]:
    content = json.dumps([answer["Name"], answer["Content"]])
    return {
        "name": answer["Name"],
        "version": str(answer.get("DocumentVersion", "")),
        "content_sha256": hashlib.sha256(content.encode()).hexdigest(),
    }


def _refused(answer: Mapping[str, Any], *why: str) -> CapacityDocument:
    return CapacityDocument(**_identity(answer), problems=why)
