"""Rows of settings/autonomy.toml that are about nothing that is known: most likely a slip in a name."""

from collections.abc import Collection, Iterator

from console.findings import Finding, Line
from graphs.autonomy import SIMULATED, AutonomySettings

AREA = "configured"


def look_at_services(autonomy: AutonomySettings, services: Collection[str]) -> Iterator[Line]:
    """Yield each service that a level is set for and the topology has not: its name alone says what is meant."""
    for number, row in enumerate(autonomy.levels):
        if row.service and not row.is_of(services):
            what = f"settings/autonomy.toml, levels.{number}: no service {row.service} in the topology"
            remedy = (
                "correct the name, or name the service and its parts in settings/topology.toml; until then the level "
                f"counts only where {row.service} stands in an action's parameters, not for its tables and queues"
            )
            yield Line(AREA, what, Finding.BAD, remedy)


def look_at_accounts(autonomy: AutonomySettings, account: str) -> Iterator[Line]:
    """Yield each account that a level or freeze is for and that has neither a level nor a role of its own."""
    known = {account, SIMULATED, *autonomy.accounts, *autonomy.roles}
    named = [(f"levels.{number}", row.account) for number, row in enumerate(autonomy.levels) if row.account]
    named += [
        (f"freezes.{number}", name) for number, one in enumerate(autonomy.freezes) for name in one.accounts
    ]
    for row, name in named:
        if name not in known:
            what = f"settings/autonomy.toml, {row}: account {name} is named nowhere else there"
            remedy = "correct the number, or add it under [accounts]; an account that is not named is only observed"
            yield Line(AREA, what, Finding.NOTE, remedy)
