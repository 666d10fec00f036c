"""Read several metrics in one question, to the last page, and say what CloudWatch could not give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from memory.records.evidence import Gap
from tools.evidence import Window
from tools.observe.moments import utc_text

PAGES = 20
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataResult.html
_STATUS_GAPS = {"PartialData": Gap.TRUNCATED, "InternalError": Gap.FAILED, "Forbidden": Gap.DENIED}


@dataclass(frozen=True)
class Series:
    """Datapoints by the id of each query, oldest first, each `[time, value]`; and what is missing of them.

    `incomplete` names the queries of which only a part came, with the reason.
    """

    points: Mapping[str, list[list[Any]]]
    calls: int
    metrics: int
    gaps: tuple[Gap, ...] = ()
    detail: str = ""
    incomplete: Mapping[str, str] = field(default_factory=dict)


def query_of(
    key: str, namespace: str, name: str, dimensions: Mapping[str, str], stat: str, period: int = 60
) -> dict[str, Any]:
    """Return one query for a metric, as GetMetricData takes it."""
    named = [{"Name": one, "Value": value} for one, value in sorted(dimensions.items())]
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": named}
    return {
        "Id": key,
        "MetricStat": {"Metric": metric, "Period": period, "Stat": stat},
        "ReturnData": True,
    }


def read_series(client: Any, queries: Sequence[Mapping[str, Any]], window: Window) -> Series:
    """Ask GetMetricData for all pages of a window."""
    request: dict[str, Any] = {
        "MetricDataQueries": list(queries),
        "StartTime": window[0],
        "EndTime": window[1],
        "ScanBy": "TimestampAscending",
    }
    points: dict[str, list[list[Any]]] = {str(query["Id"]): [] for query in queries}
    status: dict[str, str] = {}
    for calls in range(1, PAGES + 1):
        page = client.get_metric_data(**request)
        for result in page["MetricDataResults"]:
            pairs = zip(result["Timestamps"], result["Values"], strict=True)
            points[result["Id"]] += [[utc_text(at), round(float(value), 6)] for at, value in pairs]
            status[result["Id"]] = result.get("StatusCode", "Complete")
        if not page.get("NextToken"):
            return Series(points, calls, calls * len(queries), *missing_of(status), incomplete_of(status))
        request["NextToken"] = page["NextToken"]
    told = f"only {PAGES} pages of datapoints were read"
    return Series(points, PAGES, PAGES * len(queries), (Gap.TRUNCATED,), told, dict.fromkeys(points, told))


def missing_of(status: Mapping[str, str]) -> tuple[tuple[Gap, ...], str]:
    """Return the gaps that the states of results tell of, and what CloudWatch says."""
    lost = {key: code for key, code in status.items() if code in _STATUS_GAPS}
    gaps = tuple(dict.fromkeys(_STATUS_GAPS[code] for code in lost.values()))
    told = ", ".join(f"{key} is {code}" for key, code in sorted(lost.items()))
    return gaps, f"CloudWatch says that {told}" if lost else ""


def incomplete_of(status: Mapping[str, str]) -> dict[str, str]:
    """Return the results of which only a part came, with what CloudWatch says."""
    return {key: code for key, code in status.items() if _STATUS_GAPS.get(code) is Gap.TRUNCATED}
