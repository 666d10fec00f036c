"""A document comes before a step only where the step cannot be enough for certain: retries count as demand, too."""

from datetime import timedelta
from typing import Any

import pytest

from memory.records.assessment import CauseKind, Hypothesis
from memory.records.config import Topology
from memory.records.plan import PlannedAction
from tests.tools.stand_ins import NOW, ScriptedAccess, StillClock
from tests.tools.test_listed_documents import Ssm
from tools.remedies.place import Place
from tools.remedies.stores import more_capacity

CUT = NOW - timedelta(minutes=8)


class Table:
    """A table that is provisioned with two units a second of either kind."""

    def describe_table(self, TableName: str) -> dict[str, Any]:
        throughput = {"ReadCapacityUnits": 2, "WriteCapacityUnits": 2}
        return {"Table": {"TableArn": "a", "TableStatus": "ACTIVE", "ProvisionedThroughput": throughput}}


class Metrics:
    """What was consumed a second until the cut; since then two units a second, and refusals that are retried."""

    def __init__(self, before: float) -> None:
        self.before = before

    def get_metric_data(self, MetricDataQueries: list[Any], StartTime: Any, **_: Any) -> dict[str, Any]:
        minutes = [at for n in range(40) if (at := NOW - timedelta(minutes=40 - n)) >= StartTime]
        told = {
            "consumed": {at: (self.before if at < CUT else 2.0) * 60 for at in minutes},
            "throttled": {at: 3000.0 for at in minutes if at >= CUT},
        }
        return {
            "MetricDataResults": [
                {
                    "Id": one["Id"],
                    "Timestamps": list(told[one["Id"]]),
                    "Values": list(told[one["Id"]].values()),
                }
                for one in MetricDataQueries
            ]
        }


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (3.0, ["dynamodb_set_read_capacity"]),
        (15.0, ["ssm_run_document", "dynamodb_set_read_capacity"]),
    ],
)
def test_what_was_used_before_says_whether_four_times_as_much_is_enough(
    before: float, expected: list[str]
) -> None:
    clients = {"dynamodb": Table(), "cloudwatch": Metrics(before), "ssm": Ssm()}
    place = Place(ScriptedAccess("us-east-1", clients=clients), Topology(), StillClock())
    cause = Hypothesis(
        kind=CauseKind.CAPACITY, component="stock", change="ReadCapacityUnits", statement="s", confidence=0.9
    )

    found = [one.action for one in more_capacity(place, cause) if isinstance(one, PlannedAction)]

    assert found == expected
