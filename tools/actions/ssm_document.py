"""Run an SSM Automation document that the team has put on the list, in the version and with the content it has there.

StartAutomationExecution takes a client token: the same token never starts a second execution
(https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartAutomationExecution.html).
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from botocore.exceptions import ClientError
from pydantic import Field

from memory.records.base import Record
from memory.records.plan import Direction, ExpectedSignal, Risk
from memory.records.scope import Scope
from tools.actions.base import BlastRadius, IamStatement, Parameters, Reversibility, State
from tools.ahead import previewed
from tools.automation import starting, succeeded
from tools.aws.access import AwsAccess
from tools.document_targets import document_targets

FOLDER = Path(__file__).parent / "documents"

_UNKNOWN = frozenset({"InvalidDocument", "InvalidDocumentVersion"})
# IAM reads these in a resource as more than one name, or as a variable
# (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html).
_WILD = frozenset("*?$")
_MOST_PAGES = 20
_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,128}$")]
_Value = Annotated[str, Field(pattern=r"^[^\x00-\x1f]{1,256}$")]


class AllowedDocument(Record):
    """One document that may be run: its version, its content by digest, what it takes, and what its steps call.

    `parameters` gives for each a pattern that its value has to fit. `resources` of `permissions` are templates of
    partition, region, account and the document's parameters. `answers` are the causes that it is for, as `kind:change`,
    and `from_cause` says which parameter is which part of a cause: what is not on it, nobody may make up.
    """

    name: str
    version: str
    sha256: str
    purpose: str = Field(min_length=10)
    seconds: int = Field(ge=1, le=86_400)
    share: float = Field(ge=0.0, le=1.0)
    parameters: dict[str, str]
    permissions: tuple[IamStatement, ...]
    example: dict[str, str]
    answers: tuple[str, ...] = ()
    from_cause: dict[str, Literal["component", "change"]] = Field(default_factory=dict)

    def names_resource(self, parameter: str) -> bool:
        """Say whether a parameter's value becomes part of a resource that the session may reach."""
        return any(f"{{{parameter}" in resource for one in self.permissions for resource in one.resources)


def read_allowed(folder: Path = FOLDER) -> tuple[AllowedDocument, ...]:
    """Read every document that may be run; the folder is the registry."""
    paths = sorted(folder.glob("*.toml"))
    return tuple(AllowedDocument.model_validate(tomllib.loads(path.read_text("utf-8"))) for path in paths)


class SsmDocument(Parameters):
    """Which document runs with which values."""

    document: str = Field(pattern=r"^[A-Za-z0-9_.-]{3,128}$", description="The document's name.")
    values: dict[_Name, _Value] = Field(description="The document's parameters, as text.")
    after: str = Field(
        pattern=r"^[0-9a-f-]{36}$|^$", description="The id of its newest execution so far; empty without any."
    )


@dataclass(frozen=True)
class SsmRunDocument:
    """Runs one of the documents on the list."""

    allowed: tuple[AllowedDocument, ...] = field(default_factory=read_allowed)
    name: str = "ssm_run_document"
    description: str = (
        "Run an SSM Automation document of the team's that is on the list, in the version on the list. Use it where "
        "a runbook names the document and no narrower action of the catalogue does the same."
    )
    effect: str = "Systems Manager runs the document's steps as the caller."
    risk: Risk = Risk.MEDIUM
    repeatable: bool = True
    reads: tuple[str, ...] = (
        "ssm:GetDocument",
        "ssm:DescribeAutomationExecutions",
        "ssm:GetAutomationExecution",
    )
    preconditions: tuple[str, ...] = (
        "the document is on the list, and its content in that version has the digest on the list",
        "every value fits the pattern on the list, none is missing, and none that names a resource holds a wildcard",
        "no execution of it is under way or began since it was looked at",
    )
    blast: str = "what the list says of the document"
    reversibility: Reversibility = Reversibility.NONE
    way_back: str = (
        "none: code knows no inverse of a document; what it did is undone by people, or by another document"
    )
    parameters: type[SsmDocument] = SsmDocument

    @property
    def example(self) -> dict[str, Any]:
        """Parameters that fit, for the printed catalogue."""
        first = self.allowed[0]
        return {"document": first.name, "values": dict(first.example), "after": ""}

    @property
    def example_state(self) -> State:
        """A target that the example fits, as `read_state` returns it."""
        first = self.allowed[0]
        never_run = {"newest": "", "execution_status": "", "execution_values": {}}
        known = {"status": "Active", "version": first.version, "sha256": first.sha256}
        return {"found": True, **known, **never_run}

    def permissions(self, params: SsmDocument, scope: Scope) -> tuple[IamStatement, ...]:
        """Return what the caller must be allowed, and no more; the document's steps run as the caller."""
        ssm = f"arn:{scope.partition}:ssm:{scope.region}:{scope.account}"
        known = self._entry(params.document)
        version = known.version if known else "$DEFAULT"
        return (
            IamStatement(actions=("ssm:GetDocument",), resources=(f"{ssm}:document/{params.document}",)),
            # DescribeAutomationExecutions knows no resource-level permission.
            IamStatement(actions=("ssm:DescribeAutomationExecutions",), resources=("*",)),
            IamStatement(
                actions=("ssm:GetAutomationExecution",), resources=(f"{ssm}:automation-execution/*",)
            ),
            starting(ssm, params.document, version),
            *(_rendered(one, params, scope) for one in (known.permissions if known else ())),
        )

    def target(self, params: SsmDocument) -> str:
        """Name what is acted on."""
        return ", ".join(self.targets(params))

    def targets(self, params: SsmDocument) -> tuple[str, ...]:
        """Name all that the document's steps change, or the document where the list does not say."""
        known = self._entry(params.document)
        found = document_targets(known.permissions, params.values) if known else ()
        return found or (f"SSM document {params.document}",)

    def read_state(self, access: AwsAccess, params: SsmDocument) -> State:
        """Read the document in the version on the list, and its newest execution."""
        known = self._entry(params.document)
        if known is None:
            return {"found": False}
        ssm = access.client("ssm")
        try:
            document = ssm.get_document(Name=params.document, DocumentVersion=known.version)
        except ClientError as error:
            if error.response["Error"]["Code"] in _UNKNOWN:
                return {"found": False}
            raise
        return {
            "found": True,
            "status": document.get("Status", "Active"),
            "version": str(document.get("DocumentVersion", "")),
            "sha256": hashlib.sha256(document["Content"].encode()).hexdigest(),
            **_newest(ssm, params.document),
        }

    def bound(self, state: State) -> State:
        """Bind the document's content, and that nobody has run it since."""
        return {key: state.get(key) for key in ("found", "status", "version", "sha256", "newest")}

    def expected(self, params: SsmDocument, state: State) -> tuple[ExpectedSignal, ...]:
        """The execution succeeds."""
        known = self._entry(params.document)
        if not state["found"] or known is None:
            return ()
        return (
            ExpectedSignal(
                text=f"the execution of {params.document} succeeds",
                direction=Direction.BECOMES,
                within_seconds=known.seconds,
                state_key="execution_status",
                level="Success",
            ),
        )

    def blast_radius(self, params: SsmDocument, state: State) -> BlastRadius:
        """Return what the list says."""
        known = self._entry(params.document)
        if not state["found"] or known is None:
            return BlastRadius(text=f"no document {params.document} on the list", share=1.0)
        return BlastRadius(text=known.purpose, share=known.share)

    def problems(self, params: SsmDocument, state: State, *, undoing: bool = False) -> tuple[str, ...]:
        """Return every reason not to run the document as it is."""
        known = self._entry(params.document)
        if known is None:
            return (f"{params.document} is not on the list of documents that may be run",)
        if not state["found"]:
            return (f"the account has no {params.document} in version {known.version}",)
        reasons = [
            (state["status"] != "Active", f"the document is {state['status']}"),
            (state["sha256"] != known.sha256, "its content is not the one on the list"),
            (
                params.values.keys() != known.parameters.keys(),
                f"it takes {', '.join(sorted(known.parameters))}",
            ),
            (
                state["execution_status"] != "" and succeeded(state["execution_status"]) is None,
                "an execution of it is under way",
            ),
            (state["newest"] != params.after, "it was run since it was looked at"),
        ]
        unfit = (
            f"{name} does not fit {pattern}"
            for name, pattern in known.parameters.items()
            if not re.fullmatch(pattern, params.values.get(name, ""))
        )
        wide = (
            f"{name} holds a wildcard and stands in a permission: the session would reach more than it names"
            for name, value in params.values.items()
            if set(value) & _WILD and known.names_resource(name)
        )
        return (*(text for stands, text in reasons if stands), *unfit, *wide)

    def inverse(self, params: SsmDocument, state: State) -> dict[str, Any] | None:
        """Return nothing: code does not know what a document did."""
        return None

    def rehearse(self, access: AwsAccess, params: SsmDocument, state: State) -> tuple[str, ...]:
        """Let Systems Manager preview the execution."""
        values = {name: [value] for name, value in params.values.items()}
        return previewed(access, params.document, state["version"], values)

    def call(self, access: AwsAccess, params: SsmDocument, state: State, token: str) -> dict[str, Any]:
        """Start the document, in the version that was read."""
        answer = access.client("ssm").start_automation_execution(
            DocumentName=params.document,
            DocumentVersion=state["version"],
            Parameters={name: [value] for name, value in params.values.items()},
            ClientToken=token,
        )
        return {"automation_execution_id": answer["AutomationExecutionId"]}

    def holds(self, params: SsmDocument, state: State) -> bool:
        """Say whether an execution with these values began after the one that was seen."""
        if not state["found"] or state["newest"] in {"", params.after}:
            return False
        given: Mapping[str, list[str]] = state["execution_values"]
        return all(given.get(name) == [value] for name, value in params.values.items())

    def settled(self, access: AwsAccess, params: SsmDocument, answer: Mapping[str, Any]) -> bool | None:
        """Say how the execution went; without its id, how the newest one did."""
        execution_id = answer.get("automation_execution_id")
        if execution_id is None:
            state = self.read_state(access, params)
            if not self.holds(params, state):
                return None
            status = state["execution_status"]
        else:
            read = access.client("ssm").get_automation_execution(AutomationExecutionId=execution_id)
            status = read["AutomationExecution"]["AutomationExecutionStatus"]
        return succeeded(status)

    def _entry(self, document: str) -> AllowedDocument | None:
        return next((one for one in self.allowed if one.name == document), None)


def _rendered(statement: IamStatement, params: SsmDocument, scope: Scope) -> IamStatement:
    place = {"partition": scope.partition, "region": scope.region, "account": scope.account}
    filled = tuple(one.format_map({**params.values, **place}) for one in statement.resources)
    return statement.model_copy(update={"resources": filled})


def _executions(ssm: Any, document: str) -> list[Mapping[str, Any]] | None:
    """Return a document's executions as they are listed, the newest of them at least; None where none was reached.

    Systems Manager filters by a name's beginning and lists the newest first, so that a document with a longer name may
    fill whole pages before the first of this one.
    """
    request: dict[str, Any] = {
        "Filters": [{"Key": "DocumentNamePrefix", "Values": [document]}],
        "MaxResults": 10,
    }
    for _ in range(_MOST_PAGES):
        page = ssm.describe_automation_executions(**request)
        mine = [one for one in page["AutomationExecutionMetadataList"] if one["DocumentName"] == document]
        if mine or not page.get("NextToken"):
            return mine
        request["NextToken"] = page["NextToken"]
    return None


def _newest(ssm: Any, document: str) -> State:
    mine = _executions(ssm, document)
    if mine is None:
        # It fits no plan, so that nothing is run beside what cannot be seen.
        return {"newest": "not reached", "execution_status": "", "execution_values": {}}
    if not mine:
        return {"newest": "", "execution_status": "", "execution_values": {}}
    newest = max(mine, key=lambda one: one["ExecutionStartTime"])["AutomationExecutionId"]
    read = ssm.get_automation_execution(AutomationExecutionId=newest)["AutomationExecution"]
    return {
        "newest": newest,
        "execution_status": read["AutomationExecutionStatus"],
        "execution_values": {name: list(values) for name, values in read.get("Parameters", {}).items()},
    }
