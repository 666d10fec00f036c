"""The kill switch that is set without a deployment: one record for each tenant, and an audit entry for each turn."""

from memory import keys
from memory.records.audit import Deed
from memory.records.base import canonical_json
from memory.records.incident import ERASED
from memory.records.kill_switch import KillSwitch
from memory.stores.audit import AuditTrail
from memory.table import Item, RecordTable, Write


def told_of_turn(switch: KillSwitch) -> str:
    """Return what the audit says of a turn of the switch."""
    return f"writes {'stopped' if switch.on else 'allowed again'}"


class KillSwitchStore:
    """Reads and turns a tenant's switch. One that was never turned is off."""

    def __init__(self, table: RecordTable, tenant: str) -> None:
        self._table = table
        self._tenant = tenant
        self._trail = AuditTrail(table)

    def read(self) -> KillSwitch:
        """Return where the switch stands."""
        item = self._table.get(keys.kill_switch(self._tenant))
        return KillSwitch.model_validate(item.body) if item else KillSwitch()

    def turn(self, switch: KillSwitch) -> None:
        """Turn the switch and write who did so and why; raise `ConflictError` when somebody else turns it now."""
        key = keys.kill_switch(self._tenant)
        item = self._table.get(key)
        version = item.version if item else 0
        if switch.at is None:
            raise ValueError("a turn of the switch has a time")
        self._trail.commit(
            keys.tenant_audit(self._tenant),
            [Write(Item(key, switch.model_dump(mode="json"), version + 1), version)],
            switch.at,
            Deed.SWITCHED,
            who=switch.by,
            what=told_of_turn(switch),
            why=switch.reason,
        )

    def erase_about(self, text: str) -> int:
        """Leave the switch where it stands and forget who turned it and why, where the text stands in that."""
        key = keys.kill_switch(self._tenant)
        item = self._table.get(key)
        if item is None or text not in canonical_json(item.body):
            return 0
        left = {"reason": ERASED, "by": ERASED}
        self._table.replace(item, {**item.body, **left})
        return 1
