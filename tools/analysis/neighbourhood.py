"""Which services stand around an alarm."""

import re
from collections.abc import Callable, Iterable

from memory.records.config import Service, Topology

_CHILD = re.compile(r"\b(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*[\"']?([^\"')]+?)[\"']?\s*\)")


def alarms_of_rule(rule: str | None) -> tuple[str, ...]:
    """Return the names of the alarms that a composite alarm's rule speaks of."""
    return tuple(name.rsplit(":alarm:", 1)[-1] for name in _CHILD.findall(rule or ""))


def own_services(
    topology: Topology, alarm_names: Iterable[str], dimensions: dict[str, str]
) -> tuple[Service, ...]:
    """Return the services that alarms speak of.

    They are those that list an alarm; else the one that a dimension names, as itself, its target group or its load
    balancer; else those that depend on what a dimension names, such as a table.
    """
    listed = [service for name in alarm_names if (service := topology.of_alarm(name))]
    if listed:
        return tuple({service.name: service for service in listed}.values())
    named = _named(topology, dimensions)
    if named:
        return named
    values = set(dimensions.values())
    return tuple(s for s in topology.services if any(d.name in values for d in s.depends_on))


def _named(topology: Topology, dimensions: dict[str, str]) -> tuple[Service, ...]:
    """Match the narrowest dimension: a cluster says nothing, and a load balancer is shared by many."""
    narrow = {value for name, value in dimensions.items() if name not in {"ClusterName", "LoadBalancer"}}
    found = tuple(s for s in topology.services if s.name in narrow or s.target_group in narrow)
    balancer = dimensions.get("LoadBalancer")
    return found or tuple(s for s in topology.services if balancer and s.load_balancer == balancer)


def around(topology: Topology, own: Iterable[Service]) -> tuple[Service, ...]:
    """Return the services themselves first, then all they depend on, then all that depend on any of these."""
    found = {service.name: service for service in own}
    _walk(found, lambda service: (topology.service(d.name) for d in service.depends_on))
    _walk(found, lambda service: topology.upstream_of(service.name))
    return tuple(found.values())


def _walk(found: dict[str, Service], step: Callable[[Service], Iterable[Service | None]]) -> None:
    """Add what a step leads to from all that was found, until nothing new comes; a cycle ends by itself."""
    left = list(found.values())
    while left:
        for service in step(left.pop()):
            if service is not None and service.name not in found:
                found[service.name] = service
                left.append(service)
