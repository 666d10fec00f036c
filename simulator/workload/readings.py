"""What the workload reads of the account's other services, so that whoever changes them changes what happens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.emulator import Emulator, RefusedError
from simulator.sqs.mirror import QueueMirror
from simulator.trail.calls import CallLog
from simulator.workload.queues import QueueSettings
from simulator.workload.tables import Units
from simulator.world import World

ON_DEMAND_UNITS = 40_000
PARAMETERS_A_CALL = 10


@dataclass(frozen=True)
class Readings:
    """Capacities by table, values by parameter, attributes by queue. What is gone is not in them."""

    capacities: Mapping[str, Units] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    queues: Mapping[str, QueueSettings] = field(default_factory=dict)


@dataclass
class AccountReader:
    """Reads anew when somebody has called the account since it last read."""

    emulator: Emulator
    mirror: QueueMirror
    world: World
    log: CallLog
    _read: Readings | None = None
    _calls: int = 0

    async def __call__(self) -> Readings:
        """What the account's services say now."""
        called = len(self.log.after(self._calls))
        if called or self._read is None:
            self._calls += called
            self._read = Readings(
                await self._capacities(),
                await self._parameters(),
                await self.mirror.settings(one.name for one in self.world.queues),
            )
        return self._read

    async def _capacities(self) -> Mapping[str, Units]:
        """What the tables can take. A table that is gone takes nothing."""
        capacities = {}
        for table in self.world.tables:
            try:
                described = await self.emulator.call("dynamodb", "DescribeTable", {"TableName": table.name})
            except RefusedError:
                capacities[table.name] = Units(0, 0)
                continue
            capacities[table.name] = _units(described["Table"])
        return capacities

    async def _parameters(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        names = [one.name for one in self.world.parameters]
        for begin in range(0, len(names), PARAMETERS_A_CALL):
            asked = {"Names": names[begin : begin + PARAMETERS_A_CALL]}
            answer = await self.emulator.call("ssm", "GetParameters", asked)
            found |= {one["Name"]: one["Value"] for one in answer["Parameters"]}
        return found


def _units(table: Mapping[str, Any]) -> Units:
    if table.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST":
        return Units(ON_DEMAND_UNITS, ON_DEMAND_UNITS)
    given = table["ProvisionedThroughput"]
    return Units(int(given["ReadCapacityUnits"]), int(given["WriteCapacityUnits"]))
