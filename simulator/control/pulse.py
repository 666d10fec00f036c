"""How the account's services do, minute by minute: what a person watches, read without a call."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from simulator.account import Account
from simulator.clock import floored, iso

MINUTE = timedelta(minutes=1)
# Every service and function publishes these in the world's own namespace.
_MEASURES = (("requests", "Requests", "Sum"), ("errors", "Errors", "Sum"), ("latency_ms", "LatencyMs", "p99"))


@dataclass(frozen=True)
class Pulse:
    """Reads the last `minutes` whole minutes of an account."""

    account: Account
    minutes: int

    def as_json(self) -> dict[str, Any]:
        """Each service's measures, oldest minute first with None where there was none; alarms; the clock."""
        account = self.account
        world = account.world
        names = [*(one.name for one in world.services), *(one.name for one in world.functions)]
        alarms = sorted(account.book.all().values(), key=lambda one: one.name)
        return {
            "now": iso(account.clock.now()),
            "minutes": self.minutes,
            "services": [{"name": name, **self._measures(name)} for name in names],
            "alarms": [{"name": one.name, "state": one.standing.state.value} for one in alarms],
        }

    def _measures(self, service: str) -> dict[str, list[float | None]]:
        return {key: self._series(service, metric, stat) for key, metric, stat in _MEASURES}

    def _series(self, service: str, metric: str, stat: str) -> list[float | None]:
        end = floored(self.account.clock.now(), MINUTE)
        start = end - self.minutes * MINUTE
        store = self.account.workload.held.metrics
        found = dict(
            store.series(self.account.world.namespace, metric, {"Service": service}, start, end, 60, stat)
        )
        return [found.get(start + number * MINUTE) for number in range(self.minutes)]


def pulse(account: Account, minutes: int) -> dict[str, Any]:
    """The account's last minutes."""
    return Pulse(account, minutes).as_json()
