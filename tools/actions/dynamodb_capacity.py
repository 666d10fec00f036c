"""Raise a DynamoDB table's write capacity through an Automation document of the account.

StartAutomationExecution takes a client token: the same token never starts a second execution
(https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartAutomationExecution.html).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from memory.records.base import digest
from memory.records.plan import ExpectedSignal, Risk
from memory.records.scope import Scope
from tools.actions.base import BlastRadius, IamStatement, Parameters, Reversibility, State
from tools.actions.capacity_document import CapacityDocument, read_document
from tools.actions.dynamodb_units import EXAMPLE_TABLE, MOST_FACTOR, WRITE, read_table
from tools.ahead import previewed
from tools.automation import starting, succeeded
from tools.aws.access import AwsAccess


class DynamoDbCapacity(Parameters):
    """Which table gets how many write capacity units, by which document."""

    table: str = Field(pattern=r"^[A-Za-z0-9_.-]{3,255}$", description="The DynamoDB table's name.")
    write_capacity_units: int = Field(ge=1, le=40_000, description="The write capacity to provision.")
    document: str = Field(
        pattern=r"^[A-Za-z0-9_.-]{3,128}$", description="The Automation document that sets it."
    )


@dataclass(frozen=True)
class DynamoDbSetWriteCapacity:
    """Sets a provisioned table's write capacity."""

    name: str = "dynamodb_set_write_capacity"
    description: str = (
        "Raise the provisioned write capacity of a DynamoDB table through an SSM Automation document. Use it "
        "when writes are throttled because demand exceeds what is provisioned."
    )
    effect: str = "The table takes more writes a second within a minute or so, and costs more while it does."
    risk: Risk = Risk.LOW
    repeatable: bool = True
    reads: tuple[str, ...] = ("dynamodb:DescribeTable", "ssm:GetDocument")
    preconditions: tuple[str, ...] = (
        "the table is active and its capacity is provisioned",
        f"the new capacity is more than the present one, and at most {MOST_FACTOR} times as much",
        "the document's steps do nothing but set that table's capacity",
    )
    blast: str = "the share of the present capacity that is taken away"
    reversibility: Reversibility = Reversibility.INVERSE
    way_back: str = "the capacity is set to what it is now; AWS lets it be lowered a few times a day only"
    parameters: type[DynamoDbCapacity] = DynamoDbCapacity
    example: dict[str, Any] = field(
        default_factory=lambda: {
            "table": "orders",
            "write_capacity_units": 20,
            "document": "Team-SetCapacity",
        }
    )
    example_state: State = field(
        default_factory=lambda: {
            **EXAMPLE_TABLE,
            "document": CapacityDocument(
                name="Team-SetCapacity",
                version="1",
                content_sha256=digest("Team-SetCapacity"),
                table_parameter="TableName",
                write_parameter="WriteCapacityUnits",
                read_parameter="ReadCapacityUnits",
            ).model_dump(mode="json"),
        }
    )

    def permissions(self, params: DynamoDbCapacity, scope: Scope) -> tuple[IamStatement, ...]:
        """Return what the caller must be allowed, and no more; the document's steps run as the caller."""
        ssm = f"arn:{scope.partition}:ssm:{scope.region}:{scope.account}"
        table = f"arn:{scope.partition}:dynamodb:{scope.region}:{scope.account}:table/{params.table}"
        return (
            IamStatement(actions=("dynamodb:DescribeTable", "dynamodb:UpdateTable"), resources=(table,)),
            IamStatement(actions=("ssm:GetDocument",), resources=(f"{ssm}:document/{params.document}",)),
            starting(ssm, params.document, "*"),
            IamStatement(
                actions=("ssm:GetAutomationExecution",), resources=(f"{ssm}:automation-execution/*",)
            ),
        )

    def target(self, params: DynamoDbCapacity) -> str:
        """Name what is acted on."""
        return f"DynamoDB table {params.table}"

    def read_state(self, access: AwsAccess, params: DynamoDbCapacity) -> State:
        """Read the table and the document."""
        state = read_table(access, params.table)
        document = read_document(access.client("ssm"), params.document)
        return {**state, "document": document.model_dump(mode="json") if document else None}

    def bound(self, state: State) -> State:
        """Bind the capacity in place, that nothing changes it just now, and the content of the document."""
        keys = ("found", "table_arn", "status", "billing", "write", "read", "document")
        return {key: state.get(key) for key in keys}

    def expected(self, params: DynamoDbCapacity, state: State) -> tuple[ExpectedSignal, ...]:
        """The table has the capacity, and throttles no more writes."""
        return WRITE.expected(params.table, params.write_capacity_units, state)

    def blast_radius(self, params: DynamoDbCapacity, state: State) -> BlastRadius:
        """Raising interrupts nothing; lowering takes a share of the capacity away."""
        return WRITE.blast_radius(params.table, params.write_capacity_units, state)

    def problems(self, params: DynamoDbCapacity, state: State, *, undoing: bool = False) -> tuple[str, ...]:
        """Return every reason not to do this to the table as it is."""
        found = WRITE.problems(params.table, params.write_capacity_units, state, undoing=undoing)
        return (*found, *_document_problems(params, state)) if state["found"] else found

    def inverse(self, params: DynamoDbCapacity, state: State) -> dict[str, Any] | None:
        """Return the parameters that bring the present capacity back."""
        if not WRITE.can_come_back(state):
            return None
        return {**params.model_dump(), "write_capacity_units": state["write"]}

    def rehearse(self, access: AwsAccess, params: DynamoDbCapacity, state: State) -> tuple[str, ...]:
        """Let Systems Manager preview the execution."""
        return previewed(access, params.document, state["document"]["version"], _values(params, state))

    def call(self, access: AwsAccess, params: DynamoDbCapacity, state: State, token: str) -> dict[str, Any]:
        """Start the document, in the version that was read."""
        document, values = state["document"], _values(params, state)
        answer = access.client("ssm").start_automation_execution(
            DocumentName=params.document,
            DocumentVersion=document["version"],
            Parameters=values,
            ClientToken=token,
        )
        return {"automation_execution_id": answer["AutomationExecutionId"]}

    def holds(self, params: DynamoDbCapacity, state: State) -> bool:
        """Say whether the table has the capacity."""
        return bool(state["found"]) and state["write"] == params.write_capacity_units

    def settled(self, access: AwsAccess, params: DynamoDbCapacity, answer: Mapping[str, Any]) -> bool | None:
        """Say how the execution went; without its id, whether the table has the capacity."""
        execution_id = answer.get("automation_execution_id")
        if execution_id is None:
            return True if self.holds(params, read_table(access, params.table)) else None
        execution = access.client("ssm").get_automation_execution(AutomationExecutionId=execution_id)
        return succeeded(execution["AutomationExecution"]["AutomationExecutionStatus"])


def _values(params: DynamoDbCapacity, state: State) -> dict[str, list[str]]:
    """Return the document's parameters: the capacity that is wanted, and the other one as it is."""
    document = state["document"]
    values = {
        document["table_parameter"]: [params.table],
        document["write_parameter"]: [str(params.write_capacity_units)],
    }
    if document["read_parameter"]:
        values[document["read_parameter"]] = [str(state["read"])]
    return values


def _document_problems(params: DynamoDbCapacity, state: State) -> tuple[str, ...]:
    document = state["document"]
    if document is None:
        return (f"there is no document {params.document}",)
    if document["problems"]:
        return tuple(f"document {params.document}: {problem}" for problem in document["problems"])
    if document["read_units"] not in {None, state["read"]}:
        return (f"document {params.document} would set the read capacity to {document['read_units']}",)
    return ()
