"""Raise a DynamoDB table's write capacity through an Automation document of the account.

StartAutomationExecution takes a client token: the same token never starts a second execution
(https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartAutomationExecution.html).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from pydantic import Field

from memory.records.alarm import Metric
from memory.records.plan import Direction, ExpectedSignal, Risk
from memory.records.scope import Scope
from tools.actions.base import BlastRadius, IamStatement, Parameters, Reversibility, State
from tools.actions.capacity_document import read_document
from tools.ahead import previewed
from tools.aws.access import AwsAccess

MOST_FACTOR = 4
"""A plan may multiply a table's capacity by no more than this; more is a decision about money."""

UPDATE_SECONDS = 300

_FAILED = frozenset({"Failed", "TimedOut", "Cancelled", "Cancelling", "Rejected"})


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

    def permissions(self, params: DynamoDbCapacity, scope: Scope) -> tuple[IamStatement, ...]:
        """Return what the caller must be allowed, and no more; the document's steps run as the caller."""
        ssm = f"arn:{scope.partition}:ssm:{scope.region}:{scope.account}"
        table = f"arn:{scope.partition}:dynamodb:{scope.region}:{scope.account}:table/{params.table}"
        return (
            IamStatement(actions=("dynamodb:DescribeTable", "dynamodb:UpdateTable"), resources=(table,)),
            IamStatement(actions=("ssm:GetDocument",), resources=(f"{ssm}:document/{params.document}",)),
            IamStatement(
                actions=("ssm:StartAutomationExecution",),
                resources=(f"{ssm}:automation-definition/{params.document}:*",),
            ),
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
        """Bind the capacity in place and the content of the document."""
        keys = ("found", "table_arn", "billing", "write", "read", "document")
        return {key: state.get(key) for key in keys}

    def expected(self, params: DynamoDbCapacity, state: State) -> tuple[ExpectedSignal, ...]:
        """The table has the capacity, and throttles no more writes."""
        if not state["found"]:
            return ()
        units = params.write_capacity_units
        provisioned = ExpectedSignal(
            text=f"{params.table} has {units} write units",
            direction=Direction.BECOMES,
            within_seconds=UPDATE_SECONDS,
            state_key="write",
            level=units,
        )
        return (provisioned, throttles_end(params.table, "WriteThrottleEvents", "writes"))

    def blast_radius(self, params: DynamoDbCapacity, state: State) -> BlastRadius:
        """Raising interrupts nothing; lowering takes a share of the capacity away."""
        if not state["found"]:
            return BlastRadius(text=f"no table {params.table}", share=1.0)
        now = max(state["write"], 1)
        text = f"table {params.table}: {state['write']} to {params.write_capacity_units} write units"
        return BlastRadius(text=text, share=max(0.0, (now - params.write_capacity_units) / now))

    def problems(self, params: DynamoDbCapacity, state: State, *, undoing: bool = False) -> tuple[str, ...]:
        """Return every reason not to do this to the table as it is."""
        if not state["found"]:
            return (f"there is no table {params.table}",)
        wanted, now = params.write_capacity_units, state["write"]
        found = [
            (state["billing"] != "PROVISIONED", f"the table's billing is {state['billing']}"),
            (state["status"] != "ACTIVE", f"the table is {state['status']}"),
            (wanted == now, f"the table already has {now} write units"),
            (not undoing and wanted < now, f"{wanted} write units are fewer than the {now} it has"),
            (
                not undoing and wanted > now * MOST_FACTOR,
                f"{wanted} write units are more than {MOST_FACTOR} times the {now} it has",
            ),
        ]
        return (*(text for stands, text in found if stands), *_document_problems(params, state))

    def inverse(self, params: DynamoDbCapacity, state: State) -> dict[str, Any] | None:
        """Return the parameters that bring the present capacity back."""
        if not state["found"] or state["billing"] != "PROVISIONED":
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
        status = execution["AutomationExecution"]["AutomationExecutionStatus"]
        if status in _FAILED:
            return False
        return True if status == "Success" else None


def throttles_end(table: str, metric: str, what: str) -> ExpectedSignal:
    """Expect that a table refuses no more requests; its metric has no points while it refuses none."""
    return ExpectedSignal(
        text=f"{table} throttles no more {what}",
        direction=Direction.FALLS,
        within_seconds=UPDATE_SECONDS,
        metric=Metric(
            namespace="AWS/DynamoDB",
            name=metric,
            dimensions={"TableName": table},
            stat="Sum",
            period_seconds=60,
        ),
        level=0.0,
        no_points=0.0,
    )


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


def read_table(access: AwsAccess, table: str) -> State:
    """Read what a table is provisioned with."""
    try:
        facts = access.client("dynamodb").describe_table(TableName=table)["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return {"found": False}
        raise
    capacity = facts.get("ProvisionedThroughput", {})
    return {
        "found": True,
        "table_arn": facts["TableArn"],
        "status": facts["TableStatus"],
        "billing": facts.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
        "write": int(capacity.get("WriteCapacityUnits", 0)),
        "read": int(capacity.get("ReadCapacityUnits", 0)),
    }


def _document_problems(params: DynamoDbCapacity, state: State) -> tuple[str, ...]:
    document = state["document"]
    if document is None:
        return (f"there is no document {params.document}",)
    if document["problems"]:
        return tuple(f"document {params.document}: {problem}" for problem in document["problems"])
    if document["read_units"] not in {None, state["read"]}:
        return (f"document {params.document} would set the read capacity to {document['read_units']}",)
    return ()
