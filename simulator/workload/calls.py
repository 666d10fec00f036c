"""What a service waits for: calls with a time limit, and systems outside the account."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from simulator.workload.load import Load
from simulator.workload.spread import share_above
from simulator.world import Dependency, Reach, ServiceWorld

LEAST_FREE = 0.2


@dataclass(frozen=True)
class Calls:
    """A service's calls to the outside in one tick: how many fail and where, and how much longer each takes."""

    error_share: float = 0.0
    latency_ms: float = 0.0
    failing: str = ""

    @classmethod
    def outside(
        cls, service: ServiceWorld, parameters: Mapping[str, str], load: Load, at: datetime
    ) -> "Calls":
        """The calls that the service's settings send to the systems it reaches."""
        errors, latency, name = 0.0, 0.0, ""
        for reach in service.reaches:
            failing, slower = load.outage(reach.external, at)
            share = calls_per_request(reach, parameters)
            errors += share * failing
            latency += share * slower
            name = name or (reach.external if share * failing else "")
        return cls(min(1.0, errors), latency, name)

    def free_share(self, service: ServiceWorld) -> float:
        """The share of the workers that does not wait for calls that take longer than usual."""
        usual = service.base_latency_ms
        return max(LEAST_FREE, usual / (usual + self.latency_ms))


def calls_per_request(reach: Reach, parameters: Mapping[str, str]) -> float:
    """How often a request calls an external system, as its routing parameter has it."""
    if reach.route_parameter is None:
        return reach.per_request
    return reach.shares.get(parameters.get(reach.route_parameter, ""), reach.per_request)


def time_limit(call: Dependency, parameters: Mapping[str, str]) -> float:
    """How many milliseconds a call may take."""
    given = parameters.get(call.timeout_parameter or "", "")
    try:
        return float(given) if call.timeout_parameter and float(given) > 0 else call.timeout_ms
    except ValueError:
        return call.timeout_ms


def timed_out_share(call: Dependency, parameters: Mapping[str, str], latency_ms: float) -> float:
    """The share of the calls to a service of that median latency that takes too long."""
    return share_above(latency_ms, time_limit(call, parameters))
