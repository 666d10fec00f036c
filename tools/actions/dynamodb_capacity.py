"""Set a DynamoDB table's write capacity through an SSM Automation document of the account."""

import time
import uuid
from typing import Any

from pydantic import Field

from memory.records.base import digest
from memory.records.plan import Risk
from memory.records.scope import Scope
from tools.actions.base import BlastRadius, IamStatement, Parameters, State
from tools.aws.access import AwsAccess
from tools.errors import Transient

MAX_FACTOR = 4.0
POLL_SECONDS = 0.2
GIVE_UP_SECONDS = 60.0


class DynamoDbCapacity(Parameters):
    """Which table gets how many write units, by which document."""

    table: str = Field(description="The DynamoDB table's name.", pattern=r"^[A-Za-z0-9_.-]{3,255}$")
    write_capacity_units: int = Field(description="Provisioned write capacity units.", ge=1, le=40_000)
    document: str = Field(
        description="The SSM Automation document that sets it.", pattern=r"^[A-Za-z0-9_.-]{3,128}$"
    )


class DynamoDbSetWriteCapacity:
    """`ssm:StartAutomationExecution` of a document that updates one table."""

    name = "dynamodb_set_write_capacity"
    description = (
        "Set a table's provisioned write capacity by running the account's SSM Automation document for it."
    )
    risk = Risk.LOW
    effect = "The table takes more writes a second at once; throttling ends and the cost a hour rises."
    parameters = DynamoDbCapacity

    def permissions(self, asked: DynamoDbCapacity, scope: Scope) -> tuple[IamStatement, ...]:
        """Return the document's start, and what the document itself calls, on this one table."""
        ssm = f"arn:{scope.partition}:ssm:{scope.region}:{scope.account}"
        table = f"arn:{scope.partition}:dynamodb:{scope.region}:{scope.account}:table/{asked.table}"
        return (
            IamStatement(
                actions=("ssm:StartAutomationExecution",),
                resources=(
                    f"{ssm}:automation-definition/{asked.document}:*",
                    f"{ssm}:document/{asked.document}",
                ),
            ),
            IamStatement(actions=("dynamodb:UpdateTable", "dynamodb:DescribeTable"), resources=(table,)),
        )

    def read_state(self, access: AwsAccess, asked: DynamoDbCapacity) -> dict[str, Any]:
        """Read the table's capacity and the document's version."""
        table = access.client("dynamodb").describe_table(TableName=asked.table)["Table"]
        document = access.client("ssm").describe_document(Name=asked.document)["Document"]
        return {
            "status": table["TableStatus"],
            "billing": (table.get("BillingModeSummary") or {}).get("BillingMode", "PROVISIONED"),
            "write_capacity_units": table["ProvisionedThroughput"]["WriteCapacityUnits"],
            "read_capacity_units": table["ProvisionedThroughput"]["ReadCapacityUnits"],
            "document_status": document["Status"],
            "document_hash": document.get("Hash"),
        }

    def fingerprint(self, state: State) -> str:
        """Bind to the capacity and to the very text of the document."""
        return digest([state.get(part) for part in ("billing", "write_capacity_units", "document_hash")])

    def blast_radius(self, state: State) -> BlastRadius:
        """Return next to nothing: capacity changes without an interruption."""
        return BlastRadius(share=0.1, text="one table's write capacity; no request is interrupted")

    def problems(self, asked: DynamoDbCapacity, state: State) -> tuple[str, ...]:
        """Refuse a table on demand or in change, a step that is no change, and a leap."""
        found = []
        if state["billing"] != "PROVISIONED":
            found.append(f"{asked.table} is billed on demand and has no capacity to set")
        if state["status"] != "ACTIVE":
            found.append(f"{asked.table} is {state['status']}")
        now = int(state["write_capacity_units"])
        if asked.write_capacity_units == now:
            found.append(f"{asked.table} has {now} units already")
        if now and asked.write_capacity_units > now * MAX_FACTOR:
            found.append(
                f"{asked.write_capacity_units} units are more than {MAX_FACTOR:.0f} times the present {now}"
            )
        if state["document_status"] != "Active":
            found.append(f"the document {asked.document} is {state['document_status']}")
        return tuple(found)

    def inverse(self, asked: DynamoDbCapacity, state: State) -> dict[str, Any] | None:
        """Return to the capacity before."""
        return {**asked.model_dump(), "write_capacity_units": state["write_capacity_units"]}

    def call(self, access: AwsAccess, asked: DynamoDbCapacity, token: str) -> dict[str, Any]:
        """Start the document once by client token, and wait for its end."""
        ssm = access.client("ssm")
        started = ssm.start_automation_execution(
            DocumentName=asked.document,
            Parameters={"TableName": [asked.table], "WriteCapacityUnits": [str(asked.write_capacity_units)]},
            ClientToken=client_token(token),
        )
        execution_id = started["AutomationExecutionId"]
        give_up = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < give_up:
            execution = ssm.get_automation_execution(AutomationExecutionId=execution_id)[
                "AutomationExecution"
            ]
            status = execution["AutomationExecutionStatus"]
            if status == "Success":
                return {"automation_execution": execution_id, "status": status}
            if status not in {"Pending", "InProgress", "Waiting"}:
                detail = execution.get("FailureMessage", "")
                return {"automation_execution": execution_id, "status": status, "failed": detail or status}
            time.sleep(POLL_SECONDS)
        raise Transient(f"the automation {execution_id} did not end in {GIVE_UP_SECONDS:.0f} s")

    def happened(self, access: AwsAccess, asked: DynamoDbCapacity, before: State, token: str) -> bool | None:
        """Look at the table: it has the new capacity, still the old one, or something else."""
        now = self.read_state(access, asked)["write_capacity_units"]
        if now == asked.write_capacity_units:
            return True
        return None


def client_token(token: str) -> str:
    """Return the UUID that AWS wants for an action's own token; the same for the same action."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"cloudops:{token}"))
