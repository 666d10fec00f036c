"""What setting a DynamoDB table's write and read capacity have in common: one kind of units of a provisioned table."""

from dataclasses import dataclass

from botocore.exceptions import ClientError

from memory.records.alarm import Metric
from memory.records.plan import Direction, ExpectedSignal
from tools.actions.base import BlastRadius, State
from tools.aws.access import AwsAccess

MOST_FACTOR = 4
"""A plan may multiply a table's capacity by no more than this; more is a decision about money."""

UPDATE_SECONDS = 300
EXAMPLE_TABLE: State = {
    "found": True,
    "table_arn": "arn:aws:dynamodb:eu-west-1:111122223333:table/orders",
    "status": "ACTIVE",
    "billing": "PROVISIONED",
    "write": 10,
    "read": 10,
}
"""A table as it is read, for the examples of the catalogue."""


@dataclass(frozen=True)
class Units:
    """One kind of capacity units: `key` names them in a table's state, `metric` counts what is refused without them."""

    key: str
    metric: str

    def expected(self, table: str, wanted: int, state: State) -> tuple[ExpectedSignal, ...]:
        """The table has the capacity, and throttles no more requests of the kind."""
        if not state["found"]:
            return ()
        provisioned = ExpectedSignal(
            text=f"{table} has {wanted} {self.key} units",
            direction=Direction.BECOMES,
            within_seconds=UPDATE_SECONDS,
            state_key=self.key,
            level=wanted,
        )
        return (provisioned, self._throttles_end(table))

    def blast_radius(self, table: str, wanted: int, state: State) -> BlastRadius:
        """Raising interrupts nothing; lowering takes a share of the capacity away."""
        if not state["found"]:
            return BlastRadius(text=f"no table {table}", share=1.0)
        now = max(state[self.key], 1)
        text = f"table {table}: {state[self.key]} to {wanted} {self.key} units"
        return BlastRadius(text=text, share=max(0.0, (now - wanted) / now))

    def problems(self, table: str, wanted: int, state: State, *, undoing: bool) -> tuple[str, ...]:
        """Return every reason not to set the units of the table as it is."""
        if not state["found"]:
            return (f"there is no table {table}",)
        now, units = state[self.key], f"{self.key} units"
        found = [
            (state["billing"] != "PROVISIONED", f"the table's billing is {state['billing']}"),
            (state["status"] != "ACTIVE", f"the table is {state['status']}"),
            (wanted == now, f"the table already has {now} {units}"),
            (not undoing and wanted < now, f"{wanted} {units} are fewer than the {now} it has"),
            (
                not undoing and wanted > now * MOST_FACTOR,
                f"{wanted} {units} are more than {MOST_FACTOR} times the {now} it has",
            ),
        ]
        return tuple(text for stands, text in found if stands)

    def can_come_back(self, state: State) -> bool:
        """Say whether the present units can be set again."""
        return bool(state["found"]) and state["billing"] == "PROVISIONED"

    def _throttles_end(self, table: str) -> ExpectedSignal:
        """Expect that nothing more is refused; the metric has no points while nothing is."""
        return ExpectedSignal(
            text=f"{table} throttles no more {self.key}s",
            direction=Direction.FALLS,
            within_seconds=UPDATE_SECONDS,
            metric=Metric(
                namespace="AWS/DynamoDB",
                name=self.metric,
                dimensions={"TableName": table},
                stat="Sum",
                period_seconds=60,
            ),
            level=0.0,
            no_points=0.0,
        )


WRITE = Units("write", "WriteThrottleEvents")
READ = Units("read", "ReadThrottleEvents")


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
