"""The other metrics of the resource that an alarm watches, by its dimensions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from memory.records.evidence import Evidence, Gap
from tools.analysis.resources import ResourceFinding, resource_finding
from tools.collectors.series import (
    MINUTES,
    STEP,
    Wanted,
    incomplete_in,
    read_series,
    series_answer,
    series_in,
    window_of,
)
from tools.evidence import Answer, Window
from tools.observe.get_metric import GetMetric
from tools.observe.moments import utc_text
from tools.observe.sources import Question, ReadTool, Sources

_DATABASE = (
    ("CPUUtilization", "Average"),
    ("DatabaseConnections", "Maximum"),
    ("DiskQueueDepth", "Average"),
    ("FreeStorageSpace", "Minimum"),
    ("FreeableMemory", "Minimum"),
    ("ReplicaLag", "Maximum"),
)
NAME = "collected_neighbours"
# ListMetrics gives 500 a page.
PAGES = 4
# Of what is listed so many are read, each by both, since nobody says whether a metric counts or measures.
MOST_LISTED = 8
STATS = ("Average", "Sum")
# What AWS publishes under the same dimensions, of what tells how full or how well something is.
NEIGHBOURS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "AWS/ApplicationELB": (
        ("HTTPCode_ELB_5XX_Count", "Sum"),
        ("HTTPCode_Target_5XX_Count", "Sum"),
        ("RequestCount", "Sum"),
        ("TargetResponseTime", "p99"),
        ("UnHealthyHostCount", "Maximum"),
    ),
    "AWS/DocDB": _DATABASE,
    "AWS/EC2": (("CPUUtilization", "Average"), ("StatusCheckFailed", "Maximum")),
    "AWS/ElastiCache": (("CPUUtilization", "Average"), ("FreeableMemory", "Minimum")),
    "AWS/RDS": _DATABASE,
}
# Of these, what each resource publishes all the time that it is there and in use: without it nobody knows how it fares.
ALWAYS: Mapping[str, tuple[str, ...]] = {
    "AWS/ApplicationELB": ("RequestCount", "TargetResponseTime"),
    "AWS/DocDB": ("CPUUtilization", "FreeableMemory"),
    "AWS/EC2": ("CPUUtilization", "StatusCheckFailed"),
    "AWS/ElastiCache": ("CPUUtilization", "FreeableMemory"),
    "AWS/RDS": ("CPUUtilization", "FreeableMemory"),
}
# The health of hosts is published by target group.
_GROUP, _OF_GROUP = "TargetGroup", "UnHealthyHostCount"


class Neighbours(Question):
    """Of which metric, and the names of those that are read anyway."""

    namespace: str
    metric_name: str
    dimensions: dict[str, str]
    known: tuple[str, ...] = ()


def has_neighbours(metric: GetMetric) -> bool:
    """Say whether a metric is of something: what has no dimensions is of the whole account."""
    return bool(metric.dimensions)


def is_judged(metric: GetMetric) -> bool:
    """Say whether AWS is known to publish what tells how the resource of a metric fares."""
    return bool(metric.dimensions) and metric.namespace in NEIGHBOURS


def look_at_neighbours(sources: Sources, metric: GetMetric, known: Sequence[str] = ()) -> Evidence:
    """Read what is published under the dimensions of a metric, but for those that are `known` by another reading.

    Where AWS does not say by the namespace what that is, CloudWatch is asked first.
    """
    if not is_judged(metric):
        return _look_at_listed(sources, metric, known)
    wanted = {
        name: Wanted(metric.namespace, name, metric.dimensions, stat)
        for name, stat in NEIGHBOURS[metric.namespace]
    }
    return read_series(sources, f"neighbours of {metric.metric_name}", wanted)


def _look_at_listed(sources: Sources, metric: GetMetric, known: Sequence[str]) -> Evidence:
    question = Neighbours(
        namespace=metric.namespace,
        metric_name=metric.metric_name,
        dimensions=metric.dimensions,
        known=tuple(sorted(known)),
    )
    window = window_of(sources, MINUTES, STEP)
    return sources.recorder.observe(
        f"neighbours of {metric.metric_name}",
        "cloudwatch",
        "ListMetrics and GetMetricData",
        {**question.model_dump(mode="json"), "from": utc_text(window[0]), "until": utc_text(window[1])},
        lambda: _read(sources, question, window),
        window=window,
        tool=NAME,
    )


def _read(sources: Sources, question: Neighbours, window: Window) -> Answer:
    names, pages, more = _listed(sources, question)
    left = [
        *(
            [f"of what else is published was not read: {', '.join(names[MOST_LISTED:])}"]
            * (len(names) > MOST_LISTED)
        ),
        *(["not all metrics were listed"] if more else []),
    ]
    gaps = (Gap.TRUNCATED,) if left else ()
    if not names:
        told = {"until": utc_text(window[1]), "step_seconds": int(STEP.total_seconds())}
        left = left or ["nothing else was published under these dimensions lately"]
        return Answer(told, pages, gaps=gaps or (Gap.NO_DATA,), gap_detail="; ".join(left))
    wanted = {
        f"{name} {stat}": Wanted(question.namespace, name, question.dimensions, stat)
        for name in names[:MOST_LISTED]
        for stat in STATS
    }
    told_of = series_answer(sources, wanted, window, STEP)
    return replace(
        told_of,
        calls=pages + told_of.calls,
        gaps=tuple(dict.fromkeys((*told_of.gaps, *gaps))),
        gap_detail="; ".join(one for one in (told_of.gap_detail, *left) if one),
    )


def _listed(sources: Sources, question: Neighbours) -> tuple[list[str], int, bool]:
    """Return which other metrics have exactly these dimensions, how many pages that took, and whether there are more.

    ListMetrics also finds those that have more dimensions
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html).
    """
    request: dict[str, Any] = {
        "Namespace": question.namespace,
        "Dimensions": [{"Name": key, "Value": value} for key, value in sorted(question.dimensions.items())],
        "RecentlyActive": "PT3H",
    }
    client, read = sources.access.client("cloudwatch"), {question.metric_name, *question.known}
    names: set[str] = set()
    for pages in range(1, PAGES + 1):
        page = client.list_metrics(**request)
        for one in page["Metrics"]:
            if {each["Name"]: each["Value"] for each in one.get("Dimensions", [])} == question.dimensions:
                names.add(one["MetricName"])
        if not page.get("NextToken"):
            return sorted(names - read), pages, False
        request["NextToken"] = page["NextToken"]
    return sorted(names - read), PAGES, True


def resource_of(metric: GetMetric) -> str:
    """Return what a metric is of, by the last of its dimensions."""
    return sorted(metric.dimensions.items())[-1][1]


def resources_in(
    evidence: Evidence, metric: GetMetric, onset: datetime | None = None
) -> tuple[ResourceFinding, ...]:
    """Return the resource with the limit that it has reached, if any; nothing where it could not be read or judged."""
    series = series_in(evidence)
    if series is None or not is_judged(metric):
        return ()
    always = (*ALWAYS[metric.namespace], *([_OF_GROUP] if _GROUP in metric.dimensions else []))
    expected = {name: series.get(name, []) for name in always}
    now = datetime.fromisoformat(evidence.result["until"]) - STEP
    seen = (evidence.evidence_id,)
    found = resource_finding(resource_of(metric), {**expected, **series}, (), seen, now, onset)
    lacking = incomplete_in(evidence)
    if lacking and not found.is_sick:
        found = replace(found, checked=False, unjudged=tuple(dict.fromkeys((*found.unjudged, *lacking))))
    return (found,)


def _metric_of(question: Neighbours) -> GetMetric:
    return GetMetric(**question.model_dump(exclude={"known"}))


TOOL = ReadTool(
    NAME,
    "Read what else is published under the dimensions of a metric.",
    Neighbours,
    lambda sources, question: _look_at_listed(sources, _metric_of(question), question.known),
    lambda sources, question, window: _read(sources, question, window),
)
