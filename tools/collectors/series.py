"""Several metrics of one part in one call, stored minute by minute."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from memory.records.evidence import Evidence, Gap
from tools.analysis.points import DECIMALS, Point
from tools.collectors.readable import facts_in
from tools.evidence import Answer, Window
from tools.observe.metric_data import incomplete_of, missing_of
from tools.observe.moments import utc_text
from tools.observe.sources import Question, ReadTool, Sources

NAME = "collected_series"
STEP = timedelta(minutes=1)
MINUTES = 180
INCOMPLETE = "incomplete"


@dataclass(frozen=True)
class Wanted:
    """One metric: its address in CloudWatch and the statistic."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    stat: str


class CollectedSeries(Question):
    """Which metrics, each as namespace, name, dimensions and statistic; and the seconds of a step."""

    metrics: dict[str, tuple[str, str, dict[str, str], str]]
    step_seconds: int

    @property
    def wanted(self) -> dict[str, Wanted]:
        """Return the metrics by key."""
        return {key: Wanted(*one) for key, one in self.metrics.items()}

    @property
    def step(self) -> timedelta:
        """Return how long a step is."""
        return timedelta(seconds=self.step_seconds)


def read_series(
    sources: Sources, title: str, wanted: Mapping[str, Wanted], minutes: int = MINUTES, step: timedelta = STEP
) -> Evidence:
    """Return metrics by key, each a list of one value a step that ends at `until`; None where nothing was published.

    One GetMetricData call answers up to 500 metrics
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html).
    """
    window = window_of(sources, minutes, step)
    metrics = {key: [one.namespace, one.name, dict(one.dimensions), one.stat] for key, one in wanted.items()}
    asked = {"metrics": metrics, "step_seconds": int(step.total_seconds())}
    return sources.recorder.observe(
        title,
        "cloudwatch",
        "GetMetricData",
        {**asked, "from": utc_text(window[0]), "until": utc_text(window[1])},
        lambda: series_answer(sources, wanted, window, step),
        window=window,
        tool=NAME,
    )


def window_of(sources: Sources, minutes: int, step: timedelta) -> Window:
    """Return the window of the last minutes in whole steps, the one that has begun among them."""
    start, now = sources.last(minutes)
    return _floor(start, step), _floor(now, step) + step


def series_in(evidence: Evidence) -> dict[str, list[Point]] | None:
    """Return the points of each metric of such an observation; None where it could not be read."""
    result = facts_in(evidence)
    return points_in(result) if "until" in result else None


def incomplete_in(evidence: Evidence) -> tuple[str, ...]:
    """Name the metrics of which CloudWatch gave only a part: what is not in it may be what matters."""
    return tuple(facts_in(evidence).get(INCOMPLETE, ()))


def points_in(result: Mapping[str, Any]) -> dict[str, list[Point]]:
    """Return the points of each metric of what was read."""
    until, step = datetime.fromisoformat(result["until"]), timedelta(seconds=result["step_seconds"])
    return {key: _points(values, until, step) for key, values in result.items() if isinstance(values, list)}


def _points(values: list[float | None], until: datetime, step: timedelta) -> list[Point]:
    start = until - len(values) * step
    return [(start + n * step, float(value)) for n, value in enumerate(values) if value is not None]


def series_answer(sources: Sources, wanted: Mapping[str, Wanted], window: Window, step: timedelta) -> Answer:
    """Ask for metrics over a window, to the last page, and return what the observation holds of them."""
    keys = {f"m{number}": key for number, key in enumerate(wanted)}
    request: dict[str, Any] = {
        "MetricDataQueries": [_query(name, wanted[key], step) for name, key in keys.items()],
        "StartTime": window[0],
        "EndTime": window[1],
        "ScanBy": "TimestampAscending",
    }
    length = int((window[1] - window[0]) / step)
    found: dict[str, list[float | None]] = {key: [None] * length for key in wanted}
    client, calls, status = sources.access.client("cloudwatch"), 0, dict[str, str]()

    def answer(
        gaps: tuple[Gap, ...], detail: str, incomplete: Mapping[str, str] = MappingProxyType({})
    ) -> Answer:
        told = {key: list(row) for key, row in found.items() if any(value is not None for value in row)}
        head = {"until": utc_text(window[1]), "step_seconds": int(step.total_seconds())}
        head |= {INCOMPLETE: dict(incomplete)} if incomplete else {}
        why = gaps or (() if told else (Gap.NO_DATA,))
        return Answer({**head, **told}, calls, 0, why, detail, newest_last=True, metrics=calls * len(wanted))

    while True:
        page = client.get_metric_data(**request)
        calls += 1
        for result in page["MetricDataResults"]:
            row, status[keys[result["Id"]]] = found[keys[result["Id"]]], result.get("StatusCode", "Complete")
            for at, value in zip(result["Timestamps"], result["Values"], strict=True):
                row[min(int((at - window[0]) / step), length - 1)] = round(float(value), DECIMALS)
        if not page.get("NextToken"):
            return answer(*missing_of(status), incomplete_of(status))
        request["NextToken"] = page["NextToken"]
        # A series without its end tells nothing of health: what was read is kept, and counts as not read.
        sources.recorder.so_far(answer((Gap.TIMED_OUT,), f"Only {calls} pages of datapoints were read."))


def _query(name: str, one: Wanted, step: timedelta) -> dict[str, Any]:
    metric = {
        "Namespace": one.namespace,
        "MetricName": one.name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in sorted(one.dimensions.items())],
    }
    return {
        "Id": name,
        "MetricStat": {"Metric": metric, "Period": int(step.total_seconds()), "Stat": one.stat},
        "ReturnData": True,
    }


def _floor(moment: datetime, step: timedelta) -> datetime:
    return moment - (moment - datetime.min.replace(tzinfo=moment.tzinfo)) % step


TOOL = ReadTool(
    NAME,
    "Read several metrics of one part, minute by minute.",
    CollectedSeries,
    lambda sources, question: read_series(sources, "metrics", question.wanted, step=question.step),
    lambda sources, question, window: series_answer(sources, question.wanted, window, question.step),
)
