"""Where remedies are looked for, and the measurements that size them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from memory.clock import Clock
from memory.records.config import Topology
from tools.aws.access import AwsAccess

PERIOD = 60
WINDOW = timedelta(minutes=15)


@dataclass(frozen=True)
class Place:
    """The account, what its team says of it, and the time."""

    access: AwsAccess
    topology: Topology
    clock: Clock


@dataclass(frozen=True)
class Measured:
    """One metric to read by minutes."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    stat: str = "Sum"


def read_minutes(
    place: Place, metrics: Mapping[str, Measured], window: timedelta = WINDOW
) -> dict[str, dict[object, float]]:
    """Return for each metric its values of the last minutes, by minute; a minute without a point is not there."""
    now = place.clock.now()
    answer = place.access.client("cloudwatch").get_metric_data(
        MetricDataQueries=[
            {
                "Id": key,
                "MetricStat": {
                    "Metric": {
                        "Namespace": one.namespace,
                        "MetricName": one.name,
                        "Dimensions": [{"Name": n, "Value": v} for n, v in one.dimensions.items()],
                    },
                    "Period": PERIOD,
                    "Stat": one.stat,
                },
            }
            for key, one in metrics.items()
        ],
        StartTime=now - window,
        EndTime=now,
    )
    found: dict[str, dict[object, float]] = {key: {} for key in metrics}
    for series in answer["MetricDataResults"]:
        found[series["Id"]] |= dict(zip(series["Timestamps"], series["Values"], strict=True))
    return found
