"""Read one metric over a window."""

from typing import Any

from pydantic import Field

from memory.records.evidence import Evidence, Gap
from tools.evidence import Answer, Window
from tools.observe.moments import utc_text
from tools.observe.sources import Question, ReadTool, Sources


class GetMetric(Question):
    """Which metric, over how long."""

    namespace: str = Field(description="The metric's namespace.", min_length=1, max_length=255)
    metric_name: str = Field(description="The metric's name.", min_length=1, max_length=255)
    dimensions: dict[str, str] = Field(
        default_factory=dict, description="All dimensions of the metric, exactly.", max_length=30
    )
    stat: str = Field(
        default="Average", description="Sum, Average, Maximum, Minimum, SampleCount or a percentile."
    )
    minutes: int = Field(default=180, ge=5, le=1440, description="How many minutes back from now.")
    period_seconds: int = Field(
        default=60, ge=60, le=3600, multiple_of=60, description="Seconds a datapoint."
    )


def get_metric(sources: Sources, question: GetMetric) -> Evidence:
    """Return a metric's datapoints, oldest first, with their least, greatest and mean."""
    window = sources.last(question.minutes)
    title = f"{question.namespace} {question.metric_name} {question.stat}"
    return sources.recorder.observe(
        title,
        "cloudwatch",
        "GetMetricData",
        {**question.model_dump(), "until": window[1].isoformat()},
        lambda: _read(sources, question, window),
        window=window,
    )


def _read(sources: Sources, question: GetMetric, window: Window) -> Answer:
    metric = {
        "Namespace": question.namespace,
        "MetricName": question.metric_name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in sorted(question.dimensions.items())],
    }
    stat = {"Metric": metric, "Period": question.period_seconds, "Stat": question.stat}
    request: dict[str, Any] = {
        "MetricDataQueries": [{"Id": "m1", "MetricStat": stat, "ReturnData": True}],
        "StartTime": window[0],
        "EndTime": window[1],
        "ScanBy": "TimestampAscending",
    }
    points: list[list[Any]] = []
    calls = 0
    client = sources.access.client("cloudwatch")
    while True:
        page = client.get_metric_data(**request)
        calls += 1
        for result in page["MetricDataResults"]:
            pairs = zip(result["Timestamps"], result["Values"], strict=True)
            points += [[utc_text(at), round(float(value), 6)] for at, value in pairs]
        if not page.get("NextToken"):
            break
        request["NextToken"] = page["NextToken"]
    if not points:
        return Answer(
            {"points": []}, calls, gaps=(Gap.NO_DATA,), gap_detail="the metric has no datapoints here"
        )
    values = [point[1] for point in points]
    summary = {"least": min(values), "greatest": max(values), "mean": round(sum(values) / len(values), 6)}
    return Answer({**summary, "latest": values[-1], "points": points}, calls, newest_last=True)


TOOL = ReadTool(
    "get_metric",
    "Read a CloudWatch metric with exactly these dimensions. Returns datapoints oldest first. No datapoints means "
    "nothing was published under these dimensions, which is not the same as zero.",
    GetMetric,
    get_metric,
)
