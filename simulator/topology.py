"""What the account's team publishes of its services: topology and service levels, as one parameter."""

import json
from typing import Any

from simulator.world import FunctionWorld, Reach, ServiceWorld, World


def topology(world: World) -> str:
    """The topology parameter's value."""
    services = [_service(world, one) for one in world.services]
    return json.dumps({"services": services + [_function(world, one) for one in world.functions]})


def _service(world: World, service: ServiceWorld) -> dict[str, Any]:
    depends_on: list[dict[str, Any]] = [{"kind": "service", "name": one.service} for one in service.calls]
    tables = dict.fromkeys([*(one.table for one in service.writes), *(one.table for one in service.reads)])
    depends_on += [{"kind": "table", "name": table} for table in tables]
    depends_on += [{"kind": "queue", "name": one.queue} for one in service.sends]
    depends_on += [_outside(one) for one in service.reaches]
    return {
        "name": service.name,
        "cluster": world.cluster,
        "log_group": service.log_group,
        "alarms": [one.name for one in world.alarms if one.service == service.name],
        "depends_on": depends_on,
        "metrics": _metrics(world, service.name),
        "load_balancer": world.load_balancer if service.target_group else None,
        "target_group": service.target_group,
        "tier": service.tier,
        "slo": service.slo.model_dump(),
        "owner": service.owner,
    }


def _outside(reach: Reach) -> dict[str, Any]:
    """What is outside, and the setting under which nothing is sent there, where there is one."""
    named = {"kind": "external", "name": reach.external}
    without = [value for value, share in reach.shares.items() if share == 0]
    if reach.route_parameter is None or not without:
        return named
    return {**named, "switch": {"parameter": reach.route_parameter, "value": without[0]}}


def _function(world: World, function: FunctionWorld) -> dict[str, Any]:
    return {
        "name": function.name,
        "cluster": None,
        "log_group": function.log_group,
        "alarms": [one.name for one in world.alarms if one.service == function.name],
        "depends_on": [{"kind": "queue", "name": function.consumes}],
        "metrics": _metrics(world, function.name),
        "load_balancer": None,
        "target_group": None,
        "tier": function.tier,
        "slo": function.slo.model_dump(),
        "owner": function.owner,
    }


def _metrics(world: World, name: str) -> dict[str, Any]:
    return {
        "namespace": world.namespace,
        "dimensions": {"Service": name},
        "requests": "Requests",
        "errors": "Errors",
        "latency": "LatencyMs",
    }
