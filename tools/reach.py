"""Say which reads stay within an incident: its own account and region, and the parts that are known to belong to it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from memory.records.assessment import FirstLook
from memory.records.config import Service, Topology
from memory.records.evidence import Evidence
from memory.records.incident import Incident
from memory.records.scope import Scope
from tools.observe.sources import Question

# Fields of questions that name no part of an account. Any other text must name one that is within reach.
FREE = frozenset({"query", "text", "stat", "metric_name", "request_id"})
AWS_NAMESPACE = "AWS/"
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Source.html: names other log groups, in
# other accounts too. Comments may stand before it, on lines of their own.
_ELSEWHERE = re.compile(r"(?:^|[|(])\s*source\b", re.I | re.M)


@dataclass(frozen=True)
class Reach:
    """The names that reads of an incident may ask about, and where it is."""

    scope: Scope
    names: frozenset[str]

    def refusal(self, question: Question) -> str:
        """Say why a question is outside the incident, or nothing.

        The sentence names the field and not what was asked: that may be a stranger's text.
        """
        for field, value in question.model_dump().items():
            if field == "query" and _ELSEWHERE.search(str(value)):
                return "query: SOURCE names other log groups; ask one log group at a time"
            if field not in FREE and not all(self._holds(field, text) for text in _texts(value)):
                return (
                    f"{field} is not part of this incident: ask about the services in its topology, what they "
                    "depend on, or what the first look named"
                )
        return ""

    def _holds(self, field: str, text: str) -> bool:
        if field == "namespace" and text.startswith(AWS_NAMESPACE):
            return True
        if text.startswith("arn:"):
            return self._is_here(text) and bool({text, _own_name(text)} & self.names)
        return text in self.names

    def _is_here(self, arn: str) -> bool:
        parts = arn.split(":", 5)
        here = self.scope
        return len(parts) == 6 and parts[3] in {"", here.region} and parts[4] in {"", here.account}


def reach_of(
    incident: Incident, first_look: FirstLook, topology: Topology, evidence: Iterable[Evidence] = ()
) -> Reach:
    """Return how far reads may go: the alarm, the topology, and what the first look named or asked about itself."""
    alarm = incident.alarm
    found = {
        alarm.name,
        alarm.arn,
        *(text for metric in alarm.metrics for text in _texts(metric.model_dump())),
    }
    for service in topology.services:
        found |= set(_of_service(service))
    found |= {part.component for part in first_look.hypotheses} | {
        part.component for part in first_look.causes
    }
    found |= {
        *first_look.affected,
        *first_look.healthy,
        *first_look.changed_otherwise,
        *first_look.causal_path,
    }
    for one in evidence:
        # What code has asked, never what it was answered: an answer may hold a stranger's text.
        found |= set(_texts({field: value for field, value in one.asked.items() if field not in FREE}))
    names = {name for name in found if name}
    return Reach(incident.scope, frozenset(names | {_own_name(name) for name in names}))


def _of_service(service: Service) -> Iterable[str]:
    told = service.model_dump(
        include={"name", "cluster", "log_group", "alarms", "target_group", "load_balancer"}
    )
    yield from _texts(told)
    yield from (part.name for part in service.depends_on)
    if service.metrics is not None:
        yield service.metrics.namespace
        yield from service.metrics.dimensions.values()


def _own_name(name: str) -> str:
    return re.split(r"[/:]", name)[-1]


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, list | tuple):
        return [text for inner in value for text in _texts(inner)]
    return []
