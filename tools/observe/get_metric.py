"""Read one metric over a window."""

from dataclasses import replace
from typing import Annotated

from pydantic import Field, StringConstraints

from memory.records.evidence import Evidence, Gap
from tools.evidence import Answer, Window
from tools.observe.metric_data import query_of, read_series
from tools.observe.sources import Question, ReadTool, Sources

NAME = "get_metric"
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
_SHARE = r"(?:\d{1,2}(?:\.\d{1,10})?|100)"
_BOUND = r"(?:\d{1,15}(?:\.\d{1,10})?%?)?"
STATISTIC = (
    rf"^(?:SampleCount|Average|Sum|Minimum|Maximum|IQM|(?:p|tm|wm|tc|ts){_SHARE}"
    rf"|(?:PR|TM|WM|TC|TS)\({_BOUND}:{_BOUND}\))$"
)


class GetMetric(Question):
    """Which metric, over how long."""

    namespace: str = Field(description="The metric's namespace.", min_length=1, max_length=255)
    metric_name: str = Field(description="The metric's name.", min_length=1, max_length=255)
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html
    dimensions: dict[
        Annotated[str, StringConstraints(min_length=1, max_length=255)],
        Annotated[str, StringConstraints(min_length=1, max_length=1024)],
    ] = Field(default_factory=dict, description="All dimensions of the metric, exactly.", max_length=30)
    stat: str = Field(
        default="Average",
        description="Sum, Average, Maximum, Minimum, SampleCount or a percentile.",
        max_length=60,
        pattern=STATISTIC,
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
        tool=NAME,
    )


def _read(sources: Sources, question: GetMetric, window: Window) -> Answer:
    query = query_of(
        "m1",
        question.namespace,
        question.metric_name,
        question.dimensions,
        question.stat,
        question.period_seconds,
    )
    series = read_series(sources.access.client("cloudwatch"), [query], window)
    points = series.points["m1"]
    cut = {"incomplete": dict(series.incomplete)} if series.incomplete else {}
    answer = Answer({**cut, "points": points}, calls=series.calls, metrics=series.metrics, newest_last=True)
    if not points:
        detail = series.detail or "the metric has no datapoints here"
        return replace(answer, gaps=series.gaps or (Gap.NO_DATA,), gap_detail=detail)
    values = [point[1] for point in points]
    summary = {"least": min(values), "greatest": max(values), "mean": round(sum(values) / len(values), 6)}
    told = {**cut, **summary, "latest": values[-1], "points": points}
    return replace(answer, result=told, gaps=series.gaps, gap_detail=series.detail)


TOOL = ReadTool(
    NAME,
    "Read a CloudWatch metric with exactly these dimensions. Returns datapoints oldest first. No datapoints means "
    "nothing was published under these dimensions, which is not the same as zero.",
    GetMetric,
    get_metric,
    _read,
)
