"""Raise a DynamoDB table's read capacity.

UpdateTable sets both capacities at once, so that the write capacity is sent as it was read
(https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from memory.records.plan import ExpectedSignal, Risk
from memory.records.scope import Scope
from tools.actions.base import BlastRadius, IamStatement, Parameters, Reversibility, State
from tools.actions.dynamodb_units import EXAMPLE_TABLE, MOST_FACTOR, READ, read_table
from tools.aws.access import AwsAccess


class DynamoDbReadCapacity(Parameters):
    """Which table gets how many read capacity units."""

    table: str = Field(pattern=r"^[A-Za-z0-9_.-]{3,255}$", description="The DynamoDB table's name.")
    read_capacity_units: int = Field(ge=1, le=40_000, description="The read capacity to provision.")


@dataclass(frozen=True)
class DynamoDbSetReadCapacity:
    """Sets a provisioned table's read capacity."""

    name: str = "dynamodb_set_read_capacity"
    description: str = (
        "Raise the provisioned read capacity of a DynamoDB table. Use it when reads are throttled because demand "
        "exceeds what is provisioned."
    )
    effect: str = "The table takes more reads a second within a minute or so, and costs more while it does."
    risk: Risk = Risk.LOW
    repeatable: bool = True
    reads: tuple[str, ...] = ("dynamodb:DescribeTable",)
    preconditions: tuple[str, ...] = (
        "the table is active and its capacity is provisioned",
        f"the new capacity is more than the present one, and at most {MOST_FACTOR} times as much",
    )
    blast: str = "the share of the present capacity that is taken away"
    reversibility: Reversibility = Reversibility.INVERSE
    way_back: str = "the capacity is set to what it is now; AWS lets it be lowered a few times a day only"
    parameters: type[DynamoDbReadCapacity] = DynamoDbReadCapacity
    example: dict[str, Any] = field(default_factory=lambda: {"table": "orders", "read_capacity_units": 20})
    example_state: State = field(default_factory=lambda: dict(EXAMPLE_TABLE))

    def permissions(self, params: DynamoDbReadCapacity, scope: Scope) -> tuple[IamStatement, ...]:
        """Return what the caller must be allowed, and no more."""
        table = f"arn:{scope.partition}:dynamodb:{scope.region}:{scope.account}:table/{params.table}"
        return (IamStatement(actions=("dynamodb:DescribeTable", "dynamodb:UpdateTable"), resources=(table,)),)

    def target(self, params: DynamoDbReadCapacity) -> str:
        """Name what is acted on."""
        return f"DynamoDB table {params.table}"

    def read_state(self, access: AwsAccess, params: DynamoDbReadCapacity) -> State:
        """Read what the table is provisioned with."""
        return read_table(access, params.table)

    def bound(self, state: State) -> State:
        """Bind both capacities, and that nothing changes them just now."""
        return {key: state.get(key) for key in ("found", "table_arn", "status", "billing", "write", "read")}

    def expected(self, params: DynamoDbReadCapacity, state: State) -> tuple[ExpectedSignal, ...]:
        """The table has the capacity, and throttles no more reads."""
        return READ.expected(params.table, params.read_capacity_units, state)

    def blast_radius(self, params: DynamoDbReadCapacity, state: State) -> BlastRadius:
        """Raising interrupts nothing; lowering takes a share of the capacity away."""
        return READ.blast_radius(params.table, params.read_capacity_units, state)

    def problems(
        self, params: DynamoDbReadCapacity, state: State, *, undoing: bool = False
    ) -> tuple[str, ...]:
        """Return every reason not to do this to the table as it is."""
        return READ.problems(params.table, params.read_capacity_units, state, undoing=undoing)

    def inverse(self, params: DynamoDbReadCapacity, state: State) -> dict[str, Any] | None:
        """Return the parameters that bring the present capacity back."""
        if not READ.can_come_back(state):
            return None
        return {"table": params.table, "read_capacity_units": state["read"]}

    def call(
        self, access: AwsAccess, params: DynamoDbReadCapacity, state: State, token: str
    ) -> dict[str, Any]:
        """Set the read capacity, with the write capacity that was read."""
        answer = access.client("dynamodb").update_table(
            TableName=params.table,
            ProvisionedThroughput={
                "ReadCapacityUnits": params.read_capacity_units,
                "WriteCapacityUnits": state["write"],
            },
        )
        return {"status": answer["TableDescription"]["TableStatus"]}

    def holds(self, params: DynamoDbReadCapacity, state: State) -> bool:
        """Say whether the table has the capacity."""
        return bool(state["found"]) and state["read"] == params.read_capacity_units

    def settled(
        self, access: AwsAccess, params: DynamoDbReadCapacity, answer: Mapping[str, Any]
    ) -> bool | None:
        """Say whether the table has the capacity by now."""
        state = read_table(access, params.table)
        return True if self.holds(params, state) and state["status"] == "ACTIVE" else None
