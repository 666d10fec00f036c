"""Changes of tables take account time and are limited in number and size. All else of DynamoDB is the emulator's.

A table is UPDATING for half a minute; how long it takes on AWS is not documented. Its new capacity is in force from the
beginning of that. An index is made at once. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
Decreases: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from simulator.emulator import Emulator, RefusedError
from simulator.quotas.applied import AppliedQuotas
from simulator.quotas.catalogue import TABLE_READS, TABLE_WRITES
from simulator.wire.protocol import AwsError, Call

UPDATES_FOR = timedelta(seconds=30)
FREE_DECREASES = 4
BETWEEN_DECREASES = timedelta(hours=1)
_UNITS = ("ReadCapacityUnits", "WriteCapacityUnits")
_QUOTAS = {"ReadCapacityUnits": TABLE_READS, "WriteCapacityUnits": TABLE_WRITES}


@dataclass
class Changes:
    """What became of one table's capacity."""

    updating_until: datetime | None = None
    increased_at: datetime | None = None
    decreases: list[datetime] = field(default_factory=list)

    def decreases_on(self, at: datetime) -> int:
        """How many decreases there were on the day of `at`, in UTC."""
        return sum(one.date() == at.date() for one in self.decreases)


@dataclass(frozen=True)
class TableOverlay:
    """Answers what tells of a table's changes over the emulator's tables."""

    emulator: Emulator
    quotas: AppliedQuotas
    _changes: dict[str, Changes] = field(default_factory=dict)
    service: str = "dynamodb"
    operations: frozenset[str] = frozenset(
        {"CreateTable", "DescribeTable", "ListTagsOfResource", "UpdateTable"}
    )
    exclusive: bool = False

    async def answer(self, call: Call) -> Mapping[str, Any]:
        """The operation's result, or `AwsError`."""
        if call.operation == "ListTagsOfResource":
            return await self._tags(call.parameters)
        name = call.parameters["TableName"].rpartition("/")[2]
        if call.operation in ("CreateTable", "UpdateTable"):
            self._check_quotas(call.parameters)
        if call.operation == "CreateTable":
            made = (await self._asked("CreateTable", call.parameters))["TableDescription"]
            self.emulator.date_table(name, call.at)
            return {"TableDescription": {**made, "CreationDateTime": call.at}}
        table = (await self._asked("DescribeTable", {"TableName": name}))["Table"]
        if call.operation == "DescribeTable":
            return {"Table": self._described(name, table, call.at)}
        changes = self._changes.get(name, Changes())
        if changes.updating_until is not None and call.at < changes.updating_until:
            message = f"Attempt to change a resource which is still in use: Table is being updated: {name}"
            raise AwsError("ResourceInUseException", message)
        before, wanted = _units(table), _wanted(call.parameters, table)
        is_decrease = any(wanted[one] < before[one] for one in _UNITS)
        if is_decrease:
            _check_allowance(changes, call.at)
        updated = await self._asked("UpdateTable", {**call.parameters, "TableName": name})
        if wanted != before or "BillingMode" in call.parameters:
            changes.updating_until = call.at + UPDATES_FOR
        if is_decrease:
            changes.decreases.append(call.at)
        if any(wanted[one] > before[one] for one in _UNITS):
            changes.increased_at = call.at
        self._changes[name] = changes
        return {"TableDescription": self._described(name, updated["TableDescription"], call.at)}

    def _check_quotas(self, parameters: Mapping[str, Any]) -> None:
        """Refuse more throughput than the account may give a table or an index. The wording is not documented."""
        indexes = [one for one in parameters.get("GlobalSecondaryIndexes", [])]
        for update in parameters.get("GlobalSecondaryIndexUpdates", []):
            indexes += update.values()
        for given in (parameters, *indexes):
            for units, quota in _QUOTAS.items():
                wanted, most = given.get("ProvisionedThroughput", {}).get(units, 0), self.quotas.value(quota)
                if wanted > most:
                    message = f"Subscriber limit exceeded: {quota.name} is {most:.0f}, and {units} would be {wanted}"
                    raise AwsError("LimitExceededException", message)

    async def _tags(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """The tags of a table that exists; the emulator denies those of one that does not."""
        await self._asked("DescribeTable", {"TableName": parameters["ResourceArn"].rpartition("/")[2]})
        return await self._asked("ListTagsOfResource", parameters)

    def _described(self, name: str, table: Mapping[str, Any], at: datetime) -> dict[str, Any]:
        changes = self._changes.get(name)
        if changes is None:
            return dict(table)
        is_updating = changes.updating_until is not None and at < changes.updating_until
        throughput = {
            **table.get("ProvisionedThroughput", {}),
            "NumberOfDecreasesToday": changes.decreases_on(at),
            "LastDecreaseDateTime": changes.decreases[-1] if changes.decreases else None,
            "LastIncreaseDateTime": changes.increased_at,
        }
        status = "UPDATING" if is_updating else table["TableStatus"]
        return {**table, "TableStatus": status, "ProvisionedThroughput": throughput}

    async def _asked(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return await self.emulator.call("dynamodb", operation, parameters)
        except RefusedError as error:
            raise error.as_aws() from error


def _units(table: Mapping[str, Any]) -> dict[str, int]:
    given = table.get("ProvisionedThroughput", {})
    return {one: int(given.get(one, 0)) for one in _UNITS}


def _wanted(parameters: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, int]:
    """The units that a table of provisioned capacity would have; what it has where nothing is said."""
    given = parameters.get("ProvisionedThroughput", {})
    return {**_units(table), **{one: int(given[one]) for one in _UNITS if one in given}}


def _check_allowance(changes: Changes, at: datetime) -> None:
    """Four decreases a day at any time, and a further one after an hour without any."""
    today = changes.decreases_on(at)
    if today < FREE_DECREASES or at - changes.decreases[-1] >= BETWEEN_DECREASES:
        return
    following = changes.decreases[-1] + BETWEEN_DECREASES
    raise AwsError(
        "LimitExceededException",
        "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. After the "
        "first 4 decreases, each subsequent decrease in the same UTC day can be performed at most once every 3600 "
        f"seconds. Number of decreases today: {today}. Last decrease at {_written(changes.decreases[-1])}. Next "
        f"decrease can be made at {_written(following)}",
    )


def _written(at: datetime) -> str:
    return f"{at:%A, %B} {at.day}, {at.year} at {at:%H:%M:%S} UTC"
