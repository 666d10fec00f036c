"""The other metrics of the resource that an alarm watches, by its dimensions."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from memory.records.evidence import Evidence
from tools.analysis.resources import ResourceFinding, resource_finding
from tools.collectors.series import STEP, Wanted, incomplete_in, read_series, series_in
from tools.observe.get_metric import GetMetric
from tools.observe.sources import Sources

_DATABASE = (
    ("CPUUtilization", "Average"),
    ("DatabaseConnections", "Maximum"),
    ("DiskQueueDepth", "Average"),
    ("FreeStorageSpace", "Minimum"),
    ("FreeableMemory", "Minimum"),
    ("ReplicaLag", "Maximum"),
)
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


def has_neighbours(metric: GetMetric) -> bool:
    """Say whether AWS is known to publish more about what a metric is of."""
    return bool(metric.dimensions) and metric.namespace in NEIGHBOURS


def look_at_neighbours(sources: Sources, metric: GetMetric) -> Evidence:
    """Read what AWS publishes under the dimensions of a metric."""
    wanted = {
        name: Wanted(metric.namespace, name, metric.dimensions, stat)
        for name, stat in NEIGHBOURS[metric.namespace]
    }
    return read_series(sources, f"neighbours of {metric.metric_name}", wanted)


def resource_of(metric: GetMetric) -> str:
    """Return what a metric is of, by the last of its dimensions."""
    return sorted(metric.dimensions.items())[-1][1]


def resources_in(
    evidence: Evidence, metric: GetMetric, onset: datetime | None = None
) -> tuple[ResourceFinding, ...]:
    """Return the resource with the limit that it has reached, if any; nothing where it could not be read."""
    series = series_in(evidence)
    if series is None:
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
