"""Public incidents on RDS and EKS through the analysis of the first look: how many of their categories it finds.

The incidents are Tracer-Cloud/opensre's (Apache-2.0), each a file with what was observed and the answer. The analysis
is given the observations in its own terms, with no word of the alert's title or labels; the answer is read last.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evals.public_data import PublicData
from memory.records.assessment import CauseKind, Impact, Verdict
from memory.records.config import Service
from tools.analysis.findings import Findings, ServiceFinding
from tools.analysis.hypotheses import Ranking, rank
from tools.analysis.points import Point
from tools.analysis.resources import ResourceFinding, resource_finding
from tools.analysis.stops import Stop, reason_of

LEAST_RIGHT = 8
# What their categories are in ours.
CATEGORIES = {
    CauseKind.CAPACITY: "resource_exhaustion",
    CauseKind.TRAFFIC: "resource_exhaustion",
    CauseKind.CONFIGURATION: "configuration_error",
    CauseKind.DEPLOYMENT: "configuration_error",
    CauseKind.DEPENDENCY: "dependency_failure",
    CauseKind.MESSAGE: "data_quality",
    CauseKind.TASK: "infrastructure",
}
HEALTHY = "healthy"


@dataclass(frozen=True)
class Judged:
    """One incident: what was found, and what it is."""

    name: str
    found: str
    expected: str
    told: str

    @property
    def is_right(self) -> bool:
        """Say whether the category is the expected one."""
        return self.found == self.expected


def judge(folder: Path) -> list[Judged]:
    """Return what the analysis makes of each incident in a folder."""
    return [_judged(path) for path in sorted(folder.glob("*.json"))]


def _judged(path: Path) -> Judged:
    told = json.loads(path.read_text(encoding="utf-8"))
    observed = {key: one["data"] for key, one in told["evidence"].items()}
    ranking = rank(findings_of(observed, is_over=told["alert"]["state"] == "normal"))
    return Judged(path.stem, category_of(ranking), told["expected"]["category"], ranking.reason)


def category_of(ranking: Ranking) -> str:
    """Return the category that a ranking comes to."""
    if ranking.verdict is Verdict.NOISE:
        return HEALTHY
    if ranking.verdict is not Verdict.CAUSE:
        return "unknown"
    return CATEGORIES[ranking.causes[0].kind]


def findings_of(observed: Mapping[str, Any], *, is_over: bool) -> Findings:
    """Return observations as findings: databases as resources, workloads as services."""
    services, resources = tuple(_workloads(observed)), tuple(_databases(observed))
    return Findings(
        onset=datetime.now(UTC),
        alarm_evidence_ids=("alert",),
        alarm_is_over=is_over,
        earlier_spikes=0,
        services=services,
        resources=resources,
    )


def _databases(observed: Mapping[str, Any]) -> Iterator[ResourceFinding]:
    """Yield each database instance with its metrics and what RDS said of it in events."""
    series: dict[str, dict[str, list[Point]]] = defaultdict(dict)
    for one in _metrics(observed):
        instance = next(d["Value"] for d in one["dimensions"] if d["Name"] == "DBInstanceIdentifier")
        series[instance][one["metric_name"]] = [
            (datetime.fromisoformat(at), float(value))
            for at, value in zip(one["timestamps"], one["values"], strict=True)
        ]
    events = observed.get("aws_rds_events", {}).get("events", [])
    for instance, metrics in sorted(series.items()):
        said = [event["message"] for event in events if event["source_identifier"] == instance]
        yield resource_finding(instance, metrics, said, (f"metrics of {instance}", "events"))


def _metrics(observed: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the metrics, which stand in one file or in one each."""
    yield from observed.get("aws_cloudwatch_metrics", {}).get("metric_data_results", [])
    for key, one in observed.items():
        if key.startswith("aws_cloudwatch_metrics_") and "metric_name" in one:
            yield one


def _workloads(observed: Mapping[str, Any]) -> Iterator[ServiceFinding]:
    """Yield each deployment with why its pods do not run; its monitors say whether its requests suffer."""
    monitors = observed.get("datadog_monitors", {}).get("monitors", [])
    affected = any(one["overall_state"] == "Alert" for one in monitors)
    stops = tuple((*_pods(observed), *_events(observed)))
    for one in observed.get("eks_deployments", {}).get("deployments", []):
        yield ServiceFinding(
            Service(name=one["name"]),
            Impact(component=one["name"]),
            affected=affected,
            checked=bool(monitors),
            evidence_ids=("monitors",),
            stops=stops,
            stops_evidence_id="pods and events",
        )


def _pods(observed: Mapping[str, Any]) -> Iterator[Stop]:
    for pod in observed.get("eks_pods", {}).get("pods", []):
        for container in pod["containers"]:
            state = container["state"]
            said = f"{state.get('reason', '')} {state.get('message', '')}"
            if said.strip() or state.get("exit_code"):
                yield Stop(None, reason_of(said, state.get("exit_code")), said)
        for condition in pod["conditions"]:
            if condition["status"] == "False":
                said = f"{condition['reason']} {condition['message']}"
                yield Stop(None, reason_of(said), said)


def _events(observed: Mapping[str, Any]) -> Iterator[Stop]:
    for event in observed.get("eks_events", {}).get("warning_events", []):
        said = f"{event['reason']} {event['message']}"
        yield from [Stop(None, reason_of(said), said)] * event["count"]


def table(judged: Sequence[Judged]) -> str:
    """Return the results in Markdown."""
    right = sum(one.is_right for one in judged)
    rows = [
        f"| {one.name} | {one.expected} | {one.found} | {'yes' if one.is_right else 'no'} | {one.told} |"
        for one in judged
    ]
    heads = "| incident | category | found | right | what was told |\n|---|---|---|---|---|"
    return "\n".join([heads, *rows, "", f"{right} of {len(judged)} categories. {datetime.now(UTC).date()}."])


def is_enough(judged: Sequence[Judged]) -> bool:
    """Say whether enough are right, and every healthy one among them."""
    healthy = all(one.is_right for one in judged if one.expected == HEALTHY)
    return healthy and sum(one.is_right for one in judged) >= LEAST_RIGHT


INCIDENTS = PublicData("incidents", __doc__, judge, table, is_enough)

if __name__ == "__main__":
    raise SystemExit(INCIDENTS.run())
